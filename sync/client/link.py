"""One link of the client's machine: what was heard on it, and by when it must have answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sync.contract.limits import HEARTBEAT_MS, SILENCE_MS
from sync.contract.messages import Welcome

STUCK_MS: Final = 10_000
"""Nothing may wait longer than this on a link that is up; a new link starts from what is certain."""

QUIET_MS: Final = 1_200
"""After so long without a frame the other side is asked whether it is there.

Half a connection looks like a quiet board until something is sent over it. On a busy board frames come by
themselves, so this costs only where nothing else happens.
"""


@dataclass(slots=True)
class Link:
    """A link's number, its times (monotonic), and how far it has come."""

    number: int
    heard_ms: int
    """When the last frame came (or when the link was asked for)."""
    progress_ms: int
    """When something last brought the conversation or the board forward."""
    is_up: bool = False
    welcome: Welcome | None = None
    live_ms: int | None = None
    pinged_ms: int = 0
    pings: int = 0
    is_holding: bool = False
    """The server's board is held back: nothing moves here until a person has spoken."""
    behind_at: int | None = None
    """What had been received at the last heartbeat that was ahead of it."""

    def complaint(self, now_ms: int, oldest_sent_ms: int | None) -> str:
        """Return why this link is to be dropped now, empty when it is well."""
        if now_ms >= self.heard_ms + SILENCE_MS:
            return "silence"
        stuck_ms = self._stuck_ms(oldest_sent_ms)
        return "stuck" if stuck_ms is not None and now_ms >= stuck_ms else ""

    @property
    def ping_ms(self) -> int:
        """When to ask whether the other side is there, and to show it that we are."""
        return min(self.pinged_ms + HEARTBEAT_MS, max(self.pinged_ms, self.heard_ms) + QUIET_MS)

    def next_look_ms(self, oldest_sent_ms: int | None) -> int:
        """Return when to look at this link again."""
        looks = [self.heard_ms + SILENCE_MS]
        if self.is_up:
            looks.append(self.ping_ms)
        stuck_ms = self._stuck_ms(oldest_sent_ms)
        if stuck_ms is not None:
            looks.append(stuck_ms)
        return min(looks)

    def _stuck_ms(self, oldest_sent_ms: int | None) -> int | None:
        """Return when this link counts as stuck; None while it owes nothing.

        While the board catches up every step counts as progress: a long snapshot over a slow line
        must not be started again and again. On a live link only the own operations count, because
        the operations of others prove nothing for them.
        """
        if self.is_holding:
            return None
        if self.live_ms is None:
            return self.progress_ms + STUCK_MS if self.is_up else None
        if oldest_sent_ms is None:
            return None
        return max(oldest_sent_ms, self.live_ms) + STUCK_MS

    def is_falling_behind(self, head: int, received: int) -> bool:
        """Say whether two heartbeats in a row were ahead of ``received`` without a page between."""
        was_behind_at, self.behind_at = self.behind_at, received if head > received else None
        return self.behind_at is not None and was_behind_at == received
