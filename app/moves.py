"""A person's moves as operations: makes them, remembers how to take them back. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

from sync.contract.operations import Move, Operation, Source
from sync.contract.orders import Order
from sync.contract.ports import Ids
from sync.contract.stages import Stage

UNDO_LIMIT: Final = 50
"""How many moves back a person can go."""


@dataclass
class Step:
    """One thing that a person did, to take back as one: who went where, and how it looked then."""

    origins: dict[str, Stage]
    op_ids: dict[str, str]
    numbers: tuple[str, ...]
    goal: Stage
    revisions: dict[str, int] = field(default_factory=dict)


class Moves:
    """Makes operations out of moves and keeps the way back."""

    def __init__(self, ids: Ids) -> None:
        """Take the ids of operations from ``ids``."""
        self._ids = ids
        self._steps: list[Step] = []

    def move(self, orders: Sequence[Order], goal: Stage, source: Source) -> tuple[Operation, ...]:
        """Return one operation an order; several are one batch, and one step to take back."""
        batch = self._ids.new() if len(orders) > 1 else ""
        operations = tuple(
            Operation(
                self._ids.new(),
                order.id,
                Move(goal),
                source=Source.BULK if batch else source,
                batch_id=batch,
                base_stage=order.stage,
                base_revision=order.revision,
            )
            for order in orders
        )
        step = Step(
            {order.id: order.stage for order in orders},
            {operation.order_id: operation.op_id for operation in operations},
            tuple(order.number for order in orders),
            goal,
        )
        self._steps = [*self._steps[1 - UNDO_LIMIT :], step]
        return operations

    def note_shown(self, orders: Sequence[Order]) -> None:
        """Remember how orders of the last steps look now: undo must find them unchanged."""
        for order in orders:
            for step in reversed(self._steps):
                if order.id in step.op_ids:
                    step.revisions[order.id] = order.revision
                    break

    def forget(self, op_ids: Collection[str]) -> None:
        """These were not accepted: there is nothing to take back."""
        for step in self._steps:
            for order_id, op_id in tuple(step.op_ids.items()):
                if op_id in op_ids:
                    del step.op_ids[order_id], step.origins[order_id]
        self._steps = [step for step in self._steps if step.op_ids]

    @property
    def last(self) -> Step | None:
        """Return what would be taken back now."""
        return self._steps[-1] if self._steps else None

    def orders_of(self, op_ids: Collection[str]) -> tuple[str, ...]:
        """Return the ids of the orders that these operations of ours moved."""
        return tuple(
            order_id for step in self._steps for order_id, op_id in step.op_ids.items() if op_id in op_ids
        )

    def take_back(self, orders: Sequence[Order]) -> tuple[Operation, ...]:
        """Return the operations that undo the last step on ``orders``, as they are shown now."""
        if not self._steps:
            return ()
        step = self._steps.pop()
        batch = self._ids.new() if len(orders) > 1 else ""
        return tuple(
            Operation(
                self._ids.new(),
                order.id,
                Move(step.origins[order.id]),
                source=Source.BULK if batch else Source.KEY,
                batch_id=batch,
                undoes=step.op_ids[order.id],
                base_stage=order.stage,
                base_revision=step.revisions.get(order.id, order.revision),
            )
            for order in orders
            if order.id in step.op_ids
        )
