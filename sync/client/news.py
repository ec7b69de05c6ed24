"""What the engine tells whoever listens: the board, ``headless``, a second program on the profile.

All are plain frozen values: they cross threads, and the local socket as JSON. Structs instead of
dataclasses, because these classes are made before the first paint and cost a fifth there.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from sync.client.needs_you import NeedsYou
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
    the cached board was last known to be the server's (0 = never); ``needs_you`` waits for a person.
    """

    operations: tuple[Operation, ...]
    site: Site | None
    person: Person | None
    last_contact_ms: int
    needs_you: tuple[NeedsYou, ...] = ()


class OperationsSaved(msgspec.Struct, frozen=True):
    """These are durable in the outbox now, with their numbers."""

    operations: tuple[Operation, ...]


class OperationsNotSaved(msgspec.Struct, frozen=True):
    """These could not be made durable and are gone; whoever made them must be told."""

    op_ids: tuple[str, ...]
    problem: Problem


class OperationsSent(msgspec.Struct, frozen=True):
    """These were handed to the socket; nothing is certain yet."""

    op_ids: tuple[str, ...]


class OperationsDecided(msgspec.Struct, frozen=True):
    """The server's outcomes: acknowledged at the verdict's ``seq``, or refused, which its person is told."""

    verdicts: tuple[Verdict, ...]


class BatchOutcome(msgspec.Struct, frozen=True):
    """What became of one order of a batch."""

    order_id: str
    verdict: Verdict


class BatchDecided(msgspec.Struct, frozen=True):
    """The last operation of a batch has its outcome: here are all that this run of the program knows."""

    batch_id: str
    outcomes: tuple[BatchOutcome, ...]


class OperationFaulted(msgspec.Struct, frozen=True):
    """The server failed on this one, now for the ``count``-th time; it is sent again."""

    op_id: str
    count: int


class OperationsDone(msgspec.Struct, frozen=True):
    """The board of this terminal shows what the server made of these."""

    op_ids: tuple[str, ...]


class OperationsRenumbered(msgspec.Struct, frozen=True):
    """This installation took a new identity: these are its operations that are not done, anew.

    ``contained`` are the ids of those that the cached board has by the former identity.
    """

    operations: tuple[Operation, ...]
    contained: tuple[str, ...] = ()


class OperationsReoffered(msgspec.Struct, frozen=True):
    """The server came back from a backup: these are all that are not done now, in their order.

    Among them are done ones that the server may lack; it is offered them before newer ones.
    """

    operations: tuple[Operation, ...]


class NeedsYouChanged(msgspec.Struct, frozen=True):
    """Among what waits for a person these ids are ``removed``, and after that these ``entries`` are new.

    What is quarantined, or waits for an upgrade, is not on its way any more.
    """

    entries: tuple[NeedsYou, ...] = ()
    removed: tuple[str, ...] = ()


class QueueStuck(msgspec.Struct, frozen=True):
    """``count`` operations wait although the server is there, the oldest since then (0: they move again)."""

    since_wall_ms: int
    count: int


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


class SnapshotHeld(msgspec.Struct, frozen=True):
    """The server's board was not let in: ``removed`` of the ``open`` orders here would be gone.

    Ends with the next ``SnapshotApplied``; a person may let it in with ``AcceptBoard``.
    """

    removed: int
    open: int


class BoardRepaired(msgspec.Struct, frozen=True):
    """The board's copy was damaged: so many ``orders`` were replaced (0: only its sum was wrong)."""

    orders: int


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


class ProblemCleared(msgspec.Struct, frozen=True):
    """The problem with this code, told before, is over."""

    code: str


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
    BatchDecided,
    OperationFaulted,
    OperationsDone,
    OperationsRenumbered,
    OperationsReoffered,
    NeedsYouChanged,
    QueueStuck,
    BoardChanged,
    SnapshotApplied,
    BoardRepaired,
    SnapshotHeld,
    Welcomed,
    ConnectionChanged,
    CredentialsWanted,
    OlderOrdersFound,
    ProblemArose,
    ProblemCleared,
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
    | BatchDecided
    | OperationFaulted
    | OperationsDone
    | OperationsRenumbered
    | OperationsReoffered
    | NeedsYouChanged
    | QueueStuck
    | BoardChanged
    | SnapshotApplied
    | BoardRepaired
    | SnapshotHeld
    | Welcomed
    | ConnectionChanged
    | CredentialsWanted
    | OlderOrdersFound
    | ProblemArose
    | ProblemCleared
    | ClockSkew
    | DelayMeasured
    | RaiseWanted
    | Stopped
)
