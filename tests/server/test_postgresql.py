"""PostgreSQL by its address: opened, refused in one sentence, held in common, and lost and found again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import JSON, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

import server.modules  # noqa: F401 - declares the tables of the modules
from databases import postgresql
from databases.schema import metadata
from databases.statements import serialise
from server.database import create_database, open_database
from server.folders import DATABASE_VARIABLE, database_url
from server.kernel.migrations.building import add_index
from server.main import main
from support.clocks import CountingIds, FakeClock
from support.postgres_cluster import PASSWORD, ROLE, Postgres
from support.server_bench import ServerBench, create, numbered
from support.waiting import eventually
from sync.contract.operations import Move
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

SECRET = "do-not-show"


@pytest.fixture
def bench(tmp_path: Path, postgresql_url: str) -> Iterator[ServerBench]:
    """A site on PostgreSQL."""
    bench = ServerBench(tmp_path / "data", url=postgresql_url)
    yield bench
    bench.close()


def refused(url: str, *, may_make: bool = False) -> str:
    """Open an address that cannot be opened, and return the line that a person reads."""
    function = create_database if may_make else open_database
    with pytest.raises(ProblemError) as caught:
        function(Path("/nowhere"), FakeClock(), CountingIds(), url=url)
    line = caught.value.problem.line()
    assert "\n" not in line
    assert caught.value.problem.what_to_do
    assert SECRET not in line
    assert PASSWORD not in line
    return line


def over_tcp(postgres: Postgres, url: str, **fields: object) -> str:
    """Return the address of the same database over TCP, with other fields."""
    if postgres.loopback is None:
        pytest.skip("another server than our own is given: its passwords are not known")
    loopback = postgres.loopback.set(database=make_url(url).database)
    return loopback.set(**fields).render_as_string(hide_password=False)  # type: ignore[arg-type]


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://kanban:{SECRET}@db/kanban",
        f"kanban:{SECRET}@db/kanban",
        f"postgresql://kanban:{SECRET}@db",
        f"postgresql://kanban:{SECRET}@{SECRET}@db/kanban",
        f"postgresql://kanban:{SECRET}@db:port/kanban",
        "server.sqlite",
    ],
)
def test_what_is_no_address_of_postgresql_is_a_usage_error(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is connected; nothing of it is repeated, because a password may be in it."""
    assert refused(url).endswith("[DATABASE_URL_INVALID]")
    assert main(["user", "list", "--database", url]) == 2
    assert SECRET not in capsys.readouterr().err


def test_the_address_is_the_option_or_the_environment() -> None:
    """The environment keeps a password out of the list of processes; an empty option means the file."""
    environment = {DATABASE_VARIABLE: "postgresql://db/kanban"}
    assert database_url("postgresql://other/kanban", environment) == "postgresql://other/kanban"
    assert database_url(None, environment) == "postgresql://db/kanban"
    assert database_url("", environment) == database_url(None, {}) == ""


def test_the_address_may_say_more_than_we_do() -> None:
    """What libpq can be told is passed on, and counts before our own values."""
    url = postgresql.parse_url("postgres://db/kanban?connect_timeout=3&sslmode=require")
    assert (url.drivername, url.query["connect_timeout"], url.query["sslmode"]) == (
        "postgresql+psycopg",
        "3",
        "require",
    )


# ---------------------------------------------------------------- opening


def test_a_server_that_is_not_there_is_named() -> None:
    """Host and database, but neither user nor password."""
    line = refused(f"postgresql://kanban:{SECRET}@127.0.0.1:1/stock?connect_timeout=2")
    assert line.startswith("The database stock at 127.0.0.1 cannot be reached: ")
    assert "cannot be reached: Connection refused. Check" in line
    assert "[DATABASE_UNREACHABLE]" in line


def test_a_host_that_nobody_knows_is_named() -> None:
    """In the words of the system."""
    assert "[DATABASE_UNREACHABLE]" in refused("postgresql://kanban@no-such-host.invalid/stock")


def test_a_wrong_password_is_said_and_not_shown(postgres: Postgres, postgresql_url: str) -> None:
    """The right one lets in, with every character that an address must escape."""
    right = over_tcp(postgres, postgresql_url)
    open_database(Path("/nowhere"), FakeClock(), CountingIds(), url=right).close()
    line = refused(over_tcp(postgres, postgresql_url, password=SECRET))
    assert f'cannot be reached: password authentication failed for user "{ROLE}". Check' in line
    assert "[DATABASE_UNREACHABLE]" in line


def test_a_database_that_is_not_there_is_named(postgresql_url: str) -> None:
    """It is not made: that is for who may."""
    line = refused(make_url(postgresql_url).set(database="nothing").render_as_string(hide_password=False))
    assert 'cannot be reached: database "nothing" does not exist. Check' in line


def test_an_empty_database_is_not_set_up(empty_postgresql_url: str, postgres: Postgres) -> None:
    """Nothing is made by opening."""
    assert refused(empty_postgresql_url).endswith("Run the command setup first. [NOT_SET_UP]")
    assert postgres.ask("SELECT count(*) FROM pg_class WHERE relname = 'orders'", empty_postgresql_url) == [
        (0,)
    ]


