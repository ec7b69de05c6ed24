"""All rows of a database, from either kind, as one consistent read; a file of them that says what it holds.

The file is an ordinary data file of this release, without a log beside it, with one table more: ``backup``,
whose only row is the :class:`Manifest`.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from databases.rows import Tell, all_rows, checksum, counted, put_rows_in_file
from databases.schema import boards, organizations, sites
from server.database import FILE_NAME, create_database
from server.folders import sync
from server.kernel import migrations
from server.kernel.signed import unsigned
from sync.contract.ports import Clock, Ids

PRODUCT: Final = "fulfillment-kanban-server"


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
    rows = counted(source)
    sums = dict.fromkeys(rows, 0)
    with contextlib.closing(sqlite3.connect(path)) as file:
        # Nobody else sees this file before it is whole and synced.
        file.execute("PRAGMA journal_mode = DELETE")
        file.execute("PRAGMA synchronous = OFF")
        with file:
            for table, chunk in all_rows(source, tell):
                sums[table.name] += checksum(chunk)
                put_rows_in_file(file, table, chunk)
            manifest = Manifest(PRODUCT, version, migrations.HEAD, made_ms, marks, rows, sums)
            file.execute("CREATE TABLE backup (manifest TEXT NOT NULL)")
            file.execute("INSERT INTO backup VALUES (?)", (msgspec.json.encode(manifest).decode(),))
    sync(path)
    return path


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
