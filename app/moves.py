"""A person's moves as operations, and what they can take back. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

from app.drafts import draft
from app.undo_steps import UndoSteps
from sync.contract.operations import Move, Operation, Source
from sync.contract.orders import Order
from sync.contract.ports import Ids
from sync.contract.stages import Stage


class Moves:
    """Makes operations out of moves; ``steps`` keeps the way back."""

    def __init__(self, ids: Ids) -> None:
        """Take the ids of operations from ``ids``."""
        self._ids = ids
        self.steps = UndoSteps(ids)

    def move(self, orders: Sequence[Order], goal: Stage, source: Source) -> tuple[Operation, ...]:
        """Return one operation an order; several are one batch."""
        batch = self._ids.new() if len(orders) > 1 else ""
        given = Source.BULK if batch else source
        return tuple(draft(self._ids.new(), order, Move(goal), given, batch_id=batch) for order in orders)
