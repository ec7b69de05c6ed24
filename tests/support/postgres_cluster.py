"""A PostgreSQL of the tests' own: made in a temporary folder, ended with the session, by its process id.

As root the server runs as the user ``postgres`` (it refuses root), and Debian's package is installed when
it is missing. ``FULFILLMENT_KANBAN_TEST_POSTGRESQL`` names a server to use instead; its role must be
allowed to make databases. Where there is neither, :class:`NoPostgresError` says why.

Its text is sorted as people sort it (ICU, en-US), not by code points: what relies on code points fails.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL, make_url

from server.database import create_database
from support.clocks import CountingIds, FakeClock
from support.waiting import eventually
from tools import system_packages

VARIABLE = "FULFILLMENT_KANBAN_TEST_POSTGRESQL"
OS_USER = "postgres"
ROLE = "kanban"
PASSWORD = "floor & hall/7"  # with characters that an address must escape
DEBIAN = Path("/usr/lib/postgresql")
UNSAFE = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
OPTIONS = ("shared_buffers=32MB", "jit=off", "max_connections=60", "log_min_messages=fatal")

_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SHAPE = """
    SELECT (SELECT max(version_num) FROM alembic_version),
        string_agg(relname, ' ' ORDER BY relname COLLATE "C") FILTER (WHERE relkind IN ('r', 'i')),
        max(pg_relation_size(c.oid)) < 1000000
    FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
    WHERE nspname = 'public'
