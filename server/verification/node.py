"""A node: one step machine with its stores, driven by the world instead of asyncio.

A node can die between any two effects of a step and at any fault hook of its stores. What it
had handed to the network or committed stays; everything else is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from server.verification.world import CrashHook, SimulatedCrash, World
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

JOB_MS: Final = (1, 8)
"""How long a job takes, shortest and longest; jobs of one store stay in order."""
EFFECT: Final = "effect"
"""The point of the crash hook between two effects of a step."""


class StepMachine(Protocol):
    """What both machines are."""

    def step(self, event: Event) -> list[Effect]:
        """Take one event, give what follows from it."""
        ...


class Node:
    """One living process of the world. A crash ends it; a new one takes its place."""

    def __init__(
        self,
        world: World,
        name: str,
        machine: StepMachine,
        stores: Mapping[str, object],
        hook: CrashHook,
        expected: tuple[str, ...] = (),
    ) -> None:
        """Drive ``machine`` with ``stores`` as node ``name``; errors named in ``expected`` are no faults."""
        self.world = world
        self.name = name
        self.machine = machine
        self.stores = stores
        self.hook = hook
        self.is_alive = True
        self._expected = expected
        self._timers: dict[str, int] = {}
        self._timer_sets = 0
        self._free_ms: dict[str, int] = {}

    def feed(self, event: Event) -> None:
        """Step the machine and carry its effects out; nothing when the node is dead."""
        if not self.is_alive:
            return
        effects = self.machine.step(event)
        self.world.note(self.name, event, effects)
        try:
            for effect in effects:
                self.hook.at(EFFECT)
                if self._is_dead():  # carrying out the one before may have been the end
                    return
                self._carry_out(effect)
        except SimulatedCrash:
            self.die()

    def _is_dead(self) -> bool:
        return not self.is_alive

    def die(self) -> None:
        """End here; whoever made the node hears of it through :meth:`on_death`."""
        if self.is_alive:
            self.is_alive = False
            self.world.note(self.name, "died", [])
            self.on_death()

    def on_death(self) -> None:
        """Let a subclass cut its cables and plan the restart."""

    def on_link(self, effect: Connect | Send | Close) -> None:
        """Let a subclass carry the network's effects."""

    def on_news(self, news: object) -> None:
        """Let a subclass see what the machine publishes."""

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Connect() | Send() | Close():
                self.on_link(effect)
            case SetTimer(name, at_ms):
                self._set_timer(name, at_ms)
            case CancelTimer(name):
                self._timers.pop(name, None)
            case Publish(news):
                self.on_news(news)
            case Job():
                self._start(effect)

    def _set_timer(self, name: str, at_ms: int) -> None:
        self._timer_sets += 1
        mark = self._timers[name] = self._timer_sets
        self.world.later(at_ms - self.mono_ms(), lambda: self._fire(name, mark))

    def _fire(self, name: str, mark: int) -> None:
        if self._timers.get(name) == mark:
            del self._timers[name]
            self.feed(TimerFired(name))

    def mono_ms(self) -> int:
        """Return the machine's monotonic time; subclasses know the clock."""
        raise NotImplementedError

    def _start(self, job: Job) -> None:
        """Run the job when its store is free: stores work one job after the other."""
        now_ms = self.world.now_ms
        begin = max(now_ms, self._free_ms.get(job.store, 0))
        self._free_ms[job.store] = begin + self.world.within(JOB_MS)
        self.world.later(self._free_ms[job.store] - now_ms, lambda: self._run(job))

    def _run(self, job: Job) -> None:
        if not self.is_alive:
            return
        try:
            result = getattr(self.stores[job.store], job.method)(*job.arguments)
        except SimulatedCrash:
            self.die()
        except Exception as error:  # noqa: BLE001  as a driver does: the machine hears of it, the checks too
            kind = type(error).__name__
            if kind not in self._expected:
                self.world.faults.append(f"{self.name}: {job.store}.{job.method} failed: {kind}: {error}")
            self.feed(JobDone(job.ticket, error=f"{kind}: {error}"))
        else:
            self.feed(JobDone(job.ticket, result))
