"""Operations: one intent or fact about one order, made by a terminal, decided by the server.

All fields stand here from the first release, also those that nobody fills yet, because a log
that is written once is read for years.
"""

from __future__ import annotations

import zlib
from enum import StrEnum
from typing import Final

import msgspec

from sync.contract.changes import (
    KINDS,
    Acknowledge,
    Assign,
    Cancel,
    Change,
    Create,
    Edit,
    Fact,
    Import,
    Move,
    Note,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reinstate,
    Release,
    RequestHandover,
    Resolve,
    Retire,
    Schedule,
    Ship,
    ShortLine,
    ShortPick,
    Skip,
    Tag,
    Take,
    Unclaim,
    Unknown,
)
from sync.contract.orders import Order, OrderPatch
from sync.contract.stages import Stage

__all__ = [
    "KINDS",
    "Acknowledge",
    "Assign",
    "Cancel",
    "Change",
    "Create",
    "Edit",
    "Fact",
    "Import",
    "LogEntry",
    "Move",
    "Note",
    "Operation",
    "Outcome",
    "Pack",
    "Pick",
    "Prioritise",
    "PutOnHold",
    "Reason",
    "Reinstate",
    "Release",
    "RequestHandover",
    "Resolve",
    "Retire",
    "Schedule",
    "Ship",
    "ShortLine",
    "ShortPick",
    "Skip",
    "Source",
    "Tag",
    "Take",
    "Unclaim",
    "Unknown",
    "crc",
    "operation_bytes",
    "operation_from_bytes",
]


class Source(StrEnum):
    """How a person (or the program) gave the operation."""

    DRAG = "drag"
    KEY = "key"
    SCAN = "scan"
    BULK = "bulk"
    MENU = "menu"
    TOUCH = "touch"
    SYSTEM = "system"


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
    base_lines: int | None = None
    """Checksum of the lines that a finished pick was based on (``orders.lines_crc``); None: not checked."""


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
    ALREADY_REQUESTED = "ALREADY_REQUESTED"
    ALREADY_SHIPPED = "ALREADY_SHIPPED"
    ASSIGNED_MEANWHILE = "ASSIGNED_MEANWHILE"
    CANCELLED = "CANCELLED"
    CHANGED_SINCE = "CHANGED_SINCE"
    DEVICE_SEQ_GAP = "DEVICE_SEQ_GAP"
    DUPLICATE_ORDER = "DUPLICATE_ORDER"
    FORBIDDEN = "FORBIDDEN"
    LINE_UNKNOWN = "LINE_UNKNOWN"
    LINES_CHANGED = "LINES_CHANGED"
    MOVED_MEANWHILE = "MOVED_MEANWHILE"
    NOT_CANCELLED = "NOT_CANCELLED"
    NOT_CLAIMED = "NOT_CLAIMED"
    NOT_ON_HOLD = "NOT_ON_HOLD"
    NOTE_TOO_LONG = "NOTE_TOO_LONG"
    ON_HOLD = "ON_HOLD"
    OVER_PICKED = "OVER_PICKED"
    PACKED_AFTER_CANCEL = "PACKED_AFTER_CANCEL"
    PACKED_ON_HOLD = "PACKED_ON_HOLD"
    PICKED_AFTER_CANCEL = "PICKED_AFTER_CANCEL"
    PICKED_AFTER_SHIP = "PICKED_AFTER_SHIP"
    PICKED_ON_HOLD = "PICKED_ON_HOLD"
    QUARANTINED = "QUARANTINED"
    SHIPPED_AFTER_CANCEL = "SHIPPED_AFTER_CANCEL"
    SHIPPED_EARLY = "SHIPPED_EARLY"
    SHIPPED_ON_HOLD = "SHIPPED_ON_HOLD"
    STILL_OPEN = "STILL_OPEN"
    STEP_TOO_LONG = "STEP_TOO_LONG"
    TOO_MANY_TAGS = "TOO_MANY_TAGS"
    UNKNOWN_ORDER = "UNKNOWN_ORDER"
    UPGRADE_REQUIRED = "UPGRADE_REQUIRED"
    OTHER = "OTHER"
    """A reason of a later release."""

    @classmethod
    def _missing_(cls, value: object) -> Reason | None:
        return cls.OTHER if isinstance(value, str) else None


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
