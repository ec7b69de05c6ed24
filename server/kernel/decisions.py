"""Deciding a batch: operations and what was loaded for them go in, log rows and verdicts come out.

Pure. The store loads, calls :func:`decide_batch` inside its transaction and writes what comes back.
Identity is settled here too: what was decided before is answered with its stored outcome, a number
out of turn is refused, a device that is two devices is found out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from server.kernel.records import SiteKey, Submission
from server.sources import CutOff, Said, arrived, as_said, difference, no_cut_off
from sync.contract.ids import derived
from sync.contract.judging import rejected
from sync.contract.messages import Verdict
from sync.contract.operations import Create, Import, LogEntry, Operation, Outcome, Reason
from sync.contract.orders import (
    HASH_MODULUS,
    Order,
    OrderPatch,
    canonical_bytes,
    diff,
    order_from_bytes,
    row_hash,
)
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Decider, Decision, Judge

_ENCODER: Final = msgspec.json.Encoder()
SYSTEM_ID: Final = ""
SYSTEM_NAME: Final = "System"
FOLLOW_UP: Final = "follow-up"
"""What the id of an operation that came of another is derived with."""


class Actor(NamedTuple):
    """The person whose rights decide an operation."""

    id: str
    name: str
    role: Role


class Undone(NamedTuple):
    """A logged operation that is to be taken back: of which order, by whom, and whether it changed it."""

    order_id: str
    actor_id: str
    has_changed: bool


class _Named(msgspec.Struct):
    order_id: str
    actor_id: str = ""


class _Logged(msgspec.Struct):
    operation: _Named
    order: msgspec.Raw = msgspec.Raw()
    patch: msgspec.Raw = msgspec.Raw()


_LOGGED: Final = msgspec.json.Decoder(_Logged)


def undone(encoded: bytes) -> Undone:
    """Return what taking back needs to know of a log entry, also of one of a later release."""
    entry = _LOGGED.decode(encoded)
    has_changed = bool(bytes(entry.order) or bytes(entry.patch))
    return Undone(entry.operation.order_id, entry.operation.actor_id, has_changed)


class OrderRow(NamedTuple):
    """An order to be written: as value, as canonical bytes, and their hash."""

    order: Order
    body: bytes
    hash: int


class LogRow(NamedTuple):
    """A log row to be written."""

    entry: LogEntry
    encoded: bytes
    verdict: Verdict
    state_hash: int


@dataclass(slots=True)
class Loaded:
    """What the store read for a batch, and what deciding makes of it.

    ``marks`` is the highest decided number of each device, ``verdicts`` the stored outcomes by
    op_id, ``orders`` and ``hashes`` the orders by id, ``references`` the ids of orders by (source,
    external_ref), ``actors`` who may be named in each (enrolment, actor, sign-in), ``taken`` the ids that
    are orders of other sites, ``said`` what each source said last, by (source, external_ref), ``undone``
    what is known of each logged operation that is to be taken back.
    """

    seq: int
    state_hash: int
    marks: dict[str, int] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    hashes: dict[str, int] = field(default_factory=dict)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    actors: dict[tuple[str, str, str], Actor] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    said: dict[tuple[str, str], Said] = field(default_factory=dict)
    undone: dict[str, Undone] = field(default_factory=dict)
    cut_off: CutOff = no_cut_off


@dataclass(slots=True)
class Decided:
    """What the store writes and answers; ``written`` and ``marks`` hold only what changed."""

    seq: int
    state_hash: int
    rows: list[LogRow] = field(default_factory=list)
    answers: list[Verdict | None] = field(default_factory=list)
    written: dict[str, OrderRow] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    marks: dict[str, int] = field(default_factory=dict)
    said: dict[tuple[str, str], Said] = field(default_factory=dict)


def decide_batch(
    site: SiteKey, submissions: Sequence[Submission], loaded: Loaded, now_ms: int, decide: Decider
) -> Decided:
    """Decide ``submissions`` one after the other, each on what the one before left."""
    decided = Decided(loaded.seq, loaded.state_hash)
    for submission in submissions:
        decided.answers.append(_answer(site, submission, loaded, decided, now_ms, decide))
    return decided


def _answer(
    site: SiteKey,
    submission: Submission,
    loaded: Loaded,
    decided: Decided,
    now_ms: int,
    decide: Decider,
) -> Verdict | None:
    """Return the verdict on one submission, None when its device is not the one that it says."""
    operation = submission.operation
    device, number = operation.device_id, operation.device_seq
    mark = loaded.marks.get(device, 0)
    is_next = bool(device) and number == mark + 1
    stored = loaded.verdicts.get(operation.op_id)
    if stored is not None:
        if is_next:
            _raise_mark(loaded, decided, device, number)
        return msgspec.structs.replace(stored, device_seq=number)
    if device and number <= mark:
        return None
    if device and not is_next:
        return Verdict(number, operation.op_id, 0, Outcome.REJECTED, Reason.DEVICE_SEQ_GAP)
    row = _decide_one(site, submission, loaded, decided, now_ms, decide)
    if device:
        _raise_mark(loaded, decided, device, number)
    return row.verdict


def _raise_mark(loaded: Loaded, decided: Decided, device: str, number: int) -> None:
    loaded.marks[device] = number
    decided.marks[device] = number


def _decide_one(
    site: SiteKey,
    submission: Submission,
    loaded: Loaded,
    decided: Decided,
    now_ms: int,
    decide: Decider,
) -> LogRow:
    actor = _actor(submission, loaded)
    operation = _settled(site, submission, actor, loaded, now_ms)
    before = _before(operation, loaded)
    named = loaded.undone.get(operation.undoes)
    if actor is None:
        decision = rejected(Reason.FORBIDDEN)
        name = ""
    elif operation.undoes and (named is None or named.order_id != operation.order_id):
        # Taking back allows what is forbidden otherwise, so there has to be something to take back.
        decision = rejected(Reason.CHANGED_SINCE)
        name = actor.name
    else:
        # What changed nothing, or is somebody else's, gives no right: it is judged as what it is.
        is_own = named is not None and named.has_changed and named.actor_id == actor.id
        decision = decide(before, operation, Judge(actor.id, actor.name, actor.role, now_ms, is_own))
        name = actor.name
    decided.seq += 1
    if decision.order is not None:
        _keep(decision.order, before, loaded, decided)
    if decision.outcome is not Outcome.REJECTED:
        _remember(submission.operation, operation.order_id, loaded, decided)
    row = _log(operation, decision, before, name, loaded, decided, now_ms)
    if decision.made is not None:
        _follow_up(operation, decision.made, name, loaded, decided, now_ms)
    return row


def _log(
    operation: Operation,
    decision: Decision,
    before: Order | None,
    name: str,
    loaded: Loaded,
    decided: Decided,
    now_ms: int,
) -> LogRow:
    """Add one decided operation to the log."""
    entry = _entry(decided.seq, operation, decision, before, name, now_ms)
    by, at_ms = _in_the_way(decision.reason, before, name)
    verdict = Verdict(
        operation.device_seq,
        operation.op_id,
        decided.seq,
        decision.outcome,
        decision.reason,
        by,
        at_ms,
    )
    row = LogRow(entry, _ENCODER.encode(entry), verdict, decided.state_hash)
    decided.rows.append(row)
    loaded.verdicts[operation.op_id] = verdict
    has_changed = decision.order is not None
    loaded.undone[operation.op_id] = Undone(operation.order_id, operation.actor_id, has_changed)
    return row


def _follow_up(
    operation: Operation, made: Order, name: str, loaded: Loaded, decided: Decided, now_ms: int
) -> None:
    """Add the order that came of an operation, as the server's own operation behind it."""
    op_id = derived(operation.op_id, FOLLOW_UP)
    if op_id in loaded.verdicts or made.id in loaded.orders or made.id in loaded.taken:
        return
    made = arrived(made, now_ms, loaded.cut_off)
    decided.seq += 1
    _keep(made, None, loaded, decided)
    own = Operation(op_id, made.id, Create(), actor_id=operation.actor_id, batch_id=operation.batch_id)
    _log(own, Decision(Outcome.APPLIED, Reason.NONE, made), None, name, loaded, decided, now_ms)


