"""What was done on this terminal and can be taken back, the last step first. Pure.

An undo is a new operation that must find the order as the first one left it. Which revision that is, is only
known when the server's page has come: somebody may have changed the order in between, before or after.
So a step also remembers what it changed; the revision moves on only while that still holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from app.drafts import draft
from sync.contract.operations import Change, Operation, Source
from sync.contract.orders import Claim, Order
from sync.contract.ports import Ids
from sync.contract.undo import inverse

UNDO_LIMIT: Final = 50
"""How many steps back a person can go."""

_FIELDS: Final = (
    *("stage", "parcels", "priority", "assignee_id", "note", "tags", "lines", "tracking_number", "carrier"),
    *("number", "customer", "ship_to", "ship_method", "cut_off_ms"),
)
_PEOPLE: Final = ("claimed_by", "handover", "packed")


@dataclass(slots=True)
class Done:
    """One operation of a step: what takes it back, and how it left the order."""

    operation: Operation
    number: str
    back: Change | None
    left: dict[str, object]
    revision: int


Step = dict[str, Done]
"""One thing that a person did: its operations by order id."""


def done(operation: Operation, before: Order, after: Order) -> Done:
    """Return what there is to know for taking ``operation`` back, which made ``after`` of ``before``."""
    return Done(
        operation,
        before.number,
        inverse(operation, before, after),
        _changed(before, after),
        after.revision,
    )


class UndoSteps:
    """The steps of one person at one terminal."""

    def __init__(self, ids: Ids) -> None:
        """Take the ids of operations from ``ids``."""
        self._ids = ids
        self._steps: list[Step] = []

    @property
    def last(self) -> Step | None:
        """Return what would be taken back now."""
        return self._steps[-1] if self._steps else None

    def add(self, step: Sequence[Done]) -> None:
        """Remember a step; beyond the limit the oldest is forgotten."""
        if step:
            named = {each.operation.order_id: each for each in step}
            self._steps = [*self._steps[1 - UNDO_LIMIT :], named]

    def find(self, wanted: str) -> Step | None:
        """Return what an operation did, or all that a batch did."""
        for step in reversed(self._steps):
            of_batch = {key: each for key, each in step.items() if each.operation.batch_id == wanted}
            named = {key: each for key, each in step.items() if each.operation.op_id == wanted}
            if wanted and (of_batch or named):
                return of_batch or named
        return None

    def forget(self, op_ids: Collection[str]) -> None:
        """These were not accepted, or are taken back: nothing is left of them."""
        for step in self._steps:
            for order_id in [key for key, each in step.items() if each.operation.op_id in op_ids]:
                del step[order_id]
        self._steps = [step for step in self._steps if step]

    def note_shown(self, orders: Iterable[Order]) -> None:
        """Own operations on these orders arrived: they look so now."""
        for order in orders:
            newest = next((step[order.id] for step in reversed(self._steps) if order.id in step), None)
            if newest is not None and newest.left.items() <= _told(order).items():
                newest.revision = order.revision

    def take_back(
        self, step: Step, orders: Sequence[Order], source: Source, wall_ms: int = 0
    ) -> tuple[Operation, ...]:
        """Return the operations that undo ``step`` on ``orders``, as they are shown; it is forgotten."""
        pairs = [(each, order) for order in orders if (each := step.get(order.id)) is not None]
        batch = self._ids.new() if len(pairs) > 1 else ""
        self.forget({each.operation.op_id for each in step.values()})
        return tuple(
            draft(
                self._ids.new(),
                order,
                each.back,
                Source.BULK if batch else source,
                batch_id=batch,
                undoes=each.operation.op_id,
                revision=each.revision,
                wall_ms=wall_ms,
            )
            for each, order in pairs
            if each.back is not None
        )


def _changed(before: Order, after: Order) -> dict[str, object]:
    was = _told(before)
    return {name: value for name, value in _told(after).items() if value != was[name]}


def _told(order: Order) -> dict[str, object]:
    """Return what operations change, without the times: this terminal's clock is not the server's."""
    told: dict[str, object] = {name: getattr(order, name) for name in _FIELDS}
    hold = order.hold
    told["hold"] = None if hold is None else (hold.reason, hold.note, hold.until_ms)
    told["is_cancelled"] = order.cancelled_ms is not None
    return told | {name: _person(getattr(order, name)) for name in _PEOPLE}


def _person(claim: Claim | None) -> str | None:
    return None if claim is None else claim.user_id
