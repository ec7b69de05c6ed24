"""Intents: what somebody wants of an order is validated against the order as it is now. Pure.

The precondition of an intent is what it read (its source stage, the fields that it changes), never the whole
row: unrelated changes do not conflict.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import UNSET

from sync.contract.judging import Decision, Judge, applied, nothing, rejected, with_exception
from sync.contract.limits import NOTE_BYTES, TAGS_MAX
from sync.contract.operations import (
    Acknowledge,
    Assign,
    Edit,
    Move,
    Note,
    Operation,
    Outcome,
    Prioritise,
    PutOnHold,
    Reason,
    RequestHandover,
    Resolve,
    Tag,
)
from sync.contract.orders import Claim, Hold, Order, lines_crc
from sync.contract.permissions import Right
from sync.contract.stages import Stage, is_single_step, stage_index

EDITED: Final = (
    *("number", "customer", "ship_to", "ship_method", "carrier", "note", "cut_off_ms", "priority"),
)
"""The fields that an edit may change."""


def is_taken(order: Order, judge: Judge) -> bool:
    """Say whether somebody else holds the order."""
    return order.claimed_by is not None and order.claimed_by.user_id != judge.actor_id


def finished(order: Order) -> Reason:
    """Return why nobody works on the order any more, ``Reason.NONE`` while it is open."""
    if order.cancelled_ms is not None:
        return Reason.CANCELLED
    return Reason.ALREADY_SHIPPED if order.stage is Stage.SHIPPED else Reason.NONE


# ---------------------------------------------------------------------- moves


def decide_move(order: Order, operation: Operation, change: Move, judge: Judge) -> Decision:
    """Decide a move to another stage."""
    goal = change.to
    if order.stage is goal:
        # Two want to pick the same order: the second must not believe that it is theirs.
        is_picked_by_another = goal is Stage.PICKING and is_taken(order, judge)
        if is_picked_by_another and order.cancelled_ms is None:
            return rejected(Reason.ALREADY_CLAIMED)
        return nothing()
    refusal = _move_refusal(order, operation, goal, judge)
    if refusal is not Reason.NONE:
        return rejected(refusal)
    is_packed = stage_index(goal) >= stage_index(Stage.PICKED)
    return applied(
        order,
        judge,
        stage=goal,
        stage_ms=judge.now_ms,
        stage_by=judge.actor_id,
        claimed_by=_claim_after(order, goal, judge),
        handover=order.handover if goal is Stage.PICKING else None,
        packed=order.packed if is_packed else None,
        parcels=order.parcels if is_packed else 0,
    )


def _move_refusal(order: Order, operation: Operation, goal: Stage, judge: Judge) -> Reason:
    """Return why the move is refused, ``Reason.NONE`` when it is not; the first reason counts."""
    is_forward = stage_index(goal) > stage_index(order.stage)
    # A reopened parcel has left the packing bench on paper: only a supervisor takes it back.
    is_reopening = order.stage is Stage.SHIPPED and not judge.may(Right.REOPEN)
    is_skipping = not is_single_step(order.stage, goal)
    # An own step may be taken back whatever it was; to name any operation of the order is not enough. Nobody
    # without the right has skipped stages on the way back, so taking back never skips them forward.
    is_own_undo = bool(operation.undoes) and judge.owns_undone and order.stage_by == judge.actor_id
    is_own_step = is_own_undo and not is_forward
    is_other_goods = goal is Stage.PICKED and operation.base_lines not in {None, lines_crc(order)}
    refusals = (
        (order.cancelled_ms is not None, Reason.CANCELLED),
        (is_taken(order, judge) and goal is Stage.PICKING and is_forward, Reason.ALREADY_CLAIMED),
        (operation.base_stage not in {None, order.stage}, Reason.MOVED_MEANWHILE),
        (order.hold is not None and is_forward, Reason.ON_HOLD),
        (is_forward and is_other_goods, Reason.LINES_CHANGED),
        (is_reopening and not is_own_step, Reason.FORBIDDEN),
        (is_skipping and not judge.may(Right.SKIP_STAGE) and not is_own_step, Reason.STEP_TOO_LONG),
    )
    return next((reason for is_met, reason in refusals if is_met), Reason.NONE)


def _claim_after(order: Order, goal: Stage, judge: Judge) -> Claim | None:
    if goal is Stage.CONFIRMED:
        return None
    if goal is Stage.PICKING and order.claimed_by is None:
        return judge.claim()
    return order.claimed_by


# ---------------------------------------------------------------------- who works on it


def decide_claim(order: Order, judge: Judge) -> Decision:
    """Decide who holds the order."""
    if reason := finished(order):
        return rejected(reason)
    if order.claimed_by is None:
        return applied(order, judge, claimed_by=judge.claim(), handover=None)
    return rejected(Reason.ALREADY_CLAIMED) if is_taken(order, judge) else nothing()


def decide_unclaim(order: Order, judge: Judge) -> Decision:
    """Decide letting go: whoever asked for the order holds it then."""
    if reason := finished(order):
        return rejected(reason)
    if order.claimed_by is None:
        return rejected(Reason.NOT_CLAIMED)
    if is_taken(order, judge) and not judge.may(Right.TAKE_OVER):
        return rejected(Reason.ALREADY_CLAIMED)
    asker = order.handover
    claim = None if asker is None else msgspec.structs.replace(asker, at_ms=judge.now_ms)
    return applied(order, judge, claimed_by=claim, handover=None)


def decide_handover(order: Order, change: RequestHandover, judge: Judge) -> Decision:
    """Decide asking for an order that somebody holds, and taking that back."""
    if reason := finished(order):
        return rejected(reason)
    is_own_wish = order.handover is not None and order.handover.user_id == judge.actor_id
    if change.withdrawn:
        return applied(order, judge, handover=None) if is_own_wish else nothing()
    if order.claimed_by is None:
        return rejected(Reason.NOT_CLAIMED)
    if is_own_wish or not is_taken(order, judge):
        return nothing()
    if order.handover is not None:
        return rejected(Reason.ALREADY_REQUESTED)
    return applied(order, judge, handover=judge.claim())


def decide_assign(order: Order, change: Assign, judge: Judge) -> Decision:
    """Decide for whom the order is: the last one in the server's order wins, and it is said who lost."""
    if reason := finished(order):
        return rejected(reason)
    if order.assignee_id == change.assignee_id:
        return nothing()
    by = judge.actor_name if change.assignee_id else ""
    decision = applied(order, judge, assignee_id=change.assignee_id, assignee=change.assignee, assigned_by=by)
    if order.assignee_id == change.was_id:
        return decision
    return decision._replace(outcome=Outcome.MERGED, reason=Reason.ASSIGNED_MEANWHILE)