def test_the_tables_of_others_are_left_alone(empty_postgresql_url: str) -> None:
    """Also those of somebody who uses alembic."""
    with psycopg.connect(empty_postgresql_url) as theirs:
        theirs.execute("CREATE TABLE alembic_version (version_num text)")
        theirs.execute("INSERT INTO alembic_version VALUES ('0001')")
    line = refused(empty_postgresql_url, may_make=True)
    assert "belong to another program. Nothing has been changed." in line
    assert "[NOT_OUR_DATABASE]" in line
    with psycopg.connect(empty_postgresql_url) as theirs:
        found = theirs.execute("SELECT relname FROM pg_stat_user_tables").fetchall()
    assert found == [("alembic_version",)]


def test_a_role_that_may_make_no_tables_is_told(postgres: Postgres, empty_postgresql_url: str) -> None:
    """In the server's own words; the guide says which rights are needed."""
    if postgres.loopback is None:
        pytest.skip("another server than our own is given: there may be one role only")
    postgres.ask("ALTER SCHEMA public OWNER TO CURRENT_USER", empty_postgresql_url)
    line = refused(empty_postgresql_url, may_make=True)
    assert "cannot be used: permission denied for schema public. Check the rights" in line
    assert "[DATABASE_UNUSABLE]" in line


