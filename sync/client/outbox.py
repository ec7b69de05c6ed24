"""The outbox: operations of this terminal, durable before they are sent, kept until they are done.

Blocking SQLite code for the database thread. The file is precious: ``synchronous=FULL``, one
connection that holds it exclusively, a checksum in every row. A damaged file is copied aside and
every whole row is saved into a new one (:mod:`sync.client.stores.outbox_salvage`).

Errors::

    ProblemError
    ├── OUTBOX_TOO_NEW      a later release wrote the file
    └── OUTBOX_UNUSABLE     the disk or another program is in the way
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from sync.client.needs_you import NeedsYou, NeedsYouChange, NeedsYouKind
from sync.client.store_values import Answered, Held, Judged, Kept, OutboxState, SetAside
from sync.client.stores import files, outbox_history, outbox_needs
from sync.client.stores import outbox_schema as schema
from sync.client.stores.outbox_damage import find_damage
from sync.client.stores.outbox_history import History
from sync.client.stores.outbox_ladder import ladder
from sync.client.stores.outbox_mark import Mark, Marked
from sync.client.stores.outbox_salvage import SalvageReport, finish_salvage, put_aside, salvage
from sync.contract.messages import Verdict
from sync.contract.operations import LogEntry, Operation, Skip
from sync.contract.orders import Order
from sync.contract.ports import FaultHook, Ids, NoFaults
from sync.contract.problems import ProblemError

_PRAGMAS: Final = (
    # Exclusive comes before the first access to the log: its index then lives in memory, not in a
    # shared file, and a second program is told "locked" instead of writing too.
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA fullfsync = ON",
    "PRAGMA cache_size = -500",
)


class OpenedOutbox(NamedTuple):
    """The outbox, and what had to be saved out of a damaged file (None: nothing)."""

    outbox: Outbox
    salvage: SalvageReport | None


class Outbox:
    """The operations that the server has not confirmed to this terminal's cache."""

    def __init__(self, connection: sqlite3.Connection, faults: FaultHook, mark: Mark) -> None:
        """Use an open, current file; :meth:`open` makes one."""
        self._connection = connection
        self._faults = faults
        self._mark = mark
        self._mark.write(*self._identity())

    @classmethod
    def open(cls, path: Path, ids: Ids, faults: FaultHook | None = None) -> OpenedOutbox:
        """Open or make the file; a damaged one is salvaged first. Raises ``ProblemError``."""
        hook = faults or NoFaults()
        mark = Mark(path)
        report = None
        try:
            finish_salvage(path)
            marked = mark.read()
            # SQLite throws away what it does not understand of a log, so it is read before.
            log = files.read_log(path)
            connection, damage = _open_whole(path, ids, marked, log)
            if damage:
                aside = put_aside(path, log)
                if connection is not None:
                    connection.close()
                report = salvage(path, aside, damage, ids, marked)
                connection, damage = _open_whole(path, ids)
            if connection is None or damage:
                raise _unusable(path, damage)
            return OpenedOutbox(cls(connection, hook, mark), report)
        except files.TooNewError as error:
            raise _too_new(path) from error
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error

    def state(self) -> OutboxState:
        """Return the identity and everything that is not done."""
        device_id, next_device_seq = self._identity()
        return OutboxState(device_id, next_device_seq, tuple(self._held("ORDER BY device_seq")))

    def append(self, drafts: Sequence[Operation]) -> tuple[Operation, ...]:
        """Number ``drafts`` and store them durably, all or none; return the numbered operations.

        A draft whose id is here already comes back as it was numbered then: asking twice is safe.
        """
        with self._transaction("append"):
            numbered = self._numbered(drafts)
        self._mark.write(*self._identity())
        return numbered

    def answer(self, entry_id: str, drafts: Sequence[Operation] = ()) -> Answered:
        """Append ``drafts`` and drop the entry that they answer, in one transaction.

        Without the entry nothing happens: somebody has answered it before.
        """
        with self._transaction("answer"):
            removed = outbox_needs.remove(self._connection, (entry_id,))
            numbered = self._numbered(drafts) if removed else ()
        self._mark.write(*self._identity())
        return Answered(numbered, NeedsYouChange(removed=removed))

    def pending(self, after_device_seq: int = 0, limit: int = 64) -> tuple[Operation, ...]:
        """Return the next undecided operations, ascending."""
        tail = "WHERE state = 0 AND device_seq > ? ORDER BY device_seq LIMIT ?"
        return tuple(held.operation for held in self._held(tail, after_device_seq, limit))

    def decide(self, verdicts: Sequence[Verdict], wall_ms: int = 0) -> Judged:
        """Store outcomes; return those that are news. Others were decided, done or never here.

        What is refused goes to the entries that wait for a person in the same transaction.
        """
        news = []
        with self._transaction("decide"):
            for verdict in verdicts:
                found = self._held("WHERE op_id = ?", verdict.op_id)
                if not found or _is_known(found[0].verdict, verdict):
                    continue
                operation = found[0].operation
                own = Held(operation, msgspec.structs.replace(verdict, device_seq=operation.device_seq))
                self._connection.execute(schema.REPLACE, schema.row_of(own))
                news.append(own)
            change = outbox_needs.judged(self._connection, news, wall_ms)
        return Judged(tuple(held.verdict for held in news if held.verdict is not None), change)

    def quarantine(self, device_seq: int, kind: NeedsYouKind, wall_ms: int) -> SetAside | None:
        """Let a ``skip`` go in the place of a pending operation, which waits for a person from now on.

        None when there is nothing to set aside: it is decided, or set aside already.
        """
        with self._transaction("quarantine"):
            found = self._held("WHERE state = 0 AND device_seq = ?", device_seq)
            if not found or isinstance(found[0].operation.change, Skip):
                return None
            operation = found[0].operation
            skip = msgspec.structs.replace(operation, change=Skip())
            self._connection.execute(schema.REPLACE, schema.row_of(Held(skip, None)))
            entry = NeedsYou(operation.op_id, kind, wall_ms, operation)
            outbox_needs.remove(self._connection, (entry.id,))
            change = outbox_needs.put(self._connection, (entry,))
        return SetAside(skip, change)

    def needs_you(self) -> tuple[NeedsYou, ...]:
        """Return what waits for a person, oldest first."""
        entries = outbox_needs.read(self._connection)
        return tuple(entry for entry in entries if entry is not None)

    def add_entry(self, entry: NeedsYou) -> NeedsYouChange:
        """Let something else wait for a person."""
        with self._transaction("add_entry"):
            return outbox_needs.put(self._connection, (entry,))

    def assigns(self, entries: Sequence[LogEntry], wall_ms: int) -> NeedsYouChange:
        """Learn from the log who assigned; tell when an own assignment was replaced by another person's."""
        with self._transaction("assigns"):
            return outbox_needs.assigns(self._connection, self._identity()[0], entries, wall_ms)

    def assigned(self, seq: int) -> tuple[Operation, ...]:
        """Return own assignments up to ``seq`` that hold as far as it is known, the newest first."""
        return outbox_needs.assigned(self._connection, seq)

    def overruled(self, mine: Operation, order: Order, wall_ms: int) -> NeedsYouChange:
        """Tell that ``order`` came in a whole board for another person than ``mine`` said."""
        with self._transaction("overruled"):
            return outbox_needs.overruled(self._connection, mine, order, wall_ms)

    def finish(self, decided_device_seq: int, cursor: int, epoch: str = "") -> tuple[str, ...]:
        """The cache contains them: all up to ``decided_device_seq``, and those with a seq up to ``cursor``.

        Returns their ids. They are kept, bounded, for a server that comes back from a backup; ``epoch`` is
        the history that has them.
        """
        done = "(device_seq <= :device_seq OR (state = 1 AND seq <= :cursor))"
        values = {"device_seq": decided_device_seq, "cursor": cursor}
        query = f"SELECT op_id FROM operations WHERE {done} ORDER BY device_seq"
        op_ids = tuple(str(row[0]) for row in self._connection.execute(query, values))
        if not op_ids:
            return ()
        with self._transaction("finish"):
            history = self._history()
            now = outbox_history.keep(self._connection, history, done, values)
            now = now._replace(epoch=epoch or now.epoch)
            if now != history:
                outbox_history.put(self._connection, now)
        return op_ids

    def kept(self) -> Kept:
        """Return what could be offered again."""
        return outbox_history.kept(self._connection, self._history())

    def reoffer(self, after_device_seq: int, epoch: str, device_id: str) -> OutboxState:
        """Make pending again what a server may lack that began the new history ``epoch``.

        Of this identity that is everything above ``after_device_seq``. What is kept of a former one has
        numbers that the server takes no more: then everything is numbered anew, as ``device_id``. The
        server knows by their ids what it has decided.
        """
        history = self._history()
        has_former = outbox_history.kept(self._connection, history).has_former
        if has_former:
            self._mark.clear()
        with self._transaction("reoffer"):
            back = outbox_history.take_back(self._connection, history, after_device_seq)
            own, next_seq = self._identity()
            held = [*back, *self._held("ORDER BY device_seq")]
            if has_former:
                own, next_seq = device_id, len(held) + 1
                held = _renumbered(held, device_id)
                history = self._begun_anew(history)
            elif back:
                history = history._replace(floor=max(history.floor, back[0].operation.device_seq - 1))
            self._connection.execute("DELETE FROM operations")
            rows = (schema.row_of(Held(operation)) for operation, _ in held)
            self._connection.executemany(schema.INSERT, rows)
            schema.put_identity(self._connection, own, next_seq)
            outbox_history.put(self._connection, history._replace(epoch=epoch))
        self._mark.write(own, next_seq)
        return self.state()

    def release(self, durable_seq: int, epoch: str) -> bool:
        """Let go of some kept operations that a backup covers; True when there may be more."""
        history = self._history()
        place, is_more = outbox_history.covered_place(self._connection, durable_seq)
        if not place or epoch != history.epoch:
            return False
        with self._transaction("release"):
            outbox_history.put(self._connection, outbox_history.let_go(self._connection, history, place))
        return is_more

    def renew_identity(self, device_id: str) -> OutboxState:
        """Go on as ``device_id``: everything held is pending again, numbered anew from 1.

        The ids of the operations stay, so a server that decided one under the former identity
        answers with the stored outcome.
        """
        # Between the two the mark would accuse the new identity of having lost everything.
        self._mark.clear()
        with self._transaction("renew_identity"):
            held = _renumbered(self._held("ORDER BY device_seq"), device_id)
            self._connection.execute("DELETE FROM operations")
            self._connection.executemany(schema.INSERT, map(schema.row_of, held))
            schema.put_identity(self._connection, device_id, len(held) + 1)
            outbox_history.put(self._connection, self._begun_anew(self._history()))
        self._mark.write(device_id, len(held) + 1)
        return self.state()

    def reopen(self, first_device_seq: int) -> None:
        """Make what is held from this number on pending again: its verdicts belong to another epoch."""
        with self._transaction("reopen"):
            for operation, _ in self._held("WHERE state = 1 AND device_seq >= ?", first_device_seq):
                self._connection.execute(schema.REPLACE, schema.row_of(Held(operation, None)))

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        self._connection.close()

    def _transaction(self, name: str) -> AbstractContextManager[None]:
        return files.transaction(self._connection, self._faults, f"outbox.{name}")

    def _identity(self) -> tuple[str, int]:
        identity = schema.read_identity(self._connection)
        if identity is None:
            raise files.DamagedError("the identity is not whole")
        return identity

    def _history(self) -> History:
        history = outbox_history.read(self._connection)
        if history is None:
            raise files.DamagedError("the history is not whole")
        return history

    def _begun_anew(self, history: History) -> History:
        """Return the history for a new identity: all that is kept is of a former one."""
        newest = self._connection.execute("SELECT max(place) FROM kept").fetchone()[0] or 0
        return history._replace(first_place=newest + 1, floor=0)

    def _numbered(self, drafts: Sequence[Operation]) -> tuple[Operation, ...]:
        """Number drafts and store them; those that are here already come back as they are."""
        numbered = []
        device_id, next_seq = self._identity()
        for draft in drafts:
            known = self._operation(draft.op_id)
            if known is None:
                known = msgspec.structs.replace(draft, device_id=device_id, device_seq=next_seq)
                next_seq += 1
                self._connection.execute(schema.INSERT, schema.row_of(Held(known, None)))
            numbered.append(known)
        schema.put_identity(self._connection, device_id, next_seq)
        return tuple(numbered)

    def _operation(self, op_id: str) -> Operation | None:
        query = (
            f"SELECT {schema.COLUMNS} FROM operations WHERE op_id = ?1"
            f" UNION ALL SELECT {schema.COLUMNS} FROM kept WHERE op_id = ?1"
        )
        row = self._connection.execute(query, (op_id,)).fetchone()
        return None if row is None else schema.whole(row).operation

    def _held(self, tail: str, *values: object) -> list[Held]:
        query = f"SELECT {schema.COLUMNS} FROM operations {tail}"
        return [schema.whole(row) for row in self._connection.execute(query, values)]


