"""The store: ordinary blocking code that makes a batch durable, or leaves no trace of it.

One transaction: counter row, high-water marks, orders; decide; log, orders, marks, counter. The counter
row is held to the commit (``FOR UPDATE``; on SQLite ``BEGIN IMMEDIATE`` holds everything), so commit order
is seq order for any number of processes. A transaction that the database gave up is done once more: what
of it had been committed is then found and answered again.

Fault hooks: ``before_write``, ``before_fsync`` (everything written, nothing committed), ``after_commit``.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, bindparam, insert, select, update

from databases.schema import boards, device_identities, operation_log, sign_ins, users
from databases.statements import insert_rows, once_more, update_rows
from server.checksums import entry_crc
from server.faults import is_of_the_data
from server.kernel import order_rows
from server.kernel.board_reader import BoardReader
from server.kernel.decisions import FOLLOW_UP, Actor, Decided, Loaded, LogRow, Undone, decide_batch, undone
from server.kernel.records import (
    Batch,
    Committed,
    Joined,
    Look,
    OperationFaultError,
    Principal,
    SiteKey,
    Submission,
)
from server.kernel.signed import signed, unsigned
from server.sources import CutOff, no_cut_off
from sync.contract.ids import derived
from sync.contract.messages import Hello, Verdict
from sync.contract.operations import Create, Edit, Import, Operation, Outcome, Reason, ShortPick
from sync.contract.orders import LineItem
from sync.contract.permissions import Role
from sync.contract.ports import Clock, FaultHook, Ids
from sync.contract.problems import ProblemError
from sync.contract.state_machine import Decider, decide

IMPORT_CHUNK: Final = 500
_SET_BACK: Final = 1 << 62
"""Further than any log: whoever looks next finds that this one went back."""

# Made once: to make a statement costs several times what SQLite needs to carry it out.
_IN_LOG: Final = operation_log.c.site_id == bindparam("site")
_BOARD: Final = (
    select(boards.c.seq, boards.c.state_hash)
    .where(boards.c.site_id == bindparam("site"), boards.c.organization_id == bindparam("organization"))
    .with_for_update()
)
_JOINED: Final = select(boards).where(boards.c.site_id == bindparam("site")).with_for_update()
_DEVICE: Final = select(device_identities).where(device_identities.c.id == bindparam("device"))
_MARKS: Final = select(device_identities.c.id, device_identities.c.decided_device_seq).where(
    device_identities.c.site_id == bindparam("site"),
    device_identities.c.id.in_(bindparam("devices", expanding=True)),
)
_VERDICTS: Final = select(
    operation_log.c.device_seq,
    operation_log.c.op_id,
    operation_log.c.seq,
    operation_log.c.outcome,
    operation_log.c.reason,
    operation_log.c.in_the_way,
    operation_log.c.in_the_way_at,
).where(_IN_LOG, operation_log.c.op_id.in_(bindparam("op_ids", expanding=True)))
_UNDONE: Final = select(operation_log.c.op_id, operation_log.c.entry).where(
    _IN_LOG, operation_log.c.op_id.in_(bindparam("op_ids", expanding=True))
)
_ACTORS: Final = (
    select(sign_ins.c.id, sign_ins.c.enrolment_id, users.c.id, users.c.name, users.c.role)
    .join(users, users.c.id == sign_ins.c.user_id)
    .where(
        sign_ins.c.site_id == bindparam("site"),
        users.c.disabled_at.is_(None),
        sign_ins.c.id.in_(bindparam("sign_ins", expanding=True)),
    )
)
_HASH: Final = select(operation_log.c.state_hash).where(_IN_LOG, operation_log.c.seq == bindparam("cursor"))

Lines = dict[str, tuple[LineItem, ...]]
CutOffs = Callable[[Connection, SiteKey], CutOff]
"""Gives the schedules of a site, read inside the transaction that uses them."""


Written = Callable[[Connection, SiteKey, Decided], None]
"""Hears what a transaction writes, inside it: for rows that must never differ from the orders."""


def no_cut_offs(_connection: Connection, _site: SiteKey) -> CutOff:
    """Give the schedules of a server without any."""
    return no_cut_off


class Store:
    """Writes of the boards. Every call takes the site; none believes a payload about it."""

    def __init__(
        self,
        engine: Engine,
        reader: BoardReader,
        clock: Clock,
        ids: Ids,
        faults: FaultHook,
        decider: Decider = decide,
        cut_offs: CutOffs = no_cut_offs,
        written: Written = lambda *_: None,
        committed: Callable[[str], None] = lambda _site_id: None,
    ) -> None:
        """Write through ``engine``, decide with ``decider``, work cut-offs out with ``cut_offs``.

        ``committed`` hears of every board whose log grew, after the commit and on the thread of the caller.
        """
        self._engine = engine
        self._reader = reader
        self._clock = clock
        self._ids = ids
        self._faults = faults
        self._decide = decider
        self._cut_offs = cut_offs
        self._written = written
        self._committed = committed
        self._renewed: dict[str, str] = {}
        """The epoch that this process gave to a board because somebody knew more than its log."""
        self._seen: dict[str, int] = {}
        """Where the log of a board stood at most since then, as far as this process has seen."""

    def commit(self, batch: Batch) -> Committed:
        """Decide a batch and make it durable in one transaction.

        Raises :class:`OperationFaultError` when it is the batch that cannot be decided.
        """
        try:
            return once_more(lambda: self._commit(batch))
        except Exception as error:
            if not is_of_the_data(error):
                raise
            raise OperationFaultError(f"{type(error).__name__}: {error}") from error

    def _commit(self, batch: Batch) -> Committed:
        seen = self._seen.get(batch.site.site_id, 0)
        with self._engine.begin() as connection:
            loaded = _load(connection, batch)
            if any(
                isinstance(each.operation.change, Create | Import | ShortPick) for each in batch.submissions
            ):
                loaded.cut_off = self._cut_offs(connection, batch.site)
            lines = {order_id: order.lines for order_id, order in loaded.orders.items()}
            decided = decide_batch(batch.site, batch.submissions, loaded, self._clock.wall_ms(), self._decide)
            self._faults.at("before_write")
            self._write(connection, batch, decided, lines)
            self._faults.at("before_fsync")
        self._faults.at("after_commit")
        encoded = tuple(row.encoded for row in decided.rows)
        prev_seq = decided.seq - len(encoded)
        self._see(batch.site.site_id, _SET_BACK if prev_seq < seen else decided.seq)
        if encoded:
            self._committed(batch.site.site_id)
        return Committed(prev_seq, decided.seq, encoded, tuple(decided.answers), decided.state_hash)

    def import_orders(
        self,
        site: SiteKey,
        operations: Iterable[Operation],
        batch_id: str,
        principal: Principal | None = None,
    ) -> list[Verdict]:
        """Decide one file or request, as the system or as ``principal``; one transaction per 500."""
        verdicts: list[Verdict] = []
        named = (Submission(_of_batch(operation, batch_id), principal) for operation in operations)
        while chunk := tuple(itertools.islice(named, IMPORT_CHUNK)):
            answers = self.commit(Batch(site, chunk)).verdicts
            verdicts.extend(answer for answer in answers if answer is not None)
        return verdicts

    def said(self, site: SiteKey, source: str, refs: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Return order id and digest of what ``source`` said last of each of these references."""
        return self._reader.said(site, source, refs)

    def join(self, principal: Principal, hello: Hello) -> Joined:
        """Register the device of a hello and say where it stands."""
        return once_more(lambda: self._join(principal, hello))

    def _join(self, principal: Principal, hello: Hello) -> Joined:
        site = principal.site.key
        seen = self._seen.get(site.site_id, 0)
        with self._engine.begin() as connection:
            board = connection.execute(_JOINED, {"site": site.site_id}).one()
            known = self._identify(connection, principal, hello)
            if known is None:
                return Joined(board.epoch, board.seq, board.durable_seq, 0, is_cloned=True)
            is_ahead = hello.epoch == board.epoch and hello.cursor > board.seq
            # Whoever is ahead of an epoch of ours makes it up, unless we saw more of the log ourselves: a
            # database may have failed over to a copy that lags.
            is_new = is_ahead and (board.seq < seen or board.epoch != self._renewed.get(site.site_id))
            epoch = self._renew_epoch(connection, site.site_id) if is_new else board.epoch
            is_same = hello.epoch == epoch and not is_ahead
            state_hash = _hash_at(connection, site, hello.cursor) if is_same else None
        if is_new:
            self._renewed[site.site_id] = epoch
            self._seen[site.site_id] = 0
        self._see(site.site_id, board.seq)
        return Joined(
            epoch,
            board.seq,
            board.durable_seq,
            max(known, given_up(hello)),
            skipped=max(0, given_up(hello) - known),
            is_new_epoch=is_new,
            is_damaged=is_same and state_hash != hello.state_hash,
            needs_snapshot=not is_same,
            state_hash=state_hash,
            head_hash=unsigned(board.state_hash),
        )

    def look(self, site_ids: tuple[str, ...], sign_in_ids: tuple[str, ...]) -> Look:
        """Return what other processes did to these boards and sign-ins.

        A log that went back under its terminals begins a new epoch: connected as they are, they would never
        be asked what they hold. The next look sees it.
        """
        seen = dict(self._seen)
        look = self._reader.look(site_ids, sign_in_ids)
        for site_id, head in look.heads.items():
            if head.seq < seen.get(site_id, 0):
                with self._engine.begin() as connection:
                    self._renewed[site_id] = self._renew_epoch(connection, site_id)
                self._seen[site_id] = 0
            self._see(site_id, head.seq)
        return look

    def _see(self, site_id: str, seq: int) -> None:
        self._seen[site_id] = max(seq, self._seen.get(site_id, 0))

    def _identify(self, connection: Connection, principal: Principal, hello: Hello) -> int | None:
        """Return the highest number of a device decided so far, None when it is another enrolment's."""
        row = connection.execute(_DEVICE, {"device": hello.device_id}).one_or_none()
        declared = given_up(hello)
        if row is None:
            connection.execute(
                insert(device_identities).values(
                    id=hello.device_id,
                    organization_id=principal.site.key.organization_id,
                    site_id=principal.site.key.site_id,
                    enrolment_id=principal.enrolment_id,
                    decided_device_seq=declared,
                    created_at=self._clock.wall_ms(),
                )
            )
            return 0
        if row.enrolment_id != principal.enrolment_id or row.site_id != principal.site.key.site_id:
            return None
        if declared > row.decided_device_seq:
            _write_marks(connection, {hello.device_id: declared})
        return int(row.decided_device_seq)

    def _renew_epoch(self, connection: Connection, site_id: str) -> str:
        epoch = self._ids.new()
        connection.execute(update(boards).where(boards.c.site_id == site_id).values(epoch=epoch))
        return epoch

    def _write(self, connection: Connection, batch: Batch, decided: Decided, lines: Lines) -> None:
        if decided.rows:
            insert_rows(connection, operation_log, [_log_values(batch.site, row) for row in decided.rows])
            head = {"seq": decided.seq, "state_hash": signed(decided.state_hash)}
            update_rows(connection, boards, [{"site_id": batch.site.site_id, **head}], key=("site_id",))
        entries = (row.entry.operation for row in decided.rows)
        edited = [each.order_id for each in entries if isinstance(each.change, Edit)]
        revised = [*(said.order_id for said in decided.said.values()), *edited]
        order_rows.write(connection, decided.written, decided.made, revised, lines)
        order_rows.write_said(connection, batch.site, decided.said)
        _write_marks(connection, decided.marks)
        self._written(connection, batch.site, decided)


