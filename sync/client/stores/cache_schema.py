"""The tables of ``cache.db`` and the statements on one set of order tables.

A set is three tables: ``orders`` (sort key, hash and the values of the card), ``bodies`` (the order
in canonical form) and ``orders_fts`` (words). A snapshot fills a second set, ``staging_...``, which
is renamed to take the place of the first. ``local_id`` is this cache's short name of an order; it is
never given to another one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Final, NamedTuple

from sync.client.stores.card_columns import COLUMNS, SearchText, card_values, search_text
from sync.client.stores.files import Step
from sync.contract.orders import HASH_MODULUS, Order, order_from_bytes

APPLICATION_ID: Final = 0x464B4331
CURRENT: Final = ""
STAGING: Final = "staging_"
OLD: Final = "old_"
TABLES: Final = ("orders", "bodies", "orders_fts")

_TEXTS: Final = frozenset(
    {"number", "customer", "city", "carrier", "claimed_by", "claimed_id", "hold_reason", "exception"}
    | {"tags", "backorder_of"}
)
_MAY_BE_NULL: Final = frozenset({"cut_off_ms", "hold_until_ms"})


def create_set(connection: sqlite3.Connection, prefix: str, generation: int) -> None:
    """Make an empty set of order tables; ``generation`` keeps the names of the indexes apart."""
    columns = ", ".join(f"{name} {_type(name)}" for name in COLUMNS)
    connection.execute(
        f"CREATE TABLE {prefix}orders (local_id INTEGER PRIMARY KEY, order_id TEXT NOT NULL UNIQUE,"
        f" sort_key INTEGER NOT NULL, hash INTEGER NOT NULL, {columns})"
    )
    connection.execute(
        f"CREATE INDEX orders_by_place_{generation} ON {prefix}orders (stage, sort_key, local_id)"
    )
    connection.execute(
        f"CREATE INDEX orders_by_number_{generation} ON {prefix}orders (number COLLATE NOCASE)"
    )
    connection.execute(
        f"CREATE INDEX orders_by_backorder_{generation} ON {prefix}orders (backorder_of)"
        " WHERE backorder_of <> ''"
    )
    connection.execute(f"CREATE TABLE {prefix}bodies (local_id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
    _create_words(connection, prefix)


def _create_words(connection: sqlite3.Connection, prefix: str) -> None:
    # Contentless: the words are in the bodies already; whoever takes an order out knows its words.
    # An index of first letters: a third of the time for the letter that finds most, 12 % more to write.
    connection.execute(
        f"CREATE VIRTUAL TABLE {prefix}orders_fts USING fts5 (number, customer, city, items, content = '',"
        " prefix = '1', tokenize = 'unicode61 remove_diacritics 2')"
    )


def _type(name: str) -> str:
    kind = "TEXT" if name in _TEXTS else "INTEGER"
    return kind if name in _MAY_BE_NULL else f"{kind} NOT NULL"


def _first(connection: sqlite3.Connection) -> None:
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    connection.execute("CREATE TABLE carriers (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)")
    create_set(connection, CURRENT, 0)


def _second(connection: sqlite3.Connection) -> None:
    """Write the words anew: the shop's reference and the tracking number are among them now."""
    connection.execute("DROP TABLE orders_fts")
    _create_words(connection, CURRENT)
    for local_id, body in connection.execute("SELECT local_id, body FROM bodies"):
        put_words(connection, local_id, search_text(order_from_bytes(body)))


def _third(connection: sqlite3.Connection) -> None:
    """Work the cards out anew: what is short is said by people now, and no longer by the source."""
    named = ", ".join(f"{name} = ?" for name in COLUMNS)
    for local_id, body in connection.execute("SELECT local_id, body FROM bodies"):
        values = card_values(order_from_bytes(body))
        connection.execute(f"UPDATE orders SET {named} WHERE local_id = ?", (*values, local_id))


LADDER: Final[tuple[Step, ...]] = (_first, _second, _third, _second)
"""A later step that changes the order tables may as well empty the cache: the server has it all."""


class OrderRow(NamedTuple):
    """An order as it is written: where it stands, its canonical bytes and their hash."""

    local_id: int
    sort_key: int
    row_hash: int
    body: bytes
    order: Order


_WRITTEN: Final = ("sort_key", "hash", *COLUMNS)
# An update touches only the indexes whose columns changed; REPLACE would rewrite all of them.
_PUT: Final = (
    f"INSERT INTO {{prefix}}orders (local_id, order_id, {', '.join(_WRITTEN)})"
    f" VALUES ({','.join('?' * (len(_WRITTEN) + 2))})"
    f" ON CONFLICT (local_id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _WRITTEN)}"
)


def put_rows(connection: sqlite3.Connection, rows: Iterable[OrderRow], prefix: str = CURRENT) -> None:
    """Write orders; those with a known ``local_id`` are replaced. The words are written apart."""
    listed = list(rows)
    connection.executemany(
        _PUT.format(prefix=prefix),
        [
            (row.local_id, row.order.id, row.sort_key, to_signed(row.row_hash), *card_values(row.order))
            for row in listed
        ],
    )
    connection.executemany(
        f"INSERT INTO {prefix}bodies (local_id, body) VALUES (?, ?)"
        " ON CONFLICT (local_id) DO UPDATE SET body = excluded.body",
        [(row.local_id, row.body) for row in listed],
    )


def put_words(
    connection: sqlite3.Connection, local_id: int, words: SearchText, prefix: str = CURRENT
) -> None:
    """Make an order findable."""
    connection.execute(
        f"INSERT INTO {prefix}orders_fts (rowid, number, customer, city, items) VALUES (?,?,?,?,?)",
        (local_id, *words),
    )


def drop_words(connection: sqlite3.Connection, local_id: int, words: SearchText) -> None:
    """Make an order findable no longer; ``words`` are those that were put."""
    connection.execute(
        "INSERT INTO orders_fts (orders_fts, rowid, number, customer, city, items)"
        " VALUES ('delete',?,?,?,?,?)",
        (local_id, *words),
    )


def drop_row(connection: sqlite3.Connection, local_id: int, order: Order) -> None:
    """Take an order out of the cache."""
    drop_words(connection, local_id, search_text(order))
    connection.execute("DELETE FROM orders WHERE local_id = ?", (local_id,))
    connection.execute("DELETE FROM bodies WHERE local_id = ?", (local_id,))


def to_signed(number: int) -> int:
    """Return a 64-bit hash as SQLite can store it."""
    return number - HASH_MODULUS if number >= HASH_MODULUS // 2 else number


def to_unsigned(number: int) -> int:
    """Return the hash that :func:`to_signed` stored."""
    return number % HASH_MODULUS
