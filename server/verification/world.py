"""The virtual world: one time line, one source of chance, one trace.

Nothing here sleeps. Whoever wants something later puts it on the time line; ``run`` takes the
next thing until nothing is left or the time is over. The same seed gives the same trace.
"""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable, Sequence
from typing import Final

from sync.contract.steps import (
    Closed,
    Command,
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

START_WALL_MS: Final = 1_750_000_000_000


class SimulatedCrash(BaseException):
    """Raised at a fault hook or between two effects. Not an Exception: no store may catch it."""


class World:
    """Time, chance and the trace of one run."""

    def __init__(self, seed: int) -> None:
        """Begin at virtual time 0 with everything that follows decided by ``seed``."""
        self.random = random.Random(seed)
        self.now_ms = 0
        self.steps = 0
        self.is_over = False
        """Whether everybody has ended for good: nothing starts any more."""
        self.faults: list[str] = []
        """Store calls that failed without having been told to: always a violation."""
        self._line: list[tuple[int, int, Callable[[], None]]] = []
        self._order = 0
        self._trace = hashlib.blake2b(digest_size=16)

    def later(self, delay_ms: int, call: Callable[[], None]) -> None:
        """Put ``call`` on the time line; equal times keep the order in which they were put."""
        self._order += 1
        heapq.heappush(self._line, (self.now_ms + max(0, delay_ms), self._order, call))

    def run(self, until_ms: int) -> None:
        """Let time pass to ``until_ms``."""
        while self._line and self._line[0][0] <= until_ms:
            self.play_next()
        self.now_ms = max(self.now_ms, until_ms)

    def play_next(self) -> None:
        """Let the next thing on the time line happen."""
        at_ms, _, call = heapq.heappop(self._line)
        self.now_ms = max(self.now_ms, at_ms)
        call()

    def chance(self, probability: float) -> bool:
        """Return True with ``probability``."""
        return self.random.random() < probability

    def within(self, span: tuple[int, int]) -> int:
        """Return a number of ``span``, both ends included."""
        first, last = span
        return first + int(self.random.random() * (last - first + 1))

    def note(self, node: str, event: Event | str, effects: Sequence[Effect]) -> None:
        """Add one step to the trace: what came in and, with its content, what went out."""
        self.steps += 1
        seen = event if isinstance(event, str) else _seen(event)
        self._trace.update(b"".join((f"{self.now_ms} {node} {seen}".encode(), *map(_told, effects))))

    def trace_hash(self) -> str:
        """Return the hash over every step so far."""
        return self._trace.hexdigest()


def _seen(event: Event) -> str:
    """Return what a trace keeps of an event; frames stand in the trace of whoever sent them."""
    match event:
        case Received(link, frame):
            return f"received {link} {len(frame)}"
        case JobDone(ticket, result, error):
            # A result may hold objects without a readable form; what follows from it is in the effects.
            return f"done {ticket} {type(result).__name__} {error}"
        case TimerFired(name):
            return name
        case Command(request):
            return type(request).__name__
        case Closed(link, code):
            return f"closed {link} {code}"
        case _:
            return f"{type(event).__name__} {event.link}"


def _told(effect: Effect) -> bytes:
    match effect:
        case Publish():
            return b"Publish"
        case Send(link, frame):
            return b"%d %b" % (link, frame.encode() if isinstance(frame, str) else frame)
        case Job(ticket, store, method):
            return f"{ticket} {store}.{method}".encode()
        case SetTimer(name, at_ms):
            return f"{name} {at_ms}".encode()
        case _:
            return type(effect).__name__.encode()


class VirtualClock:
    """The clock of one node: its wall may be wrong and jump, its monotonic one starts at a boot."""

    def __init__(self, world: World, name: str, skew_ms: int = 0) -> None:
        """Begin the first boot of node ``name`` with a wall clock that is ``skew_ms`` ahead."""
        self._world = world
        self._name = name
        self._skew_ms = skew_ms
        self._boots = 0
        self._booted_ms = 0
        self.boot()

    def wall_ms(self) -> int:
        """Return the wall time as this node believes it."""
        return START_WALL_MS + self._world.now_ms + self._skew_ms

    def mono_ms(self) -> int:
        """Return milliseconds since this node's boot, plus one so that 0 means "never"."""
        return self._world.now_ms - self._booted_ms + 1

    def boot_id(self) -> str:
        """Return the number of this boot as text."""
        return f"{self._name}-{self._boots}"

    def boot(self) -> None:
        """Start anew after a crash."""
        self._boots += 1
        self._booted_ms = self._world.now_ms

    def jump(self, span_ms: int) -> None:
        """Let somebody set the wall clock."""
        self._skew_ms += span_ms


class CrashHook:
    """A fault hook that lets a process die at a chosen passing of a point."""

    def __init__(self) -> None:
        """Pass everything until armed."""
        self._left = 0
        self._where = ""

    def arm(self, points: int, where: str = "") -> None:
        """Die at the ``points``-th point from now whose name contains ``where``; 0 disarms."""
        self._left = points
        self._where = where

    def at(self, point: str) -> None:
        """Pass, or die here."""
        if self._left and self._where in point:
            self._left -= 1
            if not self._left:
                raise SimulatedCrash(point)
