"""What becomes of an order when its source says it anew. Pure, part of the order state machine.

A source may correct what nobody has worked on. It never moves an order backwards, never out of a column
that a person chose, and never takes a person's hold away. What it changes under somebody's hands is
taken and marked as an exception, so that somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from msgspec import UNSET

from sync.contract.limits import EXCEPTIONS_MAX
from sync.contract.operations import Reason
from sync.contract.orders import LineItem, Order, OrderException, OrderPatch
from sync.contract.stages import Stage, stage_index

HOLDER: Final = "Import"
"""Who put an order on hold because of what its source said; only such a hold may a source release."""
NAMED_LINES: Final = 5
_PLAIN: Final = (
    *("number", "placed_ms", "ship_method", "carrier", "customer", "ship_to", "note", "tags"),
    *("priority", "cut_off_ms", "cut_off_rule", "tracking_number"),
)


def revised(
    order: Order, patch: OrderPatch, op_id: str, now_ms: int
) -> tuple[Order, tuple[OrderException, ...]]:
    """Return the order with what may be taken of ``patch``, and the exceptions that this opened."""
    if not order.is_open or not order.is_on_board:
        # Shipped is shipped: a source that still changes it speaks of its own books.
        return order, ()
    has_begun = _has_begun(order)
    changed: dict[str, Any] = {name: value for name in _PLAIN if (value := getattr(patch, name)) is not UNSET}
    alarms: list[tuple[Reason, str]] = []
    if patch.lines is not UNSET:
        # What was looked for and not found is on a backorder: a line that forgot it would be sent twice.
        is_counted = has_begun or any(line.quantity_short for line in order.lines)
        lines = _joined(order.lines, patch.lines) if is_counted else patch.lines
        changed["lines"] = lines
        if is_counted and (words := list(_differences(order.lines, lines))):
            named = ", ".join(words[:NAMED_LINES]) + (", …" if len(words) > NAMED_LINES else "")
            alarms.append((Reason.LINES_CHANGED, f"Lines changed: {named}. Picking had begun."))
    if order.stage is Stage.PICKED and changed.get("ship_to", order.ship_to) != order.ship_to:
        alarms.append((Reason.ADDRESS_CHANGED, "Address changed after the order was picked."))
    changed |= _stage(order, patch, now_ms) | _hold(order, patch)
    if isinstance(patch.cancelled_ms, int):
        changed |= {"cancelled_ms": patch.cancelled_ms or now_ms, "hold": None}
        if has_begun:
            alarms.append((Reason.CANCELLED, "Cancelled after picking began. Put its items back."))
    opened = tuple(OrderException(reason.value, words, op_id, now_ms) for reason, words in alarms)
    exceptions = (order.exceptions + opened)[-EXCEPTIONS_MAX:]
    return msgspec.structs.replace(order, exceptions=exceptions, **changed), opened


def _has_begun(order: Order) -> bool:
    """Say whether somebody may have items of the order in hand."""
    is_touched = any(line.quantity_picked for line in order.lines)
    return order.stage is not Stage.CONFIRMED or order.claimed_by is not None or is_touched


def _stage(order: Order, patch: OrderPatch, now_ms: int) -> dict[str, Any]:
    """Return the stage that the source may set: forward, and only where nobody has chosen one."""
    is_chosen = order.stage_by or order.claimed_by is not None
    if patch.stage is UNSET or is_chosen or stage_index(patch.stage) <= stage_index(order.stage):
        return {}
    return {"stage": patch.stage, "stage_ms": patch.stage_ms or now_ms}


def _hold(order: Order, patch: OrderPatch) -> dict[str, Any]:
    is_ours = order.hold is None or order.hold.by == HOLDER
    return {} if patch.hold is UNSET or not is_ours else {"hold": patch.hold}


def _joined(old: tuple[LineItem, ...], new: tuple[LineItem, ...]) -> tuple[LineItem, ...]:
    """Return the new lines with the picks of the old ones; lines that are gone stay, cancelled."""
    pairs, gone = _paired(old, new)
    joined = [
        line
        if twin is None
        else msgspec.structs.replace(
            line,
            location=line.location or twin.location,
            quantity_picked=twin.quantity_picked,
            quantity_short=twin.quantity_short,
            picked_by=twin.picked_by,
        )
        for line, twin in pairs
    ]
    joined += [msgspec.structs.replace(line, quantity_cancelled=line.quantity_ordered) for line in gone]
    return tuple(msgspec.structs.replace(line, position=place) for place, line in enumerate(joined, start=1))


def _differences(old: tuple[LineItem, ...], new: tuple[LineItem, ...]) -> Iterator[str]:
    pairs, _ = _paired(old, new)
    for line, twin in pairs:
        if twin is None:
            yield f"{_name(line)} added ({line.quantity_ordered})"
        elif line.quantity_cancelled > twin.quantity_cancelled:
            yield f"{_name(line)} removed"
        elif line.quantity_cancelled < twin.quantity_cancelled:
            yield f"{_name(line)} back again ({line.quantity_ordered})"
        elif line.quantity_ordered != twin.quantity_ordered:
            yield f"{_name(line)} {twin.quantity_ordered} → {line.quantity_ordered}"


def _paired(
    old: tuple[LineItem, ...], new: tuple[LineItem, ...]
) -> tuple[list[tuple[LineItem, LineItem | None]], list[LineItem]]:
    """Return each new line with the old one of the same product, and the old ones without a new one.

    The same product may stand on several lines: the first of the new is the first of the old.
    """
    waiting: dict[str, deque[LineItem]] = {}
    for line in old:
        waiting.setdefault(_name(line), deque()).append(line)
    pairs: list[tuple[LineItem, LineItem | None]] = []
    for line in new:
        twins = waiting.get(_name(line))
        pairs.append((line, twins.popleft() if twins else None))
    return pairs, [line for twins in waiting.values() for line in twins]


def _name(line: LineItem) -> str:
    return line.sku or line.name
