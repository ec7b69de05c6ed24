"""PostgreSQL behind the stores: its address, its transactions, its refusals, and the lock of migrations.

Nothing is prepared by name and nothing is kept in a session, so PgBouncer may stand between in
transaction mode. Loaded only when an address of PostgreSQL is given.

Errors (``ProblemError``): ``DATABASE_URL_INVALID``, ``DATABASE_UNREACHABLE``, ``DATABASE_UNUSABLE``,
``DATABASE_BUSY``, ``DRIVER_MISSING``. No sentence holds the address as it was given: a password may be in it.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from databases.statements import lock_key
from sync.contract.problems import ProblemError, UsageError

OLDEST: Final = 14
"""The oldest release of PostgreSQL that is taken."""
CONNECTIONS: Final = 8
LOCK_WAIT: Final = "30s"
"""How long a writer waits for another's row before it gives up."""
MIGRATION_WAIT_S: Final = 600.0
_SCHEMES: Final = frozenset({"postgres", "postgresql"})
_DEFAULTS: Final = {
    "application_name": "fulfillment-kanban-server",
    "client_encoding": "utf8",
    "connect_timeout": "10",
    # A database server that is gone without a word is noticed within a minute.
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""What libpq is told unless the address says otherwise."""
_READ: Final = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_WRITE: Final = f"BEGIN; SET LOCAL lock_timeout = '{LOCK_WAIT}'"
_TRY: Final = f"SELECT pg_try_advisory_xact_lock({lock_key('migrations')})"
_REASONS: Final = (r"(?:FATAL|ERROR):\s*(.+)", r".*failed: (.+)", r"(.+)")
"""Where the reason stands in what libpq said, the best place first."""


def parse_url(given: str) -> URL:
    """Return the address for SQLAlchemy; raises DATABASE_URL_INVALID with nothing of it in the sentence."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise _invalid("It is no address.") from None
    if url.drivername not in _SCHEMES:
        raise _invalid("It does not begin with postgresql://.")
    if given.count("@") > 1:
        raise _invalid("There is more than one @ in it; within a name or a password it is written %40.")
    if not url.database:
        raise _invalid("It names no database.")
    query = {**_DEFAULTS, **url.query}
    return url.set(drivername="postgresql+psycopg", query=query)


def _invalid(why: str) -> UsageError:
    return UsageError(
        "DATABASE_URL_INVALID",
        f"The address of the database cannot be used. {why}",
        "Write it like postgresql://kanban@db.example.org/kanban.",
    )


def make_engine(url: URL, **options: Any) -> Engine:  # noqa: ANN401 - what create_engine takes
    """Return an engine; nothing is connected yet."""
    arguments = {"prepare_threshold": None}
    try:
        # Parameters are orders and people: they must not reach the text of an error.
        engine = create_engine(url, hide_parameters=True, connect_args=arguments, **options)
    except (ModuleNotFoundError, NoSuchModuleError):
        raise ProblemError(
            "DRIVER_MISSING",
            "What speaks with PostgreSQL is not installed.",
            "Install the package psycopg[binary], or this program with its extra server-postgresql.",
        ) from None
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    event.listen(engine, "before_cursor_execute", _without_nul, retval=True)
    return engine


def open_engine(url: URL) -> Engine:
    """Return the engine of the stores; a connection that broke while it lay idle is replaced unnoticed."""
    return make_engine(url, pool_size=CONNECTIONS, max_overflow=CONNECTIONS, pool_pre_ping=True)


def _prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - psycopg's, which is not imported here
    # We begin transactions with our own words, in one round trip with what belongs to them.
    connection.autocommit = True


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql(_READ if options.get("is_reading", False) else _WRITE)


def _without_nul(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: Any,  # noqa: ANN401 - names or places to values, or a list of those
    _context: object,
    _is_many: bool,
) -> tuple[str, Any]:
    """Replace the one character that PostgreSQL's text cannot hold; an order's own bytes keep it."""
    return statement, _storable(parameters)


def _storable(value: Any) -> Any:  # noqa: ANN401 - a parameter, or a collection of them
    if isinstance(value, str):
        return value.replace("\0", "\ufffd") if "\0" in value else value
    if isinstance(value, dict):
        return {name: _storable(each) for name, each in value.items()}
    if isinstance(value, tuple):
        return tuple(_storable(each) for each in value)
    if isinstance(value, list) and _has_nul(value):
        return [_storable(each) for each in value]
    return value


def _has_nul(column: list[Any]) -> bool:
    """Look into a column of a batch, all of it text or none; of a list of rows each has to be looked into."""
    given = [each for each in column if each is not None]
    if not given or not isinstance(given[0], str):
        return bool(given) and isinstance(given[0], dict | tuple)
    return "\0" in "".join(given)


def check_server(connection: Connection) -> None:
    """Refuse a server that is too old, or a database that cannot hold every character."""
    found = int(str(connection.execute(text("SHOW server_version_num")).scalar())) // 10_000
    if found < OLDEST:
        raise ProblemError(
            "DATABASE_UNUSABLE",
            f"This PostgreSQL is of release {found}; {OLDEST} is the oldest that works.",
            "Upgrade it, or choose another with --database.",
        )
    encoding = connection.execute(text("SHOW server_encoding")).scalar()
    if encoding != "UTF8":
        raise ProblemError(
            "DATABASE_UNUSABLE",
            f"This database holds its text as {encoding}, which lacks characters that orders have.",
            "Make a database with the encoding UTF8.",
        )


@contextlib.contextmanager
def alone(url: URL) -> Iterator[None]:
    """Hold the lock of migrations for the length of the block, in a transaction that does nothing else.

    It is tried, not waited for: a statement that waits holds a snapshot, and CREATE INDEX CONCURRENTLY of
    the one who migrates would wait for that for ever.
    """
    engine = make_engine(url, pool_size=1)
    deadline = time.monotonic() + MIGRATION_WAIT_S
    try:
        while True:
            with engine.begin() as connection:
                # Without parameters: a statement that has some keeps its snapshot until the next one.
                if connection.exec_driver_sql(_TRY).scalar():
                    yield
                    return
            if time.monotonic() > deadline:
                raise ProblemError(
                    "DATABASE_BUSY",
                    "Another program is still bringing the tables of this database up to date.",
                    "Wait until it is done, then try again.",
                )
            time.sleep(0.1)
    finally:
        engine.dispose()


def place(url: URL) -> str:
    """Return where a database is, without user and password."""
    return f"the database {url.database} at {url.host or url.query.get('host') or 'this machine'}"


def refusal(url: URL, error: DBAPIError) -> ProblemError:
    """Return a sentence for what PostgreSQL said when the database was opened."""
    said = str(error.orig).strip()
    found = next(filter(None, (re.search(pattern, said) for pattern in _REASONS)), None)
    reason = found[1].strip().rstrip(".") if found else "no reason was given"
    where = place(url)
    if getattr(error.orig, "sqlstate", None):
        return ProblemError(
            "DATABASE_UNUSABLE",
            f"T{where[1:]} cannot be used: {reason}.",
            "Check the rights of its role, or choose another with --database.",
        )
    return ProblemError(
        "DATABASE_UNREACHABLE",
        f"T{where[1:]} cannot be reached: {reason}.",
        "Check host, port, name, user and password of --database, and that PostgreSQL runs.",
    )
