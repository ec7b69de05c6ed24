"""Operations: one intent or fact about one order, made by a terminal, decided by the server.

All fields stand here from the first release, also those that nobody fills yet, because a log
that is written once is read for years.
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from typing import Final

import msgspec

from sync.contract.orders import Order, OrderPatch
from sync.contract.stages import Stage


class Source(StrEnum):
    """How a person (or the program) gave the operation."""

    DRAG = "drag"
    KEY = "key"
    SCAN = "scan"
    BULK = "bulk"
    MENU = "menu"
    TOUCH = "touch"
    SYSTEM = "system"


class Create(msgspec.Struct, frozen=True, tag="create", tag_field="kind", omit_defaults=True):
    """A new order by hand. In the log ``order`` is empty: the entry carries it as it was stored."""

    order: Order | None = None


class Import(msgspec.Struct, frozen=True, tag="import", tag_field="kind", omit_defaults=True):
    """An order as its source says it: new, or changed since; one ``batch_id`` a file or request.

    ``said_ms`` is when the source last changed it (0: unknown), ``patch`` what of that is taken: the
    server works it out and whatever else comes in is ignored. In the log both orders are empty.
    """

    order: Order | None = None
    said_ms: int = 0
    patch: OrderPatch | None = None


class Move(msgspec.Struct, frozen=True, tag="move", tag_field="kind"):
    """To another stage. Moving to picking claims the order."""

    to: Stage


class Take(msgspec.Struct, frozen=True, tag="claim", tag_field="kind"):
    """Claim: the actor holds the order."""


class Unclaim(msgspec.Struct, frozen=True, tag="unclaim", tag_field="kind"):
    """The actor holds it no longer."""


class PutOnHold(msgspec.Struct, frozen=True, tag="hold", tag_field="kind", omit_defaults=True):
    """The order waits for ``reason`` (one of ``HoldReason``)."""

    reason: str
    note: str = ""
    until_ms: int | None = None


class Release(msgspec.Struct, frozen=True, tag="release", tag_field="kind"):
    """The order waits no longer."""


class Cancel(msgspec.Struct, frozen=True, tag="cancel", tag_field="kind", omit_defaults=True):
    """Nobody fulfils the order any more; what is picked goes back. ``note`` says why."""

    note: str = ""


class Ship(msgspec.Struct, frozen=True, tag="ship", tag_field="kind", omit_defaults=True):
    """Handed to the carrier, with the number on the label; again with another number corrects it."""

    tracking_number: str = ""
    carrier: str = ""


class Schedule(msgspec.Struct, frozen=True, tag="schedule", tag_field="kind", omit_defaults=True):
    """The server worked the cut-off out anew by the rule ``rule`` (empty: no rule fits any more)."""

    cut_off_ms: int | None = None
    rule: str = ""


class Retire(msgspec.Struct, frozen=True, tag="retire", tag_field="kind"):
    """The finished order leaves the board set, on every terminal at the same seq."""


Change = Create | Import | Move | Take | Unclaim | PutOnHold | Release | Cancel | Ship | Schedule | Retire
"""What an operation does; the tag ``kind`` names it on the wire."""

KINDS: Final[tuple[str, ...]] = (
    *("create", "import", "move", "claim", "unclaim", "hold", "release"),
    *("cancel", "ship", "schedule", "retire"),
)


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One operation. ``device_seq`` is dense per device from 1; 0 means "not yet numbered".

    ``base_stage`` and ``base_revision`` say what the person saw. Times: ``wall_ms`` is the machine's
    clock (for display, corrected by the server), ``mono_ms`` its monotonic clock since ``boot_id``.
    """

    op_id: str
    order_id: str
    change: Change
    device_id: str = ""
    device_seq: int = 0
    actor_id: str = ""
    sign_in_id: str = ""
    source: Source = Source.SYSTEM
    batch_id: str = ""
    undoes: str = ""
    station_id: str = ""
    retry_of: str = ""
    wall_ms: int = 0
    mono_ms: int = 0
    boot_id: str = ""
    base_stage: Stage | None = None
    base_revision: int = 0


class Outcome(StrEnum):
    """What the server made of an operation."""

    APPLIED = "applied"
    NOOP = "noop"
    MERGED = "merged"
    REJECTED = "rejected"
    EXCEPTION = "exception"


class Reason(StrEnum):
    """Why an operation was not simply applied."""

    NONE = ""
    ADDRESS_CHANGED = "ADDRESS_CHANGED"
    ALREADY_CLAIMED = "ALREADY_CLAIMED"
    ALREADY_SHIPPED = "ALREADY_SHIPPED"
    CANCELLED = "CANCELLED"
    CHANGED_SINCE = "CHANGED_SINCE"
    DEVICE_SEQ_GAP = "DEVICE_SEQ_GAP"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    FORBIDDEN = "FORBIDDEN"
    LINES_CHANGED = "LINES_CHANGED"
    MOVED_MEANWHILE = "MOVED_MEANWHILE"
    NOT_CLAIMED = "NOT_CLAIMED"
    NOT_ON_HOLD = "NOT_ON_HOLD"
    ON_HOLD = "ON_HOLD"
    STILL_OPEN = "STILL_OPEN"
    STEP_TOO_LONG = "STEP_TOO_LONG"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"


class LogEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decided operation in the log of a board; ``seq`` is gapless from 1.

    ``order`` is the whole order when the operation made it, ``patch`` what it changed on an order
    that was there; a rejected operation has neither. ``actor_name`` is for display.
    """

    seq: int
    operation: Operation
    outcome: Outcome
    decided_ms: int
    actor_name: str = ""
    reason: Reason = Reason.NONE
    order: Order | None = None
    patch: OrderPatch | None = None


_ENCODER: Final = msgspec.json.Encoder()
_OPERATION: Final = msgspec.json.Decoder(Operation)


def operation_bytes(operation: Operation) -> bytes:
    """Return the canonical bytes of an operation: what the outbox stores and the CRC covers."""
    return _ENCODER.encode(operation)


def operation_from_bytes(data: bytes) -> Operation:
    """Return the operation of :func:`operation_bytes`; raises ``msgspec.DecodeError``."""
    return _OPERATION.decode(data)


def crc(data: bytes) -> int:
    """Return the CRC-32 of canonical bytes, unsigned."""
    return zlib.crc32(data)
