"""What the client's stores answer: plain values, so that the step machine needs to know no SQLite."""

from __future__ import annotations

from typing import NamedTuple

from sync.client.needs_you import NeedsYouChange
from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation, Outcome


class Held(NamedTuple):
    """An operation that is not done, with its verdict when it is decided."""

    operation: Operation
    verdict: Verdict | None = None


class OutboxState(NamedTuple):
    """The identity of this installation and everything that is not done, ascending."""

    device_id: str
    next_device_seq: int
    held: tuple[Held, ...] = ()

    @property
    def first_device_seq(self) -> int:
        """Return the first number that is still held, or the next one to be given."""
        return self.held[0].operation.device_seq if self.held else self.next_device_seq

    @property
    def pending(self) -> tuple[Operation, ...]:
        """Return the operations without a verdict."""
        return tuple(held.operation for held in self.held if held.verdict is None)

    @property
    def shown(self) -> tuple[Operation, ...]:
        """Return the operations that lie on top of the board: all but those that the server has refused."""
        return tuple(
            operation
            for operation, verdict in self.held
            if verdict is None or verdict.outcome is not Outcome.REJECTED
        )


class Kept(NamedTuple):
    """What the outbox could offer again to a server that lacks it.

    ``epoch`` is the server history in which it was done (empty: not known), ``first_device_seq`` the first
    number of this identity (0: there is none); ``has_former``: there are some of a former identity too.
    """

    epoch: str = ""
    first_device_seq: int = 0
    has_former: bool = False

    @property
    def is_empty(self) -> bool:
        """Say whether there is nothing to offer."""
        return self.first_device_seq == 0 and not self.has_former


class Judged(NamedTuple):
    """The verdicts that were news, and what they ask of a person."""

    verdicts: tuple[Verdict, ...]
    change: NeedsYouChange


class SetAside(NamedTuple):
    """What now stands in the place of an operation that was set aside."""

    skip: Operation
    change: NeedsYouChange


class Answered(NamedTuple):
    """The operations that answer an entry, numbered, and what became of the list."""

    operations: tuple[Operation, ...]
    change: NeedsYouChange


class CacheState(NamedTuple):
    """Where the cached board stands; an empty cache has epoch "", cursor 0 and hash 0.

    ``last_contact_ms`` is the server's last sign of life, ``snapshot_ms`` the last whole board.
    """

    epoch: str = ""
    cursor: int = 0
    state_hash: int = 0
    device_id: str = ""
    decided_device_seq: int = 0
    orders: int = 0
    site: Site | None = None
    person: Person | None = None
    snapshot_ms: int = 0
    last_contact_ms: int = 0


class CacheChange(NamedTuple):
    """One applied page: local ids that changed, that left, and the verdicts on own operations."""

    cursor: int
    state_hash: int
    decided_device_seq: int
    changed: tuple[int, ...] = ()
    removed: tuple[int, ...] = ()
    own: tuple[Verdict, ...] = ()
    is_whole: bool = True
    """False: the page changes orders that this cache lacks or that are damaged; they wait for a repair."""


class CacheRepair(NamedTuple):
    """A range of the board was replaced by the server's: how many ``orders`` differed."""

    change: CacheChange
    orders: int


class Repaired(NamedTuple):
    """Damage was looked for: so many ``orders`` were replaced; None when the whole board comes anew."""

    orders: int | None


class DeltaRefused(NamedTuple):
    """What the server said is not about where the cache stands ("gap"); nothing was written."""

    reason: str
    cursor: int


class CacheSnapshot(NamedTuple):
    """The whole board was replaced."""

    seq: int
    epoch: str
    state_hash: int
    orders: int
    decided_device_seq: int


class SnapshotHeld(NamedTuple):
    """The snapshot was not taken over: ``removed`` of the ``open`` orders would be gone without a trace."""

    removed: int
    open: int


class SnapshotRefused(NamedTuple):
    """The snapshot was not taken over: "hash", "count", "order" or "not begun"."""

    reason: str
