"""The asyncio driver: effects out, events back, in order; it decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from support.clocks import FakeClock
from sync.client.driver import JOBS_UNDERWAY, Driver
from sync.contract.problems import ProblemError
from sync.contract.steps import (
    CancelTimer,
    Close,
    Closed,
    Command,
    Connect,
    Connected,
    Drained,
    Effect,
    Event,
    Job,
    JobDone,
    Publish,
    Received,
    Send,
    SetTimer,
    TimerFired,
)

END = None


class ScriptedMachine:
    """Answers events as the test says, and notes them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.script: dict[type[object], list[Effect]] = {}
        self.changed = asyncio.Event()

    def step(self, event: Event) -> list[Effect]:
        """Note the event and return the effects for its kind."""
        self.events.append(event)
        self.changed.set()
        if isinstance(event, Command) and isinstance(event.request, list):
            return event.request
        return self.script.get(type(event), [])

    async def until(self, kind: type[object], count: int = 1) -> None:
        """Wait until so many events of a kind have come."""
        async with asyncio.timeout(5):
            while sum(isinstance(event, kind) for event in self.events) < count:
                self.changed.clear()
                await self.changed.wait()


class FakeSocket:
    """A socket whose other end is the test."""

    def __init__(self) -> None:
        self.incoming: asyncio.Queue[str | bytes | Exception | None] = asyncio.Queue()
        self.sent: list[str | bytes] = []
        self.closed_with: tuple[int, str] | None = None
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self.send_error: Exception | None = None

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (frame := await self.incoming.get()) is not END:
            if isinstance(frame, Exception):
                raise frame
            yield frame

    async def send(self, message: str | bytes) -> None:
        """Note a frame."""
        if self.send_error is not None:
            raise self.send_error
        self.sent.append(message)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Note the end."""
        self.closed_with = (code, reason)


class Bench:
    """A driver, its machine and its surroundings."""

    def __init__(self) -> None:
        self.machine = ScriptedMachine()
        self.clock = FakeClock()
        self.socket = FakeSocket()
        self.open_error: Exception | None = None
        self.jobs: list[tuple[Job, Callable[[object, str], None]]] = []
        self.news: list[object] = []
        self.driver = Driver(self.machine, self.clock, self.open_socket, self.run_job, self.news.append)

    async def open_socket(self) -> FakeSocket:
        """Return the socket, or fail."""
        if self.open_error is not None:
            raise self.open_error
        return self.socket

    def run_job(self, job: Job, done: Callable[[object, str], None]) -> None:
        """Keep the job until the test finishes it."""
        self.jobs.append((job, done))

    def do(self, *effects: Effect) -> None:
        """Have effects carried out."""
        self.driver.step(Command(list(effects)))


def driven(scenario: Callable[[Bench], Coroutine[Any, Any, None]]) -> None:
    """Run a scenario on a loop of its own."""

    async def run() -> None:
        bench = Bench()
        try:
            await scenario(bench)
        finally:
            await bench.driver.close()

    asyncio.run(run())


def test_a_link_from_connecting_to_the_end() -> None:
    """Connected, frames in and out in order, drained, and once how it ended."""

    async def scenario(bench: Bench) -> None:
        bench.machine.script[Connected] = [Send(1, "a"), Send(1, b"b")]
        bench.do(Connect(1))
        await bench.machine.until(Drained)
        bench.socket.incoming.put_nowait("x")
        bench.socket.incoming.put_nowait(b"y")
        await bench.machine.until(Received, 2)
        bench.socket.close_code, bench.socket.close_reason = 1001, "bye"
        bench.socket.incoming.put_nowait(END)
        await bench.machine.until(Closed)
        bench.do(Send(1, "too late"))
        assert bench.socket.sent == ["a", b"b"]
        assert bench.machine.events[1:-1] == [
            Connected(1),
            Drained(1),
            Received(1, "x"),
            Received(1, b"y"),
            Closed(1, 1001, "bye"),
        ]

    driven(scenario)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ProblemError("TOKEN_EXPIRED", "Over."), "TOKEN_EXPIRED"),
        (ConnectionRefusedError("nobody"), "ConnectionRefusedError: nobody"),
    ],
)
def test_a_link_that_cannot_be_made_is_closed(error: Exception, reason: str) -> None:
    """A problem is reported by its code, anything else by its words."""

    async def scenario(bench: Bench) -> None:
        bench.open_error = error
        bench.do(Connect(1))
        await bench.machine.until(Closed)
        assert bench.machine.events[-1] == Closed(1, 0, reason)

    driven(scenario)


def test_a_link_that_breaks_is_closed_with_its_code() -> None:
    """Whatever the network does, the machine hears it once."""

    async def scenario(bench: Bench) -> None:
        bench.do(Connect(1))
        await bench.machine.until(Connected)
        bench.socket.close_code = 1006
        bench.socket.incoming.put_nowait(OSError("reset"))
        await bench.machine.until(Closed)
        assert bench.machine.events[-1] == Closed(1, 1006, "OSError: reset")

    driven(scenario)


def test_a_frame_that_cannot_be_sent_waits_for_the_end_of_the_link() -> None:
    """The reading side says what happened."""

    async def scenario(bench: Bench) -> None:
        bench.socket.send_error = OSError("gone")
        bench.machine.script[Connected] = [Send(1, "a")]
        bench.do(Connect(1))
        await bench.machine.until(Connected)
        bench.socket.incoming.put_nowait(END)
        await bench.machine.until(Closed)

    driven(scenario)


def test_the_machine_closes_a_link() -> None:
    """With its code and a reason that fits; the machine hears Closed as well."""

    async def scenario(bench: Bench) -> None:
        bench.do(Connect(1))
        await bench.machine.until(Connected)
        bench.do(Close(1, 1007, "ü" * 100))
        bench.do(Close(1), Close(2))
        await bench.machine.until(Closed)
        assert bench.socket.closed_with == (1007, "ü" * 60)

    driven(scenario)


def test_timers_fire_at_their_time_and_not_after_they_were_cancelled() -> None:
    """Setting a timer again moves it."""

    async def scenario(bench: Bench) -> None:
        now = bench.clock.mono_ms()
        bench.do(SetTimer("a", now + 100_000), SetTimer("b", now), CancelTimer("b"), CancelTimer("c"))
        bench.do(SetTimer("d", now - 5), SetTimer("e", now + 90_000))
        bench.do(SetTimer("a", now + 1))
        await bench.machine.until(TimerFired, 2)
        assert bench.machine.events[-2:] == [TimerFired("d"), TimerFired("a")]

    driven(scenario)


def test_jobs_come_back_as_events() -> None:
    """Result or error, whenever they are done, from whatever thread."""

    async def scenario(bench: Bench) -> None:
        bench.do(Job(1, "cache", "state"), Job(2, "outbox", "append", ((),)))
        (first, first_done), (second, second_done) = bench.jobs
        assert (first.store, second.method) == ("cache", "append")
        second_done((), "")
        await asyncio.to_thread(first_done, None, "OSError: full")
        await bench.machine.until(JobDone, 2)
        assert bench.machine.events[-2:] == [JobDone(2, (), ""), JobDone(1, None, "OSError: full")]

    driven(scenario)


def test_nothing_more_is_read_while_the_disk_is_behind() -> None:
    """The server then waits too, instead of filling this program's memory."""

    async def scenario(bench: Bench) -> None:
        bench.machine.script[Received] = [
            Job(ticket, "cache", "apply_delta") for ticket in range(JOBS_UNDERWAY + 1)
        ]
        bench.do(Connect(1))
        for frame in ("a", "b"):
            bench.socket.incoming.put_nowait(frame)
        await bench.machine.until(Received)
        for _ in range(10):
            await asyncio.sleep(0)
        assert sum(isinstance(event, Received) for event in bench.machine.events) == 1
        bench.jobs[0][1](None, "")
        await bench.machine.until(Received, 2)

    driven(scenario)


