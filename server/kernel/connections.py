"""What the hub remembers: one record a link, one a board. Plain state, changed only by the hub."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import msgspec

from server.kernel.records import Principal, SiteKey, Snapshot, Submission
from sync.contract.codec import encode
from sync.contract.limits import DELTA_BYTES, DELTA_ENTRIES
from sync.contract.messages import Hello, RawDelta


class Phase(Enum):
    """How far a link has come."""

    NEW = "new"
    """Nobody yet: only Auth is heard."""
    CHECKING = "checking"
    """The store looks at the token."""
    KNOWN = "known"
    """Signed in; Hello is awaited."""
    JOINING = "joining"
    """The store looks at the Hello."""
    LOADING = "loading"
    """Welcome was said; a snapshot is made or on its way."""
    LIVE = "live"
    """Deltas flow."""
    CLOSED = "closed"
    """Close was said; the driver has not confirmed it yet."""


@dataclass(slots=True)
class Connection:
    """One link. ``cursor`` is what was sent; together with the board's head it is the only queue."""

    link: int
    phase: Phase = Phase.NEW
    principal: Principal | None = None
    hello: Hello | None = None
    cursor: int = 0
    heard_ms: int = 0
    sending_since_ms: int | None = None
    """Since when something is on its way that was not drained; None: the link is free."""
    unsent_bytes: int = 0
    """What was handed over since the link was last drained."""
    snapshot: Snapshot | None = None
    next_chunk: int = 0
    is_checking: bool = False
    """A token of this link is being looked at."""
    is_page_wanted: bool = False
    is_asking: bool = False
    """A question about the board is being answered: until then no delta is sent."""
    waiting: int = 0
    """Operations handed in and not answered."""
    held: deque[Submission] = field(default_factory=deque)
    """Those of them that came too fast: they go to the board a little later."""
    beats: int = 0
    """Heartbeats that were sent."""
    beats_unhashed: int = 0
    """Heartbeats since one said the state hash."""
    is_beat_due: bool = False
    """A heartbeat waits until the link is free."""

    @property
    def site(self) -> SiteKey | None:
        """The site of whoever is signed in."""
        return self.principal.site.key if self.principal is not None else None

    @property
    def device_id(self) -> str:
        """The device of the hello, empty before it."""
        return self.hello.device_id if self.hello is not None else ""


FRAMES_KEPT: Final = 8
"""Encoded deltas of one board: clients stand at the newest cursors, others can be encoded again."""


class Tail:
    """The newest entries of a log, encoded, so that clients that are up to date need no reading."""

    def __init__(self, seq: int) -> None:
        """Begin empty at ``seq``."""
        self._entries: deque[bytes] = deque()
        self._start = seq
        self._bytes = 0
        self._frames: dict[int, str] = {}

    @property
    def seq(self) -> int:
        """The seq of the last entry."""
        return self._start + len(self._entries)

    def extend(self, entries: Iterable[bytes]) -> None:
        """Add entries, and forget the oldest beyond one delta's worth."""
        self._frames.clear()
        for entry in entries:
            self._entries.append(entry)
            self._bytes += len(entry)
        while len(self._entries) > DELTA_ENTRIES or self._bytes > DELTA_BYTES:
            self._bytes -= len(self._entries.popleft())
            self._start += 1

    def frame_after(self, cursor: int) -> str | None:
        """Return the delta frame from ``cursor`` to the end, None when its start is forgotten.

        The same string serves every client at the same cursor.
        """
        if not self._start <= cursor < self.seq:
            return None
        frame = self._frames.get(cursor)
        if frame is None:
            skipped = cursor - self._start
            entries = [entry for place, entry in enumerate(self._entries) if place >= skipped]
            while len(self._frames) >= FRAMES_KEPT:
                del self._frames[next(iter(self._frames))]
            frame = self._frames[cursor] = delta_frame(cursor, entries)
        return frame


def delta_frame(cursor: int, entries: Iterable[bytes]) -> str:
    """Return the frame of the entries after ``cursor``."""
    raw = [msgspec.Raw(entry) for entry in entries]
    return encode(RawDelta(cursor, cursor + len(raw), raw))


@dataclass(slots=True)
class Board:
    """One site: where its log stands and what waits to be decided."""

    site: SiteKey
    epoch: str
    head: int
    durable_seq: int
    tail: Tail
    state_hash: int | None = None
    """That of the board at ``head``; None when nobody said it."""
    waiting: deque[tuple[int, Submission]] = field(default_factory=deque)
    """Operations and the links that they came from."""
    is_committing: bool = False
    alone: int = 0
    """How many of the next operations are decided one at a time, because together they failed."""
    flushed_ms: int = 0
    """When what is new was last sent to everybody."""
    is_flush_set: bool = False
    pages: dict[int, list[Connection]] = field(default_factory=dict)
    """Who waits for the page after which cursor: it is read and encoded once."""


@dataclass(frozen=True, slots=True)
class LookNow:
    """Command: look now for what other processes did."""


@dataclass(frozen=True, slots=True)
class SignInsEnded:
    """Command: these sign-ins are over; their links are closed at once."""

    sign_in_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    """Command: the server stops; every link is told."""


@dataclass(frozen=True, slots=True)
class Noted:
    """News for the log: ``what`` happened (a word), with plain facts beside it."""

    what: str
    facts: tuple[tuple[str, object], ...] = ()
    is_warning: bool = False


@dataclass(frozen=True, slots=True)
class BoardAdvanced:
    """News: the log of a board grew."""

    site: SiteKey
    seq: int


LOOK_MS: Final = 500
EXPIRY_GRACE_MS: Final = 60_000
SLOW_MS: Final = 30_000
UNSENT_BYTES: Final = 1024 * 1024
LINKS_PER_DEVICE: Final = 5
STRANGERS: Final = 200
"""Links at once that nobody has signed in on; beyond, the oldest gives way."""
FLUSH_MS: Final = 50
LINKS_PER_FLUSH_MS: Final = 20
"""What is new is sent every so many links / 20 milliseconds, at most every 50: few links wait for nothing."""
BEATS_PER_HASH: Final = 60
