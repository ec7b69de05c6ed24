"""The database, its migrations, and the stores over it: one SQLite file in the data folder, or PostgreSQL.

On SQLite the write lock is the lock of everything: migrations, commits and sign-ins begin with BEGIN
IMMEDIATE, so two processes on one folder wait for each other and a crash leaves nothing half-written. What
PostgreSQL does differently is in ``databases/postgresql.py``, which is loaded for an address only.

Errors (``ProblemError``): ``NOT_SET_UP``, ``NOT_OUR_FOLDER``, ``NOT_OUR_DATABASE``, ``FOLDER_UNUSABLE``,
``NEWER_DATA``, ``DATA_IN_USE``, and those of an address.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, DBAPIError
from sqlalchemy.pool import StaticPool

from server import folders
from server.board_copies import BoardCopies
from server.cut_offs.rows import Calendars
from server.hints import hints_of
from server.identities import Identities
from server.interface import search_rows
from server.kernel import migrations
from server.kernel.board_reader import BoardReader
from server.kernel.store import Store
from sync.contract.ports import Clock, FaultHook, Ids, NoFaults
from sync.contract.problems import ProblemError

FILE_NAME: Final = "server.sqlite"
BUSY_TIMEOUT_MS: Final = 30_000
"""How long a writer waits for another process's transaction before it gives up."""
_HARMLESS: Final = frozenset({"logs", "lost+found"})
"""What may lie in a folder before its data: the log of a start that failed, a disk of its own."""
_PRAGMAS: Final = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -4000",
)


class Database:
    """One open database; ``place`` says to people where it is."""

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        ids: Ids,
        faults: FaultHook,
        place: str = "",
        lock: int | None = None,
    ) -> None:
        """Make the stores over ``engine``; ``lock`` is that of its data folder."""
        reading = engine.execution_options(is_reading=True)
        self.engine = engine
        self.place = place
        self._lock = lock
        self.reader = BoardReader(reading, clock)
        self.copies = BoardCopies(reading)
        self.hints = hints_of(engine)
        self.store = Store(
            engine,
            self.reader,
            clock,
            ids,
            faults,
            cut_offs=Calendars(),
            written=search_rows.write,
            committed=self.hints.tell,
        )
        self.identities = Identities(engine, reading, clock, ids)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        folders.unlock(self._lock)
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_database(
    folder: Path, clock: Clock, ids: Ids, faults: FaultHook | None = None, url: str = ""
) -> Database:
    """Open what ``setup`` made in the data folder, or in the database at ``url``; its tables are updated."""
    if url:
        return _on_postgresql(url, clock, ids, faults, may_make=False)
    path = folder / FILE_NAME
    if not path.is_file():
        raise _not_set_up(f"There is no server data in {folder}.")
    _refuse_emptied(path, is_log_needed=False)
    return _opened(path, clock, ids, faults or NoFaults())


def create_database(
    folder: Path, clock: Clock, ids: Ids, faults: FaultHook | None = None, url: str = ""
) -> Database:
    """Open the data folder or the database at ``url``, and make what is not there yet."""
    if url:
        return _on_postgresql(url, clock, ids, faults, may_make=True)
    try:
        make_folder(folder)
        if not (folder / FILE_NAME).exists():
            check_empty(folder)
            # Customers and hashes: not for everybody, wherever the folder lies. SQLite's other files follow.
            (folder / FILE_NAME).touch(mode=0o640)
    except OSError as error:
        raise _unusable(folder, error) from error
    _refuse_emptied(folder / FILE_NAME, is_log_needed=True)
    return _opened(folder / FILE_NAME, clock, ids, faults or NoFaults())


def _refuse_emptied(path: Path, *, is_log_needed: bool) -> None:
    """Refuse a file without content: SQLite would take it for a new one and throw its log away."""
    if path.stat().st_size == 0 and (not is_log_needed or path.with_name(f"{FILE_NAME}-wal").exists()):
        raise _unusable(path, ValueError("the file is empty"))


