"""Whose fault a failed transaction is: what was to be written, or the database."""

from __future__ import annotations

from typing import Final

from sqlalchemy import exc

from sync.contract.problems import ProblemError

_TOO_MUCH: Final = "54"
"""SQLSTATE class of rows that are beyond what PostgreSQL can hold; it counts them as operational errors."""
_OF_THE_DATABASE: Final = ("25", "42501", "42P01", "XX001", "XX002")
"""SQLSTATE of what fails for any row: a database that takes no writes (a standby, a disk nearly full),
a right or a table that is missing, damaged files. SQLAlchemy takes them for faults of the program."""


def is_of_the_data(error: Exception) -> bool:
    """Say whether the same data would fail again, while other data would not.

    Errors of a database that is away, full, broken or busy are none of the data's, and everybody waits for
    their end. A problem says itself what it is.
    """
    if isinstance(error, ProblemError | OSError | MemoryError | exc.TimeoutError):
        return False
    if not isinstance(error, exc.DBAPIError):
        return True
    if error.connection_invalidated or type(error) in {exc.DBAPIError, exc.DatabaseError}:
        return False
    sqlstate = getattr(error.orig, "sqlstate", None) or ""
    if isinstance(error, exc.OperationalError):
        return sqlstate.startswith(_TOO_MUCH)
    return not sqlstate.startswith(_OF_THE_DATABASE)
