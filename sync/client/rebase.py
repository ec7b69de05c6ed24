"""The server's truth and this terminal's unfinished operations: what the board shows. Pure.

An operation that the cache already contains is not replayed (it would count twice); one that the
state machine refuses on what is true now is not shown. So a rejection undoes the operation itself
and whatever cannot stand without it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sync.contract.operations import Operation, Outcome
from sync.contract.orders import Order
from sync.contract.rows import Fate
from sync.contract.state_machine import Decider, Judge, decide


class Pending(NamedTuple):
    """One operation of this terminal that is not done, and by whose rights it is replayed."""

    operation: Operation
    judge: Judge
    fate: Fate


class Replay(NamedTuple):
    """The order as it is shown, and the ids of the operations that do not fit it any more."""

    order: Order | None
    refused: tuple[str, ...]


def replay(truth: Order | None, pending: Sequence[Pending], decider: Decider = decide) -> Replay:
    """Return ``truth`` with ``pending`` on top, oldest first."""
    order, refused = truth, []
    for operation, judge, _ in pending:
        decision = decider(order, operation, judge)
        if decision.outcome is Outcome.REJECTED:
            refused.append(operation.op_id)
        elif decision.order is not None:
            order = decision.order
    return Replay(order, tuple(refused))


def not_in_truth(pending: Iterable[Pending], device_id: str, decided_device_seq: int) -> list[Pending]:
    """Return those that a cache does not contain yet.

    ``decided_device_seq`` is the highest number of ``device_id`` that the cache contains. Drafts
    carry the number 0 and are in no cache.
    """
    return [entry for entry in pending if not _is_in_truth(entry.operation, device_id, decided_device_seq)]


def _is_in_truth(operation: Operation, device_id: str, decided_device_seq: int) -> bool:
    return operation.device_id == device_id and 0 < operation.device_seq <= decided_device_seq


def fate_of(pending: Iterable[Pending]) -> Fate:
    """Return how far the operation that is furthest behind has come, in the words of a card.

    What is under way to the server is as uncertain as what is not; what has its outcome is settled.
    """
    fates = {entry.fate for entry in pending}
    if Fate.SAVING in fates:
        return Fate.SAVING
    return Fate.PENDING if fates & {Fate.PENDING, Fate.SENT} else Fate.SETTLED
