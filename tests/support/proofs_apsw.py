"""An apsw connection in the shape of a ``sqlite3`` one, so that our stores write through another disk.

It has what ``Outbox``, ``Cache`` and SQLAlchemy's SQLite dialect use, and raises ``sqlite3``'s own
errors with SQLite's codes. Results are read whole at once.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

import apsw

Values = Sequence[Any] | Mapping[str, Any]
_KINDS: Final[tuple[tuple[type[apsw.Error], type[sqlite3.Error]], ...]] = (
    (apsw.ConstraintError, sqlite3.IntegrityError),
    (apsw.CorruptError, sqlite3.DatabaseError),
    (apsw.NotADBError, sqlite3.DatabaseError),
)
_WORDS: Final = {
    sqlite3.SQLITE_FULL: "database or disk is full",
    sqlite3.SQLITE_IOERR: "disk I/O error",
    sqlite3.SQLITE_CANTOPEN: "unable to open database file",
}


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise what ``sqlite3`` would raise."""
    try:
        yield
    except apsw.Error as error:
        known = (ours for theirs, ours in _KINDS if isinstance(error, theirs))
        code = getattr(error, "extendedresult", sqlite3.SQLITE_ERROR)
        raised = next(known, sqlite3.OperationalError)(str(error) or _WORDS.get(code & 0xFF, "an error"))
        raised.sqlite_errorcode = code
        raise raised from error


class Cursor:
    """A cursor that has read everything."""

    arraysize = 1
    lastrowid: int | None = None

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[tuple[Any, ...]] = []
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1

    def execute(self, statement: str, values: Values = ()) -> Cursor:
        """Run a statement and keep its rows."""
        cursor = self._connection.apsw.cursor()
        described: list[tuple[Any, ...]] = []

        def trace(cursor: apsw.Cursor, _statement: str, _values: object) -> bool:
            described.extend((column[0], column[1], *(None,) * 5) for column in cursor.get_description())
            return True

        cursor.exec_trace = trace
        before = self._connection.apsw.total_changes()
        with translated():
            self._rows = list(cursor.execute(statement, values or None))
        self.description = tuple(described) or None
        has_changed = self._connection.apsw.total_changes() != before
        self.rowcount = self._connection.apsw.changes() if has_changed else -1 if described else 0
        return self

    def executemany(self, statement: str, sequence: Iterable[Values]) -> Cursor:
        """Run a statement for each set of values."""
        count = 0
        for values in sequence:
            count += max(0, self.execute(statement, values).rowcount)
        self.rowcount = count
        return self

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return the rows that are left."""
        rows, self._rows = self._rows, []
        return rows

    def fetchmany(self, size: int = 1) -> list[tuple[Any, ...]]:
        """Return some rows."""
        rows, self._rows = self._rows[:size], self._rows[size:]
        return rows

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.fetchall())

    def close(self) -> None:
        """Forget the rows."""
        self._rows = []


class Connection:
    """What our stores use of a connection without implicit transactions."""

    isolation_level: str | None = None

    def __init__(self, path: str, vfs: str, timeout_s: float = 0.5) -> None:
        with translated():
            self.apsw = apsw.Connection(path, vfs=vfs)
        self.apsw.set_busy_timeout(int(timeout_s * 1000))

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction is open."""
        return self.apsw.in_transaction

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        return Cursor(self)

    def execute(self, statement: str, values: Values = ()) -> Cursor:
        """Run a statement."""
        return self.cursor().execute(statement, values)

    def executemany(self, statement: str, sequence: Iterable[Values]) -> Cursor:
        """Run a statement for each set of values."""
        return self.cursor().executemany(statement, sequence)

    def create_function(self, *_: object, **__: object) -> None:
        """SQLAlchemy offers regular expressions; nobody here asks for them."""

    def commit(self) -> None:
        """End the transaction, if there is one."""
        if self.in_transaction:
            self.execute("COMMIT")

    def rollback(self) -> None:
        """Give the transaction up, if there is one."""
        if self.in_transaction:
            self.execute("ROLLBACK")

    def close(self) -> None:
        """Close the file; a checkpoint that fails is left to the next start, as in ``sqlite3``."""
        with contextlib.suppress(apsw.Error):
            self.apsw.close(force=True)


def dbapi(connect: Callable[[str], Connection]) -> SimpleNamespace:
    """Return a module for ``create_engine(module=...)`` whose connections come from ``connect``."""
    names = ("paramstyle", "sqlite_version_info", "sqlite_version", "PARSE_COLNAMES", "PARSE_DECLTYPES")
    errors: tuple[str, ...] = (
        "Error",
        "Warning",
        "InterfaceError",
        "DatabaseError",
        "DataError",
        "OperationalError",
    )
    errors = (*errors, "IntegrityError", "InternalError", "ProgrammingError", "NotSupportedError")
    same = {name: getattr(sqlite3, name) for name in (*names, *errors, "Binary")}
    return SimpleNamespace(connect=lambda path, **_: connect(path), **same)
