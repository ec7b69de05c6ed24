"""A data folder opens, grows with its migrations, and says plainly why it cannot be used."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Boolean, MetaData, text

from databases.postgresql import make_engine, parse_url
from databases.schema import metadata
from databases.statements import insert_rows
from server.database import (
    FILE_NAME,
    _upgrade,
    create_database,
    is_current,
    memory_database,
    open_database,
)
from server.folders import VARIABLE, data_folder
from server.kernel import migrations
from server.kernel.signed import signed, unsigned
from server.modules import MODULES
from support.clocks import CountingIds, FakeClock
from support.golden_server import DEVICE_TOKEN, ORDERS
from support.repository import ROOT
from support.server_bench import ServerBench
from sync.contract.messages import Hello
from sync.contract.problems import ProblemError

GOLDEN = sorted((ROOT / "tests" / "golden" / "server").glob("v*.sqlite"))


def refused(folder: Path) -> str:
    """Open a folder that cannot be opened, and return the code of the problem."""
    with pytest.raises(ProblemError) as caught:
        open_database(folder, FakeClock(), CountingIds())
    assert caught.value.problem.what_to_do
    return caught.value.problem.code


def test_migrations_make_the_tables_of_the_schema(tmp_path: Path) -> None:
    """What alembic built and what the statements are written against are the same."""
    folder = tmp_path / "new" / "folder"
    with (
        create_database(folder, FakeClock(), CountingIds()) as database,
        database.engine.connect() as connection,
    ):
        assert is_current(connection)
        assert MODULES, "modules declare their tables when they are imported"
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_newest_migration_is_the_one_that_is_named() -> None:
    """The name is written down so that starting needs no alembic."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


def test_the_kanban_index_of_the_specification_serves_the_board(tmp_path: Path) -> None:
    """It has its name, its columns, its condition, and the planner takes it."""
    bench = ServerBench(tmp_path)
    bench.close()
    ((sql,),) = bench.raw("SELECT sql FROM sqlite_master WHERE name = 'idx_orders_kanban_status'")
    assert "(organization_id, status, created_at DESC)" in sql
    assert "deleted_at IS NULL AND status IN ('confirmed', 'picking', 'picked', 'shipped')" in sql
    plan = bench.raw(
        "EXPLAIN QUERY PLAN SELECT id FROM orders WHERE organization_id = 'x' AND deleted_at IS NULL"
        " AND status IN ('confirmed', 'picking', 'picked', 'shipped') ORDER BY created_at DESC"
    )
    assert any("idx_orders_kanban_status" in row[3] for row in plan)


