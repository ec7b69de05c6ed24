"""Taking an operation back: the change that makes an order what it was. Pure.

An undo is a new operation with ``undoes`` and the revision that the person saw; the server refuses it when
somebody changed the order since.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sync.contract.limits import PRIORITY_MAX
from sync.contract.operations import (
    Assign,
    Cancel,
    Change,
    Create,
    Edit,
    Move,
    Note,
    Operation,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reinstate,
    Release,
    RequestHandover,
    Ship,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import Order, OrderPatch


def inverse(operation: Operation, before: Order, after: Order) -> Change | None:
    """Return what takes ``operation`` back, which made ``after`` of ``before``; None when nothing does.

    A short pick stays: its backorder is an order of its own, which can be cancelled. What the server alone
    does, and that somebody has seen or settled something, is not taken back either.
    """
    taking_back = _INVERSES.get(type(operation.change))
    return None if taking_back is None else taking_back(operation.change, before, after)


def _of_stage(_change: Change, before: Order, after: Order) -> Change | None:
    return None if before.stage is after.stage else Move(before.stage)


def _of_pack(change: Change, before: Order, after: Order) -> Change | None:
    # Going back to picking takes the parcels away as well.
    return _of_stage(change, before, after) or Pack(before.parcels)


def _of_priority(_change: Change, before: Order, after: Order) -> Change | None:
    if 0 <= before.priority <= PRIORITY_MAX:
        return Prioritise(before.priority)
    # The source of an order may say more than people can.
    return Edit(OrderPatch(priority=before.priority), OrderPatch(priority=after.priority))


def _of_hold(_change: Change, before: Order, _after: Order) -> Change | None:
    hold = before.hold
    return Release() if hold is None else PutOnHold(hold.reason, hold.note, hold.until_ms)


def _of_note(_change: Change, before: Order, after: Order) -> Change | None:
    return Edit(OrderPatch(note=before.note), OrderPatch(note=after.note))


def _of_tag(_change: Change, before: Order, after: Order) -> Change | None:
    came = tuple(tag for tag in after.tags if tag not in before.tags)
    went = tuple(tag for tag in before.tags if tag not in after.tags)
    return Tag(add=went, remove=came)


_INVERSES: Final[dict[type, Callable[[Any, Order, Order], Change | None]]] = {
    Create: lambda *_: Cancel(),
    Move: _of_stage,
    Ship: _of_stage,
    Pack: _of_pack,
    Pick: lambda change, *_: Pick(change.position, -change.quantity, change.sku),
    Take: lambda *_: Unclaim(),
    Unclaim: lambda *_: Take(),
    RequestHandover: lambda change, *_: RequestHandover(withdrawn=not change.withdrawn),
    Assign: lambda _, before, after: Assign(before.assignee_id, before.assignee, after.assignee_id),
    Prioritise: _of_priority,
    PutOnHold: _of_hold,
    Release: _of_hold,
    Cancel: lambda *_: Reinstate(),
    Reinstate: lambda *_: Cancel(),
    Note: _of_note,
    Tag: _of_tag,
    Edit: lambda change, *_: Edit(change.was, change.fields),
}
