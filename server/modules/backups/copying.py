"""All rows of a database, from either kind, as one consistent read; a file of them that says what it holds.

The file is an ordinary data file of this release, without a log beside it, with one table more: ``backup``,
whose only row is the :class:`Manifest`.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import JSON, Connection, Table, Text, cast, func, select

from databases.schema import boards, metadata, organizations, sites
from server.database import FILE_NAME, create_database
from server.folders import sync
from server.kernel import migrations
from server.kernel.signed import unsigned
from sync.contract.ports import Clock, Ids

PRODUCT: Final = "fulfillment-kanban-server"
CHUNK_ROWS: Final = 500
"""How many rows are in memory at a time."""
Tell = Callable[[str], None]


class BoardMark(msgspec.Struct, frozen=True):
    """Where a board stood."""

    site_id: str
    organization: str
    site: str
    epoch: str
    seq: int
    state_hash: int


class Manifest(msgspec.Struct, frozen=True):
    """What a backup holds: of each table how many rows the database had, and the sum of their checksums."""

    product: str
    version: str
    schema: str
    made_ms: int
    boards: tuple[BoardMark, ...]
    rows: dict[str, int]
    sums: dict[str, int]


def write_copy(source: Connection, folder: Path, version: str, clock: Clock, ids: Ids, tell: Tell) -> Path:
    """Write what ``source`` reads in its transaction into a new file in ``folder``; return it, synced."""
    path = folder / FILE_NAME
    made_ms = clock.wall_ms()
    create_database(folder, clock, ids).close()
    path.chmod(0o600)
    marks = _marks(source)
    rows = {table.name: _count(source, table) for table in metadata.sorted_tables}
    sums = dict.fromkeys(rows, 0)
    with contextlib.closing(sqlite3.connect(path)) as file:
        # Nobody else sees this file before it is whole and synced.
        file.execute("PRAGMA journal_mode = DELETE")
        file.execute("PRAGMA synchronous = OFF")
        with file:
            for table, chunk in all_rows(source, tell):
                sums[table.name] += checksum(chunk)
                places = ", ".join("?" * len(table.columns))
                names = ", ".join(f'"{column.name}"' for column in table.columns)
                file.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({places})', chunk)  # noqa: S608 - names of ours
            manifest = Manifest(PRODUCT, version, migrations.HEAD, made_ms, marks, rows, sums)
            file.execute("CREATE TABLE backup (manifest TEXT NOT NULL)")
            file.execute("INSERT INTO backup VALUES (?)", (msgspec.json.encode(manifest).decode(),))
    sync(path)
    return path


def all_rows(source: Connection, tell: Tell) -> Iterator[tuple[Table, list[tuple[Any, ...]]]]:
    """Give every row of every table, some at a time, in an order in which they may be written."""
    for table in metadata.sorted_tables:
        # As text: the one kind of database holds JSON as a type of its own, the other does not.
        columns = [cast(each, Text) if isinstance(each.type, JSON) else each for each in table.columns]
        done = 0
        with source.execute(select(*columns), execution_options={"yield_per": CHUNK_ROWS}) as found:
            for chunk in found.partitions():
                yield table, [tuple(row) for row in chunk]
                done += len(chunk)
                tell(f"{table.name}: {done:,} rows")


def checksum(rows: Iterable[tuple[Any, ...]]) -> int:
    """Return the sum of the checksums of rows, whose order does not count."""
    return sum(zlib.crc32(msgspec.msgpack.encode(row)) for row in rows)


def _marks(source: Connection) -> tuple[BoardMark, ...]:
    names = (organizations.c.name.label("organization"), sites.c.name.label("site"))
    rows = source.execute(
        select(boards, *names)
        .join(sites, sites.c.id == boards.c.site_id)
        .join(organizations, organizations.c.id == boards.c.organization_id)
        .order_by(*names)
    )
    return tuple(
        BoardMark(row.site_id, row.organization, row.site, row.epoch, row.seq, unsigned(row.state_hash))
        for row in rows
    )


def _count(source: Connection, table: Table) -> int:
    return int(source.execute(select(func.count()).select_from(table)).scalar_one())
