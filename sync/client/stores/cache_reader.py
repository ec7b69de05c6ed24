"""Reading the cache: a connection of its own that cannot write, for the board and the search.

Every method is one statement, so what it returns is one state of the cache. A missing file, one of
another release or a damaged one reads as an empty board: whoever owns the file sets it right.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from sync.client.columns import Column
from sync.client.store_values import CacheState
from sync.client.stores import files
from sync.client.stores.cache_meta import read_state
from sync.client.stores.cache_schema import APPLICATION_ID, LADDER
from sync.client.stores.card_columns import COLUMNS, card_row
from sync.contract.orders import Order, order_from_bytes
from sync.contract.rows import CardRow, Fate
from sync.contract.stages import STAGES

_NUMBERS: Final = msgspec.json.Decoder(list[int])
_IN: Final = "IN (SELECT value FROM json_each(?))"
_BACKORDER: Final = (
    "coalesce((SELECT b.number FROM orders b WHERE b.backorder_of = o.order_id AND b.backorder_of <> ''"
    " LIMIT 1), '')"
)


_PIECE: Final = 65_536
"""So many characters of a list of numbers are numbers of Python at the same time."""
_DAMAGE: Final = (msgspec.MsgspecError, ValueError, TypeError, IndexError, OverflowError)
"""What values that a disk has changed raise; the check behind the start finds them and says so."""


class Spot(NamedTuple):
    """Where the cache has an order."""

    local_id: int
    order_id: str
    column: int
    key: int


class Truth(NamedTuple):
    """An order as the cache has it, and up to where the cache contains this device's operations."""

    local_id: int
    order: Order
    device_id: str
    decided_device_seq: int


