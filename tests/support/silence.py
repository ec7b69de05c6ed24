"""What a test must not leave behind: warnings in our logs and threads that still run."""

from __future__ import annotations

import logging
import threading
import time

ROOMS = frozenset({"app", "resources", "server", "sync", "telemetry", "widgets"})


class WarningCollector(logging.Handler):
    """Keeps what our own loggers say from WARNING up."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record when it comes from one of our rooms."""
        if record.name.partition(".")[0] in ROOMS:
            self.seen.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def left_alive(before: set[threading.Thread], within_s: float = 5.0) -> list[threading.Thread]:
    """Return the threads that were not there before and do not end before the deadline.

    Threads that only Qt made are not ours to end: Python sees them as dummies for ever.
    """
    new = [
        thread
        for thread in threading.enumerate()
        if thread not in before and not isinstance(thread, threading._DummyThread)
    ]
    deadline = time.monotonic() + within_s
    for thread in new:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in new if thread.is_alive()]
