"""The order state machine: what an operation makes of an order. Pure, shared by both programs.

The server decides with it; a terminal replays with it what the server has not decided yet, so
that both come to the same card. Intents are validated against the order as it is now; the
precondition is what the operation read (its source stage), never the whole row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from sync.contract.operations import (
    Cancel,
    Change,
    Create,
    Import,
    Move,
    Operation,
    Outcome,
    PutOnHold,
    Reason,
    Release,
    Retire,
    Schedule,
    Ship,
    Take,
    Unclaim,
)
from sync.contract.orders import Claim, Hold, Order, OrderPatch
from sync.contract.permissions import Right, Role, is_allowed
from sync.contract.revisions import revised
from sync.contract.stages import Stage, is_single_step, stage_index


class Judge(NamedTuple):
    """Under whose rights and at which time an operation is decided (``now_ms``: server wall)."""

    actor_id: str
    actor_name: str
    role: Role
    now_ms: int


class Decision(NamedTuple):
    """The outcome, why, and the order afterwards (None when nothing changed)."""

    outcome: Outcome
    reason: Reason
    order: Order | None


def decide(order: Order | None, operation: Operation, judge: Judge) -> Decision:
    """Decide ``operation`` on ``order`` (None: unknown here) by the rights of ``judge``."""
    change = operation.change
    right = _RIGHTS[type(change)]
    if not is_allowed(judge.role, right):
        return _rejected(Reason.FORBIDDEN)
    if isinstance(change, Import) and change.patch is not None:
        return _decide_revision(order, operation, change.patch, judge)
    if isinstance(change, Create | Import):
        return _decide_new(order, change.order)
    if order is None or not order.is_on_board:
        return _rejected(Reason.UNKNOWN_ORDER)
    if _is_stale(order, operation):
        return _rejected(Reason.CHANGED_SINCE)
    if isinstance(change, Move):
        return _decide_move(order, operation, change, judge)
    if isinstance(change, Ship):
        return _decide_ship(order, operation, change, judge)
    if isinstance(change, Cancel | Schedule | Retire):
        return _decide_end(order, change, judge)
    return _decide_state(order, change, judge)


def _is_stale(order: Order, operation: Operation) -> bool:
    """Say whether an operation that holds only for the order as it was read comes too late."""
    if operation.base_revision == order.revision:
        return False
    is_servers = isinstance(operation.change, Schedule | Retire) and operation.base_revision > 0
    return bool(operation.undoes) or is_servers


def _decide_revision(order: Order | None, operation: Operation, patch: OrderPatch, judge: Judge) -> Decision:
    """Take what its source changed on an order that is there; what no longer fits is an exception."""
    if order is None:
        return _rejected(Reason.UNKNOWN_ORDER)
    after, alarms = revised(order, patch, operation.op_id, judge.now_ms)
    if after == order:
        return Decision(Outcome.NOOP, Reason.NONE, None)
    after = msgspec.structs.replace(after, revision=order.revision + 1, updated_ms=judge.now_ms)
    if alarms:
        return Decision(Outcome.EXCEPTION, Reason(alarms[0].code), after)
    return Decision(Outcome.MERGED, Reason.NONE, after)


def _decide_new(order: Order | None, new: Order | None) -> Decision:
    if new is None:
        return _rejected(Reason.UNKNOWN_ORDER)
    if order is not None:
        return _rejected(Reason.DUPLICATE_ORDER)
    return Decision(Outcome.APPLIED, Reason.NONE, new)


def _decide_move(order: Order, operation: Operation, change: Move, judge: Judge) -> Decision:
    goal = change.to
    if order.stage is goal:
        # Two want to pick the same order: the second must not believe that it is theirs.
        is_picked_by_another = goal is Stage.PICKING and _is_taken(order, judge)
        if is_picked_by_another and order.cancelled_ms is None:
            return _rejected(Reason.ALREADY_CLAIMED)
        return Decision(Outcome.NOOP, Reason.NONE, None)
    refusal = _move_refusal(order, operation, goal, judge)
    if refusal is not Reason.NONE:
        return _rejected(refusal)
    return _moved(order, goal, judge)


def _moved(order: Order, goal: Stage, judge: Judge, **changed: object) -> Decision:
    claim = _claim_after(order, goal, judge)
    return _applied(
        order,
        judge,
        stage=goal,
        stage_ms=judge.now_ms,
        stage_by=judge.actor_id,
        claimed_by=claim,
        **changed,
    )


def _decide_ship(order: Order, operation: Operation, change: Ship, judge: Judge) -> Decision:
    """Decide handing over: a move to shipped that brings the number on the label."""
    label = {
        name: value
        for name, value in (("tracking_number", change.tracking_number), ("carrier", change.carrier))
        if value
    }
    if order.stage is Stage.SHIPPED and order.cancelled_ms is None:
        if all(getattr(order, name) == value for name, value in label.items()):
            return Decision(Outcome.NOOP, Reason.NONE, None)
        return _applied(order, judge, **label)
    refusal = _move_refusal(order, operation, Stage.SHIPPED, judge)
    if refusal is not Reason.NONE:
        return _rejected(refusal)
    return _moved(order, Stage.SHIPPED, judge, **label)


def _decide_end(order: Order, change: Cancel | Schedule | Retire, judge: Judge) -> Decision:
    """Decide what ends an order, and what the server alone says about one."""
    if isinstance(change, Retire):
        if order.is_open:
            return _rejected(Reason.STILL_OPEN)
        return _applied(order, judge, retired_ms=judge.now_ms)
    if order.cancelled_ms is not None:
        is_again = isinstance(change, Cancel)
        return Decision(Outcome.NOOP, Reason.NONE, None) if is_again else _rejected(Reason.CANCELLED)
    if order.stage is Stage.SHIPPED:
        return _rejected(Reason.ALREADY_SHIPPED)
    if isinstance(change, Cancel):
        return _applied(order, judge, cancelled_ms=judge.now_ms, hold=None)
    if (order.cut_off_ms, order.cut_off_rule) == (change.cut_off_ms, change.rule):
        return Decision(Outcome.NOOP, Reason.NONE, None)
    return _applied(order, judge, cut_off_ms=change.cut_off_ms, cut_off_rule=change.rule)


def _move_refusal(order: Order, operation: Operation, goal: Stage, judge: Judge) -> Reason:
    """Return why the move is refused, ``Reason.NONE`` when it is not; the first reason counts."""
    is_forward = stage_index(goal) > stage_index(order.stage)
    is_taken = _is_taken(order, judge)
    # A reopened parcel has left the packing bench on paper: only a supervisor takes it back.
    is_reopening = order.stage is Stage.SHIPPED and not is_allowed(judge.role, Right.REOPEN)
    is_skipping = not is_single_step(order.stage, goal)
    refusals = (
        (order.cancelled_ms is not None, Reason.CANCELLED),
        (is_taken and goal is Stage.PICKING and is_forward, Reason.ALREADY_CLAIMED),
        (operation.base_stage not in {None, order.stage}, Reason.MOVED_MEANWHILE),
        (order.hold is not None and is_forward, Reason.ON_HOLD),
        (is_reopening and not operation.undoes, Reason.FORBIDDEN),
        (is_skipping and not is_allowed(judge.role, Right.SKIP_STAGE), Reason.STEP_TOO_LONG),
    )
    return next((reason for is_met, reason in refusals if is_met), Reason.NONE)


def _is_taken(order: Order, judge: Judge) -> bool:
    """Say whether somebody else holds the order."""
    return order.claimed_by is not None and order.claimed_by.user_id != judge.actor_id


def _claim_after(order: Order, goal: Stage, judge: Judge) -> Claim | None:
    if goal is Stage.CONFIRMED:
        return None
    if goal is Stage.PICKING and order.claimed_by is None:
        return Claim(judge.actor_id, judge.actor_name, judge.now_ms)
    return order.claimed_by


def _decide_state(order: Order, change: Change, judge: Judge) -> Decision:
    """Decide what changes a state beside the stage: claim and hold."""
    if order.cancelled_ms is not None:
        return _rejected(Reason.CANCELLED)
    if isinstance(change, Take):
        return _decide_claim(order, judge)
    if isinstance(change, Unclaim):
        if order.claimed_by is None:
            return _rejected(Reason.NOT_CLAIMED)
        return _applied(order, judge, claimed_by=None)
    if isinstance(change, PutOnHold):
        hold = Hold(change.reason, judge.actor_name, judge.now_ms, change.note, change.until_ms)
        return _applied(order, judge, hold=hold)
    if order.hold is None:
        return _rejected(Reason.NOT_ON_HOLD)
    return _applied(order, judge, hold=None)


def _decide_claim(order: Order, judge: Judge) -> Decision:
    if order.claimed_by is None:
        return _applied(order, judge, claimed_by=Claim(judge.actor_id, judge.actor_name, judge.now_ms))
    if order.claimed_by.user_id == judge.actor_id:
        return Decision(Outcome.NOOP, Reason.NONE, None)
    return _rejected(Reason.ALREADY_CLAIMED)


def _applied(order: Order, judge: Judge, **changed: object) -> Decision:
    after = msgspec.structs.replace(order, revision=order.revision + 1, updated_ms=judge.now_ms, **changed)
    return Decision(Outcome.APPLIED, Reason.NONE, after)


def _rejected(reason: Reason) -> Decision:
    return Decision(Outcome.REJECTED, reason, None)


_RIGHTS: Final[dict[type, Right]] = {
    Create: Right.CREATE,
    Import: Right.IMPORT,
    Move: Right.MOVE,
    Take: Right.CLAIM,
    Unclaim: Right.UNCLAIM,
    PutOnHold: Right.HOLD,
    Release: Right.RELEASE,
    Cancel: Right.CANCEL,
    Ship: Right.SHIP,
    Schedule: Right.SCHEDULE,
    Retire: Right.RETIRE,
}

Decider = Callable[[Order | None, Operation, Judge], Decision]
"""The shape of :func:`decide`, for those who take it by constructor."""
