"""What the client's stores answer: plain values, so that the step machine needs to know no SQLite."""

from __future__ import annotations

from typing import NamedTuple

from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation


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


class DeltaRefused(NamedTuple):
    """The page does not fit the cache and was not written: "gap" or "unknown_order"."""

    reason: str
    cursor: int


class CacheSnapshot(NamedTuple):
    """The whole board was replaced."""

    seq: int
    epoch: str
    state_hash: int
    orders: int
    decided_device_seq: int


class SnapshotRefused(NamedTuple):
    """The snapshot was not taken over: "hash", "count", "order" or "not begun"."""

    reason: str
