"""The lines of ``headless``: what is read on standard input, what is written on standard output.

Described for users in ``docs/headless.md``; a test compares the two.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sync.contract.operations import Operation, Reason
from sync.contract.problems import Problem
from sync.contract.rows import CardRow

MOST_ROWS: Final = 10_000


class OrderWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What names an order."""

    number: str


class MoveWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A move of one order to another stage."""

    number: str
    to: str


class HoldWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order put on hold."""

    number: str
    reason: str
    note: str = ""


class ShipWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order handed to its carrier, with what is on the label."""

    number: str
    tracking_number: str = ""
    carrier: str = ""


class CancelWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An order that nobody fulfils any more."""

    number: str
    note: str = ""


class ListWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The orders of a stage, or of all."""

    stage: str = ""
    limit: int = MOST_ROWS


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request that needs nothing more."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of input: one request, and a word of the caller's own that comes back with its fate."""

    move: MoveWish | None = None
    claim: OrderWish | None = None
    unclaim: OrderWish | None = None
    hold: HoldWish | None = None
    release: OrderWish | None = None
    ship: ShipWish | None = None
    cancel: CancelWish | None = None
    undo: NoFields | None = None
    list: ListWish | None = None
    find: str | None = None
    status: NoFields | None = None
    try_now: NoFields | None = None
    quit: NoFields | None = None
    ref: str = ""


REQUESTS: Final = tuple(name for name in Wish.__struct_fields__ if name != "ref")
"""Everything that can be asked."""
OUTPUTS: Final = (
    "ready",
    "connection",
    "snapshot",
    "order",
    "operation",
    "list",
    "found",
    "status",
    "problem",
    "stopped",
)
"""Everything that is said."""

_DECODER: Final = msgspec.json.Decoder(Wish)
_WORDS: Final = {
    Reason.ADDRESS_CHANGED: "its address was changed after it was picked",
    Reason.ALREADY_CLAIMED: "somebody else holds it",
    Reason.ALREADY_SHIPPED: "it has been shipped",
    Reason.CANCELLED: "it was cancelled",
    Reason.CHANGED_SINCE: "somebody changed it since",
    Reason.DEVICE_SEQ_GAP: "something sent before it has not arrived yet",
    Reason.DUPLICATE_ORDER: "an order like it is there already",
    Reason.FORBIDDEN: "this person's role may not do it",
    Reason.LINES_CHANGED: "its lines were changed after picking began",
    Reason.MOVED_MEANWHILE: "somebody moved it meanwhile",
    Reason.NOT_CLAIMED: "nobody holds it",
    Reason.NOT_ON_HOLD: "it is not on hold",
    Reason.ON_HOLD: "it is on hold",
    Reason.STILL_OPEN: "it is not finished",
    Reason.STEP_TOO_LONG: "it moves one stage at a time",
    Reason.UNKNOWN_ORDER: "it is not on this board",
}


def read_wish(line: str) -> Wish | Problem:
    """Return what a line asks for, or what is wrong with it."""
    try:
        wish = _DECODER.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        return _unreadable(str(error))
    asked = [name for name in REQUESTS if getattr(wish, name) is not None]
    if len(asked) != 1:
        return _unreadable(f"it asks for {len(asked)} things instead of one")
    return wish


def _unreadable(why: str) -> Problem:
    return Problem(
        "LINE_UNREADABLE",
        f"This line was not understood: {why}.",
        'Write one JSON object a line, like {"status": {}}; docs/headless.md lists them.',
    )


def refused(number: str, reason: Reason, by: str = "") -> Problem:
    """Return why an order was left as it is."""
    who = f" ({by})" if by else ""
    words = _WORDS.get(reason, "it cannot be done now")
    return Problem(str(reason), f"Order {number} was left as it is: {words}{who}.")


def card_fields(row: CardRow) -> dict[str, Any]:
    """Return what an ``order`` line says of one order."""
    return {
        "number": row.number,
        "order_id": row.order_id,
        "stage": row.stage,
        "customer": row.customer,
        "priority": row.priority,
        "cut_off_ms": row.cut_off_ms,
        "stage_ms": row.stage_ms,
        "lines": row.lines_total,
        "pieces": row.pieces,
        "claimed_by": row.claimed_by,
        "hold": row.hold_reason,
        "cancelled": row.is_cancelled,
        "fate": row.fate,
    }


def operation_fields(operation: Operation, number: str, fate: str, ref: str) -> dict[str, Any]:
    """Return what an ``operation`` line always says."""
    fields: dict[str, Any] = {
        "op_id": operation.op_id,
        "fate": fate,
        "kind": type(operation.change).__struct_config__.tag,
        "order_id": operation.order_id,
        "number": number,
        "device_seq": operation.device_seq,
    }
    if ref:
        fields["ref"] = ref
    return fields


def line_of(name: str, fields: object) -> str:
    """Return one line of output."""
    return msgspec.json.encode({name: fields}).decode()
