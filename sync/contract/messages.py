"""What the two programs say to each other over the socket, one class a message.

The tag ``type`` names the message in JSON. :mod:`sync.contract.codec` turns frames into these and
back; ``docs/protocol.md`` tells the conversation.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sync.contract.operations import LogEntry, Operation, Outcome, Reason
from sync.contract.orders import Order
from sync.contract.problems import Problem

PROTOCOL_MIN: Final = 1
PROTOCOL_MAX: Final = 1


class _Message(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="type"):
    """Base of every message; never sent itself."""


class Auth(_Message, frozen=True, tag="auth"):
    """First message of a client, due within 5 s: the access token (never in a URL)."""

    token: str


class Hello(_Message, frozen=True, tag="hello"):
    """What the client has: its device, the epoch and cursor of its cache, the hash of it.

    ``next_device_seq`` is the first number that this device still holds or will give next.
    """

    protocol_min: int
    protocol_max: int
    client_version: str
    device_id: str
    next_device_seq: int
    epoch: str = ""
    cursor: int = 0
    state_hash: int = 0


class Submit(_Message, frozen=True, tag="submit"):
    """Operations from the outbox, ascending and dense in ``device_seq``."""

    operations: list[Operation]


class Ping(_Message, frozen=True, tag="ping"):
    """Asks for a Pong; ``mono_ms`` comes back unread."""

    n: int
    mono_ms: int


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
    the highest seq that a verified backup covers, ``wall_ms`` the server's clock.
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


class SnapshotChunk(_Message, frozen=True, tag="snapshot_chunk"):
    """Some orders of the snapshot; ``index`` from 0."""

    index: int
    orders: list[Order]


class RawSnapshotChunk(_Message, frozen=True, tag="snapshot_chunk"):
    """A SnapshotChunk made of orders that are encoded already (server side only)."""

    index: int
    orders: list[msgspec.Raw]


class SnapshotEnd(_Message, frozen=True, tag="snapshot_end"):
    """The snapshot is complete; deltas go on from ``seq``."""

    seq: int


class Pong(_Message, frozen=True, tag="pong"):
    """Answer to Ping, with the server's clock."""

    n: int
    mono_ms: int
    wall_ms: int


class Heartbeat(_Message, frozen=True, tag="heartbeat"):
    """Where the log stands, every few seconds: a client that is behind says hello again."""

    head: int
    durable_seq: int
    wall_ms: int


class Refused(_Message, frozen=True, tag="refused"):
    """Why the server closes the connection next; ``problem.code`` decides what a client does."""

    problem: Problem


ClientMessage = Auth | Hello | Submit | Ping
ServerMessage = (
    Welcome | Decided | Delta | SnapshotBegin | SnapshotChunk | SnapshotEnd | Pong | Heartbeat | Refused
)
Message = ClientMessage | ServerMessage
