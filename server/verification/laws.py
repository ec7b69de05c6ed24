"""What the conflict table promises, said once more without the state machine: a second opinion on each entry.

A defect in the state machine is in the server, in every terminal and in the replay of the log alike; only
somebody who was not told its words can see it. Each law reads an order before and after one operation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from msgspec import UNSET

from sync.contract.operations import (
    Assign,
    Create,
    Edit,
    Fact,
    LogEntry,
    Move,
    Note,
    Outcome,
    Pack,
    Pick,
    Reason,
    RequestHandover,
    Ship,
    ShortPick,
    Tag,
    Take,
)
from sync.contract.orders import LineItem, Order, lines_crc
from sync.contract.permissions import Right, Role, is_allowed
from sync.contract.stages import STAGES, Stage

_SERVERS: Final = frozenset({"skip", "unknown"})
_CHANGED: Final = frozenset({Outcome.APPLIED, Outcome.MERGED, Outcome.EXCEPTION})


def broken(
    entry: LogEntry,
    before: Order | None,
    after: Order | None,
    roles: Iterable[Role],
    *,
    is_own_undo: bool = False,
) -> Iterator[str]:
    """Return the sentences of the laws that one entry breaks; ``after`` is None when nothing changed.

    ``is_own_undo`` says whether the entry takes back what its actor did before.
    """
    operation = entry.operation
    kind = str(operation.change.__struct_config__.tag)
    is_taken = entry.outcome is not Outcome.REJECTED
    needed = {kind}
    if is_own_undo and kind == "release" and _holds_alone(operation.actor_id, before):
        needed.add("hold")
    rights = [Right(each) for each in needed] if kind not in _SERVERS else []
    if is_taken and rights and not any(is_allowed(role, right) for role in roles for right in rights):
        yield f"{kind} by somebody without the right"
    if isinstance(operation.change, Create) and entry.outcome in _CHANGED and before is not None:
        yield "an order that exists was made anew"
    if before is None:
        return
    if operation.undoes and entry.outcome in _CHANGED and operation.base_revision != before.revision:
        yield "taken back although somebody changed the order since"
    law = _LAWS.get(type(operation.change))
    if law is not None and is_taken:
        yield from law(entry, operation.change, before, before if after is None else after)
    if isinstance(operation.change, Fact) and after is not None and not after.is_on_board:
        yield "a fact on an order that left the board did not bring it back"


def _holds_alone(actor_id: str, before: Order | None) -> bool:
    return before is not None and before.hold is not None and before.hold.by_id == actor_id


def _move(entry: LogEntry, change: Move, before: Order, after: Order) -> Iterator[str]:
    if entry.outcome not in _CHANGED:
        if before.stage is not change.to:
            yield "a move to another stage changed nothing"
        return
    operation = entry.operation
    is_forward = STAGES.index(change.to) > STAGES.index(before.stage)
    holder = before.claimed_by
    if after.stage is not change.to:
        yield "a move went elsewhere"
    if before.cancelled_ms is not None:
        yield "a cancelled order was moved"
    if is_forward and before.hold is not None:
        yield "an order on hold moved on"
    if operation.base_stage not in {None, before.stage}:
        yield "a move from a stage in which the order was not any more"
    if is_forward and change.to is Stage.PICKING and holder and holder.user_id != operation.actor_id:
        yield "an order was taken out of somebody's hands"
    if is_forward and change.to is Stage.PICKED and operation.base_lines not in {None, lines_crc(before)}:
        yield "a pick was finished although the lines had changed"


def _pick(entry: LogEntry, change: Pick, before: Order, after: Order) -> Iterator[str]:
    codes = {each.code for each in after.exceptions}
    pairs = list(zip(before.lines, after.lines, strict=True))
    changed = [(old, new) for old, new in pairs if old != new]
    lines = [line for line in before.lines if _is_meant(line, change)]
    if not lines:
        yield from _pick_of_no_line(change, before, after)
        return
    if not changed and change.quantity > 0:
        yield "a pick was not counted"
    if len(changed) > 1:
        yield "a pick changed more than its line"
    for old, new in changed:
        if new.quantity_picked != max(0, old.quantity_picked + change.quantity):
            yield f"a pick of {change.quantity} made {new.quantity_picked} of {old.quantity_picked}"
        yield from _tally(entry.operation.actor_id, old, new)
    is_over = any(line.quantity_picked > _wanted(line) for line in after.lines)
    if changed and not is_over and Reason.OVER_PICKED in codes:
        yield "what was too much is put back, and somebody is still told to"
    if change.quantity <= 0:
        return
    if before.cancelled_ms is not None:
        if Reason.PICKED_AFTER_CANCEL not in codes:
            yield "picked after it was cancelled, and nobody is told"
        return
    if before.hold is not None and before.stage is not Stage.SHIPPED and Reason.PICKED_ON_HOLD not in codes:
        yield "picked while on hold, and nobody is told"
    if any(new.quantity_picked > _wanted(new) for _, new in changed) and Reason.OVER_PICKED not in codes:
        yield "too many picked, and nobody is told"


def _tally(actor_id: str, old: LineItem, new: LineItem) -> Iterator[str]:
    """Yield what is wrong with whose the pieces are."""
    was, now = (Counter({each.user_id: each.quantity for each in line.picked_by}) for line in (old, new))
    more = new.quantity_picked - old.quantity_picked
    if more > 0 and now != was + Counter({actor_id: more}):
        yield "a pick does not count for who picked"
    if more < 0 and now - was:
        yield "pieces were put back, and somebody has more than before"
    if now.total() > new.quantity_picked or any(count <= 0 for count in now.values()):
        yield "more pieces are somebody's than are picked"


def _pick_of_no_line(change: Pick, before: Order, after: Order) -> Iterator[str]:
    is_told = Reason.LINE_UNKNOWN in {each.code for each in after.exceptions}
    if before.lines != after.lines or (change.quantity > 0 and not is_told):
        yield "a pick without its line left no exception"
    if change.quantity <= 0 and len(after.exceptions) > len(before.exceptions):
        yield "a piece of no line was put back, and somebody is told to put it back"


def _is_meant(line: LineItem, change: Pick) -> bool:
    is_same_sku = change.sku in {line.sku, line.name}
    return is_same_sku if change.sku else line.position == change.position


def _wanted(line: LineItem) -> int:
    return max(0, line.quantity_ordered - line.quantity_cancelled)


def _short_pick(entry: LogEntry, change: ShortPick, before: Order, after: Order) -> Iterator[str]:
    if sum(each.op_id == entry.operation.op_id for each in after.exceptions) > 1:
        yield "one short pick opened many exceptions"
    given_up = 0
    for old, new in zip(before.lines, after.lines, strict=True):
        more = new.quantity_short - old.quantity_short
        given_up += more
        if not 0 <= more <= old.quantity_open:
            yield f"{more} pieces are short of a line with {old.quantity_open} open"
    if given_up and not change.reason:
        yield "a short pick without a reason gave lines up"
    if (given_up > 0) != (after.backorders == before.backorders + 1):
        yield "a short rest and its backorder do not go together"


def _pack(_entry: LogEntry, change: Pack, before: Order, after: Order) -> Iterator[str]:
    if after.parcels != change.parcels:
        yield f"packed into {change.parcels}, and {after.parcels} parcels stand there"
    codes = {each.code for each in after.exceptions}
    is_new = after.revision != before.revision and change.parcels > 0
    if is_new and before.cancelled_ms is not None and Reason.PACKED_AFTER_CANCEL not in codes:
        yield "packed after it was cancelled, and nobody is told"
    if is_new and before.cancelled_ms is None and before.hold and Reason.PACKED_ON_HOLD not in codes:
        yield "packed while on hold, and nobody is told"


def _ship(_entry: LogEntry, change: Ship, before: Order, after: Order) -> Iterator[str]:
    codes = {each.code for each in after.exceptions}
    if after.stage is not Stage.SHIPPED:
        yield "shipped, and stands elsewhere"
    if change.tracking_number and after.tracking_number != change.tracking_number:
        yield "the number on the label was lost"
    if before.stage is Stage.SHIPPED:
        return
    if before.cancelled_ms is not None and Reason.SHIPPED_AFTER_CANCEL not in codes:
        yield "shipped after it was cancelled, and nobody is told"
    if before.cancelled_ms is None and before.hold is not None and Reason.SHIPPED_ON_HOLD not in codes:
        yield "shipped while on hold, and nobody is told"


def _take(entry: LogEntry, _change: Take, before: Order, after: Order) -> Iterator[str]:
    actor = entry.operation.actor_id
    if before.claimed_by is not None and before.claimed_by.user_id != actor:
        yield "an order was taken out of somebody's hands"
    if after.claimed_by is None or after.claimed_by.user_id != actor:
        yield "a claim that was granted is not there"


def _handover(entry: LogEntry, change: RequestHandover, before: Order, after: Order) -> Iterator[str]:
    asker = before.handover
    if asker is not None and asker.user_id != entry.operation.actor_id and after.handover != asker:
        yield "whoever asked first was forgotten"
    if entry.outcome in _CHANGED and not change.withdrawn and before.claimed_by is None:
        yield "asked for an order that nobody holds"


def _assign(entry: LogEntry, change: Assign, before: Order, after: Order) -> Iterator[str]:
    if after.assignee_id != change.assignee_id:
        yield "assigned to somebody else"
    is_news = before.assignee_id not in {change.was_id, change.assignee_id}
    if is_news != (entry.outcome is Outcome.MERGED):
        yield "whoever assigned before was not told so"


def _note(_entry: LogEntry, change: Note, before: Order, after: Order) -> Iterator[str]:
    if not after.note.startswith(before.note) or not after.note.endswith(change.text.strip()):
        yield "a note took another's place"


def _tag(_entry: LogEntry, change: Tag, before: Order, after: Order) -> Iterator[str]:
    if set(after.tags) != (set(before.tags) - set(change.remove)) | set(change.add):
        yield "tags are not those that were there, without those that went, with those that came"


def _edit(entry: LogEntry, change: Edit, before: Order, after: Order) -> Iterator[str]:
    for name in change.fields.__struct_fields__:
        wanted, was, now = (getattr(each, name, UNSET) for each in (change.fields, change.was, before))
        if wanted in (UNSET, now):
            continue
        if entry.outcome in _CHANGED and was not in (UNSET, now):
            yield f"a correction of {name} overwrote what somebody had changed"
        if getattr(after, name) != wanted:
            yield f"a correction of {name} was lost"


_LAWS: Final[dict[type, Callable[[LogEntry, Any, Order, Order], Iterator[str]]]] = {
    Move: _move,
    Pick: _pick,
    ShortPick: _short_pick,
    Pack: _pack,
    Ship: _ship,
    Take: _take,
    RequestHandover: _handover,
    Assign: _assign,
    Note: _note,
    Tag: _tag,
    Edit: _edit,
}
