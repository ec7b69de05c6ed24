"""Ranges of the cached board: their sums, their parts, and the server's orders in their place.

A range is ``(lo, hi)``: order ids from ``lo`` up to, not including, ``hi``; an empty ``hi`` is the end. What
changes something runs inside the cache's transaction.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from msgspec import MsgspecError

from sync.client.bisecting import EVERYTHING, Range, Sum, Wanted, fence
from sync.client.stores import cache_schema as schema
from sync.client.stores.cache_schema import OrderRow
from sync.client.stores.card_columns import search_text
from sync.client.stores.carriers import Carriers
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, order_from_bytes, row_hash

END: Final = "\U0010ffff"
"""Above every id: with it a range without an end needs no other statement."""
DISTRUSTED: Final = 0
"""The hash of an order that is not whole: the sums then differ from the server's, and it is repaired."""
_DOUBT: Final = 1
"""What is added to the hash of a whole body whose card is not: its words are still known.

Added, so that the doubts about two orders never cancel each other out in a sum.
"""
_HERE: Final = "FROM orders WHERE order_id >= ? AND order_id < ?"
# In halves, because SQLite does not add up beyond 64 bits.
_SUM: Final = "SELECT coalesce(sum(hash >> 32), 0), coalesce(sum(hash & 4294967295), 0), count(*) FROM orders"
_OWN: Final = (
    "SELECT o.local_id, o.order_id, o.hash, b.body FROM orders o LEFT JOIN bodies b USING (local_id)"
    " WHERE o.order_id >= ? AND o.order_id < ?"
)


class Replaced(NamedTuple):
    """What became of a range: local ids, how many orders differed, and the change of hash and count."""

    changed: tuple[int, ...]
    removed: tuple[int, ...]
    orders: int
    hash_change: int
    count_change: int
    next_local_id: int


class _Own(NamedTuple):
    local_id: int
    hash: int
    order: Order | None
    """None when the row is not whole: nobody knows its words any more."""


def sums(connection: sqlite3.Connection, ranges: Sequence[Range]) -> tuple[Sum, ...]:
    """Return the sum of the hashes and the number of orders of each range."""
    return tuple(_range_sum(connection, each) for each in ranges)


def _range_sum(connection: sqlite3.Connection, bounds: Range) -> Sum:
    if bounds == EVERYTHING:
        # Ten times as fast as along the index.
        return whole_sum(connection)
    query = f"{_SUM} WHERE order_id >= ? AND order_id < ?"
    return _sum(connection.execute(query, (bounds[0], bounds[1] or END)).fetchone())


def whole_sum(connection: sqlite3.Connection) -> Sum:
    """Return the sums of all rows, read from the table itself."""
    return _sum(connection.execute(f"{_SUM} NOT INDEXED").fetchone())


def _sum(row: tuple[int, int, int]) -> Sum:
    high, low, count = row
    return ((high << 32) + low) % HASH_MODULUS, count


def split(connection: sqlite3.Connection, wanted: Sequence[Wanted]) -> tuple[Range, ...]:
    """Part each range into ``parts`` of about the same number of orders, fewer where there are fewer."""
    return tuple(each for lo, hi, parts in wanted for each in _parted(connection, lo, hi, parts))