def _actor(submission: Submission, loaded: Loaded) -> Actor | None:
    """Return whose rights count, None when the operation names somebody who was not there."""
    principal, operation = submission.principal, submission.operation
    if principal is None:
        return Actor(SYSTEM_ID, SYSTEM_NAME, Role.SYSTEM)
    if operation.actor_id in {"", principal.person.id}:
        return Actor(principal.person.id, principal.person.name, principal.role)
    return loaded.actors.get((principal.enrolment_id, operation.actor_id, operation.sign_in_id))


def _settled(
    site: SiteKey, submission: Submission, actor: Actor | None, loaded: Loaded, now_ms: int
) -> Operation:
    """Return the operation as it is decided: the actor named, a new order made ours."""
    operation = submission.operation
    change = operation.change
    if isinstance(change, Create) and change.order is not None:
        new = _ours(site, operation, arrived(as_said(change.order), now_ms, loaded.cut_off))
        operation = msgspec.structs.replace(operation, change=Create(_as_typed(new, now_ms)))
    elif isinstance(change, Import) and change.order is not None:
        operation = _as_imported(site, submission, change, change.order, loaded, now_ms)
    elif isinstance(change, Import):
        operation = msgspec.structs.replace(operation, change=Import())
    return msgspec.structs.replace(operation, actor_id=actor.id if actor else operation.actor_id)


def _as_imported(
    site: SiteKey, submission: Submission, change: Import, order: Order, loaded: Loaded, now_ms: int
) -> Operation:
    """Return the import of a new order, or the revision of the one that its source spoke of before."""
    operation = submission.operation
    reference = (order.source, order.external_ref)
    now = loaded.orders.get(loaded.references.get(reference, ""))
    if now is None:
        # Only the server itself may bring an order that somebody has worked on already (demo orders).
        new = order if submission.principal is None else as_said(order)
        new = _ours(site, operation, arrived(new, now_ms, loaded.cut_off))
        return msgspec.structs.replace(operation, change=Import(new))
    known = loaded.said.get(reference)
    patch = OrderPatch()
    if known is not None and (not change.said_ms or change.said_ms >= known.said_ms):
        patch = difference(order_from_bytes(known.body), as_said(order), now, now_ms, loaded.cut_off)
    return msgspec.structs.replace(operation, order_id=now.id, change=Import(patch=patch))


