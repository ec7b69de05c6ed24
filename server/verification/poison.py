"""A decider that fails on one marked operation, as a defect of ours would."""

from __future__ import annotations

from typing import Final

from sync.contract.operations import Operation, Tag
from sync.contract.orders import Order
from sync.contract.state_machine import Decision, Judge, decide

POISON: Final = "poison"
"""The tag that nobody can decide."""


class PoisonError(Exception):
    """The defect."""


def is_poison(operation: Operation) -> bool:
    """Say whether deciding ``operation`` fails."""
    return isinstance(operation.change, Tag) and POISON in operation.change.add


def decide_or_fail(order: Order | None, operation: Operation, judge: Judge) -> Decision:
    """Decide, or fail on what is marked."""
    if is_poison(operation):
        raise PoisonError(operation.op_id)
    return decide(order, operation, judge)
