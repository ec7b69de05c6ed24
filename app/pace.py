"""How often other people's changes reach the board: at once while they are few, else four times a second.

A look at the board costs about as much for one change as for fifty. Nobody can follow fifty changes a second,
but everybody feels it when the program is busy with them. Pure: times are given, in ms of any clock.
"""

from __future__ import annotations

from typing import Final

SPAN_MS: Final = 250
FEW: Final = 30
"""So many changes in one span are each shown at once."""


class Pace:
    """Counts what was handed over, and says when the next may be."""

    def __init__(self) -> None:
        """Begin with nothing handed over."""
        self._count = 0
        self._ends_ms = 0
        self._due_ms = 0

    def wait_ms(self, now_ms: int) -> int:
        """Return how long what comes now has to wait; 0: not at all."""
        return max(0, self._due_ms - now_ms)

    def handed(self, count: int, now_ms: int) -> None:
        """Take in that ``count`` changes were handed over just now."""
        if now_ms >= self._ends_ms:
            self._count = 0
            self._ends_ms = now_ms + SPAN_MS
        self._count += count
        if self._count > FEW:
            self._ends_ms = self._due_ms = now_ms + SPAN_MS
