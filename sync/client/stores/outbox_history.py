"""The done operations that the outbox keeps for a server that comes back from a backup.

Every function runs inside the outbox's transaction. Which server history they belong to is said once for
all of them: whenever the server begins another one, those that it lacks are offered again, and those that
it has stand in it at the same seq, because it goes on from a copy of the old one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from sync.client.store_values import Held, Kept
from sync.client.stores import outbox_schema as schema
from sync.contract.operations import crc, operation_from_bytes

KEPT_OPERATIONS: Final = 100_000
RELEASED_AT_ONCE: Final = 1_000
"""So many are let go of in one transaction: nobody waits for the database thread."""


class History(NamedTuple):
    """To which ``epoch`` the kept belong (empty: unknown), where those of this identity begin, what is gone.

    Numbers of this identity up to ``floor`` are done and let go of: nobody looks for them.
    """

    epoch: str = ""
    first_place: int = 1
    floor: int = 0


def create(connection: sqlite3.Connection) -> None:
    """Make the table, for an outbox that has kept operations before it knew their epoch."""
    connection.execute(
        "CREATE TABLE history (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL,"
        " first_place INTEGER NOT NULL, floor INTEGER NOT NULL, crc INTEGER NOT NULL)"
    )
    (device_id,) = connection.execute("SELECT device_id FROM identity").fetchone()
    bodies = connection.execute("SELECT place, body FROM kept ORDER BY place")
    put(connection, History(first_place=first_place(bodies, str(device_id))))


def first_place(bodies: Iterable[tuple[object, object]], device_id: str) -> int:
    """Return the place behind the last kept operation of another identity."""
    place = 1
    for number, body in bodies:
        if isinstance(number, int) and _device_of(body) not in {None, device_id}:
            place = number + 1
    return place


def _device_of(body: object) -> str | None:
    try:
        return operation_from_bytes(body).device_id if isinstance(body, bytes) else None
    except msgspec.MsgspecError:
        return None


def read(connection: sqlite3.Connection) -> History | None:
    """Return what is known of the history, None when the row is not whole."""
    row = connection.execute("SELECT epoch, first_place, floor, crc FROM history").fetchone()
    if row is None or _crc(*row[:3]) != row[3]:
        return None
    return History(str(row[0]), int(row[1]), int(row[2]))


def put(connection: sqlite3.Connection, history: History) -> None:
    """Store what is known of the history."""
    query = "REPLACE INTO history (id, epoch, first_place, floor, crc) VALUES (1,?,?,?,?)"
    connection.execute(query, (*history, _crc(*history)))


def _crc(epoch: object, first_place: object, floor: object) -> int:
    return crc(f"{epoch}|{first_place}|{floor}".encode("utf-8", "surrogatepass"))


def kept(connection: sqlite3.Connection, history: History) -> Kept:
    """Return what could be offered again."""
    query = "SELECT device_seq FROM kept WHERE place >= ? ORDER BY place LIMIT 1"
    own = connection.execute(query, (history.first_place,)).fetchone()
    query = "SELECT EXISTS (SELECT 1 FROM kept WHERE place < ?)"
    has_former = connection.execute(query, (history.first_place,)).fetchone()[0]
    return Kept(history.epoch, 0 if own is None else int(own[0]), bool(has_former))


def keep(connection: sqlite3.Connection, history: History, condition: str, values: dict[str, int]) -> History:
    """Let the operations that meet ``condition`` become kept ones; the oldest beyond the bound go."""
    connection.execute(
        f"INSERT OR REPLACE INTO kept ({schema.COLUMNS}) SELECT {schema.COLUMNS} FROM operations"
        f" WHERE {condition} ORDER BY device_seq",
        values,
    )
    connection.execute(f"DELETE FROM operations WHERE {condition}", values)
    newest = connection.execute("SELECT max(place) FROM kept").fetchone()[0] or 0
    return let_go(connection, history, newest - KEPT_OPERATIONS)


def let_go(connection: sqlite3.Connection, history: History, place: int) -> History:
    """Forget what is kept up to ``place``, and remember that nobody has to look for it."""
    query = "SELECT max(device_seq) FROM kept WHERE place BETWEEN ? AND ?"
    highest = connection.execute(query, (history.first_place, place)).fetchone()[0]
    connection.execute("DELETE FROM kept WHERE place <= ?", (place,))
    return history._replace(floor=max(history.floor, highest or 0))


def covered_place(connection: sqlite3.Connection, durable_seq: int) -> tuple[int, bool]:
    """Return up to which place a backup covers the kept ones, and whether there may be more behind."""
    query = "SELECT place, seq FROM kept ORDER BY place LIMIT ?"
    covered = 0
    for count, (place, seq) in enumerate(connection.execute(query, (RELEASED_AT_ONCE,)), 1):
        if seq > durable_seq:
            return covered, False
        covered = int(place)
        if count == RELEASED_AT_ONCE:
            return covered, True
    return covered, False


def take_back(connection: sqlite3.Connection, history: History, after_device_seq: int) -> list[Held]:
    """Return what the server may lack, oldest first, and keep it no longer."""
    condition = "WHERE place < ? OR device_seq > ?"
    values = (history.first_place, after_device_seq)
    rows = connection.execute(f"SELECT {schema.COLUMNS} FROM kept {condition} ORDER BY place", values)
    back = [schema.whole(row) for row in rows]
    connection.execute(f"DELETE FROM kept {condition}", values)
    return back
