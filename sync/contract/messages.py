"""What the two programs say to each other over the socket, one class a message.

The tag ``type`` names the message in JSON. :mod:`sync.contract.codec` turns frames into these and
back; ``docs/protocol.md`` tells the conversation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from sync.contract.columns import OrderColumns, columns_of
from sync.contract.operations import LogEntry, Operation, Outcome, Reason
from sync.contract.orders import Order
from sync.contract.problems import Problem

PROTOCOL_MIN: Final = 2
PROTOCOL_MAX: Final = 2
"""Protocol 1 was never released: its orders lack fields that the state hash covers."""


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of every message; never sent itself."""


class Auth(_Message, frozen=True, tag="auth"):
    """First message of a client, due within 5 s: the access token (never in a URL)."""

    token: str


class Hello(_Message, frozen=True, tag="hello"):
    """What the client has: its device, the epoch and cursor of its cache, the hash of it.

    ``next_device_seq`` is the first number that this device still holds or will give next,
    ``kept_device_seq`` the first of those that are done and could be offered again (0: none is).
    """

    protocol_min: int
    protocol_max: int
    client_version: str
    device_id: str
    next_device_seq: int
    epoch: str = ""
    cursor: int = 0
    state_hash: int = 0
    kept_device_seq: int = 0


class Submit(_Message, frozen=True, tag="submit"):
    """Operations from the outbox, ascending and dense in ``device_seq``."""

    operations: list[Operation]


class Ping(_Message, frozen=True, tag="ping"):
    """Asks for a Pong; ``mono_ms`` comes back unread."""

    n: int
    mono_ms: int


class Compare(_Message, frozen=True, tag="compare"):
    """Asks for the sums of ranges of the board: pairs (lo, hi) of order ids, ``lo <= id < hi``.

    ``n`` comes back; an empty ``hi`` is the end of the board.
    """

    n: int
    ranges: list[tuple[str, str]]


class Fetch(_Message, frozen=True, tag="fetch"):
    """Asks for the orders of one range of ids, at most 256 of them."""

    n: int
    lo: str
    hi: str


class Reload(_Message, frozen=True, tag="reload"):
    """Asks for the whole board anew: too much of it differs for a repair."""


class Site(msgspec.Struct, frozen=True):
    """The site whose board this is; ``time_zone`` is an IANA name."""

    id: str
    name: str
    time_zone: str
    organization_id: str
    organization: str


class Person(msgspec.Struct, frozen=True):
    """Who is signed in on this connection."""

    id: str
    name: str
    role: str
    sign_in_id: str


class Welcome(_Message, frozen=True, tag="welcome"):
    """The server's answer to hello: who and where you are, where the log stands.

    ``decided_device_seq`` is the highest number of this device that is decided, ``durable_seq``
    the highest seq that a verified backup covers, ``wall_ms`` the server's clock. ``state_hash`` is that of
    the board at the client's own cursor, None when it has no cursor in this epoch.
    """

    protocol: int
    server_version: str
    epoch: str
    head: int
    site: Site
    person: Person
    decided_device_seq: int
    durable_seq: int
    wall_ms: int
    state_hash: int | None = None


class Verdict(msgspec.Struct, frozen=True, omit_defaults=True):
    """The stored outcome of one operation; the same again when it is sent twice."""

    device_seq: int
    op_id: str
    seq: int
    outcome: Outcome
    reason: Reason = Reason.NONE
    by: str = ""
    """Who is in the way (the name of the claimer or holder), for the words on screen."""
    at_ms: int = 0
    """Since when, server wall."""


class Decided(_Message, frozen=True, tag="decided"):
    """Outcomes for the operations of a Submit."""

    verdicts: list[Verdict]


class Faulted(_Message, frozen=True, tag="faulted"):
    """The server failed on this one operation, and looked at nothing behind it of this device.

    Not a verdict: the operation is not in the log. Sent again it may be decided.
    """

    device_seq: int
    op_id: str


class Delta(_Message, frozen=True, tag="delta"):
    """A page of the log: at most 256 entries, dense from ``prev_seq + 1`` to ``seq``.

    Every decided operation is in the log with its device and number, so a client reads its own
    ``decided_device_seq`` out of the page and one encoding serves every client.
    """

    prev_seq: int
    seq: int
    entries: list[LogEntry]


class RawDelta(_Message, frozen=True, tag="delta"):
    """A Delta made of entries that are encoded already (server side only)."""

    prev_seq: int
    seq: int
    entries: list[msgspec.Raw]


class SnapshotBegin(_Message, frozen=True, tag="snapshot_begin"):
    """A whole board at ``seq`` follows in ``chunks`` chunks of ``orders`` orders together."""

    epoch: str
    seq: int
    orders: int
    chunks: int
    state_hash: int
    decided_device_seq: int


class SnapshotPage(_Message, frozen=True, tag="snapshot_page"):
    """What an empty terminal shows until the snapshot is whole: the first orders of each stage."""

    orders: list[Order]


class SnapshotChunk(_Message, frozen=True, tag="snapshot_chunk"):
    """Some orders of the snapshot, as columns; ``index`` from 0."""

    index: int
    columns: OrderColumns

    @classmethod
    def of(cls, index: int, orders: Sequence[Order]) -> SnapshotChunk:
        """Return the chunk that holds ``orders``."""
        return cls(index, columns_of(orders))

    @property
    def orders(self) -> list[Order]:
        """The orders of the chunk, made anew each time."""
        return self.columns.orders()


class SnapshotEnd(_Message, frozen=True, tag="snapshot_end"):
    """The snapshot is complete; deltas go on from ``seq``."""

    seq: int


class Compared(_Message, frozen=True, tag="compared"):
    """Answer to Compare: pairs (sum of row hashes, orders) of each range, at exactly ``seq``.

    No delta beyond ``seq`` was sent before it, and all up to ``seq`` were.
    """

    n: int
    seq: int
    sums: list[tuple[int, int]]


class Repair(_Message, frozen=True, tag="repair"):
    """Answer to Fetch: all orders of the range at exactly ``seq``, as Compared stands to its deltas."""

    n: int
    seq: int
    lo: str
    hi: str
    orders: list[Order]


class Pong(_Message, frozen=True, tag="pong"):
    """Answer to Ping, with the server's clock."""

    n: int
    mono_ms: int
    wall_ms: int


class Heartbeat(_Message, frozen=True, tag="heartbeat"):
    """Where the log stands, every few seconds: a client that is behind says hello again.

    ``n`` counts the heartbeats of this link from 1. Some carry the ``state_hash`` of the board at ``head``.
    """

    head: int
    durable_seq: int
    wall_ms: int
    n: int = 0
    state_hash: int | None = None


class Refused(_Message, frozen=True, tag="refused"):
    """Why the server closes the connection next; ``problem.code`` decides what a client does."""

    problem: Problem


ClientMessage = Auth | Hello | Submit | Ping | Compare | Fetch | Reload
BoardMessage = Delta | SnapshotBegin | SnapshotPage | SnapshotChunk | SnapshotEnd | Compared | Repair
"""What brings the board, or a part of it, to a terminal."""
ServerMessage = Welcome | Decided | Faulted | BoardMessage | Pong | Heartbeat | Refused
Message = ClientMessage | ServerMessage
