"""What the engine tells whoever listens: the board, ``headless``, a second program on the profile.

All are plain frozen values: they cross threads, and the local socket as JSON.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation
from sync.contract.problems import Problem


class LinkState(StrEnum):
    """How the connection stands, in the words of the badge."""

    CONNECTING = "connecting"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Started:
    """Always the first news: what the profile's files still know.

    ``operations`` are those that are not done yet; ``last_contact_ms`` is the wall time at which
    the cached board was last known to be the server's (0 = never).
    """

    operations: tuple[Operation, ...]
    site: Site | None
    person: Person | None
    last_contact_ms: int


@dataclass(frozen=True, slots=True)
class OperationsSaved:
    """These are durable in the outbox now, with their numbers."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class OperationsNotSaved:
    """These could not be made durable and are gone; whoever made them must be told."""

    op_ids: tuple[str, ...]
    problem: Problem


@dataclass(frozen=True, slots=True)
class OperationsSent:
    """These were handed to the socket (for measurements; nothing is certain yet)."""

    op_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationsDecided:
    """The server's outcomes; a rejected operation is to be shown to its person."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class OperationsDone:
    """The board of this terminal shows what the server made of these."""

    op_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OperationsRenumbered:
    """This installation took a new identity: these are its operations that are not done, anew."""

    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class BoardChanged:
    """A page of the log is in the cache: these local ids changed, these left the board.

    ``op_ids`` are own operations that became done with it.
    """

    changed: tuple[int, ...]
    removed: tuple[int, ...]
    op_ids: tuple[str, ...]
    cursor: int
    decided_device_seq: int


@dataclass(frozen=True, slots=True)
class SnapshotApplied:
    """The whole board was replaced: local ids from before mean nothing any more."""

    seq: int
    orders: int
    op_ids: tuple[str, ...]
    decided_device_seq: int


@dataclass(frozen=True, slots=True)
class Welcomed:
    """The server said who is signed in and whose board this is."""

    site: Site
    person: Person


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The connection stands differently now.

    ``since_wall_ms``: since when it is live; otherwise when the board was last live (0 = never).
    ``detail`` is the last reason for not being connected, for IT.
    """

    state: LinkState
    since_wall_ms: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CredentialsWanted:
    """The machine needs an access token; answered with ``NewToken`` or ``NoToken``."""

    why: str


@dataclass(frozen=True, slots=True)
class ProblemArose:
    """Something is wrong that a person should know."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """The server's clock is ``ms`` ahead of this machine's (0: near enough again)."""

    ms: int


@dataclass(frozen=True, slots=True)
class DelayMeasured:
    """The round trip of one ping."""

    ms: int


@dataclass(frozen=True, slots=True)
class RaiseWanted:
    """The program was started a second time on this profile: raise the window."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Always the last news; ``is_clean`` when nothing was left unfinished."""

    is_clean: bool


NEWS_TYPES = (
    Started,
    OperationsSaved,
    OperationsNotSaved,
    OperationsSent,
    OperationsDecided,
    OperationsDone,
    OperationsRenumbered,
    BoardChanged,
    SnapshotApplied,
    Welcomed,
    ConnectionChanged,
    CredentialsWanted,
    ProblemArose,
    ClockSkew,
    DelayMeasured,
    RaiseWanted,
    Stopped,
)
News = (
    Started
    | OperationsSaved
    | OperationsNotSaved
    | OperationsSent
    | OperationsDecided
    | OperationsDone
    | OperationsRenumbered
    | BoardChanged
    | SnapshotApplied
    | Welcomed
    | ConnectionChanged
    | CredentialsWanted
    | ProblemArose
    | ClockSkew
    | DelayMeasured
    | RaiseWanted
    | Stopped
)
