"""The part of the outbox that waits for a person, and the assignments that somebody may overrule.

Every function runs inside the outbox's transaction. A row is a body and its checksum behind it, so that
it can be recognised in a file that SQLite no longer reads, and no flipped bit passes for an entry.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from sync.client.needs_you import (
    ENTRIES,
    PRECIOUS,
    NeedsYou,
    NeedsYouChange,
    NeedsYouKind,
    entry_bytes,
    entry_from_bytes,
)
from sync.client.store_values import Held
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Acknowledge,
    Assign,
    LogEntry,
    Operation,
    Outcome,
    Reason,
    Skip,
    crc,
)
from sync.contract.orders import Order

ASSIGNED: Final = 10_000
"""So many own assignments are remembered, the newest."""
COMPARED: Final = 500
"""So many of them are compared with a whole board, the newest."""
_QUIET: Final = (Skip, Acknowledge)
"""Kinds whose refusal tells a person nothing new."""


class _Mine(msgspec.Struct, frozen=True):
    """An own assignment as it is stored; wrapped, so that salvage does not take it for an unsent move."""

    mine: Operation
    seq: int = 0
    is_over: bool = False
    """Whether somebody has assigned after it: its verdict may come once more, and then says nothing."""


_MINE: Final = msgspec.json.Decoder(_Mine)
_ENCODER: Final = msgspec.json.Encoder()


def create(connection: sqlite3.Connection) -> None:
    """Make the two tables."""
    rest = "body BLOB NOT NULL, crc INTEGER NOT NULL"
    connection.execute(
        "CREATE TABLE needs_you (place INTEGER PRIMARY KEY, op_id TEXT NOT NULL UNIQUE,"
        f" {rest}, kind TEXT NOT NULL)"
    )
    connection.execute(
        f"CREATE TABLE assigned (place INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, {rest})"
    )


def entry_of(body: object, checksum: object) -> NeedsYou | None:
    """Return the entry of a row, None when it is not whole."""
    if not isinstance(body, bytes) or crc(body) != checksum:
        return None
    try:
        return entry_from_bytes(body)
    except msgspec.MsgspecError:
        return None


def read(connection: sqlite3.Connection) -> list[NeedsYou | None]:
    """Return all entries, oldest first; None stands for one that is not whole."""
    rows = connection.execute("SELECT body, crc FROM needs_you ORDER BY place")
    return [entry_of(body, checksum) for body, checksum in rows]


def put(connection: sqlite3.Connection, entries: Iterable[NeedsYou]) -> NeedsYouChange:
    """Add entries whose ids are not there yet, and let the oldest give way beyond the bound."""
    added = []
    for entry in entries:
        body = entry_bytes(entry)
        values = (entry.id, body, crc(body), str(entry.kind))
        query = "INSERT OR IGNORE INTO needs_you (op_id, body, crc, kind) VALUES (?,?,?,?)"
        if connection.execute(query, values).rowcount:
            added.append(entry)
    return NeedsYouChange(tuple(added), _trimmed(connection) if added else ())


def _trimmed(connection: sqlite3.Connection) -> tuple[str, ...]:
    over = int(connection.execute("SELECT count(*) FROM needs_you").fetchone()[0]) - ENTRIES
    if over <= 0:
        return ()
    marks = ",".join("?" * len(PRECIOUS))
    query = f"SELECT op_id FROM needs_you WHERE kind NOT IN ({marks}) ORDER BY place LIMIT ?"
    rows = connection.execute(query, (*sorted(PRECIOUS), over)).fetchall()
    return remove(connection, [str(row[0]) for row in rows])


def remove(connection: sqlite3.Connection, ids: Iterable[str]) -> tuple[str, ...]:
    """Drop entries; return the ids of those that were there."""
    query = "DELETE FROM needs_you WHERE op_id = ?"
    return tuple(each for each in ids if connection.execute(query, (each,)).rowcount)


def joined(changes: Iterable[NeedsYouChange]) -> NeedsYouChange:
    """Return what several changes come to; what came and went again in between was never there."""
    entries: dict[str, NeedsYou] = {}
    removed: dict[str, None] = {}
    for change in changes:
        entries.update({entry.id: entry for entry in change.entries})
        for each in change.removed:
            if entries.pop(each, None) is None:
                removed[each] = None
    return NeedsYouChange(tuple(entries.values()), tuple(removed))


def judged(connection: sqlite3.Connection, decided: Sequence[Held], wall_ms: int) -> NeedsYouChange:
    """Write down what verdicts ask of a person, and drop what a later verdict has made untrue."""
    refused, fine = [], []
    for operation, verdict in decided:
        if verdict is None or verdict.outcome is not Outcome.REJECTED:
            fine.append(operation.op_id)
            if verdict is not None and isinstance(operation.change, Assign):
                # A whole board may take the place of the part of the log that says so.
                _remember(connection, operation, verdict.seq)
        elif isinstance(operation.change, Skip) and verdict.reason is not Reason.QUARANTINED:
            # The server had decided the original after all, before its fault.
            original = _original(connection, operation)
            fine.append(operation.op_id)
            refused.append(NeedsYou(operation.op_id, NeedsYouKind.REJECTED, wall_ms, original, verdict))
        elif not isinstance(operation.change, _QUIET):
            refused.append(
                NeedsYou(operation.op_id, NeedsYouKind.REJECTED, wall_ms, operation, verdict=verdict)
            )
    gone = NeedsYouChange(removed=remove(connection, fine))
    return joined((gone, put(connection, refused)))


def _original(connection: sqlite3.Connection, skip: Operation) -> Operation:
    query = "SELECT body, crc FROM needs_you WHERE op_id = ?"
    row = connection.execute(query, (skip.op_id,)).fetchone()
    entry = None if row is None else entry_of(*row)
    return skip if entry is None or entry.operation is None else entry.operation


def assigns(
    connection: sqlite3.Connection, device_id: str, entries: Iterable[LogEntry], wall_ms: int
) -> NeedsYouChange:
    """Remember own assignments that hold, and tell when another person's came after one of them.

    A verdict may be here before the part of the log that came before it.
    """
    overruled = []
    for entry in entries:
        operation = entry.operation
        if not isinstance(operation.change, Assign) or entry.outcome is Outcome.REJECTED:
            continue
        found = _mine(connection, operation.order_id)
        if found is not None and entry.seq <= found.seq:
            continue
        if operation.device_id == device_id:
            _remember(connection, operation, entry.seq)
            continue
        if found is None or found.is_over or entry.outcome is Outcome.NOOP:
            continue
        mine = found.mine
        _put_mine(connection, msgspec.structs.replace(found, is_over=True))
        if mine.actor_id != operation.actor_id and _goal(mine) != operation.change.assignee_id:
            overruled.append(_overruled(mine, entry, wall_ms))
    return put(connection, overruled)


def assigned(connection: sqlite3.Connection, seq: int) -> tuple[Operation, ...]:
    """Return the newest own assignments up to ``seq`` that nobody is known to have overruled."""
    rows = connection.execute("SELECT body, crc FROM assigned ORDER BY place DESC LIMIT ?", (COMPARED,))
    found = (_whole(row) for row in rows)
    return tuple(each.mine for each in found if each is not None and each.seq <= seq and not each.is_over)


def overruled(connection: sqlite3.Connection, mine: Operation, order: Order, wall_ms: int) -> NeedsYouChange:
    """Tell that ``order`` is somebody's by another's word, once; when that was, no board says."""
    found = _mine(connection, order.id)
    if found is None or found.is_over or found.mine != mine:
        return NeedsYouChange()
    _put_mine(connection, msgspec.structs.replace(found, is_over=True))
    other = Operation("", order.id, Assign(order.assignee_id, order.assignee))
    entry = LogEntry(0, other, Outcome.MERGED, 0, order.assigned_by)
    return put(connection, (_overruled(mine, entry, wall_ms),))


def _remember(connection: sqlite3.Connection, operation: Operation, seq: int) -> None:
    found = _mine(connection, operation.order_id)
    if found is None or not found.is_over or found.mine.op_id != operation.op_id:
        _put_mine(connection, _Mine(operation, seq))


def _put_mine(connection: sqlite3.Connection, mine: _Mine) -> None:
    body = _ENCODER.encode(mine)
    query = "REPLACE INTO assigned (order_id, body, crc) VALUES (?,?,?)"
    connection.execute(query, (mine.mine.order_id, body, crc(body)))
    query = "DELETE FROM assigned WHERE place <= (SELECT max(place) FROM assigned) - ?"
    connection.execute(query, (ASSIGNED,))


def _mine(connection: sqlite3.Connection, order_id: str) -> _Mine | None:
    query = "SELECT body, crc FROM assigned WHERE order_id = ?"
    row = connection.execute(query, (order_id,)).fetchone()
    return None if row is None else _whole(row)


def _whole(row: tuple[object, ...]) -> _Mine | None:
    """Return the assignment of a row; of one that has rotted the order itself still shows for whom it is."""
    body, checksum = row
    return _MINE.decode(body) if isinstance(body, bytes) and crc(body) == checksum else None


def _goal(operation: Operation) -> str:
    return operation.change.assignee_id if isinstance(operation.change, Assign) else ""


def _overruled(mine: Operation, entry: LogEntry, wall_ms: int) -> NeedsYou:
    verdict = Verdict(
        device_seq=mine.device_seq,
        op_id=mine.op_id,
        seq=entry.seq,
        outcome=Outcome.MERGED,
        reason=Reason.ASSIGNED_MEANWHILE,
        by=entry.actor_name,
        at_ms=entry.decided_ms,
    )
    return NeedsYou(
        mine.op_id, NeedsYouKind.OVERRULED, wall_ms, mine, verdict, entry.operation, entry.actor_name
    )
