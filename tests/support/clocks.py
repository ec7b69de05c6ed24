"""A clock that stands still until a test moves it, and ids that count up."""

from __future__ import annotations

import uuid


class FakeClock:
    """A clock under the test's hand; ``wall`` and ``mono`` are milliseconds."""

    def __init__(self, wall: int = 1_700_000_000_000, mono: int = 1_000, boot: str = "boot-1") -> None:
        """Start at ``wall`` and ``mono`` of boot ``boot``."""
        self.wall = wall
        self.mono = mono
        self.boot = boot

    def wall_ms(self) -> int:
        """Return the wall time."""
        return self.wall

    def mono_ms(self) -> int:
        """Return the monotonic time."""
        return self.mono

    def boot_id(self) -> str:
        """Return the boot."""
        return self.boot

    def advance(self, span_ms: int) -> None:
        """Let ``span_ms`` pass on both clocks."""
        self.wall += span_ms
        self.mono += span_ms


class CountingIds:
    """Ids that can be read in a failing test: 1, 2, 3 as UUIDs."""

    def __init__(self, start: int = 1) -> None:
        """Begin with ``start``."""
        self._next = start

    def new(self) -> str:
        """Return the next id."""
        self._next += 1
        return str(uuid.UUID(int=self._next - 1))
