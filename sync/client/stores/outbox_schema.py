"""The rows of ``outbox.db``, and how one proves that it is whole.

``operations`` holds what is not done, ``kept`` the done ones that may have to be offered again to a
restored server. ``body`` is the canonical form of the operation and ``crc`` covers it; ``row_crc``
covers everything else in the row, so that no flipped bit passes for a decision. ``crc`` stands
directly behind ``body``: in a file that SQLite cannot read any more, a row can still be recognised
by it. The other tables: :mod:`~sync.client.stores.outbox_history`, :mod:`~sync.client.stores.outbox_needs`.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from sync.client.store_values import Held
from sync.client.stores.files import DamagedError
from sync.contract.messages import Verdict
from sync.contract.operations import crc, operation_bytes, operation_from_bytes

APPLICATION_ID: Final = 0x464B4F31
PENDING: Final = 0
DECIDED: Final = 1
COLUMNS: Final = "device_seq, op_id, body, crc, state, seq, outcome, reason, by, at_ms, row_crc"
_VALUES: Final = "VALUES (?,?,?,?,?,?,?,?,?,?,?)"
INSERT: Final = f"INSERT INTO operations ({COLUMNS}) {_VALUES}"
REPLACE: Final = f"REPLACE INTO operations ({COLUMNS}) {_VALUES}"
KEEP: Final = f"INSERT INTO kept ({COLUMNS}) {_VALUES}"

Row = tuple[int, str, bytes, int, int, int, str, str, str, int, int]
"""The values of :data:`COLUMNS`."""


def row_of(held: Held) -> Row:
    """Return the row that stores ``held``."""
    operation, verdict = held
    body = operation_bytes(operation)
    if verdict is None:
        rest: tuple[int, int, str, str, str, int] = (PENDING, 0, "", "", "", 0)
    else:
        told = (verdict.seq, str(verdict.outcome), str(verdict.reason), verdict.by, verdict.at_ms)
        rest = (DECIDED, *told)
    row_crc = _row_crc(operation.device_seq, operation.op_id, rest)
    return (operation.device_seq, operation.op_id, body, crc(body), *rest, row_crc)


def held_of(row: tuple[object, ...]) -> Held | None:
    """Return what a row stores, None when it is not whole."""
    try:
        device_seq, op_id, body, body_crc, *rest, row_crc = row
        if not isinstance(body, bytes) or crc(body) != body_crc:
            return None
        if _row_crc(device_seq, op_id, tuple(rest)) != row_crc:
            return None
        operation = operation_from_bytes(body)
        state, seq, outcome, reason, by, at_ms = rest
        if state == PENDING:
            return Held(operation, None)
        told = {"seq": seq, "outcome": outcome, "reason": reason, "by": by, "at_ms": at_ms}
        return Held(operation, msgspec.convert({"device_seq": device_seq, "op_id": op_id, **told}, Verdict))
    except (ValueError, msgspec.MsgspecError):
        return None


def whole(row: tuple[object, ...]) -> Held:
    """Return what a row stores; raises ``DamagedError`` when it is not whole."""
    held = held_of(row)
    if held is None:
        raise DamagedError(f"row {row[0]} is not whole")
    return held


def read_identity(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """Return device id and next number, None when the row is missing or not whole."""
    row = connection.execute("SELECT device_id, next_device_seq, crc FROM identity").fetchone()
    if row is None or identity_crc(row[0], row[1]) != row[2]:
        return None
    return str(row[0]), int(row[1])


def put_identity(connection: sqlite3.Connection, device_id: str, next_device_seq: int) -> None:
    """Store whose outbox it is and which number comes next."""
    values = (device_id, next_device_seq, identity_crc(device_id, next_device_seq))
    connection.execute("REPLACE INTO identity (id, device_id, next_device_seq, crc) VALUES (1,?,?,?)", values)


def identity_crc(device_id: object, next_device_seq: object) -> int:
    """Return the checksum of the identity row."""
    return crc(f"{device_id}|{next_device_seq}".encode())


def _row_crc(device_seq: object, op_id: object, rest: tuple[object, ...]) -> int:
    return crc("|".join(map(str, (device_seq, op_id, *rest))).encode("utf-8", "surrogatepass"))
