"""Plain values that the kernel's rooms hand to each other."""

from __future__ import annotations

from typing import NamedTuple

from sync.contract.messages import Person, Site, Verdict
from sync.contract.operations import Operation
from sync.contract.permissions import Role


class SiteKey(NamedTuple):
    """Whose data: every call of a store takes it, and it always comes from the token."""

    organization_id: str
    site_id: str


class SiteRow(NamedTuple):
    """One site and the organisation that it belongs to."""

    key: SiteKey
    name: str
    time_zone: str
    organization: str

    def as_site(self) -> Site:
        """Return the site as the contract tells it."""
        return Site(self.key.site_id, self.name, self.time_zone, self.key.organization_id, self.organization)


class Principal(NamedTuple):
    """Who asks: a person with a role, signed in on an enrolled device of one site."""

    site: SiteRow
    person: Person
    role: Role
    enrolment_id: str
    expires_ms: int
    """When the access token ends, server wall."""


class Submission(NamedTuple):
    """One operation and who sent it; ``principal`` is None for the server's own (imports)."""

    operation: Operation
    principal: Principal | None = None


class Batch(NamedTuple):
    """What one transaction decides: operations of one site, in the order in which they came."""

    site: SiteKey
    submissions: tuple[Submission, ...]


class Committed(NamedTuple):
    """What a transaction made of its batch: the log from ``prev_seq + 1`` to ``seq``.

    ``verdicts`` are in the order of the submissions; None means "this device was cloned".
    ``state_hash`` is that of the board at ``seq``.
    """

    prev_seq: int
    seq: int
    entries: tuple[bytes, ...]
    verdicts: tuple[Verdict | None, ...]
    state_hash: int | None = None


class OperationFaultError(Exception):
    """A batch could not be decided because of what is in it: the database itself is there and well."""


class Joined(NamedTuple):
    """Where a client that says hello stands."""

    epoch: str
    head: int
    durable_seq: int
    decided_device_seq: int
    skipped: int = 0
    """How many operations the device no longer holds that this log has never seen."""
    is_cloned: bool = False
    is_new_epoch: bool = False
    """The client knew more than the log: the epoch was renewed for everybody."""
    is_damaged: bool = False
    """The client's state hash is not the one of the log at its cursor."""
    needs_snapshot: bool = False
    state_hash: int | None = None
    """The state hash of the log at the client's cursor; None when the client knows another log or none."""
    head_hash: int | None = None
    """The state hash at the head."""


class Page(NamedTuple):
    """A run of encoded log entries after ``prev_seq``; empty when there are none."""

    prev_seq: int
    seq: int
    entries: tuple[bytes, ...]


class Answered(NamedTuple):
    """An encoded answer about the board at exactly ``seq``, and what a link has to be sent before it.

    ``page`` follows the link's cursor. When it ends before ``seq`` the answer is of no use to this link.
    ``frame`` is None when the answer would be too long.
    """

    page: Page
    seq: int
    frame: str | bytes | None
    orders: int = 0
    """How many orders the answer gives."""


class FirstPage(NamedTuple):
    """What an empty terminal sees first: an encoded frame, empty when there is nothing to see."""

    frame: str | bytes


class Head(NamedTuple):
    """Where the log of a board stands; ``state_hash`` is that of the board there."""

    seq: int
    epoch: str
    durable_seq: int
    state_hash: int | None = None


class Snapshot:
    """A whole board at one seq as frames that are ready to send; shared by all who need it."""

    __slots__ = ("__weakref__", "epoch", "frames", "orders", "seq", "state_hash")

    def __init__(self, epoch: str, seq: int, orders: int, state_hash: int, frames: tuple[bytes, ...]) -> None:
        """Keep the chunks ``frames`` of the board at ``seq``."""
        self.epoch = epoch
        self.seq = seq
        self.orders = orders
        self.state_hash = state_hash
        self.frames = frames


class SnapshotFor(NamedTuple):
    """A snapshot, and what it already holds of the device that gets it."""

    snapshot: Snapshot
    decided_device_seq: int


class Look(NamedTuple):
    """What other processes did meanwhile: heads of boards, sign-ins that are over."""

    heads: dict[str, Head]
    ended_sign_ins: tuple[str, ...]
