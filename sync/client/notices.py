"""What the client's machine says about its connection, each thing once."""

from __future__ import annotations

from typing import Final

from sync.client.emitter import Emitter
from sync.client.news import ClockSkew, ConnectionChanged, LinkState, ProblemArose
from sync.contract.ports import Clock
from sync.contract.problems import Problem

SKEW_MS: Final = 120_000
"""A difference between the clocks that people would notice in the times on screen."""

MOST_SKEW_MS: Final = 100 * 365 * 86_400_000
"""A clock that is further off is told as a century: a message may hold any number, a screen may not."""


class Notices:
    """Remembers what was said last, so that the same words do not come at every try."""

    def __init__(self, last_contact_ms: int, clock: Clock, emitter: Emitter) -> None:
        """Start knowing when the board was last the server's (0 = never)."""
        self.detail = ""
        self._live_wall_ms = last_contact_ms
        self._clock = clock
        self._emitter = emitter
        self._told = ""
        self._is_skewed = False
        self._shown: ConnectionChanged | None = None

    def tell(self, problem: Problem) -> None:
        """Publish a problem, unless it is the one that was published last."""
        if problem.code != self._told:
            self._told = problem.code
            self._emitter.publish(ProblemArose(problem))

    def is_well(self) -> None:
        """Forget what was wrong: the same problem is news again when it comes back."""
        self._told = self.detail = ""

    def note_contact(self, ago_ms: int) -> None:
        """Note that the board was the server's so long ago, also in the cache for after a crash."""
        self._live_wall_ms = self._clock.wall_ms() - ago_ms
        self._emitter.job("cache", "remember", None, None, self._live_wall_ms, then=_nothing)

    def note_server_wall(self, wall_ms: int) -> None:
        """Compare the server's clock with ours; only a change between right and wrong is news."""
        ahead_ms = min(max(wall_ms - self._clock.wall_ms(), -MOST_SKEW_MS), MOST_SKEW_MS)
        is_skewed = abs(ahead_ms) > SKEW_MS
        if is_skewed != self._is_skewed:
            self._is_skewed = is_skewed
            self._emitter.publish(ClockSkew(ahead_ms if is_skewed else 0))

    def show(self, state: LinkState) -> None:
        """Publish how the connection stands, if that differs from what was published last."""
        shown = self._shown
        if shown is not None and shown.state is state is LinkState.LIVE:
            return
        connection = ConnectionChanged(state, self._live_wall_ms, self.detail)
        if connection != shown:
            self._shown = connection
            self._emitter.publish(connection)


def _nothing(result: object, error: str) -> None:
    """A note that is not written costs a wrong age on the next cold start, nothing else."""
