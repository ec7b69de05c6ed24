"""What the engine tells whoever listens: the board, ``headless``, a second program on the profile.

All are plain frozen values: they cross threads, and the local socket as JSON. Structs instead of
dataclasses, because these classes are made before the first paint and cost a fifth there.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation
from sync.contract.orders import Order
from sync.contract.problems import Problem


class LinkState(StrEnum):
    """How the connection stands, in the words of the badge."""

    CONNECTING = "connecting"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    OFFLINE = "offline"


class Started(msgspec.Struct, frozen=True):
    """Always the first news: what the profile's files still know.

    ``operations`` are those that are not done yet; ``last_contact_ms`` is the wall time at which
    the cached board was last known to be the server's (0 = never).
    """

    operations: tuple[Operation, ...]
    site: Site | None
    person: Person | None
    last_contact_ms: int


class OperationsSaved(msgspec.Struct, frozen=True):
    """These are durable in the outbox now, with their numbers."""

    operations: tuple[Operation, ...]


class OperationsNotSaved(msgspec.Struct, frozen=True):
    """These could not be made durable and are gone; whoever made them must be told."""

    op_ids: tuple[str, ...]
    problem: Problem


class OperationsSent(msgspec.Struct, frozen=True):
    """These were handed to the socket (for measurements; nothing is certain yet)."""

    op_ids: tuple[str, ...]


class OperationsDecided(msgspec.Struct, frozen=True):
    """The server's outcomes; a rejected operation is to be shown to its person."""

    verdicts: tuple[Verdict, ...]


class OperationsDone(msgspec.Struct, frozen=True):
    """The board of this terminal shows what the server made of these."""

    op_ids: tuple[str, ...]


class OperationsRenumbered(msgspec.Struct, frozen=True):
    """This installation took a new identity: these are its operations that are not done, anew."""

    operations: tuple[Operation, ...]


class BoardChanged(msgspec.Struct, frozen=True):
    """A page of the log is in the cache: these local ids changed, these left the board.

    ``op_ids`` are own operations that became done with it.
    """

    changed: tuple[int, ...]
    removed: tuple[int, ...]
    op_ids: tuple[str, ...]
    cursor: int
    decided_device_seq: int


class SnapshotApplied(msgspec.Struct, frozen=True):
    """The whole board was replaced: local ids from before mean nothing any more."""

    seq: int
    orders: int
    op_ids: tuple[str, ...]
    decided_device_seq: int


class Welcomed(msgspec.Struct, frozen=True):
    """The server said who is signed in and whose board this is."""

    site: Site
    person: Person


class ConnectionChanged(msgspec.Struct, frozen=True):
    """The connection stands differently now.

    ``since_wall_ms``: since when it is live; otherwise when the board was last live (0 = never).
    ``detail`` is the last reason for not being connected, for IT.
    """

    state: LinkState
    since_wall_ms: int
    detail: str = ""


class CredentialsWanted(msgspec.Struct, frozen=True):
    """The machine needs an access token; answered with ``NewToken`` or ``NoToken``."""

    why: str


class OlderOrdersFound(msgspec.Struct, frozen=True):
    """What the server has beside the board for question ``number`` of ``asker``, newest first.

    ``total`` counts also those that were not sent; with a ``problem`` nothing is known.
    """

    asker: str
    number: int
    orders: tuple[Order, ...] = ()
    total: int = 0
    problem: Problem | None = None


class ProblemArose(msgspec.Struct, frozen=True):
    """Something is wrong that a person should know."""

    problem: Problem


class ClockSkew(msgspec.Struct, frozen=True):
    """The server's clock is ``ms`` ahead of this machine's (0: near enough again)."""

    ms: int


class DelayMeasured(msgspec.Struct, frozen=True):
    """The round trip of one ping."""

    ms: int


class RaiseWanted(msgspec.Struct, frozen=True):
    """The program was started a second time on this profile: raise the window."""


class Stopped(msgspec.Struct, frozen=True):
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
    OlderOrdersFound,
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
    | OlderOrdersFound
    | ProblemArose
    | ClockSkew
    | DelayMeasured
    | RaiseWanted
    | Stopped
)