def make_folder(folder: Path) -> None:
    """Make the data folder when it is not there; with PostgreSQL it holds logs and other files only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o750)


def check_empty(folder: Path, ours: str = "") -> None:
    """Refuse a folder with somebody else's things: a wrong ``--data`` must not scatter files there.

    What begins with one of the words ``ours`` is not somebody else's.
    """
    names = {entry.name for entry in folder.iterdir()} - _HARMLESS
    if any(not name.startswith(tuple(ours.split())) for name in names):
        raise ProblemError(
            "NOT_OUR_FOLDER",
            f"{folder} holds other things and no server data. Nothing has been changed.",
            "Choose another folder with --data; a new or an empty one is made into a data folder.",
        )


def memory_database(clock: Clock, ids: Ids, faults: FaultHook | None = None) -> Database:
    """Return a database on one in-memory connection, for simulations and tests."""
    engine = _engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
    migrate(engine)
    return Database(engine, clock, ids, faults or NoFaults())


def _opened(path: Path, clock: Clock, ids: Ids, faults: FaultHook) -> Database:
    lock = folders.lock(path.parent)
    engine = _engine(f"sqlite:///{path}", pool_size=4)
    database = Database(engine, clock, ids, faults, str(path.parent), lock)
    try:
        migrate(engine)
    except ProblemError:
        database.close()
        raise
    except (DatabaseError, OSError, ValueError) as error:
        database.close()
        raise _unusable(path, error) from error
    return database


def _on_postgresql(
    given: str, clock: Clock, ids: Ids, faults: FaultHook | None, *, may_make: bool
) -> Database:
    from databases import postgresql

    url = postgresql.parse_url(given)
    place = postgresql.place(url)
    engine = postgresql.open_engine(url)
    try:
        with engine.execution_options(is_reading=True).connect() as connection:
            postgresql.check_server(connection)
            is_empty = not _names(connection)
            is_done = is_current(connection)
        if is_empty and not may_make:
            raise _not_set_up(f"There is no server data in {place}.")
        if not is_done:
            with postgresql.alone(url), engine.connect() as connection:
                _check_ours(connection, "NOT_OUR_DATABASE", f"The tables in {place}", "--database")
                connection.commit()
                _upgrade(connection)
                connection.commit()
    except DBAPIError as error:
        engine.dispose()
        raise postgresql.refusal(url, error) from None
    except ProblemError:
        engine.dispose()
        raise
    return Database(engine, clock, ids, faults or NoFaults(), place)


def _not_set_up(sentence: str) -> ProblemError:
    return ProblemError("NOT_SET_UP", sentence, "Run the command setup first.")


def _engine(url: str, **options: Any) -> Engine:  # noqa: ANN401 - what create_engine takes
    # Parameters are orders and people: they must not reach the text of an error.
    engine = create_engine(url, hide_parameters=True, **options)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    # The module's own idea of when a transaction begins leaves DDL outside of it.
    connection.isolation_level = None
    with contextlib.closing(connection.cursor()) as cursor:
        for pragma in _PRAGMAS:
            cursor.execute(pragma)


def _begin(connection: Connection) -> None:
    # A transaction that reads first and then writes could not wait for another writer.
    is_reading = connection.get_execution_options().get("is_reading", False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def migrate(engine: Engine) -> None:
    """Run the migrations that this SQLite database has not seen, under its write lock."""
    with engine.execution_options(is_reading=True).connect() as connection:
        if is_current(connection):
            return
    with engine.begin() as connection:
        _check_ours(connection, "NOT_OUR_FOLDER", "The tables of server.sqlite in this folder", "--data")
        if not is_current(connection):
            _upgrade(connection)


def _check_ours(connection: Connection, code: str, what: str, option: str) -> None:
    """Refuse tables of another program, and those of a newer release."""
    found = _version(connection)
    is_ours = found.isdecimal() and len(found) == len(migrations.HEAD) and found > "0000"
    # A word that no release wrote yet, or what a disk made of one: alembic would end in a traceback.
    if found > migrations.HEAD or (found and not is_ours):
        raise ProblemError(
            "NEWER_DATA",
            "The server's data was written by a newer release.",
            "Install that release, or restore the backup made before the upgrade.",
        )
    if not found and _names(connection):
        raise ProblemError(
            code,
            f"{what} belong to another program. Nothing has been changed.",
            f"Choose another with {option}.",
        )


def is_current(connection: Connection) -> bool:
    """Say whether every migration has run."""
    return _version(connection) == migrations.HEAD


def _names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()


def _version(connection: Connection) -> str:
    # Others use alembic too: its table alone does not make a database ours.
    if not {"alembic_version", "operation_log"} <= set(_names(connection)):
        return ""
    return str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or "")


def _upgrade(connection: Connection, release: str = "head") -> None:
    # Loaded only here: a server whose data is up to date does without.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, release)


def _unusable(path: Path, error: Exception) -> ProblemError:
    said = getattr(error, "strerror", None) or error.__cause__ or getattr(error, "orig", None) or error
    reason = str(said).splitlines()[0]
    return ProblemError(
        "FOLDER_UNUSABLE",
        f"The server's data at {path} cannot be used: {reason}.",
        "Check the folder, its permissions and the free space, or choose another with --data.",
    )
