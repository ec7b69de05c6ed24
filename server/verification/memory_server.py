"""Store and readers on a :class:`~server.verification.memory_board.MemoryBoard`.

They decide with the same pure parts as :class:`server.kernel.store.Store` and pass the same fault hooks; a
test plays the same seeds on both and compares every step.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from calendars.schedule import Calendar
from server.faults import is_of_the_data
from server.kernel.board_reader import fitting
from server.kernel.decisions import FOLLOW_UP, Actor, Loaded, decide_batch, undone
from server.kernel.records import (
    Batch,
    Committed,
    Head,
    Joined,
    Look,
    OperationFaultError,
    Page,
    Principal,
    SiteKey,
    Submission,
)
from server.kernel.store import IMPORT_CHUNK, given_up
from server.sources import CutOff, no_cut_off
from server.verification.memory_board import MemoryBoard
from sync.contract.facts import BACKORDER
from sync.contract.ids import derived
from sync.contract.limits import DELTA_ENTRIES
from sync.contract.messages import Hello, Verdict
from sync.contract.operations import Create, Import, Operation, ShortPick
from sync.contract.ports import Clock, FaultHook, Ids
from sync.contract.state_machine import Decider


class MemoryStore:
    """Writes of the board."""

    def __init__(
        self, board: MemoryBoard, clock: Clock, ids: Ids, faults: FaultHook, decider: Decider
    ) -> None:
        """Write to ``board``, decide with ``decider``."""
        self._board = board
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._decide = decider
        self._zone = ZoneInfo(board.site.time_zone)
        self._calendar: Calendar | None = None
        self._renewed = ""

    def commit(self, batch: Batch) -> Committed:
        """Decide a batch and make it durable."""
        board = self._board
        loaded = self._loaded(batch)
        try:
            decided = decide_batch(batch.site, batch.submissions, loaded, self._clock.wall_ms(), self._decide)
        except Exception as error:
            if not is_of_the_data(error):
                raise
            raise OperationFaultError(f"{type(error).__name__}: {error}") from error
        self._faults.at("before_write")
        self._faults.at("before_fsync")
        board.write(decided)
        self._faults.at("after_commit")
        encoded = tuple(row.encoded for row in decided.rows)
        prev_seq = decided.seq - len(encoded)
        return Committed(prev_seq, decided.seq, encoded, tuple(decided.answers), decided.state_hash)

    def import_orders(
        self,
        site: SiteKey,
        operations: Iterable[Operation],
        batch_id: str,
        principal: Principal | None = None,
    ) -> list[Verdict]:
        """Decide one file or request, as the system or as ``principal``."""
        verdicts: list[Verdict] = []
        named = (
            Submission(msgspec.structs.replace(operation, batch_id=batch_id), principal)
            for operation in operations
        )
        while chunk := tuple(itertools.islice(named, IMPORT_CHUNK)):
            answers = self.commit(Batch(site, chunk)).verdicts
            verdicts.extend(answer for answer in answers if answer is not None)
        return verdicts

    def said(self, _site: SiteKey, source: str, refs: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Return order id and digest of what ``source`` said last of each of these references."""
        known = ((ref, self._board.said.get((source, ref))) for ref in refs)
        return {ref: (said.order_id, said.digest) for ref, said in known if said is not None}

    def join(self, principal: Principal, hello: Hello) -> Joined:
        """Register the device of a hello and say where it stands."""
        board = self._board
        known = self._identify(principal, hello)
        if known is None:
            return Joined(board.epoch, board.seq, board.durable_seq, 0, is_cloned=True)
        is_ahead = hello.epoch == board.epoch and hello.cursor > board.seq
        is_new = is_ahead and board.epoch != self._renewed
        if is_new:
            self._renewed = board.epoch = self._ids.new()
        is_same = hello.epoch == board.epoch and not is_ahead
        state_hash = self.hash_at(hello.cursor) if is_same else None
        return Joined(
            board.epoch,
            board.seq,
            board.durable_seq,
            max(known, given_up(hello)),
            skipped=max(0, given_up(hello) - known),
            is_new_epoch=is_new,
            is_damaged=is_same and state_hash != hello.state_hash,
            needs_snapshot=not is_same,
            state_hash=state_hash,
            head_hash=board.state_hash,
        )

    def look(self, site_ids: tuple[str, ...], sign_in_ids: tuple[str, ...]) -> Look:
        """Return where the board stands; sign-ins do not end here."""
        return Look({self._board.site.key.site_id: self._board.head()}, ())

    def hash_at(self, cursor: int) -> int:
        """Return the state hash of the board at ``cursor``."""
        return self._board.log[cursor - 1].state_hash if cursor else 0

    def _identify(self, principal: Principal, hello: Hello) -> int | None:
        board, device = self._board, hello.device_id
        declared = given_up(hello)
        if device not in board.enrolments:
            board.enrolments[device] = principal.enrolment_id
            board.marks[device] = declared
            return 0
        if board.enrolments[device] != principal.enrolment_id:
            return None
        known = board.marks[device]
        board.marks[device] = max(known, declared)
        return known

    def _loaded(self, batch: Batch) -> Loaded:
        """Return what deciding a batch needs: copies, because deciding writes into them."""
        board = self._board
        loaded = Loaded(board.seq, board.state_hash)
        wanted: set[str] = set()
        for operation, principal in batch.submissions:
            op_ids, change = [operation.op_id], operation.change
            wanted.add(operation.order_id)
            if isinstance(change, ShortPick):
                op_ids.append(derived(operation.op_id, FOLLOW_UP))
                wanted.add(derived(operation.op_id, BACKORDER))
            elif isinstance(change, Create | Import) and change.order is not None:
                self._load_reference(operation, change, loaded)
            loaded.verdicts.update((each, board.verdicts[each]) for each in op_ids if each in board.verdicts)
            if operation.undoes in board.entries:
                loaded.undone[operation.undoes] = undone(board.entries[operation.undoes])
            if operation.device_id in board.marks:
                loaded.marks[operation.device_id] = board.marks[operation.device_id]
            if principal is not None:
                self._load_actor(operation, principal, loaded)
        for order_id in wanted.union(loaded.references.values()):
            row = board.orders.get(order_id)
            if row is not None:
                loaded.orders[order_id] = row.order
                loaded.hashes[order_id] = row.hash if row.order.is_on_board else 0
        loaded.cut_off = self.cut_off()
        return loaded

    def _load_reference(self, operation: Operation, change: Create | Import, loaded: Loaded) -> None:
        order = change.order
        if order is None or not order.external_ref:
            return
        reference = ("manual" if isinstance(change, Create) else order.source, order.external_ref)
        if reference in self._board.references:
            loaded.references[reference] = self._board.references[reference]
        if reference in self._board.said:
            loaded.said[reference] = self._board.said[reference]

    def _load_actor(self, operation: Operation, principal: Principal, loaded: Loaded) -> None:
        """Load who was signed in under the sign-in that an operation names."""
        sign_in = self._board.sign_ins.get(operation.sign_in_id)
        key = (principal.enrolment_id, operation.actor_id, operation.sign_in_id)
        if sign_in is not None and (sign_in.enrolment_id, sign_in.user_id) == key[:2]:
            loaded.actors[key] = Actor(*self._board.users[sign_in.user_id])

    def cut_off(self) -> CutOff:
        """Return how the site works its cut-offs out now."""
        calendar = self.calendar()
        return calendar.next if calendar.schedule.revision else no_cut_off

    def calendar(self) -> Calendar:
        """Return the calendar of the site, made again only after a change."""
        board = self._board
        if self._calendar is None or self._calendar.schedule.revision != board.schedule.revision:
            self._calendar = Calendar(board.schedule, self._zone)
        return self._calendar


class MemoryReader:
    """Reads of the board."""

    def __init__(self, board: MemoryBoard, clock: Clock) -> None:
        """Read ``board``."""
        self._board = board
        self._clock = clock

    def authenticate(self, token: str) -> Principal | None:
        """Return who an access token is, None when it is nobody's or over."""
        return self._board.principal(token, self._clock.wall_ms())

    def page(self, _site: SiteKey, cursor: int) -> Page:
        """Return the log after ``cursor``, at most a delta's worth of it."""
        lines = self._board.log[cursor : cursor + DELTA_ENTRIES]
        entries = fitting(line.encoded for line in lines)
        return Page(cursor, cursor + len(entries), entries)

    def head(self, _site: SiteKey) -> Head:
        """Return where the log stands."""
        return self._board.head()