def test_news_are_published() -> None:
    """As they are."""

    async def scenario(bench: Bench) -> None:
        bench.do(Publish("news"))
        assert bench.news == ["news"]

    driven(scenario)


def test_a_machine_that_fails_is_not_stepped_again() -> None:
    """Whoever owns the driver sees the fault and starts anew from the files."""

    async def scenario(bench: Bench) -> None:
        bench.driver.step(Command([Close]))  # an effect that is none does nothing
        bench.machine.script[TimerFired] = 5  # type: ignore[assignment]
        bench.do(SetTimer("a", 0))
        with pytest.raises(TypeError):
            await asyncio.wait_for(asyncio.shield(bench.driver.fault), 5)
        before = len(bench.machine.events)
        bench.do(Publish("more"))
        assert len(bench.machine.events) == before

    driven(scenario)


def test_closing_lets_go_of_links_and_timers() -> None:
    """The other side is told; nothing is left on the loop."""

    async def scenario(bench: Bench) -> None:
        bench.do(Connect(1), SetTimer("a", 10**9))
        await bench.machine.until(Connected)
        await bench.driver.close()
        assert bench.socket.closed_with == (1001, "")
        assert len(asyncio.all_tasks()) == 1

    driven(scenario)


def test_a_job_that_ends_after_the_loop_is_nobodys() -> None:
    """The database thread may be the last to go."""
    late: list[Callable[[object, str], None]] = []

    async def scenario(bench: Bench) -> None:
        bench.do(Job(1, "outbox", "append"))
        late.append(bench.jobs[0][1])

    driven(scenario)
    late[0](None, "")
