"""The database thread: in order of importance, one after the other, and it ends cleanly."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from sync.client.database_thread import STOPPED, DatabaseThread, Priority

DEADLINE_S = 10


class Blocked:
    """A thread whose first job waits until the test opens the gate; results in order of arrival."""

    def __init__(self, limit: int = 100) -> None:
        """Start the thread and occupy it."""
        self.thread = DatabaseThread(limit)
        self.gate = threading.Event()
        self.told: list[tuple[object, str]] = []
        self.started = threading.Event()
        self.thread.start()
        assert self.thread.submit(Priority.OUTBOX, self._wait, self.done)
        assert self.started.wait(DEADLINE_S)

    def _wait(self) -> str:
        self.started.set()
        assert self.gate.wait(DEADLINE_S)
        return "first"

    def done(self, result: object, error: str) -> None:
        """Keep what was told."""
        self.told.append((result, error))

    def give(self, priority: Priority, name: str) -> bool:
        """Submit a job that returns ``name``."""
        return self.thread.submit(priority, lambda: name, self.done)

    def finish(self, closing: Callable[[], object] | None = None) -> list[object]:
        """Open the gate, stop, and return the results."""
        self.gate.set()
        assert self.thread.stop(closing, DEADLINE_S)
        return [error or result for result, error in self.told]


@pytest.fixture
def blocked() -> Iterator[Blocked]:
    """An occupied thread."""
    made = Blocked()
    yield made
    made.finish()


def through(thread: DatabaseThread) -> None:
    """Wait until the thread has done everything that was given before."""
    passed = threading.Event()
    thread.submit(Priority.TELEMETRY, lambda: None, lambda *_: passed.set())
    assert passed.wait(DEADLINE_S)


def test_the_outbox_comes_first_and_equals_keep_their_order(blocked: Blocked) -> None:
    """Outbox, cache, telemetry; first come, first served within each."""
    for priority, name in [
        (Priority.TELEMETRY, "t1"),
        (Priority.CACHE, "c1"),
        (Priority.OUTBOX, "o1"),
        (Priority.CACHE, "c2"),
        (Priority.OUTBOX, "o2"),
    ]:
        assert blocked.give(priority, name)
    blocked.gate.set()
    through(blocked.thread)
    assert blocked.told == [(name, "") for name in ("first", "o1", "o2", "c1", "c2", "t1")]


def test_an_error_is_a_value(blocked: Blocked) -> None:
    """What a job raises comes back as its name and text, and the next job runs."""
    blocked.thread.submit(Priority.OUTBOX, lambda: {"a": 1}["missing"], blocked.done)
    blocked.give(Priority.OUTBOX, "next")
    blocked.gate.set()
    through(blocked.thread)
    assert blocked.told[1:] == [(None, "KeyError: 'missing'"), ("next", "")]


def test_a_full_queue_turns_away_what_can_wait() -> None:
    """Beyond the limit nothing is taken but the outbox's jobs: a move is never turned away."""
    blocked = Blocked(limit=2)
    taken = [blocked.give(Priority.CACHE, str(number)) for number in range(4)]
    assert taken == [True, True, False, False]
    assert blocked.give(Priority.OUTBOX, "move")
    assert "move" in blocked.finish()


def test_stopping_finishes_the_outbox_and_closes_last() -> None:
    """What is on its way to the outbox gets there; the rest is told that it came too late."""
    blocked = Blocked()
    closed: list[str] = []
    blocked.give(Priority.CACHE, "cache")
    blocked.give(Priority.OUTBOX, "move")
    stopping = threading.Thread(
        target=blocked.thread.stop, args=(lambda: closed.append(threading.current_thread().name), DEADLINE_S)
    )
    stopping.start()
    while blocked.give(Priority.TELEMETRY, "early"):
        pass
    results = blocked.finish(lambda: closed.append(threading.current_thread().name))
    stopping.join(DEADLINE_S)
    assert results[:2] == ["first", "move"]
    assert set(results[2:]) == {STOPPED}
    assert closed == ["database"]
    assert not blocked.give(Priority.OUTBOX, "late")


def test_a_thread_that_never_started_can_be_stopped() -> None:
    """Composition may fail before anything began."""
    assert DatabaseThread().stop()


def test_a_thread_that_hangs_is_reported() -> None:
    """Stopping waits no longer than it was told to."""
    blocked = Blocked()
    assert not blocked.thread.stop(timeout_s=0.01)
    assert blocked.finish() == ["first"]


def test_closing_may_fail(blocked: Blocked) -> None:
    """An error while closing ends the thread all the same."""
    assert blocked.finish(lambda: 1 / 0) == ["first"]
