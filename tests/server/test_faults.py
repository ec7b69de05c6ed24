"""A failed transaction is the data's fault or the database's, and what happens next depends on it."""

from __future__ import annotations

import sqlite3

import pytest
from sqlalchemy import exc

from server.faults import is_of_the_data
from sync.contract.problems import ProblemError


class PostgresError(Exception):
    """What a driver of PostgreSQL raises."""

    def __init__(self, sqlstate: str) -> None:
        """Carry the code that PostgreSQL gave."""
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


def failed(kind: type[exc.DBAPIError], origin: Exception, *, is_cut: bool = False) -> exc.DBAPIError:
    """Return the error of a statement."""
    return kind("INSERT", {}, origin, connection_invalidated=is_cut)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("no number"),
        OverflowError("too large"),
        RecursionError(),
        failed(exc.IntegrityError, sqlite3.IntegrityError("CHECK constraint failed")),
        failed(exc.DataError, PostgresError("22003")),
        failed(exc.ProgrammingError, sqlite3.ProgrammingError("type 'set' is not supported")),
        failed(exc.OperationalError, PostgresError("54000")),
    ],
)
def test_what_fails_because_of_what_is_written_is_the_datas_fault(error: Exception) -> None:
    """It would fail again, and only it."""
    assert is_of_the_data(error)


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        MemoryError(),
        ProblemError("SITE_UNKNOWN", "This site is not on this server.", "Ask IT."),
        exc.TimeoutError("no connection is free"),
        failed(exc.OperationalError, sqlite3.OperationalError("database or disk is full")),
        failed(exc.OperationalError, PostgresError("53100")),
        failed(exc.DatabaseError, sqlite3.DatabaseError("database disk image is malformed")),
        failed(exc.InterfaceError, PostgresError("08006"), is_cut=True),
        failed(exc.InternalError, PostgresError("25006")),
        failed(exc.ProgrammingError, PostgresError("42501")),
        failed(exc.ProgrammingError, PostgresError("42P01")),
        failed(exc.InternalError, PostgresError("XX001")),
    ],
)
def test_what_fails_for_everybody_is_the_databases_fault(error: Exception) -> None:
    """Nothing can be decided until it is back."""
    assert not is_of_the_data(error)
