"""Whether the cache still holds what was written: SQLite notices few of the bits that a disk loses.

The whole board is gone through after every start, some rows at a time, while it is shown already. A body is
whole when its hash is the stored one, a card when its values follow from the body, the board when number and
sum of the hashes are those of the state.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from sync.client.sort_keys import sort_key
from sync.client.stores.cache_meta import read_state
from sync.client.stores.cache_schema import to_unsigned
from sync.client.stores.card_columns import COLUMNS, card_values, carrier_name
from sync.client.stores.carriers import carrier_number
from sync.client.stores.files import DamagedError
from sync.contract.orders import HASH_MODULUS, order_from_bytes, row_hash

ROWS: Final = 250
"""Rows of one step: some milliseconds on the database thread."""
_CARDS: Final = (
    f"SELECT o.local_id, o.order_id, o.sort_key, o.hash, b.body, {', '.join(f'o.{name}' for name in COLUMNS)}"
    " FROM orders o LEFT JOIN bodies b USING (local_id) WHERE o.local_id > ? ORDER BY o.local_id LIMIT ?"
)


def check_step(connection: sqlite3.Connection, after: int) -> int:
    """Check the next rows after a local id, then the sums; return where to go on, 0 when all is checked.

    Raises :class:`DamagedError`, or ``ValueError`` and ``sqlite3.Error`` of what cannot even be read.
    """
    if after >= 0:
        try:
            return _check_rows(connection, after) or -1
        except TypeError as error:
            raise DamagedError(f"a value of another kind ({error})") from error
    if after == -1:
        _check_sums(connection)
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'orders' ORDER BY name"
    ).fetchall()
    place = -after - 1
    if place >= len(indexes):
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
        if body is None or row_hash(body) != to_unsigned(stored_hash):
            raise DamagedError(f"order {last} is not whole")
        order = order_from_bytes(body)
        is_own = order.id == order_id and sort_key(order, carrier_number(numbers, carrier_name(order))) == key
        if not is_own or tuple(values) != card_values(order):
            raise DamagedError(f"the card of order {last} is not whole")
    return last if last > after else 0


def _check_sums(connection: sqlite3.Connection) -> None:
    state = read_state(connection)
    # In halves, because SQLite does not add up beyond 64 bits.
    query = "SELECT count(*), sum(hash >> 32), sum(hash & 4294967295) FROM orders NOT INDEXED"
    count, high, low = connection.execute(query).fetchone()
    total = (((high or 0) << 32) + (low or 0)) % HASH_MODULUS
    if state.epoch and (count, total) != (state.orders, state.state_hash):
        raise DamagedError("the orders are not those of the board's hash")


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
