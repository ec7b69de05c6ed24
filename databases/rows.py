"""All rows of a whole database, some at a time: out of either kind, into either kind."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import JSON, Connection, Table, Text, cast, func, select

from databases.schema import metadata
from databases.statements import insert_rows

CHUNK_ROWS: Final = 500
"""How many rows are in memory at a time."""
Row = tuple[Any, ...]
Tell = Callable[[str], None]
"""Hears how far it is."""


def all_rows(source: Connection, tell: Tell) -> Iterator[tuple[Table, list[Row]]]:
    """Give every row of every table, in an order in which they may be written."""
    for table in metadata.sorted_tables:
        # As text: the one kind of database holds JSON as a type of its own, the other does not.
        columns = [cast(each, Text) if isinstance(each.type, JSON) else each for each in table.columns]
        done = 0
        with source.execute(select(*columns), execution_options={"yield_per": CHUNK_ROWS}) as found:
            for chunk in found.partitions():
                yield table, [tuple(row) for row in chunk]
                done += len(chunk)
                tell(f"{table.name}: {done:,} rows")


def counted(source: Connection) -> dict[str, int]:
    """Return how many rows each table has, by its name."""
    tables = metadata.sorted_tables
    return {each.name: source.execute(select(func.count()).select_from(each)).scalar_one() for each in tables}


def is_empty(source: Connection) -> bool:
    """Say whether no table has a row."""
    return all(source.execute(select(each).limit(1)).first() is None for each in metadata.sorted_tables)


def checksum(rows: Iterable[Row]) -> int:
    """Return the sum of the checksums of rows, whose order does not count."""
    return sum(zlib.crc32(msgspec.msgpack.encode(row)) for row in rows)


def put_rows(target: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of :func:`all_rows` into a database of either kind."""
    names = table.columns.keys()
    insert_rows(target, table, [dict(zip(names, row, strict=True)) for row in rows])


def put_rows_in_file(target: sqlite3.Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of :func:`all_rows` into a file, as fast as SQLite takes them."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    places = ", ".join("?" * len(table.columns))
    target.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', rows)