# ---------------------------------------------------------------------- states beside the stage


def decide_hold(order: Order, change: PutOnHold, judge: Judge) -> Decision:
    """Decide that the order waits."""
    if reason := finished(order):
        return rejected(reason)
    # Put over somebody else's it is nobody's own: to take it back would take both.
    is_own = order.hold is None or order.hold.by_id == judge.actor_id
    by_id = judge.actor_id if is_own else ""
    hold = Hold(change.reason, judge.actor_name, judge.now_ms, change.note, change.until_ms, by_id)
    return applied(order, judge, hold=hold)


def decide_release(order: Order, judge: Judge) -> Decision:
    """Decide that the order waits no longer."""
    if order.cancelled_ms is not None:
        return rejected(Reason.CANCELLED)
    return rejected(Reason.NOT_ON_HOLD) if order.hold is None else applied(order, judge, hold=None)


def decide_cancel(order: Order, judge: Judge) -> Decision:
    """Decide that nobody fulfils the order any more."""
    if order.cancelled_ms is not None:
        return nothing()
    if order.stage is Stage.SHIPPED:
        return rejected(Reason.ALREADY_SHIPPED)
    return applied(order, judge, cancelled_ms=judge.now_ms, hold=None, handover=None)


def decide_reinstate(order: Order, judge: Judge) -> Decision:
    """Decide that a cancelled order is fulfilled after all."""
    if order.cancelled_ms is None:
        return rejected(Reason.NOT_CANCELLED)
    return applied(order, judge, cancelled_ms=None)


