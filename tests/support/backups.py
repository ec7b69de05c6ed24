"""A server's data with something in every corner, its backups, and what two databases differ in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, update

from databases.rows import all_rows
from databases.schema import boards, data_exports, metadata
from server.database import Database, open_database
from server.main import main
from support.server_bench import ServerBench, create, fresh_order, numbered
from sync.contract.operations import Import, Move, Operation, PutOnHold
from sync.contract.stages import Stage

Rows = dict[str, list[tuple[Any, ...]]]


def filled_bench(folder: Path, url: str = "") -> ServerBench:
    """Return two sites with orders, moves, a device with a mark, a sign-in, and an export's row."""
    bench = ServerBench(folder, url=url)
    ana = bench.principal()
    bench.join(ana)
    bench.import_orders(7)
    bench.commit(ana, create(1), numbered(2, Move(Stage.PICKING)), numbered(3, PutOnHold("other")))
    bench.import_orders(3, bench.crowd("Other", "Elsewhere"))
    # A character that PostgreSQL's text cannot hold; the order's own bytes keep it.
    odd = msgspec.structs.replace(fresh_order(90), customer="Müller \0 Söhne", note="日本 ✓")
    bench.database.store.import_orders(bench.site.key, [Operation(bench.ids.new(), "odd", Import(odd))], "b")
    with bench.database.engine.begin() as connection:
        connection.execute(
            insert(data_exports).values(
                id="export-1",
                organization_id=bench.site.key.organization_id,
                entities=["orders"],
                format="csv",
                record_count=3,
                bytes=99,
                filter="{}",
                created_at=1,
            )
        )
    return bench


def rows_of(database: Database) -> Rows:
    """Return every row of every table, sorted; text as each kind of database can hold it."""
    found: Rows = {table.name: [] for table in metadata.sorted_tables}
    with database.engine.execution_options(is_reading=True).begin() as connection:
        for table, chunk in all_rows(connection, lambda _words: None):
            found[table.name] += [tuple(_plain(value) for value in row) for row in chunk]
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def _plain(value: object) -> object:
    if isinstance(value, str):
        # PostgreSQL has a NUL as the sign of a character that is not known.
        return value.replace("\0", "\ufffd")
    return bytes(value) if isinstance(value, memoryview) else value


def without_life(rows: Rows) -> Rows:
    """Return rows without what a restore changes: the boards' epochs and how far a backup reaches."""
    names = [column.name for column in boards.columns]
    kept = [place for place, name in enumerate(names) if name not in {"epoch", "durable_seq"}]
    return rows | {"boards": [tuple(row[place] for place in kept) for row in rows["boards"]]}


def heads(database: Database) -> dict[str, tuple[str, int, int]]:
    """Return epoch, seq and durable_seq of each board."""
    with database.engine.execution_options(is_reading=True).begin() as connection:
        rows = connection.execute(boards.select()).all()
    return {row.site_id: (row.epoch, row.seq, row.durable_seq) for row in rows}


def set_board(database: Database, **values: object) -> None:
    """Change every board behind everybody's back."""
    with database.engine.begin() as connection:
        connection.execute(update(boards).values(**values))


def command(name: str, bench: ServerBench | Path, *words: str | Path, url: str = "") -> int:
    """Run ``backup`` or ``restore`` on a bench's data, or on a data folder, and return the exit code."""
    folder, address = (bench.folder, bench.url) if isinstance(bench, ServerBench) else (bench, url)
    given = [str(word) for word in words]
    return main([name, *given, "--data", str(folder), "--database", address])


def opened(folder: Path, bench: ServerBench, url: str = "") -> Database:
    """Open restored data with the clock and the ids of a bench."""
    return open_database(folder, bench.clock, bench.ids, None, url)


def backups_in(folder: Path) -> list[str]:
    """Return the names of what is in a folder of backups, without the digests."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".sha256")


def made_backup(bench: ServerBench, goal: Path) -> Path:
    """Back a bench up into ``goal`` and return the newest file."""
    assert command("backup", bench, "--to", goal) == 0
    return goal / backups_in(goal)[-1]


def flipped(path: Path, places: Iterator[int]) -> None:
    """Flip a bit at each of these places of a file."""
    data = bytearray(path.read_bytes())
    for place in places:
        data[place % len(data)] ^= 1
    path.write_bytes(data)
