"""The asyncio driver: carries a step machine's effects out and brings the events back. Decides nothing.

Everything runs on one loop; a machine is stepped from its callbacks only, never from within a step.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final, Protocol

from sync.client.socket_link import OpenSocket, SocketLink
from sync.contract.ports import Clock
from sync.contract.steps import (
    CancelTimer,
    Close,
    Connect,
    Effect,
    Event,
    Job,
    JobDone,
    Publish,
    Send,
    SetTimer,
    TimerFired,
)

JOBS_UNDERWAY: Final = 1
"""While more jobs than this wait for the disk, no further frame is read: the sender then waits too.

One waits while one is worked on. Each further piece of a whole board would be a megabyte for nothing."""


class Steps(Protocol):
    """A step machine."""

    def step(self, event: Event) -> list[Effect]:
        """Take an event in and return its effects."""
        ...


RunJob = Callable[[Job, Callable[[object, str], None]], None]
"""Runs a job elsewhere; calls back with result and error, from any thread, exactly once."""


class Driver:
    """Runs one machine on the running loop."""

    def __init__(
        self,
        machine: Steps,
        clock: Clock,
        open_socket: OpenSocket,
        run_job: RunJob,
        publish: Callable[[Any], None],
    ) -> None:
        """Connect with ``open_socket``, run jobs with ``run_job``, tell ``publish``."""
        self._machine = machine
        self._clock = clock
        self._open_socket = open_socket
        self._run_job = run_job
        self._publish = publish
        self._loop = asyncio.get_running_loop()
        self._links: dict[int, SocketLink] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._jobs_underway = 0
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.fault: asyncio.Future[None] = self._loop.create_future()
        """Gets the exception when the machine fails; it must not be stepped on after that."""

    def step(self, event: Event) -> None:
        """Give the machine an event and carry out what it says."""
        if self.fault.done():
            return
        try:
            for effect in self._machine.step(event):
                self._carry_out(effect)
        except Exception as error:  # noqa: BLE001 - whoever owns the driver starts a new machine
            self.fault.set_exception(error)

    async def close(self) -> None:
        """Let go of timers and links; waits only for sockets to be told."""
        if not self.fault.done():
            self.fault.set_result(None)
        for timer in self._timers.values():
            timer.cancel()
        for number in list(self._links):
            self._close(Close(number, 1001))
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1.0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(number, frame):
                link = self._links.get(number)
                if link is not None:
                    link.send(frame)
            case Publish(news):
                self._publish(news)
            case Job(ticket):
                self._start_job(ticket, effect)
            case SetTimer(name, at_ms):
                self._set_timer(name, at_ms)
            case CancelTimer(name):
                self._cancel_timer(name)
            case Connect(number):
                self._connect(number)
            case Close():
                self._close(effect)

    # ------------------------------------------------------------------ jobs and timers

    def _start_job(self, ticket: int, job: Job) -> None:
        self._jobs_underway += 1
        if self._jobs_underway > JOBS_UNDERWAY:
            self._has_room.clear()

        def done(result: object, error: str) -> None:
            # The loop may be gone already when the last jobs end; then nobody waits for them.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._job_done, JobDone(ticket, result, error))

        self._run_job(job, done)

    def _job_done(self, event: JobDone) -> None:
        self._jobs_underway -= 1
        if self._jobs_underway <= JOBS_UNDERWAY:
            self._has_room.set()
        self.step(event)

    def _set_timer(self, name: str, at_ms: int) -> None:
        self._cancel_timer(name)
        delay_s = max(0, at_ms - self._clock.mono_ms()) / 1000
        self._timers[name] = self._loop.call_later(delay_s, self._fire, name)

    def _cancel_timer(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()

    def _fire(self, name: str) -> None:
        del self._timers[name]
        self.step(TimerFired(name))

    # ------------------------------------------------------------------ links

    def _connect(self, number: int) -> None:
        link = self._links[number] = SocketLink(number, self.step, self._has_room)
        link.task = self._loop.create_task(link.live(self._open_socket))
        self._tasks.add(link.task)
        link.task.add_done_callback(self._tasks.discard)
        link.task.add_done_callback(lambda _: self._links.pop(number, None))

    def _close(self, effect: Close) -> None:
        link = self._links.pop(effect.link, None)
        if link is not None:
            link.close(effect.code, effect.reason)
