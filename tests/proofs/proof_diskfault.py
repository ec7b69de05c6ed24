"""A full or failing disk loses nothing in silence, wherever it strikes.

The disk fails at one of the first writes of a terminal and of a server, at each of them in turn: it is
full once, full from then on, fails once, takes nothing any more, or is read-only from then on. What was
promised must be there when the disk is well again; what was not must have been said, and must not come back
from the dead.

The control is a program that says "saved" whatever the disk answers: it must be caught.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple
from unittest import mock

import apsw
from sqlalchemy.exc import DBAPIError

from support.proofs_disk import Disk
from support.proofs_floor_disk import FloorDisk
from support.proofs_work import ServerTemplate, ServerWorker, on_disk
from support.proving import Budget, Finding, counted, prove
from sync.client.outbox import Outbox
from sync.contract.operations import Operation
from sync.contract.problems import ProblemError

POINTS: Final = 300
_STEPS: Final = 30
_IO_ERRORS: Final = {
    "write": apsw.SQLITE_IOERR_WRITE,
    "sync": apsw.SQLITE_IOERR_FSYNC,
    "truncate": apsw.SQLITE_IOERR_TRUNCATE,
    "delete": apsw.SQLITE_IOERR_DELETE,
    "open": apsw.SQLITE_CANTOPEN,
}


class Kind(NamedTuple):
    """How a disk fails."""

    name: str
    is_full: bool
    is_lasting: bool
    is_read_only: bool = False


KINDS: Final = (
    Kind("full once", is_full=True, is_lasting=False),
    Kind("full from then on", is_full=True, is_lasting=True),
    Kind("fails once", is_full=False, is_lasting=False),
    Kind("takes nothing any more", is_full=False, is_lasting=True),
    Kind("read-only from then on", is_full=False, is_lasting=True, is_read_only=True),
)


class FailingPoint:
    """Fails the disk at its ``number``-th change."""

    def __init__(self, kind: Kind, number: int) -> None:
        self._kind = kind
        self._left = number
        self.is_well = False
        self.has_struck = False

    def __call__(self, what: str, _file: str) -> None:
        """Let a change pass, or fail it."""
        self._left -= 1
        if self.is_well or self._left > 0 or (self._left < 0 and not self._kind.is_lasting):
            return
        if self._kind.is_full:
            # A full disk still deletes, cuts off and syncs.
            if what not in {"write", "open"}:
                return
            self.has_struck = True
            raise apsw.exception_for(apsw.SQLITE_FULL)
        if self._kind.is_read_only:
            # There is nothing to sync any more, and that succeeds.
            if what == "sync":
                return
            self.has_struck = True
            raise apsw.exception_for(apsw.SQLITE_READONLY)
        self.has_struck = True
        raise apsw.exception_for(_IO_ERRORS[what])


def run(budget: Budget) -> list[Finding]:
    """Fail the disk everywhere."""
    points = min(POINTS, budget.of(30, POINTS))
    chance = random.Random(budget.first)
    numbers = (
        range(1, POINTS + 1) if points == POINTS else sorted(chance.sample(range(1, POINTS + 1), points))
    )
    silent: list[str] = []
    struck = 0
    with tempfile.TemporaryDirectory(prefix="diskfault-") as name:
        folder = Path(name)
        template = ServerTemplate(folder / "template")
        for number in numbers:
            for kind in KINDS:
                for has_struck, sentence in (
                    terminal(folder / "try", kind, number),
                    server(folder / "try", kind, number, template),
                ):
                    struck += has_struck
                    if sentence:
                        silent.append(f"{kind.name} at write {number}: {sentence}")
            if number % 50 == 0:
                sys.stderr.write(f"diskfault: write {number} of {POINTS}\n")
        control = lying(folder / "try")
    return [
        Finding("diskfault.points", struck, "faults", len(numbers) * len(KINDS) * 2),
        counted("diskfault.silent", silent, "faults", struck),
        counted("diskfault.control_blind", [] if control else ["a lie was not caught"], "faults", 1),
    ]


def terminal(folder: Path, kind: Kind, number: int) -> tuple[bool, str]:
    """Fail the disk of a terminal; say whether it came to that, and what was lost in silence."""
    folder.mkdir()
    point = FailingPoint(kind, number)
    disk = Disk(point)
    try:
        with closing(disk), on_disk(disk, folder):
            try:
                floor = FloorDisk(folder)
            except ProblemError as error:
                return point.has_struck, "" if error.problem.sentence else "no sentence"
            floor.work(random.Random(number))
            # Killed on the spot: nothing is put in order behind what failed.
            shutil.copytree(folder, folder.with_name("found"))
            point.is_well = True
            floor.close()
        floor.folder = folder.with_name("found")
        return point.has_struck, _told(floor.broken)
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(folder.with_name("found"), ignore_errors=True)


def server(folder: Path, kind: Kind, number: int, template: ServerTemplate) -> tuple[bool, str]:
    """Fail the disk of a server."""
    folder.mkdir()
    point = FailingPoint(kind, number)
    disk = Disk(point)
    chance = random.Random(number)
    found = folder.with_name("found")
    try:
        with closing(disk), on_disk(disk, folder):
            try:
                worker = ServerWorker(folder, template)
            except ProblemError:
                return point.has_struck, ""
            for _ in range(_STEPS):
                # The terminals hear nothing and offer it again: an error is no silence.
                with suppress(DBAPIError, sqlite3.Error):
                    worker.step(chance)
            shutil.copytree(folder, found)
            point.is_well = True
            worker.close()
        return point.has_struck, _told(lambda: worker.broken(found))
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(found, ignore_errors=True)


def lying(folder: Path) -> str:
    """Return what is found when a store says "saved" whatever the disk answers."""
    append = Outbox.append

    def lie(outbox: Outbox, drafts: tuple[Operation, ...]) -> tuple[Operation, ...]:
        try:
            return append(outbox, drafts)
        except sqlite3.Error:
            return drafts

    with mock.patch.object(Outbox, "append", lie):
        return terminal(folder, KINDS[1], 200)[1]


def _told(judge: Callable[[], str]) -> str:
    try:
        return judge()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return f"{error!r}"


if __name__ == "__main__":
    prove(run)
