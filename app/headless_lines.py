"""The lines of ``headless``: what is read on standard input, what is written on standard output.

Described for users in ``docs/headless.md``; a test compares the two.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from app.headless_wishes import REQUESTS, Wish
from sync.contract.operations import Operation
from sync.contract.problems import Problem
from sync.contract.rows import CardRow

OUTPUTS: Final = (
    "ready",
    "connection",
    "snapshot",
    "order",
    "operation",
    "batch",
    "needs_you",
    "needs_you_changed",
    "exported",
    "retired",
    "snapshot_held",
    "repaired",
    "stuck",
    "list",
    "found",
    "status",
    "problem",
    "problem_over",
    "stopped",
)
"""Everything that is said."""

LINE_BYTES: Final = 1024 * 1024
"""A request that takes more is not read: half of it would be another one."""
_DECODER: Final = msgspec.json.Decoder(Wish)


def read_wish(line: str) -> Wish | Problem:
    """Return what a line asks for, or what is wrong with it."""
    if len(line.encode("utf-8", "surrogatepass")) > LINE_BYTES:
        return _unreadable(f"it is longer than {LINE_BYTES // 1024} KiB; part what it asks for")
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
