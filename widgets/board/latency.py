"""What a program cannot see of its own delays: when an input really happened, when pixels really show.

An event carries the window system's own time in whole milliseconds, whose zero is unknown. The smallest
difference ever seen between arrival and that time is taken as "no delay"; anything beyond it was spent in
a queue. A paint ends when the widget has painted: the way of the pixels to the window system, and the way
of the event before, are measured once while nobody waits, and added to every figure.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import Final

_JUMP_MS: Final = 2_000
"""A difference this far from the smallest is another clock (a pretended event, a new server)."""

_DRIFT: Final = 50e-6
"""How far two clocks may drift apart: the smallest difference of an hour ago is no longer true."""

_PROBES: Final = 7


class EventClock:
    """Turns an event's timestamp and arrival into the delay that it suffered."""

    def __init__(self) -> None:
        """Know nothing about the window system's zero."""
        self._smallest: float | None = None
        self._seen_ms = 0.0

    def delay_ms(self, timestamp_ms: int, arrival_ms: float) -> float:
        """Return how many milliseconds the event waited before it arrived here; 0 when unknown."""
        if timestamp_ms <= 0:
            return 0.0
        difference = arrival_ms - timestamp_ms
        smallest = self._smallest
        if smallest is not None:
            smallest += (arrival_ms - self._seen_ms) * _DRIFT
        self._seen_ms = arrival_ms
        if smallest is None or difference < smallest or difference - smallest > _JUMP_MS:
            smallest = difference
        self._smallest = smallest
        return difference - smallest


class ScreenDelay:
    """How long a paint that has ended still needs until the window system has its pixels."""

    def __init__(self) -> None:
        """Not known yet: nothing is added."""
        self.ms = 0.0

    def measure(self, paint: Callable[[], float], has_arrived: Callable[[], object]) -> None:
        """Measure it: ``paint`` returns when (s) it ended, ``has_arrived`` once the window system has it.

        The answer of the window system comes the way that an event comes, so both ways are in it.
        """
        samples = []
        for _ in range(_PROBES):
            ended = paint()
            has_arrived()
            samples.append(perf_counter() - ended)
        self.ms = sorted(samples)[_PROBES // 2] * 1000
