"""The driver carries out what its hub wants, in order, and hands everything back as events."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest

from server.kernel.driver import Driver
from support.clocks import FakeClock
from sync.contract.steps import (
    CancelTimer,
    Close,
    Command,
    Effect,
    Event,
    Job,
    JobDone,
    Publish,
    Send,
    SetTimer,
    TimerFired,
)


class ScriptedHub:
    """Answers each event with what the test wrote down for it, and keeps the events."""

    def __init__(self, answer: Callable[[Event], list[Effect]]) -> None:
        self.seen: list[Event] = []
        self._answer = answer

    def step(self, event: Event) -> list[Effect]:
        """Keep an event and answer it."""
        self.seen.append(event)
        return self._answer(event)


class Shelf:
    """A store that tells which thread it is called on, or fails."""

    def where(self) -> str:
        """Return the name of the thread."""
        return threading.current_thread().name

    def fail(self) -> None:
        """Fail."""
        raise OSError("disk full")


def played(effects: list[Effect], until: type[Event]) -> tuple[list[Event], list[object]]:
    """Let a hub want ``effects`` at once, and return what it saw until an event of a kind, and its news."""
    done = asyncio.Event()
    news: list[object] = []

    def answer(event: Event) -> list[Effect]:
        if isinstance(event, until):
            done.set()
        return effects if event == Command("start") else []

    async def play() -> list[Event]:
        hub = ScriptedHub(answer)
        driver = Driver(hub, {"shelf": Shelf()}, FakeClock(), news.append)  # type: ignore[arg-type]
        driver.feed(Command("start"))
        await asyncio.wait_for(done.wait(), 10)
        await driver.stop("bye")
        driver.feed(Command("too late"))
        return hub.seen

    return asyncio.run(play()), news


def test_a_job_runs_on_the_thread_of_its_store() -> None:
    """And its result comes back with its ticket."""
    seen, _ = played([Job(7, "shelf", "where")], JobDone)
    (done,) = [event for event in seen if isinstance(event, JobDone)]
    assert (done.ticket, done.error) == (7, "")
    assert str(done.result).startswith("shelf-")


@pytest.mark.expects_log_warnings
def test_an_error_of_a_store_becomes_a_value_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The hub decides what it means; the trace is kept where it is known."""
    with caplog.at_level(logging.ERROR):
        seen, _ = played([Job(8, "shelf", "fail")], JobDone)
    assert JobDone(8, None, "OSError: disk full") in seen
    assert "disk full" in caplog.text


def test_a_timer_fires_once_at_its_last_time() -> None:
    """Setting it again moves it; a cancelled one never fires; what is unknown does no harm."""
    effects: list[Effect] = [
        SetTimer("moved", 10_000_000),
        SetTimer("moved", 0),
        SetTimer("gone", 0),
        CancelTimer("gone"),
        CancelTimer("never set"),
        Send(99, "nobody"),
        Close(99),
        Publish("news"),
    ]
    seen, news = played(effects, TimerFired)
    assert [event for event in seen if isinstance(event, TimerFired)] == [TimerFired("moved")]
    assert news == ["news"]


def test_a_stopped_driver_is_deaf() -> None:
    """The good-bye is the last thing that the hub hears."""
    seen, _ = played([SetTimer("pending", 10_000_000), SetTimer("now", 0)], TimerFired)
    assert seen[-1] == Command("bye")
