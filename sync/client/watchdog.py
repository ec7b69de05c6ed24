"""Sees to it that nobody believes in a queue that does not move.

How long the oldest undecided operation has waited is counted only while the server is there, over as many
links as it takes: a link that is dropped because nothing moved on it must not start the count anew.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sync.client.emitter import Emitter
from sync.client.news import ProblemArose, ProblemCleared, QueueStuck
from sync.contract.ports import Clock
from sync.contract.problems import Problem

STUCK_QUEUE_MS: Final = 60_000
"""A server that is there has answered long before."""
LINK_MS: Final = 15_000
"""So long one link may leave the oldest where it is, sent or not. Longer than any wait after a fault."""

_STUCK: Final = Problem(
    "QUEUE_STUCK",
    "The server is there but has not taken this terminal's moves for a minute. They are safe here.",
    "Go on working; if this stays, tell IT.",
)


class Watchdog:
    """Looks at the oldest undecided operation."""

    def __init__(self, clock: Clock, emitter: Emitter) -> None:
        """Start with nothing seen."""
        self._clock = clock
        self._emitter = emitter
        self._oldest = ""
        self._waited_ms = 0
        self._seen_ms: int | None = None
        self._is_told = False
        self._on_link_ms = 0

    def look(self, oldest: str, count: Callable[[], int]) -> bool:
        """The server is there; ``oldest`` is the id of the oldest undecided operation (empty: none).

        Returns whether this link has left it where it is for too long: a new one starts from what is certain.
        """
        now_ms = self._clock.mono_ms()
        if oldest != self._oldest:
            self._oldest, self._waited_ms, self._on_link_ms = oldest, 0, 0
        elif self._seen_ms is not None:
            self._waited_ms += now_ms - self._seen_ms
            self._on_link_ms += now_ms - self._seen_ms
        self._seen_ms = now_ms
        self._tell(count)
        return bool(oldest) and self._on_link_ms >= LINK_MS

    def link_lost(self) -> None:
        """Without a link nothing can move: such time does not count."""
        self._seen_ms = None
        self._on_link_ms = 0

    def _tell(self, count: Callable[[], int]) -> None:
        is_stuck = bool(self._oldest) and self._waited_ms > STUCK_QUEUE_MS
        if is_stuck and not self._is_told:
            self._emitter.publish(QueueStuck(self._clock.wall_ms() - self._waited_ms, count()))
            self._emitter.publish(ProblemArose(_STUCK))
        elif self._is_told and not is_stuck:
            self._emitter.publish(QueueStuck(0, 0))
            self._emitter.publish(ProblemCleared(_STUCK.code))
        self._is_told = is_stuck
