"""Many rows with one statement, on SQLite and on PostgreSQL.

PostgreSQL gets a column as one list parameter (``unnest``), so a statement has one text and one round trip
for any number of rows; SQLite gets the same rows as one statement repeated. Rows are mappings with the
same keys; no rows are no statement.

Where two transactions may write the same rows, sort them by key: locks are taken in their order.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import JSON, BigInteger, Boolean, Connection, Float, Integer, LargeBinary, Table, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

T = TypeVar("T")
Row = Mapping[str, object]
_TYPES: Final[tuple[tuple[type[TypeEngine[Any]], str], ...]] = (
    (BigInteger, "bigint"),
    (Boolean, "boolean"),
    (Float, "double precision"),
    (Integer, "integer"),
    (JSON, "jsonb"),
    (LargeBinary, "bytea"),
)
"""PostgreSQL's names of the columns' types; everything else is text."""
_NUMBERS: Final = frozenset({"bigint", "boolean", "integer"})
POSTGRESQL: Final = "postgresql"
_PASSING: Final = frozenset({"23505", "40001", "40P01"})
"""SQLSTATE of a key that is there already, a serialisation failure, a deadlock."""


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows."""
    _insert(connection, table, rows, "")


def insert_missing(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows; those that collide with rows already there are left out."""
    _insert(connection, table, rows, " ON CONFLICT DO NOTHING")


def upsert_rows(connection: Connection, table: Table, rows: Sequence[Row], key: tuple[str, ...]) -> None:
    """Insert rows, or set every other column of those that are there by ``key`` (a unique constraint)."""
    if rows:
        changes = ", ".join(f'"{name}" = excluded."{name}"' for name in rows[0] if name not in key)
        then = f"UPDATE SET {changes}" if changes else "NOTHING"
        _insert(connection, table, rows, f" ON CONFLICT ({_quoted(key)}) DO {then}")


def update_rows(
    connection: Connection, table: Table, rows: Sequence[Row], key: tuple[str, ...] = ("id",)
) -> None:
    """Set every other column of the rows with this ``key``."""
    if not rows:
        return
    if is_postgresql(connection):
        sql = _update_from_lists(table, tuple(rows[0]), key)
        connection.exec_driver_sql(sql, _lists(table, rows))
    else:
        names = (*(name for name in rows[0] if name not in key), *key)
        connection.exec_driver_sql(_update_one(table, names, key), _tuples(rows, names))


def serialise(connection: Connection, name: str) -> None:
    """Wait until no other transaction holds ``name``, and hold it to the end of this one.

    For "look, then insert". SQLite needs no word for it: who may write is alone there anyway.
    """
    if is_postgresql(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock_key(name)})


def once_more(work: Callable[[], T]) -> T:
    """Do ``work``, a transaction, and do it again when the database gave it up for a passing reason.

    That is a lost connection, a deadlock, or a row that another transaction made first. The second time
    its error counts. The work must be one that may happen twice: a commit whose answer was lost has happened.
    """
    try:
        return work()
    except DBAPIError as error:
        if not error.connection_invalidated and getattr(error.orig, "sqlstate", "") not in _PASSING:
            raise
    return work()


def lock_key(name: str) -> int:
    """Return the number of a lock's name: 63 bits, the same in every process."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 1


def is_postgresql(connection: Connection) -> bool:
    """Say whether this is a connection to PostgreSQL."""
    return connection.dialect.name == POSTGRESQL


def _insert(connection: Connection, table: Table, rows: Sequence[Row], ending: str) -> None:
    if not rows:
        return
    names = tuple(rows[0])
    if is_postgresql(connection):
        connection.exec_driver_sql(_insert_lists(table, names) + ending, _lists(table, rows))
    else:
        connection.exec_driver_sql(_insert_one(table, names) + ending, _tuples(rows, names))


@functools.cache
def _insert_one(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({_quoted(names)}) VALUES ({', '.join('?' for _ in names)})"


@functools.cache
def _insert_lists(table: Table, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table.name} ({_quoted(names)}) SELECT * FROM {_unnest(table, names)}"


@functools.cache
def _update_one(table: Table, names: tuple[str, ...], key: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = ?' for name in names if name not in key)
    same = " AND ".join(f'"{name}" = ?' for name in key)
    return f"UPDATE {table.name} SET {changes} WHERE {same}"


@functools.cache
def _update_from_lists(table: Table, names: tuple[str, ...], key: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{name}" = given."{name}"' for name in names if name not in key)
    same = " AND ".join(f'{table.name}."{name}" = given."{name}"' for name in key)
    source = f"{_unnest(table, names)} AS given ({_quoted(names)})"
    return f"UPDATE {table.name} SET {changes} FROM {source} WHERE {same}"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _unnest(table: Table, names: tuple[str, ...]) -> str:
    return f"unnest({', '.join(f'%b::{_type_of(table, name)}[]' for name in names)})"


@functools.cache
def _type_of(table: Table, name: str) -> str:
    kind = table.c[name].type
    return next((word for known, word in _TYPES if isinstance(kind, known)), "text")


def _tuples(rows: Sequence[Row], names: tuple[str, ...]) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def _lists(table: Table, rows: Sequence[Row]) -> tuple[object, ...]:
    return tuple(_list(_type_of(table, name), [row[name] for row in rows]) for name in rows[0])


def _list(kind: str, values: list[object]) -> object:
    # Numbers need no escaping: written out they cost a third of what the driver's own way does.
    if kind in _NUMBERS:
        return f"{{{','.join('NULL' if value is None else str(value) for value in values)}}}"
    return values
