"""Facts: what has happened in the hall is recorded, whatever the order says. Pure.

Where a fact no longer fits, it opens an exception that tells the hands what to do next. A fact on an order
that left the board brings it back, so that somebody sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from sync.contract.ids import derived
from sync.contract.judging import Decision, Judge, changed_order, nothing, with_exception
from sync.contract.operations import Fact, Operation, Outcome, Pack, Pick, Reason, Ship, ShortLine, ShortPick
from sync.contract.orders import Hold, HoldReason, LineItem, Order, OrderException, Picked
from sync.contract.stages import Stage, stage_index

BACKORDER: Final = "backorder"
"""What the id of a backorder is derived with, from the id of its short pick."""
NAMED: Final = 8
"""Lines or places that a sentence names."""

Alarms = list[tuple[Reason, str]]

FACT_REASONS: Final = frozenset(
    {
        *(Reason.PICKED_AFTER_CANCEL, Reason.PICKED_ON_HOLD, Reason.PICKED_AFTER_SHIP, Reason.OVER_PICKED),
        *(Reason.LINE_UNKNOWN, Reason.PACKED_AFTER_CANCEL, Reason.PACKED_ON_HOLD),
        *(Reason.SHIPPED_AFTER_CANCEL, Reason.SHIPPED_ON_HOLD, Reason.SHIPPED_EARLY),
    }
)
"""What a fact may open. While such an exception is not acknowledged, the order stays on the board."""


def decide_fact(order: Order, operation: Operation, fact: Fact, judge: Judge) -> Decision:
    """Record ``fact`` on ``order``."""
    if isinstance(fact, Pick):
        return _picked(order, operation, fact, judge)
    if isinstance(fact, ShortPick):
        return _short(order, operation, fact, judge)
    if isinstance(fact, Pack):
        return _packed(order, operation, fact, judge)
    return _shipped(order, operation, fact, judge)


def _recorded(
    order: Order, operation: Operation, judge: Judge, changed: dict[str, Any], alarms: Alarms
) -> Decision:
    """Return the order with what changed and the exceptions that this opened; the first one is the reason."""
    exceptions = changed.pop("exceptions", order.exceptions)
    for reason, sentence in alarms:
        exceptions = with_exception(exceptions, reason, sentence, operation.op_id, judge.now_ms)
    after = changed_order(order, judge, exceptions=exceptions, retired_ms=None, **changed)
    if alarms:
        return Decision(Outcome.EXCEPTION, alarms[0][0], after)
    return Decision(Outcome.APPLIED, Reason.NONE, after)


# ---------------------------------------------------------------------- picks


def _picked(order: Order, operation: Operation, pick: Pick, judge: Judge) -> Decision:
    place = _place(order, pick.position, pick.sku)
    if place is None and pick.quantity <= 0:
        return _put_back(order, operation, judge)
    if place is None:
        words = f"{pick.quantity} × {pick.sku or f'line {pick.position}'} picked; the order has no such line."
        return _recorded(order, operation, judge, {}, [(Reason.LINE_UNKNOWN, f"{words} Put it back.")])
    line = order.lines[place]
    quantity = max(0, line.quantity_picked + pick.quantity)
    if quantity == line.quantity_picked:
        return nothing()
    lines = _with_line(order.lines, place, counted(line, quantity, judge))
    changed: dict[str, Any] = {"lines": lines, "exceptions": _still_over(order.exceptions, lines)}
    if order.cancelled_ms is None and order.stage is Stage.CONFIRMED and pick.quantity > 0:
        changed |= _entered(Stage.PICKING, judge) | {"claimed_by": order.claimed_by or judge.claim()}
    return _recorded(order, operation, judge, changed, _pick_alarms(order, lines, pick))


def _put_back(order: Order, operation: Operation, judge: Judge) -> Decision:
    """Return what putting back a piece of no line does: nothing, but when it takes that very pick back.

    Then nobody has to be told of the piece any more.
    """
    kept = tuple(
        each
        for each in order.exceptions
        if (each.code, each.op_id) != (Reason.LINE_UNKNOWN.value, operation.undoes)
    )
    if len(kept) == len(order.exceptions) or not judge.owns_undone:
        return nothing()
    return _recorded(order, operation, judge, {"exceptions": kept}, [])


def _pick_alarms(order: Order, lines: tuple[LineItem, ...], pick: Pick) -> Alarms:
    if pick.quantity < 0:
        return []
    alarms: Alarms = []
    if order.cancelled_ms is not None:
        alarms.append((Reason.PICKED_AFTER_CANCEL, f"Cancelled. Put back: {_held(lines)}."))
    elif order.stage is Stage.SHIPPED:
        alarms.append((Reason.PICKED_AFTER_SHIP, "Picked after the order was shipped. Call a supervisor."))
    elif order.hold is not None:
        alarms.append((Reason.PICKED_ON_HOLD, f"On hold ({order.hold.reason}). Keep it, do not pack it."))
    words = over_words(lines)
    if words and order.cancelled_ms is None:
        alarms.append((Reason.OVER_PICKED, words))
    return alarms


def _still_over(
    exceptions: tuple[OrderException, ...], lines: tuple[LineItem, ...]
) -> tuple[OrderException, ...]:
    """Return the exceptions as the picks are now: too many is over when no line holds too many any more.

    Whoever put the pieces back: the shelf is as true as the picker. What is left of it is told anew.
    """
    words = over_words(lines)
    return tuple(
        msgspec.structs.replace(each, sentence=words) if each.code == Reason.OVER_PICKED else each
        for each in exceptions
        if words or each.code != Reason.OVER_PICKED
    )


def over_words(lines: Sequence[LineItem]) -> str:
    """Return what is too much, whose the picked pieces are and where it goes; empty when nothing is."""
    over = [line for line in lines if line.quantity_picked > _wanted(line)]
    words = [
        f"{line.quantity_picked - _wanted(line)} × {_named(line)}{_picked_by(line)}"
        for line in over[: NAMED + 1]
    ]
    return f"Too many picked. Put back: {_listed(words)}." if words else ""


def _picked_by(line: LineItem) -> str:
    words = ", ".join(f"{each.name} {each.quantity}" for each in line.picked_by[:NAMED])
    return f", picked by {words}{', …' if len(line.picked_by) > NAMED else ''}" if words else ""


def counted(line: LineItem, quantity: int, judge: Judge) -> LineItem:
    """Return the line with ``quantity`` pieces picked, the difference on the actor's own tally.

    Who puts back more than they picked takes it from pieces without a name, then from whoever came last.
    """
    tally = {each.user_id: each for each in line.picked_by}
    own = tally.get(judge.actor_id)
    left = (0 if own is None else own.quantity) + quantity - line.quantity_picked
    tally[judge.actor_id] = Picked(judge.actor_id, judge.actor_name, max(0, left))
    spare = sum(each.quantity for each in tally.values()) - quantity
    for key in reversed(tuple(tally)):
        less = max(0, min(spare, tally[key].quantity))
        tally[key] = msgspec.structs.replace(tally[key], quantity=tally[key].quantity - less)
        spare -= less
    picked_by = tuple(each for each in tally.values() if each.quantity)
    return msgspec.structs.replace(line, quantity_picked=quantity, picked_by=picked_by)


def _wanted(line: LineItem) -> int:
    return max(0, line.quantity_ordered - line.quantity_cancelled)


def _held(lines: Sequence[LineItem]) -> str:
    return _listed([f"{line.quantity_picked} × {_named(line)}" for line in lines if line.quantity_picked])


def _named(line: LineItem) -> str:
    name = line.sku or line.name
    return f"{name} ({line.location})" if line.location else name


def _listed(words: list[str]) -> str:
    return ", ".join(words[:NAMED]) + (", …" if len(words) > NAMED else "")


def _place(order: Order, position: int, sku: str) -> int | None:
    """Return the index of the line that was meant; its source may have moved it."""
    return _places(order.lines)(position, sku)


def _places(lines: Sequence[LineItem]) -> Callable[[int, str], int | None]:
    """Return how lines are found by position and sku: a thousand of ten thousand hold up nobody."""
    at: dict[int, list[int]] = {}
    first: dict[str, int] = {}
    for place, line in enumerate(lines):
        at.setdefault(line.position, []).append(place)
        first.setdefault(line.sku, place)
        first.setdefault(line.name, place)

    def find(position: int, sku: str) -> int | None:
        here = at.get(position, ())
        exact = (place for place in here if not sku or sku in {lines[place].sku, lines[place].name})
        return next(exact, first.get(sku) if sku else None)

    return find


def _with_line(lines: tuple[LineItem, ...], place: int, line: LineItem) -> tuple[LineItem, ...]:
    return (*lines[:place], line, *lines[place + 1 :])


# ---------------------------------------------------------------------- short picks


def _short(order: Order, operation: Operation, short: ShortPick, judge: Judge) -> Decision:
    if not short.reason or order.cancelled_ms is not None:
        return nothing()
    find, lines, missing = _places(order.lines), list(order.lines), list[LineItem]()
    unknown: list[ShortLine] = []
    for each in short.lines:
        place = find(each.position, each.sku)
        if place is None:
            unknown.append(each)
            continue
        line = lines[place]
        # Never more than is open: somebody may have found and picked it meanwhile.
        quantity = min(each.quantity, line.quantity_open)
        if quantity > 0:
            lines[place] = msgspec.structs.replace(line, quantity_short=line.quantity_short + quantity)
            missing.append(msgspec.structs.replace(line, quantity_ordered=quantity))
    if not missing and not unknown:
        return nothing()
    # One for all of them: they are settled together, and take no other's place.
    alarms: Alarms = [(Reason.LINE_UNKNOWN, _unknown(unknown))] if unknown else []
    changed: dict[str, Any] = {"lines": tuple(lines)}
    if not missing:
        return _recorded(order, operation, judge, changed, alarms)
    decision = _recorded(order, operation, judge, changed | {"backorders": order.backorders + 1}, alarms)
    return decision._replace(made=_backorder(order, missing, operation, short, judge))


def _unknown(lines: list[ShortLine]) -> str:
    words = [f"{line.quantity} × {line.sku or f'line {line.position}'}" for line in lines]
    which = ("is", "line") if len(words) == 1 else ("are", "lines")
    return f"{_listed(words)} {which[0]} short; the order has no such {which[1]}."


def _backorder(
    order: Order, missing: list[LineItem], operation: Operation, short: ShortPick, judge: Judge
) -> Order:
    """Return the order that holds the short rest; it waits until the goods are there."""
    lines = tuple(
        msgspec.structs.replace(
            line, position=place, quantity_picked=0, quantity_cancelled=0, quantity_short=0, picked_by=()
        )
        for place, line in enumerate(missing, 1)
    )
    return Order(
        id=derived(operation.op_id, BACKORDER),
        organization_id=order.organization_id,
        site_id=order.site_id,
        source="backorder",
        external_ref="",
        number=f"{order.number}-B{order.backorders + 1}",
        stage=Stage.CONFIRMED,
        placed_ms=order.placed_ms,
        stage_ms=judge.now_ms,
        created_ms=judge.now_ms,
        updated_ms=judge.now_ms,
        priority=order.priority,
        ship_method=order.ship_method,
        carrier=order.carrier,
        customer=order.customer,
        ship_to=order.ship_to,
        tags=order.tags,
        hold=Hold(HoldReason.OUT_OF_STOCK.value, judge.actor_name, judge.now_ms, short.note or short.reason),
        backorder_of=order.id,
        lines=lines,
    )


# ---------------------------------------------------------------------- packed and shipped


def _packed(order: Order, operation: Operation, pack: Pack, judge: Judge) -> Decision:
    if not pack.parcels:
        if order.packed is None:
            return nothing()
        return _recorded(order, operation, judge, {"packed": None, "parcels": 0}, [])
    if order.packed is not None and order.parcels == pack.parcels:
        return nothing()
    changed: dict[str, Any] = {"packed": judge.claim(), "parcels": pack.parcels}
    alarms: Alarms = []
    if order.cancelled_ms is not None:
        alarms.append((Reason.PACKED_AFTER_CANCEL, f"Cancelled. Unpack and put back: {_held(order.lines)}."))
    else:
        if stage_index(order.stage) < stage_index(Stage.PICKED):
            changed |= _entered(Stage.PICKED, judge) | {"handover": None}
        if order.hold is not None:
            words = f"On hold ({order.hold.reason}). Do not hand it over."
            alarms.append((Reason.PACKED_ON_HOLD, words))
    return _recorded(order, operation, judge, changed, alarms)


def _shipped(order: Order, operation: Operation, ship: Ship, judge: Judge) -> Decision:
    label = {
        name: value
        for name, value in (("tracking_number", ship.tracking_number), ("carrier", ship.carrier))
        if value
    }
    if order.stage is Stage.SHIPPED:
        if all(getattr(order, name) == value for name, value in label.items()):
            return nothing()
        return _recorded(order, operation, judge, label, [])
    alarms: Alarms = []
    if order.cancelled_ms is not None:
        alarms.append((Reason.SHIPPED_AFTER_CANCEL, "Shipped although cancelled. Call the carrier back."))
    elif order.hold is not None:
        words = f"Shipped while on hold ({order.hold.reason}). Call the carrier back."
        alarms.append((Reason.SHIPPED_ON_HOLD, words))
    elif stage_index(order.stage) < stage_index(Stage.PICKED):
        alarms.append((Reason.SHIPPED_EARLY, "Shipped before picking was finished. Check what was sent."))
    changed = label | _entered(Stage.SHIPPED, judge) | {"handover": None}
    return _recorded(order, operation, judge, changed, alarms)


def _entered(stage: Stage, judge: Judge) -> dict[str, Any]:
    return {"stage": stage, "stage_ms": judge.now_ms, "stage_by": judge.actor_id}
