"""Orders from outside: what a source said last, and what of its new word is taken. Pure.

The base is what the source said before; only the difference to it counts. So a source that repeats
itself changes nothing, and what a person corrected stays corrected.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET

from sync.contract.orders import Order, OrderPatch, canonical_bytes, diff, row_hash

CutOff = Callable[[str, int], tuple[int | None, str]]
"""Works a cut-off out: ship method and time of arrival (server wall) to the cut-off and its rule."""

_PERSONAL: Final = (
    *("number", "customer", "ship_to", "ship_method", "carrier", "note", "tags", "priority"),
    "tracking_number",
)
"""What people correct too: a source does not overwrite the correction."""


class Said(NamedTuple):
    """What a source said of one order: the order with nothing of ours in it, and when it said so."""

    order_id: str
    digest: int
    body: bytes
    said_ms: int


def no_cut_off(_ship_method: str, _now_ms: int) -> tuple[int | None, str]:
    """Return the cut-off where there are no schedules: none."""
    return None, ""


def as_said(order: Order) -> Order:
    """Return an order with only what a source can say: a pure function of its words."""
    lines = tuple(
        msgspec.structs.replace(
            line, position=place, quantity_picked=0, quantity_cancelled=0, quantity_short=0, picked_by=()
        )
        for place, line in enumerate(order.lines, 1)
    )
    return msgspec.structs.replace(
        order,
        id="",
        organization_id="",
        site_id="",
        created_ms=0,
        updated_ms=0,
        revision=1,
        lines=lines,
        claimed_by=None,
        assignee="",
        exceptions=(),
        deleted_ms=None,
        retired_ms=None,
        stage_by="",
        cut_off_rule="",
        handover=None,
        assignee_id="",
        assigned_by="",
        packed=None,
        parcels=0,
        backorders=0,
        updated_by="",
    )


def digest(order: Order) -> int:
    """Return the hash of what a source said: the same again is the same number."""
    return row_hash(canonical_bytes(as_said(order)))


def arrived(order: Order, now_ms: int, cut_off: CutOff) -> Order:
    """Return a new order as it comes onto the board, with the times that nobody said."""
    given = order.cut_off_ms
    cut_off_ms, rule = cut_off(order.ship_method, now_ms) if given is None else (given, "")
    hold = order.hold
    if hold is not None and not hold.at_ms:
        hold = msgspec.structs.replace(hold, at_ms=now_ms)
    return msgspec.structs.replace(
        order,
        created_ms=now_ms,
        updated_ms=now_ms,
        placed_ms=order.placed_ms or now_ms,
        stage_ms=order.stage_ms or now_ms,
        cancelled_ms=None if order.cancelled_ms is None else order.cancelled_ms or now_ms,
        hold=hold,
        cut_off_ms=cut_off_ms,
        cut_off_rule=rule,
        revision=1,
        lines=tuple(
            msgspec.structs.replace(line, position=place) for place, line in enumerate(order.lines, 1)
        ),
    )


def difference(base: Order, new: Order, now: Order, now_ms: int, cut_off: CutOff) -> OrderPatch:
    """Return what a source changed from ``base`` to ``new``, without what people changed on ``now``."""
    patch = diff(base, new)
    kept: dict[str, Any] = {name: UNSET for name in _PERSONAL if getattr(now, name) != getattr(base, name)}
    if patch.placed_ms == 0:
        kept["placed_ms"] = UNSET
    hold = patch.hold
    if hold is not UNSET and hold is not None and not hold.at_ms:
        kept["hold"] = msgspec.structs.replace(hold, at_ms=now_ms)
    patch = msgspec.structs.replace(patch, **kept)
    is_worked_out = now.cut_off_ms is None or now.cut_off_rule
    is_other_van = patch.ship_method is not UNSET and new.cut_off_ms is None and is_worked_out
    if patch.cut_off_ms is None or is_other_van:
        cut_off_ms, rule = cut_off(new.ship_method, now.created_ms)
        return msgspec.structs.replace(patch, cut_off_ms=cut_off_ms, cut_off_rule=rule)
    if patch.cut_off_ms is not UNSET:
        return msgspec.structs.replace(patch, cut_off_rule="")
    return patch
