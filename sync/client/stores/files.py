"""What both client files share: connections, transactions, the ladder of versions, damage.

Errors::

    Exception
    ├── TooNewError       a later release wrote the file
    └── DamagedError      the file is SQLite's or ours no longer
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from sync.contract.ports import FaultHook, NoFaults

MEMORY: Final = Path(":memory:")
"""The path of a store without a file (simulation, tests)."""
READER_CACHE_KIB: Final = 512
"""What a reader keeps of the file; the system keeps all of it, and reading from there costs 1 us a page."""

Step = Callable[[sqlite3.Connection], None]

_ROT_CODES: Final = frozenset(
    # What is written to a whole file breaks no rule of its tables.
    {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
)
_DISK_CODES: Final = frozenset(
    {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL}
    | {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}
    | {sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PROTOCOL}
)
"""The disk, another program or the memory is in the way; what else goes wrong lies in the content."""


class TooNewError(Exception):
    """The file was written by a later release."""


class DamagedError(Exception):
    """The file cannot be trusted any more; the text says what was found."""


def connect(path: Path) -> sqlite3.Connection:
    """Return a writing connection without implicit transactions."""
    return sqlite3.connect(str(path), isolation_level=None, timeout=0.5)


def connect_reader(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write; raises ``sqlite3.Error`` without a readable file."""
    try:
        return _reading(path, "mode=ro")
    except sqlite3.OperationalError as error:
        # Where nothing can be written there is no index for the log: then the file is taken as it lies there.
        if _code(error) != sqlite3.SQLITE_CANTOPEN or not path.exists() or is_writable(path.parent):
            raise
    log = companions(path)[0]
    if not log.exists() or log.stat().st_size == 0:
        return _reading(path, "mode=ro&immutable=1")
    return _copied(path)


def _reading(path: Path, how: str) -> sqlite3.Connection:
    # Readers wait for nobody in WAL mode, save for moments of recovery: a frame waits no longer.
    address = f"{path.absolute().as_uri()}?{how}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=0.05)
    try:
        connection.execute("PRAGMA query_only = ON")
        connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
        # Opened in earnest only now.
        user_version(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _copied(path: Path) -> sqlite3.Connection:
    """Return a connection to the file with its log in memory: the log needs a place that can be written."""
    # Rarely needed, and the start need not wait for them.
    import shutil
    import tempfile

    memory = sqlite3.connect(":memory:", isolation_level=None)
    try:
        with tempfile.TemporaryDirectory(prefix="fulfillment-kanban-") as folder:
            copy = Path(folder) / path.name
            for each in (path, companions(path)[0]):
                shutil.copyfile(each, copy.with_name(each.name))
            with closing(connect(copy)) as connection:
                connection.backup(memory)
        memory.execute("PRAGMA query_only = ON")
    except OSError as error:
        memory.close()
        raise sqlite3.OperationalError(str(error)) from error
    except BaseException:
        memory.close()
        raise
    return memory


def is_writable(folder: Path) -> bool:
    """Say whether files can be made in a folder; a disk that is read-only takes none from anybody."""
    return os.access(folder, os.W_OK | os.X_OK)


@contextmanager
def transaction(connection: sqlite3.Connection, faults: FaultHook, name: str) -> Iterator[None]:
    """Write inside ``BEGIN IMMEDIATE``; the three points of ``faults`` carry ``name``."""
    faults.at(f"{name}.before_write")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        faults.at(f"{name}.before_fsync")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    faults.at(f"{name}.after_commit")


def user_version(connection: sqlite3.Connection) -> int:
    """Return how far up its ladder a file is."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def climb(connection: sqlite3.Connection, application_id: int, steps: Sequence[Step]) -> None:
    """Bring a file to the newest version, one transaction a step.

    Raises :class:`TooNewError` and, for a file that never was ours, :class:`DamagedError`.
    """
    version = user_version(connection)
    if version > len(steps):
        raise TooNewError(f"version {version}, known up to {len(steps)}")
    found = int(connection.execute("PRAGMA application_id").fetchone()[0])
    is_empty = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if found != application_id and not (found == 0 and is_empty):
        raise DamagedError("another program's file")
    for number, step in enumerate(steps[version:], version + 1):
        with transaction(connection, NoFaults(), "ladder"):
            step(connection)
            connection.execute(f"PRAGMA application_id = {application_id}")
            connection.execute(f"PRAGMA user_version = {number}")


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether an error at opening speaks of the file's content rather than of the disk or a lock."""
    return _code(error) not in _DISK_CODES


def is_rotten(error: Exception) -> bool:
    """Say whether a file that was whole when it was opened has been damaged since."""
    if isinstance(error, sqlite3.Error):
        return _code(error) in _ROT_CODES
    # A value that cannot be what we wrote.
    return isinstance(error, DamagedError | ValueError | msgspec.MsgspecError)


def _code(error: sqlite3.Error) -> int:
    """Return the primary code of an error, -1 when it did not come from SQLite itself."""
    code = getattr(error, "sqlite_errorcode", None)
    return -1 if code is None else int(code) & 0xFF


def companions(path: Path) -> tuple[Path, ...]:
    """Return the files that SQLite keeps beside a database."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def has_content(path: Path) -> bool:
    """Say whether there is anything in the file; one in memory is always ready."""
    return path == MEMORY or (path.exists() and path.stat().st_size > 0)


def read_log(path: Path) -> bytes:
    """Return the log that a crash has left beside a database; after a proper end there is none."""
    log = companions(path)[0]
    return log.read_bytes() if path != MEMORY and log.exists() else b""


def aside_name(path: Path) -> Path:
    """Return a name beside ``path`` that nothing has yet: ``outbox-damaged-1.db``."""
    number = 1
    while (aside := path.with_name(f"{path.stem}-damaged-{number}{path.suffix}")).exists():
        number += 1
    return aside