def test_the_file_is_durable_and_whole(tmp_path: Path) -> None:
    """Write-ahead log, a sync at every commit, foreign keys held."""
    with (
        create_database(tmp_path, FakeClock(), CountingIds()) as database,
        database.engine.connect() as connection,
    ):
        answers = [
            connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert answers == ["wal", 2, 1]


def test_a_transaction_holds_the_write_lock_from_its_beginning(tmp_path: Path) -> None:
    """Whoever reads the counter row first and writes later must not find another writer in between."""
    with (
        create_database(tmp_path, FakeClock(), CountingIds()) as database,
        closing(sqlite3.connect(tmp_path / FILE_NAME, timeout=0, isolation_level=None)) as other,
    ):
        with database.engine.begin(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        with database.engine.execution_options(is_reading=True).begin() as reading:
            reading.execute(text("SELECT count(*) FROM boards"))
            other.execute("BEGIN IMMEDIATE")


def test_an_empty_folder_is_not_set_up(tmp_path: Path) -> None:
    """Nothing is made by opening."""
    assert refused(tmp_path) == "NOT_SET_UP"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    """A wrong --data scatters no files; what a start that failed left behind is no hindrance."""
    (tmp_path / "logs").mkdir()
    (tmp_path / "photo.jpg").write_bytes(b"")
    with pytest.raises(ProblemError) as caught:
        create_database(tmp_path, FakeClock(), CountingIds())
    assert caught.value.problem.code == "NOT_OUR_FOLDER"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["logs", "photo.jpg"]
    (tmp_path / "photo.jpg").unlink()
    create_database(tmp_path, FakeClock(), CountingIds()).close()


def test_the_data_is_not_for_everybody(tmp_path: Path) -> None:
    """Customers and hashes: whatever the folder's permissions are, others cannot read the file."""
    create_database(tmp_path, FakeClock(), CountingIds()).close()
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o007 == 0


def test_a_foreign_database_is_left_alone(tmp_path: Path) -> None:
    """Another program's tables are not ours to add to."""
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("CREATE TABLE theirs (id)")
        connection.commit()
    assert refused(tmp_path) == "NOT_OUR_FOLDER"
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Without a traceback, and without changing it."""
    (tmp_path / FILE_NAME).write_bytes(b"no database at all" * 100)
    assert refused(tmp_path) == "FOLDER_UNUSABLE"
    assert (tmp_path / FILE_NAME).read_bytes() == b"no database at all" * 100


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Here because a file is in its way."""
    (tmp_path / "file").write_text("x")
    with pytest.raises(ProblemError) as caught:
        create_database(tmp_path / "file" / "folder", FakeClock(), CountingIds())
    assert caught.value.problem.code == "FOLDER_UNUSABLE"
    assert caught.value.problem.sentence.endswith("cannot be used: Not a directory.")


@pytest.mark.parametrize("version", ["9999", "0000", "00015", "0\x01", "019b6e02-8ea0"])
def test_data_of_a_newer_release_is_refused(tmp_path: Path, version: str) -> None:
    """An older program would not know what it breaks; nor does it know what a disk made of the number."""
    create_database(tmp_path, FakeClock(), CountingIds()).close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
        connection.commit()
    assert refused(tmp_path) == "NEWER_DATA"


def carry_over(golden: Path, url: str) -> None:
    """Make the tables of a golden file's release in an empty PostgreSQL, and put its rows into them."""
    engine = make_engine(parse_url(url))
    with closing(sqlite3.connect(golden)) as old, engine.connect() as connection:
        ((release,),) = old.execute("SELECT version_num FROM alembic_version")
        _upgrade(connection, release)
        connection.commit()
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name == "alembic_version":
                continue
            columns = ", ".join(column.name for column in table.columns)
            rows = [
                {
                    column.name: bool(value) if isinstance(column.type, Boolean) else value
                    for column, value in zip(table.columns, row, strict=True)
                }
                for row in old.execute(f"SELECT {columns} FROM {table.name}")
            ]
            insert_rows(connection, table, rows)
        connection.commit()
    engine.dispose()


@pytest.mark.parametrize("place", ["sqlite", "postgresql"])
@pytest.mark.parametrize("golden", GOLDEN, ids=lambda path: path.stem)
def test_data_of_every_release_opens(
    golden: Path, place: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Its orders are there, its devices sign in, its clients continue, and it takes new operations."""
    bench = ServerBench.__new__(ServerBench)
    bench.folder, bench.clock, bench.ids, bench.url = tmp_path, FakeClock(), CountingIds(1_000_000), ""
    if place == "postgresql":
        bench.url = request.getfixturevalue("empty_postgresql_url")
        carry_over(golden, bench.url)
    else:
        shutil.copyfile(golden, tmp_path / FILE_NAME)
    with open_database(tmp_path, bench.clock, bench.ids, url=bench.url) as database:
        bench.database = database
        bench.site = database.identities.choose_site()
        ana = bench.sign_ins().sign_in("here", DEVICE_TOKEN).principal
        snapshot = database.copies.snapshot(bench.site.key, "device-1")
        assert (snapshot.snapshot.orders, snapshot.decided_device_seq) == (ORDERS + 1, 3)
        hello = Hello(
            1, 1, "1.0", "device-1", 4, snapshot.snapshot.epoch, ORDERS + 3, snapshot.snapshot.state_hash
        )
        joined = database.store.join(ana, hello)
        assert (joined.needs_snapshot, joined.decided_device_seq) == (False, 3)
        bench.import_orders(1, first=500)
        assert database.reader.head(bench.site.key).seq == ORDERS + 4
        assert bench.raw("SELECT count(*) FROM order_search") == [(ORDERS + 2,)]


def test_there_is_a_golden_file_and_it_is_small() -> None:
    """One for each release that changed the tables."""
    assert GOLDEN
    assert all(path.stat().st_size < 100_000 for path in GOLDEN)


def test_a_database_in_memory_is_like_one_on_disk() -> None:
    """Simulations run on it."""
    with memory_database(FakeClock(), CountingIds()) as database:
        site = database.identities.ensure_site("Organization", "Main", "Europe/London")
        assert database.reader.head(site.key).seq == 0


def test_the_data_folder_is_the_option_the_environment_or_the_users(tmp_path: Path) -> None:
    """In this order."""
    environment = {VARIABLE: str(tmp_path / "env"), "XDG_DATA_HOME": str(tmp_path / "home")}
    assert data_folder(tmp_path / "option", environment) == tmp_path / "option"
    assert data_folder(None, environment) == tmp_path / "env"
    del environment[VARIABLE]
    assert data_folder(None, environment) == tmp_path / "home" / "fulfillment-kanban-server"
    assert data_folder(None, {}).is_absolute()


@pytest.mark.parametrize("value", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_hashes_survive_a_signed_column(value: int) -> None:
    """All 64 bits."""
    assert -(2**63) <= signed(value) < 2**63
    assert unsigned(signed(value)) == value


def test_an_emptied_file_is_not_begun_anew(tmp_path: Path) -> None:
    """SQLite would make an empty server of it and delete the log; only a setup may, where there is no log."""
    folder = tmp_path / "data"
    create_database(folder, FakeClock(), CountingIds()).close()
    log = folder / f"{FILE_NAME}-wal"
    (folder / FILE_NAME).write_bytes(b"")
    log.write_bytes(b"what terminals were promised")
    assert refused(folder) == "FOLDER_UNUSABLE"
    with pytest.raises(ProblemError, match="the file is empty"):
        create_database(folder, FakeClock(), CountingIds())
    assert log.read_bytes() == b"what terminals were promised"
    log.unlink()
    assert refused(folder) == "FOLDER_UNUSABLE"
    create_database(folder, FakeClock(), CountingIds()).close()
