"""Operations that were made at once: what became of each is told together, when the last one is decided."""

from __future__ import annotations

from collections.abc import Iterable

from sync.client.news import BatchDecided, BatchOutcome
from sync.client.store_values import Held
from sync.contract.messages import Verdict
from sync.contract.operations import Operation


class Batches:
    """The batches of which something is not decided."""

    def __init__(self, held: Iterable[Held]) -> None:
        """Start with what is held: what was let go of before belongs to an earlier run."""
        self._undecided: dict[str, set[str]] = {}
        self._outcomes: dict[str, dict[str, BatchOutcome]] = {}
        self._of: dict[str, Operation] = {}
        for operation, verdict in held:
            if self._begin(operation) and verdict is not None:
                self._note(operation, verdict)
        for batch_id in [each for each, undecided in self._undecided.items() if not undecided]:
            self._forget(batch_id)

    def add(self, operations: Iterable[Operation]) -> None:
        """Wait for the outcomes of these too."""
        for operation in operations:
            self._begin(operation)

    def decided(self, verdicts: Iterable[Verdict]) -> list[BatchDecided]:
        """Take verdicts in; return the batches of which these were the last."""
        complete = []
        for verdict in verdicts:
            operation = self._of.get(verdict.op_id)
            if operation is None:
                continue
            self._note(operation, verdict)
            if not self._undecided[operation.batch_id]:
                complete.append(BatchDecided(operation.batch_id, self._forget(operation.batch_id)))
        return complete

    def _begin(self, operation: Operation) -> bool:
        if not operation.batch_id:
            return False
        self._of[operation.op_id] = operation
        self._undecided.setdefault(operation.batch_id, set()).add(operation.op_id)
        self._outcomes.setdefault(operation.batch_id, {})
        return True

    def _note(self, operation: Operation, verdict: Verdict) -> None:
        self._undecided[operation.batch_id].discard(operation.op_id)
        self._outcomes[operation.batch_id][operation.op_id] = BatchOutcome(operation.order_id, verdict)

    def _forget(self, batch_id: str) -> tuple[BatchOutcome, ...]:
        del self._undecided[batch_id]
        outcomes = self._outcomes.pop(batch_id)
        for op_id in outcomes:
            del self._of[op_id]
        return tuple(outcomes.values())
