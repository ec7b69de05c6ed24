"""The order state machine: what an operation makes of an order. Pure, shared by both programs.

The server decides with it; a terminal replays with it what the server has not decided yet, so that both
come to the same card. Intents may be refused (:mod:`sync.contract.intents`), physical facts never are
(:mod:`sync.contract.facts`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sync.contract import intents
from sync.contract.facts import FACT_REASONS, decide_fact
from sync.contract.judging import Decision, Judge, applied, changed_order, nothing, rejected
from sync.contract.operations import (
    Acknowledge,
    Assign,
    Cancel,
    Create,
    Edit,
    Fact,
    Import,
    Move,
    Note,
    Operation,
    Outcome,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reason,
    Reinstate,
    Release,
    RequestHandover,
    Resolve,
    Retire,
    Schedule,
    Ship,
    ShortPick,
    Skip,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import Order, OrderPatch
from sync.contract.permissions import Right
from sync.contract.revisions import revised

__all__ = ["Decider", "Decision", "Judge", "decide"]


def decide(order: Order | None, operation: Operation, judge: Judge) -> Decision:
    """Decide ``operation`` on ``order`` (None: unknown here) by the rights of ``judge``."""
    change = operation.change
    if isinstance(change, Skip):
        return rejected(Reason.QUARANTINED)
    right = _RIGHTS.get(type(change))
    if right is None:
        return rejected(Reason.UPGRADE_REQUIRED)
    if not judge.may(right) and not _is_own_release(order, operation, judge):
        return rejected(Reason.FORBIDDEN)
    if isinstance(change, Import) and change.patch is not None:
        return _decide_revision(order, operation, change.patch, judge)
    if isinstance(change, Create | Import):
        return _decide_new(order, change.order)
    if order is None or order.deleted_ms is not None:
        return rejected(Reason.UNKNOWN_ORDER)
    if _is_stale(order, operation):
        return rejected(Reason.CHANGED_SINCE)
    if isinstance(change, Fact):
        return decide_fact(order, operation, change, judge)
    # What has left the board is history for everybody who wants something.
    return _decide_intent(order, operation, judge) if order.is_on_board else rejected(Reason.UNKNOWN_ORDER)


def _decide_intent(order: Order, operation: Operation, judge: Judge) -> Decision:
    change = operation.change
    if isinstance(change, Move):
        return intents.decide_move(order, operation, change, judge)
    if isinstance(change, Edit):
        return intents.decide_edit(order, operation, change, judge)
    plain = _PLAIN.get(type(change))
    return plain(order, judge) if plain is not None else _MORE[type(change)](order, change, judge)


def _is_own_release(order: Order | None, operation: Operation, judge: Judge) -> bool:
    """Say whether this takes back a hold of the actor's own: whoever may hold may do that."""
    if not isinstance(operation.change, Release) or order is None or order.hold is None:
        return False
    is_undo = bool(operation.undoes) and judge.owns_undone and judge.may(Right.HOLD)
    return is_undo and order.hold.by_id == judge.actor_id


def _is_stale(order: Order, operation: Operation) -> bool:
    """Say whether an operation that holds only for the order as it was read comes too late."""
    if operation.base_revision == order.revision:
        return False
    is_servers = isinstance(operation.change, Schedule | Retire) and operation.base_revision > 0
    return bool(operation.undoes) or is_servers


def _decide_revision(order: Order | None, operation: Operation, patch: OrderPatch, judge: Judge) -> Decision:
    """Take what its source changed on an order that is there; what no longer fits is an exception."""
    if order is None:
        return rejected(Reason.UNKNOWN_ORDER)
    after, alarms = revised(order, patch, operation.op_id, judge.now_ms)
    if after == order:
        return nothing()
    after = changed_order(after, judge)
    if alarms:
        return Decision(Outcome.EXCEPTION, Reason(alarms[0].code), after)
    return Decision(Outcome.MERGED, Reason.NONE, after)


def _decide_new(order: Order | None, new: Order | None) -> Decision:
    if new is None:
        return rejected(Reason.UNKNOWN_ORDER)
    if order is not None:
        return rejected(Reason.DUPLICATE_ORDER)
    return Decision(Outcome.APPLIED, Reason.NONE, new)


def _decide_retire(order: Order, judge: Judge) -> Decision:
    """Decide leaving the board: finished, and nothing on it that nobody has seen."""
    is_unseen = any(each.code in FACT_REASONS and not each.seen_ms for each in order.exceptions)
    if order.is_open or is_unseen:
        return rejected(Reason.STILL_OPEN)
    return applied(order, judge, retired_ms=judge.now_ms)


def _decide_schedule(order: Order, change: Schedule, judge: Judge) -> Decision:
    """Decide the cut-off that the server worked out anew."""
    if reason := intents.finished(order):
        return rejected(reason)
    if (order.cut_off_ms, order.cut_off_rule) == (change.cut_off_ms, change.rule):
        return nothing()
    return applied(order, judge, cut_off_ms=change.cut_off_ms, cut_off_rule=change.rule)


_PLAIN: Final[dict[type, Callable[[Order, Judge], Decision]]] = {
    Take: intents.decide_claim,
    Unclaim: intents.decide_unclaim,
    Release: intents.decide_release,
    Cancel: intents.decide_cancel,
    Reinstate: intents.decide_reinstate,
    Retire: _decide_retire,
}
"""What nothing more is said of than that it is wanted."""

_MORE: Final[dict[type, Callable[..., Decision]]] = {
    Schedule: _decide_schedule,
    RequestHandover: intents.decide_handover,
    Assign: intents.decide_assign,
    Prioritise: intents.decide_prioritise,
    PutOnHold: intents.decide_hold,
    Note: intents.decide_note,
    Tag: intents.decide_tag,
    Acknowledge: intents.decide_acknowledge,
    Resolve: intents.decide_resolve,
}

_RIGHTS: Final[dict[type, Right]] = {
    Create: Right.CREATE,
    Import: Right.IMPORT,
    Move: Right.MOVE,
    Take: Right.CLAIM,
    Unclaim: Right.UNCLAIM,
    RequestHandover: Right.REQUEST_HANDOVER,
    Assign: Right.ASSIGN,
    Prioritise: Right.PRIORITISE,
    PutOnHold: Right.HOLD,
    Release: Right.RELEASE,
    Cancel: Right.CANCEL,
    Reinstate: Right.REINSTATE,
    Pick: Right.PICK,
    ShortPick: Right.SHORT_PICK,
    Pack: Right.PACK,
    Ship: Right.SHIP,
    Schedule: Right.SCHEDULE,
    Retire: Right.RETIRE,
    Note: Right.NOTE,
    Tag: Right.TAG,
    Edit: Right.EDIT,
    Acknowledge: Right.ACKNOWLEDGE,
    Resolve: Right.RESOLVE,
}

Decider = Callable[[Order | None, Operation, Judge], Decision]
"""The shape of :func:`decide`, for those who take it by constructor."""
