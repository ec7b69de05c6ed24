"""Whether the cache still holds what was written: SQLite notices few of the bits that a disk loses.

The whole board is gone through after every start, some rows at a time, while it is shown already. A body is
whole when its hash is the stored one, a card when its values follow from the body, the board when number and
sum of the hashes are those of the state. Single orders can be had anew from the server; what is wrong beyond
them costs the file.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from sync.client.sort_keys import sort_key
from sync.client.stores.cache_meta import read_state
from sync.client.stores.cache_ranges import whole_order, whole_sum
from sync.client.stores.cache_schema import to_unsigned
from sync.client.stores.card_columns import COLUMNS, card_values, carrier_name
from sync.client.stores.carriers import carrier_number
from sync.client.stores.files import DamagedError

ROWS: Final = 250
"""Rows of one step: some milliseconds on the database thread."""
WORDS_OF: Final = 20_000
"""Of so many orders the words are checked: that is one step, and moves wait for it."""
SUMS: Final = -1
"""Where the check goes on after the last row: with the sums of all, then the indexes."""


class DamagedOrderError(DamagedError):
    """One order is not what was written; the rest of the file may be."""

    def __init__(self, local_id: int, found: str) -> None:
        """Say what was found about the order ``local_id``."""
        super().__init__(found)
        self.local_id = local_id


class DamagedSumError(DamagedError):
    """The orders are whole, each of them, but together they are not the board that the file says."""


_CARDS: Final = (
    f"SELECT o.local_id, o.order_id, o.sort_key, o.hash, b.body, {', '.join(f'o.{name}' for name in COLUMNS)}"
    " FROM orders o LEFT JOIN bodies b USING (local_id) WHERE o.local_id > ? ORDER BY o.local_id LIMIT ?"
)


def check_step(connection: sqlite3.Connection, after: int) -> int:
    """Check the next rows after a local id, then the sums; return where to go on, 0 when all is checked.

    Raises :class:`DamagedOrderError` (go on after its order), :class:`DamagedSumError` (go on at
    :data:`SUMS`), another :class:`DamagedError`, or ``ValueError`` and ``sqlite3.Error`` of what cannot even
    be read.
    """
    if after >= 0:
        try:
            return _check_rows(connection, after) or SUMS
        except TypeError as error:
            raise DamagedError(f"a value of another kind ({error})") from error
    if after == SUMS:
        _check_sums(connection)
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'orders' ORDER BY name"
    ).fetchall()
    place = -after - 1
    if place >= len(indexes):
        _check_words(connection)
        return 0
    _check_index(connection, *indexes[place])
    return after - 1


def _check_rows(connection: sqlite3.Connection, after: int) -> int:
    """Check some rows; return the last one, 0 when there were none."""
    numbers = {str(name): int(number) for number, name in connection.execute("SELECT id, name FROM carriers")}
    last = after
    for local_id, order_id, key, stored_hash, body, *values in connection.execute(_CARDS, (after, ROWS)):
        if local_id <= last:
            raise DamagedError(f"order {local_id} is out of place")
        last = int(local_id)
        order = whole_order(body, to_unsigned(stored_hash))
        if order is None:
            raise DamagedOrderError(last, f"order {last} is not whole")
        is_own = order.id == order_id and sort_key(order, carrier_number(numbers, carrier_name(order))) == key
        if not is_own or tuple(values) != card_values(order):
            raise DamagedOrderError(last, f"the card of order {last} is not whole")
    return last if last > after else 0


def _check_sums(connection: sqlite3.Connection) -> None:
    state = read_state(connection)
    if state.epoch and whole_sum(connection) != (state.state_hash, state.orders):
        raise DamagedSumError("the orders are not those of the board's hash")


def _check_index(connection: sqlite3.Connection, name: str, sql: str | None) -> None:
    """Compare an index with its table: columns, search by number and backorders are read from them."""
    condition = (sql or "").partition(" WHERE ")[2] or "true"
    place = "(sort_key % 1000003 + stage) * local_id"
    value = place if name.startswith("orders_by_place") else "unicode(number) * local_id"
    sums = f"SELECT count(*), sum(local_id), sum({value if sql else 'local_id'}) FROM orders"
    found = {
        connection.execute(f"{sums} {how} WHERE {condition}").fetchone()
        for how in (f"INDEXED BY {name}", "NOT INDEXED")
    }
    if len(found) > 1:
        raise DamagedError(f"the index {name} is not that of the orders")


def _check_words(connection: sqlite3.Connection) -> None:
    """Have SQLite look through the index of the words: whether it fits together, not whether to the orders.

    To compare it with the orders all words would have to be taken apart once more.
    """
    if read_state(connection).orders <= WORDS_OF:
        connection.execute("INSERT INTO orders_fts (orders_fts) VALUES ('integrity-check')")