def decide_prioritise(order: Order, change: Prioritise, judge: Judge) -> Decision:
    """Decide how urgent the order is."""
    if reason := finished(order):
        return rejected(reason)
    return nothing() if order.priority == change.priority else applied(order, judge, priority=change.priority)


# ---------------------------------------------------------------------- words on the order


def decide_note(order: Order, change: Note, judge: Judge) -> Decision:
    """Decide a line more in the note."""
    text = change.text.strip()
    if not text:
        return nothing()
    note = f"{order.note}\n{text}" if order.note else text
    if len(note.encode("utf-8", "surrogatepass")) > NOTE_BYTES:
        return rejected(Reason.NOTE_TOO_LONG)
    return applied(order, judge, note=note)


def decide_tag(order: Order, change: Tag, judge: Judge) -> Decision:
    """Decide tags that come and go; the order of those that stay is kept."""
    kept = [tag for tag in order.tags if tag not in change.remove]
    tags = tuple(dict.fromkeys((*kept, *change.add)))
    if tags == order.tags:
        return nothing()
    # An order that came with more may lose some.
    if len(tags) > max(TAGS_MAX, len(order.tags)):
        return rejected(Reason.TOO_MANY_TAGS)
    return applied(order, judge, tags=tags)


def decide_edit(order: Order, operation: Operation, change: Edit, judge: Judge) -> Decision:
    """Decide corrections by hand: each field must still be what was read, or already what is wanted."""
    if reason := finished(order):
        return rejected(reason)
    changed: dict[str, Any] = {}
    for name in EDITED:
        wanted, was, now = getattr(change.fields, name), getattr(change.was, name), getattr(order, name)
        if wanted in (UNSET, now):
            continue
        if was not in (UNSET, now):
            return rejected(Reason.CHANGED_SINCE)
        changed[name] = wanted
    if not changed:
        return nothing()
    if "cut_off_ms" in changed:
        changed["cut_off_rule"] = ""
    if len(changed.get("note", "").encode("utf-8", "surrogatepass")) > NOTE_BYTES:
        return rejected(Reason.NOTE_TOO_LONG)
    if "ship_to" not in changed or order.stage is not Stage.PICKED:
        return applied(order, judge, **changed)
    words = "Address changed after the order was picked."
    exceptions = with_exception(
        order.exceptions, Reason.ADDRESS_CHANGED, words, operation.op_id, judge.now_ms
    )
    decision = applied(order, judge, exceptions=exceptions, **changed)
    return decision._replace(outcome=Outcome.EXCEPTION, reason=Reason.ADDRESS_CHANGED)


# ---------------------------------------------------------------------- exceptions


def decide_acknowledge(order: Order, change: Acknowledge, judge: Judge) -> Decision:
    """Decide that somebody has seen an exception; of a refused operation nothing has to be kept."""
    seen = {"seen_by": judge.actor_name, "seen_ms": judge.now_ms}
    exceptions = tuple(
        msgspec.structs.replace(each, **seen) if each.op_id == change.of and not each.seen_ms else each
        for each in order.exceptions
    )
    return nothing() if exceptions == order.exceptions else applied(order, judge, exceptions=exceptions)


def decide_resolve(order: Order, change: Resolve, judge: Judge) -> Decision:
    """Decide that an exception is settled."""
    exceptions = tuple(each for each in order.exceptions if each.op_id != change.of)
    return nothing() if exceptions == order.exceptions else applied(order, judge, exceptions=exceptions)