def _parted(connection: sqlite3.Connection, lo: str, hi: str, parts: int) -> Iterator[Range]:
    count = connection.execute(f"SELECT count(*) {_HERE}", (lo, hi or END)).fetchone()[0]
    length = -(-count // parts)
    # Two neighbours: where they differ is where a fence between them may stand.
    query = f"SELECT order_id {_HERE} ORDER BY order_id LIMIT 2 OFFSET ?"
    last, skip = lo, length - 1
    start = lo
    while length > 0:
        neighbours = [str(row[0]) for row in connection.execute(query, (start, hi or END, skip))]
        if len(neighbours) < 2:
            break
        mark = fence(*neighbours)
        yield last, mark
        last = start = mark
    yield last, hi


def replace_range(
    connection: sqlite3.Connection,
    carriers: Carriers,
    bounds: Range,
    orders: Sequence[Order],
    next_local_id: int,
) -> Replaced:
    """Let a range hold exactly ``orders``; what is the same already is left alone."""
    lo, hi = bounds[0], bounds[1] or END
    before = dict(_own(connection, lo, hi))
    wanted = {order.id: order for order in orders if order.is_on_board and lo <= order.id < hi}
    bodies = {order_id: canonical_bytes(order) for order_id, order in wanted.items()}
    same = {
        order_id
        for order_id, own in before.items()
        if order_id in bodies and own.order is not None and own.hash == row_hash(bodies[order_id])
    }
    rows: list[OrderRow] = []
    for order_id, own in before.items():
        if order_id not in same:
            _drop(connection, own)
    for order_id, order in wanted.items():
        if order_id not in same:
            # The words of a row that is not whole stay behind: under its old name nothing is found any more.
            known = before.get(order_id)
            is_known = known is not None and known.order is not None
            local_id = known.local_id if known is not None and is_known else next_local_id
            next_local_id += not is_known
            body = bodies[order_id]
            rows.append(OrderRow(local_id, carriers.sort_key(order), row_hash(body), body, order))
            schema.put_words(connection, local_id, search_text(order))
    schema.put_rows(connection, rows)
    dropped = {order_id: own for order_id, own in before.items() if order_id not in same}
    gone = tuple(own.local_id for order_id, own in dropped.items() if order_id not in wanted)
    # An order under a new name did not leave the board: its old name is one of those to be looked at again.
    renamed = (own.local_id for order_id, own in dropped.items() if order_id in wanted)
    changed = tuple(dict.fromkeys((*(row.local_id for row in rows), *renamed)))
    hash_change = sum(row.row_hash for row in rows) - sum(own.hash for own in dropped.values())
    count_change = len(rows) - len(dropped)
    return Replaced(
        changed, gone, len(rows) + len(gone), hash_change % HASH_MODULUS, count_change, next_local_id
    )


def distrust(connection: sqlite3.Connection, local_id: int) -> int:
    """Mark an order that is not whole; return by how much the state hash changes. Twice is as once."""
    row = connection.execute(
        "SELECT o.hash, b.body FROM orders o LEFT JOIN bodies b USING (local_id) WHERE o.local_id = ?",
        (local_id,),
    ).fetchone()
    stored = schema.to_unsigned(row[0])
    marked = DISTRUSTED
    if isinstance(row[1], bytes) and row_hash(row[1]) in {stored, _undoubted(stored)}:
        marked = (row_hash(row[1]) + _DOUBT) % HASH_MODULUS
    connection.execute("UPDATE orders SET hash = ? WHERE local_id = ?", (schema.to_signed(marked), local_id))
    return marked - stored


def _undoubted(stored: int) -> int:
    return (stored - _DOUBT) % HASH_MODULUS


def _own(connection: sqlite3.Connection, lo: str, hi: str) -> Iterator[tuple[str, _Own]]:
    for local_id, order_id, stored, body in connection.execute(_OWN, (lo, hi)).fetchall():
        stored_hash = schema.to_unsigned(stored)
        order = whole_order(body, stored_hash) or whole_order(body, _undoubted(stored_hash))
        yield str(order_id), _Own(int(local_id), stored_hash, order)


def whole_order(body: object, stored_hash: int) -> Order | None:
    """Return the order of a stored body, None when it is not what was written."""
    if not isinstance(body, bytes) or row_hash(body) != stored_hash:
        return None
    try:
        return order_from_bytes(body)
    except MsgspecError:
        return None


def _drop(connection: sqlite3.Connection, own: _Own) -> None:
    if own.order is not None:
        schema.drop_row(connection, own.local_id, own.order)
        return
    connection.execute("DELETE FROM orders WHERE local_id = ?", (own.local_id,))
    connection.execute("DELETE FROM bodies WHERE local_id = ?", (own.local_id,))
