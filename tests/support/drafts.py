"""Operations as a person makes them, and the log entries that a server makes of them."""

from __future__ import annotations

from sync.contract.messages import Verdict
from sync.contract.operations import Change, LogEntry, Move, Operation, Outcome, Reason
from sync.contract.orders import Order, diff
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge, decide

JUDGE = Judge("user-1", "Ana K.", Role.SUPERVISOR, 1_700_000_000_000)


def draft(op_id: str, order_id: str, change: Change | None = None, *, actor_id: str = "user-1") -> Operation:
    """Return an operation that nobody has numbered; without ``change`` a move to picking."""
    return Operation(
        op_id=op_id,
        order_id=order_id,
        change=change or Move(Stage.PICKING),
        actor_id=actor_id,
        wall_ms=JUDGE.now_ms,
    )


def verdict(operation: Operation, seq: int, outcome: Outcome = Outcome.APPLIED) -> Verdict:
    """Return what a server says about a numbered operation."""
    reason = Reason.FORBIDDEN if outcome is Outcome.REJECTED else Reason.NONE
    return Verdict(operation.device_seq, operation.op_id, seq, outcome, reason)


def logged(seq: int, operation: Operation, order: Order | None, judge: Judge = JUDGE) -> LogEntry:
    """Return the log entry of ``operation`` on ``order``, decided as the server would."""
    decision = decide(order, operation, judge)
    entry = LogEntry(seq, operation, decision.outcome, judge.now_ms, judge.actor_name, decision.reason)
    if decision.order is None:
        return entry
    if order is None:
        return LogEntry(seq, operation, decision.outcome, judge.now_ms, order=decision.order)
    patch = diff(order, decision.order)
    return LogEntry(
        seq, operation, decision.outcome, judge.now_ms, judge.actor_name, decision.reason, patch=patch
    )
