"""Hints between servers on one PostgreSQL: "a log grew, look now". They carry no truth.

NOTIFY goes out after the commit, on a connection of its own: inside the transaction it would take a lock
that all commits of the database share. A hint that is lost costs the half second until the next look. So
nothing waits for a hint, and a connection that breaks is made again in its own time.

A server on SQLite has no hints, nor has one behind PgBouncer: what others write is found by looking.
"""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.pool import NullPool

from databases.statements import POSTGRESQL

CHANNEL: Final = "fulfillment_kanban"
SPAN_S: Final = 0.01
"""Commits within this time are one hint."""
AGAIN_S: Final = 1.0
"""How long a connection that broke is left alone."""
HEAR_S: Final = 0.25
"""How long a stop may have to wait for the one who listens."""
_LOG: Final = logging.getLogger(__name__)


class Hints:
    """What a database without hints does: nothing."""

    def tell(self, _site_id: str) -> None:
        """Tell the other servers that a log grew, without waiting; of no effect before the start."""

    def start(self, listener: Callable[[], object]) -> None:
        """Call ``listener``, on a thread of ours, whenever another server told something."""

    def stop(self) -> None:
        """Neither tell nor listen any more."""


class PostgresHints(Hints):
    """NOTIFY and LISTEN, each on its own connection and thread."""

    def __init__(self, engine: Engine) -> None:
        """Reach the database as ``engine`` does, outside of its pool."""
        self._engine = engine
        self._name = secrets.token_hex(8)
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def tell(self, _site_id: str) -> None:
        """Have the other servers look soon."""
        self._wanted.set()

    def start(self, listener: Callable[[], object]) -> None:
        """Begin to tell and to listen."""
        for name, work in (("hints-told", self._tell), ("hints-heard", lambda: self._hear(listener))):
            thread = threading.Thread(target=self._again_and_again, args=(work,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End both threads."""
        self._stopping.set()
        self._wanted.set()
        for thread in self._threads:
            thread.join()

    def _again_and_again(self, work: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                work()
            except Exception as error:  # noqa: BLE001 - whatever it is, hints are not worth a fault
                _LOG.info("hints interrupted", extra={"error": type(error).__name__})
                self._stopping.wait(AGAIN_S)

    def _tell(self) -> None:
        with self._connected() as connection:
            while self._wanted.wait() and not self._stopping.is_set():
                self._wanted.clear()
                connection.execute("SELECT pg_notify(%s, %s)", (CHANNEL, self._name))
                self._stopping.wait(SPAN_S)

    def _hear(self, listener: Callable[[], object]) -> None:
        with self._connected() as connection:
            if not is_own_session(connection):
                _LOG.info("hints are not heard through a pool of connections")
                self._stopping.wait()
                return
            connection.execute(f"LISTEN {CHANNEL}")
            # Nobody heard what was told until now.
            listener()
            while not self._stopping.is_set():
                names = {notice.payload for notice in connection.notifies(timeout=HEAR_S, stop_after=1)}
                if names - {self._name}:
                    listener()

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """Give a connection of the driver's own kind."""
        from databases.postgresql import make_engine

        engine = make_engine(self._engine.url, poolclass=NullPool)
        connection = engine.raw_connection()
        try:
            yield connection.driver_connection
        finally:
            connection.close()


def is_own_session(connection: Any) -> bool:  # noqa: ANN401 - the driver's own kind
    """Say whether all statements of a connection reach the same session of the database.

    Through PgBouncer in transaction mode, LISTEN would stay behind in a session that others use: they
    would gather what they never read. It makes up the process number that it gives its clients.
    """
    (process,) = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(process == connection.info.backend_pid)


def hints_of(engine: Engine) -> Hints:
    """Return the hints of a database."""
    return PostgresHints(engine) if engine.dialect.name == POSTGRESQL else Hints()
