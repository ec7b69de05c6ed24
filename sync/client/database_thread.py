"""The database thread: the only one that writes the client's files, one job after the other.

The outbox comes before the cache, the cache before telemetry; within one of these, first come,
first served. Errors come back as text beside the result, never as exceptions: the thread outlives
every job.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from enum import IntEnum
from heapq import heappop, heappush
from typing import Final, NamedTuple

STOPPED: Final = "stopped"
"""What a job is told that the end of the program overtook."""


class Priority(IntEnum):
    """Which jobs come first."""

    OUTBOX = 0
    CACHE = 1
    TELEMETRY = 2


Call = Callable[[], object]
Done = Callable[[object, str], None]
"""Called on the database thread with the result and "", or None and what went wrong."""


class _Job(NamedTuple):
    priority: int
    number: int
    call: Call
    done: Done


class DatabaseThread:
    """A bounded priority queue and the thread that works it off."""

    def __init__(self, limit: int = 10_000, name: str = "database") -> None:
        """Accept at most ``limit`` waiting jobs; the thread begins with :meth:`start`."""
        self._limit = limit
        self._jobs: list[_Job] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._closing: Call | None = None
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def submit(self, priority: Priority, call: Call, done: Done) -> bool:
        """Have ``call`` run and ``done`` told; False when stopping or full, then nothing happens."""
        with self._changed:
            # Full is for what can be done later: a move that was made is never turned away.
            is_full = len(self._jobs) >= self._limit and priority is not Priority.OUTBOX
            if self._is_stopping or is_full:
                return False
            heappush(self._jobs, _Job(priority, next(self._numbers), call, done))
            self._changed.notify()
        return True

    def stop(self, closing: Call | None = None, timeout_s: float = 10.0) -> bool:
        """Finish the outbox's jobs, drop the others, run ``closing`` last; say whether it ended in time."""
        with self._changed:
            self._is_stopping = True
            self._closing = closing
            self._changed.notify()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            if self._is_stopping and job.priority != Priority.OUTBOX:
                job.done(None, STOPPED)
            else:
                _carry_out(job)
        if self._closing is not None:
            _carry_out(_Job(Priority.OUTBOX, 0, self._closing, _tell_nobody))

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._jobs and not self._is_stopping:
                self._changed.wait()
            return heappop(self._jobs) if self._jobs else None


def _carry_out(job: _Job) -> None:
    result: object = None
    error = ""
    try:
        result = job.call()
    except Exception as raised:  # noqa: BLE001 - a store's error is a value to whoever asked
        error = f"{type(raised).__name__}: {raised}"
    job.done(result, error)


def _tell_nobody(result: object, error: str) -> None:
    """Closing has nobody to report to."""