def _of_batch(operation: Operation, batch_id: str) -> Operation:
    return msgspec.structs.replace(operation, batch_id=batch_id)


def _load(connection: Connection, batch: Batch) -> Loaded:
    """Read what deciding a batch needs, the counter row first: its lock is held from here on."""
    site = batch.site
    named = {"site": site.site_id, "organization": site.organization_id}
    board = connection.execute(_BOARD, named).one_or_none()
    if board is None:
        raise ProblemError("SITE_UNKNOWN", "This site is not on this server.", "Ask IT.")
    operations = [submission.operation for submission in batch.submissions]
    loaded = Loaded(board.seq, unsigned(board.state_hash))
    loaded.marks = _marks(connection, site, operations)
    loaded.verdicts = _stored(connection, site, operations)
    loaded.actors = _actors(connection, batch)
    loaded.undone = _undone(connection, site, operations)
    order_rows.load(connection, site, operations, loaded)
    return loaded


def _marks(connection: Connection, site: SiteKey, operations: list[Operation]) -> dict[str, int]:
    devices = sorted({operation.device_id for operation in operations} - {""})
    if not devices:
        return {}
    rows = connection.execute(_MARKS, {"site": site.site_id, "devices": devices})
    return {row.id: row.decided_device_seq for row in rows}


