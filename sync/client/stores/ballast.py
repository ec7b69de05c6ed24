"""Room on the disk that is kept for moves, and what a person is told of it.

When the disk fills up, the board's copy stops growing first, while there is some room left. When even that
is used up by other programs, a file of ours is given back to the system, and moves can be stored a while
longer: time for somebody to make room. When there is room again the file is made anew and the warning goes.
"""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

from sync.contract.problems import Problem

BALLAST_BYTES: Final = 4 * 1024 * 1024
"""Some thousand moves."""
RESERVE_BYTES: Final = 16 * 1024 * 1024
"""With less than this free the board's copy is written no more."""
ENOUGH_BYTES: Final = RESERVE_BYTES + 2 * BALLAST_BYTES
"""With so much free there is room again."""

FULL: Final = Problem(
    "DISK_FULL",
    "The disk of this computer is full. Your moves are still stored, in room that was kept for them.",
    "Make room on the disk now: it lasts for some thousand moves.",
)
LOW: Final = Problem(
    "DISK_LOW",
    f"The disk of this computer is nearly full: less than {RESERVE_BYTES // 1024 // 1024} MB are left, "
    "and those are kept for moves. The board stands still. Your moves are still stored.",
    "Make room on the disk; the board catches up by itself.",
)


class DiskFullError(Exception):
    """There is so little room left that it is kept for moves."""


class Ballast:
    """The file ``ballast`` in a profile, and how much room there is beside it."""

    def __init__(self, folder: Path) -> None:
        """Look after the disk that ``folder`` is on."""
        self._folder = folder
        self._path = folder / "ballast"
        self._warning: Problem | None = None

    def watch(self) -> tuple[Problem | None, Problem | None]:
        """Look how much room there is; return what is wrong now, and what was at the last look."""
        before = self._warning
        try:
            free = self._free_bytes()
        except OSError:
            return before, before
        if free >= ENOUGH_BYTES:
            self._warning = None
            self.load()
        elif before is None and free < RESERVE_BYTES:
            # Between the two nothing changes: a warning that comes and goes is soon read by nobody.
            self._warning = LOW
        return self._warning, before

    def load(self) -> None:
        """Make the file where it is missing and there is room enough; it is no condition for anything."""
        with suppress(OSError):
            is_there = self._path.exists() and self._path.stat().st_size >= BALLAST_BYTES
            if is_there or self._free_bytes() < ENOUGH_BYTES:
                return
            with self._path.open("wb") as file:
                # Noise, because some disks store nothing where there are zeros.
                file.write(os.urandom(BALLAST_BYTES))

    def drop(self) -> bool:
        """Give the room back; False when there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        self._warning = FULL
        return True

    def check_reserve(self) -> None:
        """Raise :class:`DiskFullError` when what room there is belongs to moves."""
        free = self._free_bytes()
        if free < RESERVE_BYTES:
            raise DiskFullError(f"only {free // 1024:,} KB free")

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free


def is_full(error: BaseException | None) -> bool:
    """Say whether an error means that the disk has no room."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}
