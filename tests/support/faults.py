"""A fault hook that crashes a store at a named point."""

from __future__ import annotations


class CrashError(BaseException):
    """The power went, as far as the store can tell: no store may take it for an error of its own."""


class CrashAt:
    """Crashes when a point with this name is passed; keeps all names that were passed."""

    def __init__(self, point: str = "") -> None:
        """Crash at ``point``; an empty one only listens."""
        self.point = point
        self.passed: list[str] = []

    def at(self, point: str) -> None:
        """Pass ``point``, or crash there."""
        self.passed.append(point)
        if point == self.point:
            raise CrashError(point)