def _stored(connection: Connection, site: SiteKey, operations: list[Operation]) -> dict[str, Verdict]:
    follow_ups = [derived(each.op_id, FOLLOW_UP) for each in operations if isinstance(each.change, ShortPick)]
    op_ids = [*(each.op_id for each in operations), *follow_ups]
    rows = connection.execute(_VERDICTS, {"site": site.site_id, "op_ids": op_ids})
    return {
        row.op_id: Verdict(
            row.device_seq,
            row.op_id,
            row.seq,
            Outcome(row.outcome),
            Reason(row.reason),
            row.in_the_way,
            row.in_the_way_at,
        )
        for row in rows
    }


def _undone(connection: Connection, site: SiteKey, operations: list[Operation]) -> dict[str, Undone]:
    """Return what is known of each logged operation that one of these takes back."""
    wanted = sorted({operation.undoes for operation in operations} - {""})
    if not wanted:
        return {}
    rows = connection.execute(_UNDONE, {"site": site.site_id, "op_ids": wanted})
    return {row.op_id: undone(row.entry) for row in rows}


def _actors(connection: Connection, batch: Batch) -> dict[tuple[str, str, str], Actor]:
    """Return who was signed in on the sender's device under the sign-in that an operation names.

    A sign-in that ended counts, because its operations may be late; a person who was shut out does not.
    """
    wanted = {
        (principal.enrolment_id, operation.actor_id, operation.sign_in_id)
        for operation, principal in batch.submissions
        if principal is not None and operation.actor_id not in {"", principal.person.id}
    }
    if not wanted:
        return {}
    named = sorted({sign_in for _, _, sign_in in wanted})
    rows = connection.execute(_ACTORS, {"site": batch.site.site_id, "sign_ins": named})
    actors = {(row[1], row[2], row[0]): Actor(row[2], row[3], Role(row[4])) for row in rows}
    return {key: actor for key, actor in actors.items() if key in wanted}