"""
"""Version, tables and indexes, and whether none of them has grown."""
_EMPTY = """
    SELECT 'SET session_replication_role = replica; ' || string_agg('DELETE FROM ' || tablename, '; ')
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
"""


class NoPostgresError(Exception):
    """Why there is no PostgreSQL here, as one line."""


class Postgres:
    """A server on which databases come and go: ``admin`` may make them, the role of ``url`` owns them."""

    def __init__(self, admin: URL, url: URL, loopback: URL | None = None) -> None:
        self._admin = admin
        self._url = url
        self.loopback = loopback
        """The same role over TCP with a password, None on a server that is not ours."""
        self._numbers = itertools.count(1)
        self._template = ""
        self._shape: list[tuple[Any, ...]] = []
        self._idle: list[str] = []

    def empty(self) -> str:
        """Make a database without a table and return its address."""
        return self._make("template0")

    def migrated(self) -> str:
        """Return the address of a database with our tables and nothing in them.

        One that was given back, or else a copy of one that was migrated once.
        """
        if self._idle:
            return self._idle.pop()
        if not self._template:
            url = self.empty()
            with tempfile.TemporaryDirectory() as folder:
                create_database(Path(folder), FakeClock(), CountingIds(), url=url).close()
            self._template = _name_of(url)
            self._shape = self.ask(_SHAPE, url)
        return self._make(self._template)

    def give_back(self, url: str) -> None:
        """Empty a database for the next test, which is much cheaper than a new one.

        One whose tables a test has changed or filled too well is dropped instead.
        """
        try:
            self.ask(_END_OTHERS, url)
            if self.ask(_SHAPE, url) == self._shape:
                self.ask(self.ask(_EMPTY, url)[0][0], url)
                self._idle.append(url)
                return
        except psycopg.Error:
            pass
        self.drop(url)

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still in it."""
        self.ask(f'DROP DATABASE IF EXISTS "{_name_of(url)}" WITH (FORCE)')

    def ask(self, sql: str, url: str = "") -> list[tuple[Any, ...]]:
        """Run one statement as the administrator, in the database of ``url`` when one is given."""
        admin = self._admin.set(database=_name_of(url)) if url else self._admin
        with psycopg.connect(_plain(admin), autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def clean_up(self) -> None:
        """Drop what is left."""
        for url in self._idle:
            self.drop(url)
        if self._template:
            self.drop(_plain(self._url.set(database=self._template)))

    def _make(self, template: str) -> str:
        name = f"fk_test_{os.getpid()}_{next(self._numbers)}"
        self.ask(f'CREATE DATABASE "{name}" OWNER "{self._url.username}" TEMPLATE "{template}"')
        return _plain(self._url.set(database=name))


@contextlib.contextmanager
def running_postgres(*, is_durable: bool = False) -> Iterator[Postgres]:
    """Give a server, ours or the one that the variable names; raises NoPostgresError.

    Ours waits for the disk when it is to be ``is_durable``, which only measurements want.
    """
    given = os.environ.get(VARIABLE, "")
    with contextlib.ExitStack() as stack:
        if given:
            url = make_url(given)
            made = Postgres(url, url)
        else:
            made = stack.enter_context(_own(() if is_durable else UNSAFE))
        yield made
        made.clean_up()


@contextlib.contextmanager
def _own(more: Sequence[str]) -> Iterator[Postgres]:
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="fk-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OS_USER)
        port = _free_port()
        _initialise(programs, folder)
        command = [str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port), "-k", str(folder)]
        options = [word for option in (*OPTIONS, *more) for word in ("-c", option)]
        with (folder / "log").open("wb") as log:
            process = _start([*command, *options], stdout=log, stderr=log)
        try:
            admin = URL.create("postgresql", OS_USER, database="postgres", port=port, query=_at(folder))
            eventually(lambda: _answers(admin), 30, "PostgreSQL")
            made = Postgres(admin, admin.set(username=ROLE), _loopback(port))
            made.ask(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{PASSWORD}'")
            yield made
        finally:
            # At once: nothing in it is needed any more.
            process.send_signal(signal.SIGQUIT)
            process.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """Return the folder of ``initdb`` and ``postgres``; as root they are installed when they are missing."""
    found = _installed()
    if found is None and os.geteuid() == 0:
        _install()
        found = _installed()
    if found is None:
        raise NoPostgresError(
            f"it is not installed; apt-get install postgresql, or name a server in {VARIABLE}"
        )
    return found


def _installed() -> Path | None:
    newest = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parent.parent.name))
    on_path = shutil.which("initdb")
    if newest:
        return newest[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _install() -> None:
    with Path(tempfile.gettempdir(), "fk-install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            system_packages.ensure(with_tests=True)
        except system_packages.SetupError as error:
            raise NoPostgresError(f"it could not be installed: {error}") from error


def _initialise(programs: Path, folder: Path) -> None:
    sorting = ["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]
    words = ["-D", str(folder / "data"), "-U", OS_USER, "--no-sync", "-E", "UTF8"]
    words += ["--auth-local=trust", "--auth-host=scram-sha-256"]
    said = ""
    # Before 15 there is no other provider for a whole cluster.
    for more in (sorting, sorting[:1]):
        process = _start(
            [str(programs / "initdb"), *words, *more], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        said = process.communicate()[0].decode(errors="replace")
        if process.returncode == 0:
            return
    raise NoPostgresError(f"initdb failed: {said.strip().splitlines()[-1] if said.strip() else 'no words'}")


def _start(command: Sequence[str], **streams: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - as Popen
    """Start a program as the user postgres when this is root; it ends when this process is killed."""
    words = []
    if setpriv := shutil.which("setpriv"):
        words = [setpriv, "--pdeathsig", "QUIT"]
        if os.geteuid() == 0:
            words += [f"--reuid={OS_USER}", f"--regid={OS_USER}", "--init-groups"]
    elif os.geteuid() == 0:
        streams |= {"user": OS_USER, "group": OS_USER, "extra_groups": []}
    environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
    return subprocess.Popen([*words, *command], stdin=subprocess.DEVNULL, env=environment, cwd="/", **streams)


def _answers(url: URL) -> bool:
    try:
        psycopg.connect(_plain(url)).close()
    except psycopg.OperationalError:
        return False
    return True


def _at(folder: Path) -> dict[str, str]:
    return {"host": str(folder)}


def _loopback(port: int) -> URL:
    return URL.create("postgresql", ROLE, PASSWORD, "127.0.0.1", port, "postgres")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _name_of(url: str) -> str:
    name = make_url(url).database
    assert name
    return name


def _plain(url: URL) -> str:
    return url.render_as_string(hide_password=False)
