"""Rows and lists that are larger than memory: a temporary SQLite file that nobody else can see.

SQLite unlinks it as soon as it is open, so it is gone whatever happens to us. It holds only what a
mapping reads, never a column that no mapping names.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, Self, TypeVar

import msgspec

from intake.rows import Taken
from sync.contract.problems import ProblemError

CACHE_KB: Final = 8_000
AT_ONCE: Final = 2_000

Entry = TypeVar("Entry", bound=NamedTuple)


class Spill:
    """One temporary file; use it in a ``with`` block."""

    def __init__(self, pages: int = 0) -> None:
        """Open it; ``pages`` limits its size, for tests of a full disk."""
        # The empty name: a file in the system's temporary folder, unlinked while it is open.
        self.connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "temp_store = FILE"):
            self.connection.execute(f"PRAGMA {pragma}")
        self.connection.execute(f"PRAGMA cache_size = -{CACHE_KB}")
        if pages:
            self.connection.execute(f"PRAGMA max_page_count = {pages}")
        # Never committed: nobody reads this file after us.
        self.connection.execute("BEGIN")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.connection.close()
        if isinstance(error, sqlite3.Error):
            raise ProblemError(
                "TEMPORARY_SPACE",
                f"The import needs room for temporary files, and there is none ({error}).",
                "Free some space, or name another folder in TMPDIR. The same import again is harmless.",
            ) from error


class SpilledList(Generic[Entry]):
    """A list of named tuples of texts and numbers, in the order of ``by`` or of their arrival."""

    def __init__(self, spill: Spill, name: str, kind: type[Entry], by: str = "") -> None:
        """Keep entries of ``kind`` in the table ``name``."""
        self._connection = spill.connection
        self._kind = kind
        self._table = name
        self._order = f"{by}, rowid" if by else "rowid"
        self._waiting: list[Entry] = []
        self._count = 0
        self._connection.execute(f"CREATE TABLE {self._table} ({', '.join(kind._fields)})")

    def append(self, entry: Entry, /) -> None:
        """Add an entry at the end."""
        self._waiting.append(entry)
        self._count += 1
        if len(self._waiting) >= AT_ONCE:
            self._put_away()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Entry]:
        self._put_away()
        columns = ", ".join(self._kind._fields)
        words = f"SELECT {columns} FROM {self._table} ORDER BY {self._order}"  # noqa: S608 – names of ours
        rows = self._connection.execute(words)
        return map(self._kind._make, rows)

    def _put_away(self) -> None:
        marks = ", ".join("?" * len(self._kind._fields))
        words = f"INSERT INTO {self._table} VALUES ({marks})"  # noqa: S608 – names of ours
        self._connection.executemany(words, self._waiting)
        self._waiting.clear()


class SpilledRows:
    """The rows of all files; they come back order by order, as the orders first stood in the files."""

    def __init__(self, spill: Spill) -> None:
        """Keep rows in ``spill``."""
        self._connection = spill.connection
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Taken).decode
        self._waiting: list[tuple[int, str, bytes]] = []
        self._connection.execute("CREATE TABLE kept (n INTEGER PRIMARY KEY, kind INT, ref TEXT, body BLOB)")

    def add(self, kind: int, row: Taken) -> None:
        """Keep a row of one kind of file."""
        self._waiting.append((kind, row.ref, self._encode(row)))
        if len(self._waiting) >= AT_ONCE:
            self._put_away()

    def of(self, kind: int) -> Iterator[Taken]:
        """Yield the rows of one kind: those of an order together, in the order they were read in."""
        self._put_away()
        decode = self._decode
        rows: Any = self._connection.execute(
            "SELECT body FROM (SELECT n, body, min(n) OVER (PARTITION BY ref) AS first FROM kept"
            " WHERE kind = ?) ORDER BY first, n",
            (kind,),
        )
        for (body,) in rows:
            yield decode(body)

    def _put_away(self) -> None:
        self._connection.executemany("INSERT INTO kept (kind, ref, body) VALUES (?, ?, ?)", self._waiting)
        self._waiting.clear()