class CacheReader:
    """What the board asks of the cache."""

    def __init__(self, path: Path) -> None:
        """Read from the file ``path``; nothing is opened before the first question."""
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self.is_readable = True
        """Whether the last question was answered: nothing found is not the same as nothing read."""

    def reopen(self) -> None:
        """Open the file anew: it may have been put aside meanwhile."""
        self.close()

    def close(self) -> None:
        """Close the connection; the next question opens it again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def state(self) -> CacheState:
        """Return where the cached board stands."""
        connection = self._open()
        try:
            return CacheState() if connection is None else read_state(connection)
        except (sqlite3.Error, ValueError):
            self.is_readable = False
            return CacheState()

    def columns(self) -> list[Column]:
        """Return all columns, sorted."""
        # SQLite makes one text of a column and msgspec one list: a quarter of the time of a row each,
        # and half of it without the interpreter's lock. The index over (stage, sort_key, local_id)
        # answers alone and gives each group sorted; a sorted subquery would be sorted once more. One
        # statement, so that no order that moves meanwhile is seen twice.
        query = (
            "SELECT stage, json_group_array(local_id), json_group_array(sort_key) FROM orders GROUP BY stage"
        )
        columns = [Column() for _ in STAGES]
        connection = self._open()
        self.is_readable = connection is not None
        try:
            # Row by row: the texts of one column are gone before those of the next are made.
            for number, ids, keys in connection.execute(query) if connection is not None else ():
                columns[number] = Column(_packed(ids), _packed(keys))
        except sqlite3.Error:
            self.is_readable = False
            return [Column() for _ in STAGES]
        except _DAMAGE:
            self.is_readable = False
        return columns

    def carriers(self) -> dict[int, str]:
        """Return the names of the carriers by number."""
        return {int(number): str(name) for number, name in self._ask("SELECT id, name FROM carriers")}

    def spots(self, local_ids: Sequence[int]) -> list[Spot]:
        """Return where orders stand, in no order; those that are gone are left out."""
        query = f"SELECT local_id, order_id, stage, sort_key FROM orders WHERE local_id {_IN}"
        return [Spot(*row) for row in self._ask(query, json.dumps(list(local_ids)))]

    def local_ids(self, order_ids: Sequence[str]) -> dict[str, int]:
        """Return the local ids of orders."""
        query = f"SELECT order_id, local_id FROM orders WHERE order_id {_IN}"
        return {str(row[0]): int(row[1]) for row in self._ask(query, json.dumps(list(order_ids)))}

    def truths(self, order_ids: Sequence[str]) -> dict[str, Truth]:
        """Return orders whole, by their id."""
        query = (
            "SELECT o.order_id, o.local_id, b.body,"
            " (SELECT value FROM meta WHERE key = 'device_id'),"
            " (SELECT value FROM meta WHERE key = 'decided_device_seq')"
            f" FROM orders o JOIN bodies b USING (local_id) WHERE o.order_id {_IN}"
        )
        return {
            str(order_id): Truth(int(local_id), order, device_id or "", int(decided or 0))
            for order_id, local_id, body, device_id, decided in self._ask(query, json.dumps(list(order_ids)))
            if (order := _order(body)) is not None
        }

    def order(self, local_id: int) -> Order | None:
        """Return one order whole."""
        rows = self._ask("SELECT body FROM bodies WHERE local_id = ?", local_id)
        return _order(rows[0][0]) if rows else None

    def cards(self, local_ids: Sequence[int]) -> list[CardRow]:
        """Return card rows, in no order; those that are gone are left out."""
        columns = ", ".join(f"o.{name}" for name in COLUMNS)
        query = f"SELECT o.local_id, o.order_id, {_BACKORDER}, {columns} FROM orders o WHERE o.local_id {_IN}"
        rows = self._ask(query, json.dumps(list(local_ids)))
        return [card for row in rows if (card := _card(row)) is not None]

    def find(self, number: str) -> int | None:
        """Return the newest order with this number, written in capitals or not."""
        query = "SELECT max(local_id) FROM orders WHERE number = ? COLLATE NOCASE"
        rows = self._ask(query, number)
        return int(rows[0][0]) if rows and rows[0][0] is not None else None

    def exceptional(self) -> list[Order]:
        """Return the orders on which something no longer fits; it looks at every card: not for a frame."""
        # The card does not name what cancelling itself opened.
        query = (
            "SELECT b.body FROM orders o JOIN bodies b USING (local_id)"
            " WHERE o.exception <> '' OR o.is_cancelled ORDER BY o.local_id"
        )
        orders = (_order(row[0]) for row in self._ask(query))
        return [order for order in orders if order is not None and order.exceptions]

    def matching(self, expression: str) -> list[int]:
        """Return the local ids that a full-text expression finds, ascending."""
        query = "SELECT json_group_array(rowid) FROM orders_fts WHERE orders_fts MATCH ?"
        rows = self._ask(query, expression)
        return _NUMBERS.decode(rows[0][0]) if rows else []

    def interrupt(self) -> None:
        """Stop the question that another thread is waiting for."""
        connection = self._connection
        if connection is not None:
            # Closed in this very moment: then there is no question either.
            with suppress(sqlite3.ProgrammingError):
                connection.interrupt()

    def _ask(self, query: str, *values: str | int) -> list[tuple[Any, ...]]:
        connection = self._open()
        self.is_readable = connection is not None
        if connection is None:
            return []
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.Error:
            self.is_readable = False
            return []

    def _open(self) -> sqlite3.Connection | None:
        if self._connection is None:
            self._connection = _opened(self._path)
        return self._connection


def _packed(numbers: str) -> array[int]:
    """Return a JSON list of numbers as an array; whole, as objects, it would be five times as large."""
    packed = array("q")
    start, end = 1, len(numbers) - 1
    while start < end:
        stop = numbers.find(",", start + _PIECE)
        stop = end if stop < 0 else stop
        packed.fromlist(_NUMBERS.decode(f"[{numbers[start:stop]}]"))
        start = stop + 1
    return packed


def _order(body: bytes) -> Order | None:
    try:
        return order_from_bytes(body)
    except _DAMAGE:
        return None


def _card(row: tuple[Any, ...]) -> CardRow | None:
    try:
        return card_row(row[0], row[1], row[3:], row[2], Fate.SETTLED)
    except _DAMAGE:
        return None


def _opened(path: Path) -> sqlite3.Connection | None:
    try:
        connection = files.connect_reader(path)
    except sqlite3.Error:
        return None
    try:
        version = files.user_version(connection)
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    except sqlite3.Error:
        version = application = -1
    if (version, application) == (len(LADDER), APPLICATION_ID):
        return connection
    connection.close()
    return None