def _ours(site: SiteKey, operation: Operation, order: Order) -> Order:
    return msgspec.structs.replace(
        order, id=operation.order_id, organization_id=site.organization_id, site_id=site.site_id
    )


def _remember(operation: Operation, order_id: str, loaded: Loaded, decided: Decided) -> None:
    """Keep what the source of an order said, unless it said something newer before."""
    change = operation.change
    if not isinstance(change, Import) or change.order is None or not change.order.external_ref:
        return
    reference = (change.order.source, change.order.external_ref)
    known = loaded.said.get(reference)
    if known is not None and change.said_ms and change.said_ms < known.said_ms:
        return
    body = canonical_bytes(as_said(change.order))
    said = Said(order_id, row_hash(body), body, change.said_ms)
    loaded.said[reference] = decided.said[reference] = said


def _as_typed(order: Order, now_ms: int) -> Order:
    """Return an order made by hand: it starts at the beginning, whatever the terminal says."""
    return msgspec.structs.replace(
        order,
        source="manual",
        stage=Stage.CONFIRMED,
        stage_ms=now_ms,
        hold=None,
        cancelled_ms=None,
        tracking_number="",
        backorder_of="",
    )


def _before(operation: Operation, loaded: Loaded) -> Order | None:
    """Return the order that an operation meets: the one of its id, else the one of its reference."""
    found = loaded.orders.get(operation.order_id)
    change = operation.change
    if found is not None or not isinstance(change, Create | Import) or change.order is None:
        return found
    reference = (change.order.source, change.order.external_ref)
    is_twin = reference in loaded.references or operation.order_id in loaded.taken
    # Only its being there counts: a new order is refused when it meets any other.
    return change.order if is_twin else None


def _keep(order: Order, before: Order | None, loaded: Loaded, decided: Decided) -> None:
    """Keep what an order became, and move the state hash with it."""
    body = canonical_bytes(order)
    row = OrderRow(order, body, row_hash(body))
    old = loaded.hashes.get(order.id, 0)
    new = row.hash if order.is_on_board else 0
    decided.state_hash = (decided.state_hash + new - old) % HASH_MODULUS
    loaded.orders[order.id] = order
    loaded.hashes[order.id] = new
    decided.written[order.id] = row
    if before is None:
        decided.made.add(order.id)
        if order.external_ref:
            loaded.references[order.source, order.external_ref] = order.id


def _entry(
    seq: int,
    operation: Operation,
    decision: Decision,
    before: Order | None,
    actor_name: str,
    now_ms: int,
) -> LogEntry:
    """Return the log entry; an order that comes onto the board stands in it once, beside its operation."""
    change = operation.change
    if isinstance(change, Create | Import):
        operation = msgspec.structs.replace(operation, change=type(change)())
    after = decision.order
    if before is not None and not before.is_on_board and after is not None and after.is_on_board:
        # A fact brought it back: no terminal has it any more.
        before = None
    is_change = before is not None and after is not None
    return LogEntry(
        seq,
        operation,
        decision.outcome,
        now_ms,
        actor_name,
        decision.reason,
        order=after if before is None else None,
        patch=diff(before, after) if is_change and before and after else None,
    )


def _in_the_way(reason: Reason, before: Order | None, actor_name: str) -> tuple[str, int]:
    """Return who is in the way of an operation, and since when: the words on screen name both."""
    if before is None:
        return "", 0
    mark = {
        Reason.ALREADY_CLAIMED: before.claimed_by,
        Reason.ALREADY_REQUESTED: before.handover,
    }.get(reason)
    if mark is not None:
        return mark.name, mark.at_ms
    if reason is Reason.ON_HOLD and before.hold is not None:
        return before.hold.by, before.hold.at_ms
    since_ms = {
        Reason.ASSIGNED_MEANWHILE: before.updated_ms,
        Reason.CANCELLED: before.cancelled_ms,
        Reason.PICKED_AFTER_CANCEL: before.cancelled_ms,
        Reason.PACKED_AFTER_CANCEL: before.cancelled_ms,
        Reason.SHIPPED_AFTER_CANCEL: before.cancelled_ms,
        Reason.CHANGED_SINCE: before.updated_ms,
        Reason.MOVED_MEANWHILE: before.stage_ms,
    }.get(reason)
    if since_ms is None:
        return "", 0
    # Somebody else may have changed something else after it; and nobody stands in their own way.
    is_known = since_ms == before.updated_ms and before.updated_by != actor_name
    by = before.updated_by if is_known else ""
    return before.assigned_by if reason is Reason.ASSIGNED_MEANWHILE else by, since_ms