def _is_known(stored: Verdict | None, verdict: Verdict) -> bool:
    """Say whether this verdict is stored; another seq is that of another history, which is no more."""
    return stored is not None and stored.seq == verdict.seq


def _renumbered(held: Sequence[Held], device_id: str) -> list[Held]:
    """Return operations as pending ones of another identity, numbered from 1."""
    return [
        Held(msgspec.structs.replace(operation, device_id=device_id, device_seq=device_seq))
        for device_seq, (operation, _) in enumerate(held, 1)
    ]


def _open_whole(
    path: Path, ids: Ids, marked: Marked | None = None, log: bytes = b""
) -> tuple[sqlite3.Connection | None, str]:
    """Return a connection, and what is wrong with the file's content; without a connection something is."""
    if (marked is not None or log) and not files.has_content(path):
        return None, "the file is empty"
    connection = files.connect(path)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        files.climb(connection, schema.APPLICATION_ID, ladder(ids))
        damage = find_damage(connection, path, marked)
    except (files.DamagedError, ValueError, TypeError) as error:
        # A value of another type than we ever wrote is damage like any other.
        return connection, str(error)
    except BaseException as error:
        if isinstance(error, sqlite3.Error) and files.is_damage(error):
            return connection, str(error)
        connection.close()
        raise
    return connection, damage


def _too_new(path: Path) -> ProblemError:
    return ProblemError(
        "OUTBOX_TOO_NEW",
        f"{path} was written by a newer release of this program. Nothing has been changed.",
        "Start the newer release, or choose another profile with --profile.",
    )


def _unusable(path: Path, cause: object) -> ProblemError:
    return ProblemError(
        "OUTBOX_UNUSABLE",
        f"Moves cannot be stored in {path}: {cause}.",
        "Check that the disk is writable and not full and that no other program uses the file.",
    )
