"""The work that is under way when a disk fails: an outbox and a server's store, and what they promised.

A *worker* does one step at a time on real files. What came back from the store is promised; ``broken``
looks at files that were found later and says which promise they do not keep.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Protocol
from unittest import mock

import sqlalchemy

import server.database
from server.checking import check
from server.database import FILE_NAME, Database, open_database
from server.kernel.records import Batch, Principal, Submission
from support.clocks import CountingIds, FakeClock
from support.drafts import draft
from support.proofs_apsw import dbapi
from support.proofs_disk import Disk
from support.server_bench import ServerBench, numbered
from sync.client.outbox import Outbox
from sync.client.stores import files
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Change,
    Move,
    Operation,
    Outcome,
    PutOnHold,
    Reason,
    Release,
    operation_bytes,
)
from sync.contract.stages import STAGES

ORDERS: Final = 12


class Worker(Protocol):
    """Something that writes, and knows what it promised."""

    def step(self, chance: random.Random) -> None:
        """Do one thing; raises what the store raises."""
        ...

    def broken(self, folder: Path) -> str:
        """Say what is wrong with the files in ``folder``, empty when every promise is kept."""
        ...

    def close(self) -> None:
        """Let go of the files."""
        ...


@contextmanager
def on_disk(disk: Disk, folder: Path) -> Iterator[None]:
    """Let our stores reach the files of ``folder`` through ``disk``; all other files as always."""
    plain = files.connect
    create_engine = sqlalchemy.create_engine

    def connect(path: Path) -> object:
        return disk.connect(path) if path.parent == folder else plain(path)

    def engine(url: str, **options: object) -> object:
        if str(folder) + "/" in url:
            options["module"] = dbapi(disk.connect)
        return create_engine(url, **options)

    with (
        mock.patch.object(files, "connect", connect),
        mock.patch.object(server.database, "create_engine", engine),
    ):
        yield


def any_change(chance: random.Random) -> Change:
    """Return a change that somebody at a terminal makes; some are long."""
    match chance.randrange(10):
        case 0:
            return PutOnHold("address", "w" * chance.choice((10, 900)))
        case 1:
            return Release()
        case 2:
            # Nothing in it comes twice, so that no page of one note passes for that of another.
            words = (f"{chance.getrandbits(32)}" for _ in range(chance.choice((10, 300, 900))))
            return PutOnHold("other", " ".join(words))
        case _:
            return Move(chance.choice(STAGES))


class OutboxWorker:
    """Somebody at a terminal, with a server that answers now and then."""

    def __init__(self, folder: Path) -> None:
        """Make the outbox in ``folder``."""
        self._path = folder / "outbox.db"
        self._outbox = Outbox.open(self._path, CountingIds(1_000)).outbox
        self._number = 0
        self.bodies: dict[str, bytes] = {}
        """Promised: these operations are in the outbox, as they were numbered."""
        self.verdicts: dict[str, Verdict] = {}
        self._finished = 0
        self.underway: frozenset[str] = frozenset()
        """All of these or none: the store was asked and has not answered yet."""
        self.entries: set[str] = set()
        """Promised: these wait for a person."""
        self._answered: set[str] = set()
        self._uncertain: set[str] = set()

    def step(self, chance: random.Random) -> None:
        """Make some moves, hear of some, or answer what waits for a person."""
        undecided = self._outbox.pending(limit=8) if chance.random() < 0.25 else ()
        if undecided:
            self._hear(undecided, chance)
        elif self.entries and chance.random() < 0.1:
            self._answer(chance.choice(sorted(self.entries)))
        else:
            self._move(chance)

    def _answer(self, entry_id: str) -> None:
        self._uncertain = {entry_id}
        self._outbox.answer(entry_id)
        self.entries.remove(entry_id)
        self._answered.add(entry_id)
        self._uncertain = set()

    def _move(self, chance: random.Random) -> None:
        drafts = []
        for _ in range(chance.choice((1, 1, 1, 2, 8))):
            self._number += 1
            drafts.append(
                draft(f"op-{self._number}", f"order-{chance.randrange(ORDERS)}", any_change(chance))
            )
        self.underway = frozenset(each.op_id for each in drafts)
        appended = self._outbox.append(drafts)
        self.underway = frozenset()
        self.bodies.update((each.op_id, operation_bytes(each)) for each in appended)

    def _hear(self, undecided: tuple[Operation, ...], chance: random.Random) -> None:
        verdicts = [
            Verdict(each.device_seq, each.op_id, each.device_seq, Outcome.REJECTED, Reason.CANCELLED)
            if chance.random() < 0.2
            else Verdict(each.device_seq, each.op_id, each.device_seq, Outcome.APPLIED)
            for each in undecided
        ]
        self._uncertain = {each.op_id for each in verdicts if each.outcome is Outcome.REJECTED}
        self._outbox.decide(verdicts)
        self.entries |= self._uncertain
        self._uncertain = set()
        self.verdicts.update((each.op_id, each) for each in verdicts)
        if chance.random() < 0.5:
            self._outbox.finish(0, verdicts[-1].seq)
            self._finished = verdicts[-1].seq

    def broken(self, folder: Path) -> str:
        """Open the files as the next start would."""
        try:
            opened = Outbox.open(folder / "outbox.db", CountingIds(5_000))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return f"the outbox does not open: {error!r}"
        with closing(opened.outbox) as outbox:
            if opened.salvage is not None:
                return f"corrupt: {opened.salvage.reason}, {opened.salvage.rows_saved} saved"
            return self._missing(outbox)

    def _missing(self, outbox: Outbox) -> str:
        for op_id, body in self.bodies.items():
            found = outbox._operation(op_id)
            if found is None or operation_bytes(found) != body:
                return f"lost: {op_id} of {len(self.bodies)}"
        half = {op_id for op_id in self.underway if outbox._operation(op_id) is not None}
        if half not in (set(), self.underway):
            return f"torn: {sorted(half)} of {sorted(self.underway)}"
        held = {each.operation.op_id: each.verdict for each in outbox.state().held}
        for op_id, verdict in self.verdicts.items():
            if op_id in held and (held[op_id] is None or verdict.seq <= self._finished):
                return f"lost: what became of {op_id}"
        waiting = {entry.id for entry in outbox.needs_you()}
        gone = self.entries - waiting - self._uncertain
        back = (waiting & self._answered) - self._uncertain
        return f"lost: entries for a person {sorted(gone)}, answers {sorted(back)}" if gone or back else ""

    def close(self) -> None:
        """Close the file."""
        self._outbox.close()


class ServerWorker:
    """A server that decides what terminals hand in."""

    def __init__(self, folder: Path, template: ServerTemplate) -> None:
        """Open a copy of the template's file in ``folder``."""
        shutil.copy(template.file, folder / FILE_NAME)
        self.principal = template.principal
        self._database = open_database(folder, FakeClock(), CountingIds(1_000_000))
        self._number = 0
        self.verdicts: dict[str, Verdict] = {}

    def step(self, chance: random.Random) -> None:
        """Decide what a terminal hands in; sometimes twice."""
        operations = []
        before = self._number
        again = self._number > 0 and chance.random() < 0.1
        for _ in range(chance.choice((1, 1, 2, 8))):
            if not again:
                self._number += 1
            order_id = f"{self.principal.site.key.site_id}-A-{chance.randrange(ORDERS)}"
            operations.append(numbered(self._number, any_change(chance), order_id))
        batch = Batch(self.principal.site.key, tuple(Submission(each, self.principal) for each in operations))
        try:
            answers = self._database.store.commit(batch).verdicts
        except Exception:
            # Nobody was answered, so the terminal offers the same numbers again.
            self._number = before
            raise
        self.verdicts.update((each.op_id, each) for each in answers if each is not None)

    def broken(self, folder: Path) -> str:
        """Open the files as the next start would, and count everything again."""
        try:
            wrong = check_server(folder)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return f"corrupt: the server does not start: {error!r}"
        if wrong:
            return f"corrupt: {wrong}"
        with closing(sqlite3.connect(folder / FILE_NAME)) as connection:
            log = {row[0]: row for row in connection.execute("SELECT op_id, seq, outcome FROM operation_log")}
        for op_id, verdict in self.verdicts.items():
            if log.get(op_id) != (op_id, verdict.seq, verdict.outcome.value):
                return f"lost: {op_id} of {len(self.verdicts)}"
        return ""

    def close(self) -> None:
        """Close every connection."""
        self._database.close()


class ServerTemplate:
    """A server's file with orders and somebody signed in, made once."""

    def __init__(self, folder: Path) -> None:
        bench = ServerBench(folder)
        bench.import_orders(ORDERS)
        self.principal: Principal = bench.principal()
        bench.join(self.principal)
        bench.close()
        self.file = folder / FILE_NAME


def check_server(folder: Path) -> str:
    """Start on a server's files as the next start would, and say what the program's own check finds."""
    with open_database(folder, FakeClock(), CountingIds(2_000_000)) as database:
        findings = check(database.engine).findings
    return "; ".join(f"{each.code}: {each.sentence}" for each in findings)


__all__ = ["Database", "OutboxWorker", "ServerTemplate", "ServerWorker", "Worker", "check_server", "on_disk"]