def given_up(hello: Hello) -> int:
    """Return the highest number that a device can no longer offer: it is decided, or lost.

    To wait for it would block the device for ever. What is done is offered again by a device that keeps it,
    so that a log which was set back gets it back.
    """
    return (hello.kept_device_seq or hello.next_device_seq) - 1


def _hash_at(connection: Connection, site: SiteKey, cursor: int) -> int:
    """Return the state hash of the board at a cursor (that of an empty board is 0)."""
    found = connection.execute(_HASH, {"site": site.site_id, "cursor": cursor}).scalar()
    return unsigned(found or 0)


def _write_marks(connection: Connection, marks: dict[str, int]) -> None:
    rows = [{"id": device, "decided_device_seq": mark} for device, mark in marks.items()]
    update_rows(connection, device_identities, rows)


def _log_values(site: SiteKey, row: LogRow) -> dict[str, object]:
    operation, verdict = row.entry.operation, row.verdict
    values: dict[str, object] = {
        "site_id": site.site_id,
        "seq": row.entry.seq,
        "op_id": operation.op_id,
        "device_id": operation.device_id,
        "device_seq": operation.device_seq,
        "order_id": operation.order_id,
        "kind": operation.change.__struct_config__.tag,
        "outcome": verdict.outcome.value,
        "reason": verdict.reason.value,
        "in_the_way": verdict.by,
        "in_the_way_at": verdict.at_ms,
        "decided_at": row.entry.decided_ms,
        "state_hash": signed(row.state_hash),
        "entry": row.encoded,
    }
    return {**values, "crc": entry_crc(values)}