def test_data_of_a_newer_release_is_refused(postgresql_url: str) -> None:
    """An older program would not know what it breaks."""
    with psycopg.connect(postgresql_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    assert "[NEWER_DATA]" in refused(postgresql_url, may_make=True)


def test_an_old_server_is_refused(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its release and the one that is needed."""
    monkeypatch.setattr(postgresql, "OLDEST", 999)
    assert "999 is the oldest that works" in refused(postgresql_url)


def test_a_database_that_cannot_hold_every_character_is_refused(
    postgres: Postgres, empty_postgresql_url: str
) -> None:
    """An order from Łódź would be refused one day."""
    name = f"{make_url(empty_postgresql_url).database}_ascii"
    words = "TEMPLATE template0 ENCODING SQL_ASCII LOCALE_PROVIDER libc LOCALE 'C'"
    postgres.ask(f'CREATE DATABASE "{name}" OWNER "{make_url(empty_postgresql_url).username}" {words}')
    url = make_url(empty_postgresql_url).set(database=name).render_as_string(hide_password=False)
    try:
        assert "encoding UTF8" in refused(url, may_make=True)
    finally:
        postgres.drop(url)


def test_a_missing_driver_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server installs without it."""
    monkeypatch.setitem(__import__("sys").modules, "psycopg", None)
    assert "[DRIVER_MISSING]" in refused("postgresql://db/kanban")


# ---------------------------------------------------------------- tables


def is_another_type(
    _context: object, _column: object, _its: object, found: TypeEngine[Any], wanted: TypeEngine[Any]
) -> bool | None:
    """Let JSONB count as JSON: naming it in the schema would load the dialect on SQLite, too."""
    return False if isinstance(found, JSON) and isinstance(wanted, JSON) else None


def is_of_both_databases(name: str | None, _kind: str, _parents: object) -> bool:
    """Leave out what only PostgreSQL needs: its own indexes sort as people sort."""
    return name != "idx_orders_range"


def test_migrations_make_the_tables_of_the_schema(postgresql_url: str) -> None:
    """What alembic built and what the statements are written against are the same here, too."""
    engine = create_engine(make_url(postgresql_url).set(drivername="postgresql+psycopg"))
    with engine.connect() as connection:
        opts = {"compare_type": is_another_type, "include_name": is_of_both_databases}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_servers_that_start_at_once_migrate_once(empty_postgresql_url: str, tmp_path: Path) -> None:
    """The lock lets one make the tables; the others find them."""
    errors: list[BaseException] = []

    def start() -> None:
        try:
            create_database(tmp_path, FakeClock(), CountingIds(), url=empty_postgresql_url).close()
        except Exception as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []


def test_an_index_is_added_while_somebody_waits_for_the_lock(bench: ServerBench, tmp_path: Path) -> None:
    """CONCURRENTLY waits for statements that wait: who wants to migrate next must not be one."""
    url = postgresql.parse_url(bench.url)
    bench.raw("UPDATE alembic_version SET version_num = '0001'")
    threads: list[threading.Thread] = []

    def wait_for_the_lock() -> None:
        # It fails on the tables that are there already, after it had the lock.
        with pytest.raises(ProblemError):
            create_database(tmp_path, FakeClock(), CountingIds(), url=bench.url).close()

    engine = postgresql.make_engine(url)
    try:
        with postgresql.alone(url), engine.connect() as connection:
            threads.append(threading.Thread(target=wait_for_the_lock))
            threads[0].start()
            context = MigrationContext.configure(
                connection, opts={"transaction_per_migration": True, "transactional_ddl": True}
            )
            for _ in range(2):  # what is left of a build that was cut off is built again
                with context.begin_transaction(_per_migration=True), Operations.context(context):
                    add_index(
                        "idx_trial", "orders", ["site_id", "created_at DESC"], where="deleted_at IS NULL"
                    )
    finally:
        threads[0].join(30)
        engine.dispose()
    ((sql,),) = bench.raw("SELECT indexdef FROM pg_indexes WHERE indexname = 'idx_trial'")
    assert sql.endswith("(site_id, created_at DESC) WHERE (deleted_at IS NULL)")
    assert bench.raw("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_trial'::regclass") == [(True,)]


def test_migrations_that_take_too_long_elsewhere_are_said(
    bench: ServerBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than a start that hangs."""
    monkeypatch.setattr(postgresql, "MIGRATION_WAIT_S", 0.0)
    url = postgresql.parse_url(bench.url)
    bench.raw("UPDATE alembic_version SET version_num = '0001'")
    with postgresql.alone(url):
        assert "[DATABASE_BUSY]" in refused(bench.url)


# ---------------------------------------------------------------- transactions


def test_a_read_cannot_write(bench: ServerBench) -> None:
    """And sees one moment from its beginning to its end."""
    with bench.reading.begin() as connection:
        count = text("SELECT count(*) FROM users")
        before = connection.execute(count).scalar()
        bench.database.identities.add_user(bench.site.key, "Joy", "picker")
        assert connection.execute(count).scalar() == before
    with pytest.raises(DBAPIError, match="read-only"), bench.reading.begin() as connection:
        connection.execute(text("DELETE FROM tokens"))


def test_nothing_is_kept_in_a_session(bench: ServerBench) -> None:
    """A pooler may give every transaction another session: nothing is prepared, locked or set for long."""
    ana = bench.principal()
    bench.join(ana)
    for number in range(1, 12):
        bench.commit(ana, create(number, f"order-{number}"))
    with bench.database.engine.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar() == 0
        assert connection.execute(text("SHOW lock_timeout")).scalar() == postgresql.LOCK_WAIT
    session = bench.database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with session.connect() as connection:
        assert connection.execute(text("SHOW lock_timeout")).scalar() == "0"
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    assert bench.raw(held) == [(0,)]


def kill_everybody(bench: ServerBench) -> None:
    """End all sessions of the bench's database, as a restart of the server would."""
    bench.raw(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_connections_that_were_cut_between_batches_are_not_noticed(bench: ServerBench) -> None:
    """The next commit and the next read are on new ones."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    kill_everybody(bench)
    assert bench.commit(ana, numbered(2, Move(Stage.PICKING))).seq == 2
    kill_everybody(bench)
    assert bench.database.reader.head(bench.site.key).seq == 2


@pytest.mark.parametrize("point", ["before_write", "before_fsync", "after_commit"])
def test_a_connection_that_is_cut_within_a_batch_costs_nothing(
    tmp_path: Path, postgresql_url: str, point: str
) -> None:
    """The transaction is done once more; its operations are decided once."""
    cut: list[str] = []

    class CutOnce:
        """Ends all sessions at one point, once."""

        def at(self, name: str) -> None:
            if name == point and not cut:
                cut.append(name)
                kill_everybody(board)

    board = ServerBench(tmp_path / "data", CutOnce(), postgresql_url)
    ana = board.principal()
    board.join(ana)
    done = board.commit(ana, create(1), numbered(2, Move(Stage.PICKING)))
    assert cut == [point]
    assert done.seq == 2
    assert [verdict.seq for verdict in done.verdicts if verdict] == [1, 2]
    assert board.raw("SELECT count(*) FROM operation_log") == [(2,)]
    board.close()


def test_what_another_transaction_made_first_is_found_the_second_time(bench: ServerBench) -> None:
    """Two sites bring the same order at once: one makes it, the other hears that it is there."""
    other = bench.crowd("Organization", "Second")
    done: list[object] = []
    with psycopg.connect(bench.url) as blocker:
        # Both wait for the same customer, so both looked before either wrote.
        blocker.execute("LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE")
        threads = [
            threading.Thread(target=lambda site=site: done.append(bench.import_orders(1, site)))
            for site in (bench.site, other)
        ]
        for thread in threads:
            thread.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        eventually(lambda: blocker.execute(waiting).fetchone() == (2,), 10, "two that wait")
    for thread in threads:
        thread.join(20)
    assert len(done) == 2
    assert bench.raw("SELECT count(*) FROM orders") == [(1,)]
    assert ("applied",) in bench.raw("SELECT outcome FROM operation_log")
    assert bench.raw("SELECT count(*) FROM operation_log") == [(2,)]


def test_names_are_taken_one_after_the_other(bench: ServerBench) -> None:
    """Whoever looks and then takes a name waits for the other who does."""
    order: list[str] = []

    def second() -> None:
        with bench.database.engine.begin() as connection:
            serialise(connection, "trial")
            order.append("second")

    with bench.database.engine.begin() as connection:
        serialise(connection, "trial")
        thread = threading.Thread(target=second)
        thread.start()
        eventually(lambda: bench.raw("SELECT count(*) FROM pg_locks WHERE NOT granted") == [(1,)])
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
