"""How long ago an input event really happened.

An event carries the window system's own time, whose zero is unknown. The smallest difference ever seen
between arrival and that time is taken as "no delay"; anything beyond it was spent in a queue.
"""

from __future__ import annotations

from typing import Final

_JUMP_MS: Final = 2_000
"""A difference this far from the smallest is another clock (a pretended event, a new server)."""


class EventClock:
    """Turns an event's timestamp and arrival into the delay that it suffered."""

    def __init__(self) -> None:
        """Know nothing about the window system's zero."""
        self._smallest: float | None = None

    def delay_ms(self, timestamp_ms: int, arrival_ms: float) -> float:
        """Return how many milliseconds the event waited before it arrived here; 0 when unknown."""
        if timestamp_ms <= 0:
            return 0.0
        difference = arrival_ms - timestamp_ms
        smallest = self._smallest
        if smallest is None or difference < smallest or difference - smallest > _JUMP_MS:
            self._smallest = difference
            return 0.0
        return difference - smallest
