"""Composition: one process with the hub and its driver, HTTP, jobs, the threads, from start to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

import uvicorn

from server.database import Database
from server.hints import Hints
from server.jobs import Jobs
from server.kernel.auth import SignIns
from server.kernel.connections import BoardAdvanced, LookNow, Noted, Stop
from server.kernel.driver import Driver
from server.kernel.http import make_app
from server.kernel.hub import Hub
from server.kernel.services import WORKERS, Services
from server.registration import JobContext, Module
from server.silence import PatientProtocol
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError
from sync.contract.steps import Command

_LOG: Final = logging.getLogger(__name__)
GRACEFUL_S: Final = 3


class Settings(NamedTuple):
    """Where to listen; port 0 is any free one. ``sync_url`` is told to clients behind a proxy."""

    host: str = "127.0.0.1"
    port: int = 8440
    sync_port: int = 0
    sync_url: str = ""


class _HttpServer(uvicorn.Server):
    """uvicorn beside something else: signals are the application's affair."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.is_up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


class Application:
    """The running server."""

    def __init__(
        self,
        database: Database,
        modules: Iterable[Module],
        settings: Settings,
        folder: Path,
        clock: Clock,
        ids: Ids,
        version: str,
        *,
        has_hints: bool = True,
    ) -> None:
        """Put everything together; nothing runs yet. Without ``has_hints`` others are found by looking."""
        modules = tuple(modules)
        self._hints = database.hints if has_hints else Hints()
        self._settings = settings
        self._threads = ThreadPoolExecutor(WORKERS, thread_name_prefix="http-")
        self._driver = Driver(
            Hub(clock, version),
            {"store": database.store, "reader": database.reader, "copies": database.copies},
            clock,
            self._listen,
        )
        self._sync_port = 0
        self._jobs = Jobs(job for module in modules for job in module.jobs)
        services = Services(
            database.engine,
            database.store,
            database.reader,
            SignIns(database.engine, clock, ids),
            self._threads,
            folder,
            version,
            lambda: self._sync_port,
            settings.sync_url,
            lambda request: self._driver.feed(Command(request)),
            clock,
            ids,
            self._jobs.wake,
        )
        self._job_context = JobContext(database, services, threading.Event())
        self._app = make_app([route for module in modules for route in module.routes], services)
        self._http: _HttpServer | None = None
        self._serving: asyncio.Task[None] | None = None
        self.port = 0

    @property
    def url(self) -> str:
        """The address that people type."""
        return f"http://{_shown(self._settings.host)}:{self.port}"

    @property
    def sync_address(self) -> str:
        """The socket's address."""
        return self._settings.sync_url or f"ws://{_shown(self._settings.host)}:{self._sync_port}/"

    async def start(self) -> None:
        """Listen on both ports."""
        host, port = self._settings.host, self._settings.port
        listener = _listener(host, port)
        self.port = listener.getsockname()[1]
        try:
            self._sync_port = await self._driver.start(host, self._settings.sync_port)
        except OSError as error:
            listener.close()
            raise _port_taken(host, self._settings.sync_port, error) from error
        config = uvicorn.Config(
            self._app,
            loop="none",
            http=PatientProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACEFUL_S,
        )
        self._http = _HttpServer(config)
        self._serving = asyncio.create_task(self._http.serve([listener]))
        await self._http.is_up.wait()
        self._jobs.start(self._job_context)
        loop = asyncio.get_running_loop()
        self._hints.start(lambda: loop.call_soon_threadsafe(self._driver.feed, Command(LookNow())))
        _LOG.info("started", extra={"url": self.url, "sync": self.sync_address})

    async def failed(self) -> None:
        """Return when the HTTP side ended without having been told to; never in a healthy life."""
        assert self._serving is not None
        await asyncio.wait([self._serving])

    async def stop(self) -> None:
        """End every request and link, and let the stores finish."""
        if self._http is not None and self._serving is not None:
            # Requests that a stop cuts off are no faults.
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
            self._http.should_exit = True
            with contextlib.suppress(Exception):
                await self._serving
        await self._jobs.stop()
        await asyncio.to_thread(self._hints.stop)
        await self._driver.stop(Stop())
        await asyncio.to_thread(self._threads.shutdown)
        _LOG.info("stopped")

    def _listen(self, news: object) -> None:
        """Put the hub's news into the log, and wake the jobs that wait for it."""
        match news:
            case Noted():
                level = logging.WARNING if news.is_warning else logging.INFO
                _LOG.log(level, news.what, extra=dict(news.facts))
            case BoardAdvanced():
                _LOG.debug("board advanced", extra={"site_id": news.site.site_id, "seq": news.seq})
                self._jobs.board_advanced()
            case _:
                pass


def _listener(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise _port_taken(host, port, error) from error


def _port_taken(host: str, port: int, error: OSError) -> ProblemError:
    # Libraries put the address into the reason once more, in words of their own.
    reason = os.strerror(error.errno) if error.errno else str(error)
    return ProblemError(
        "CANNOT_LISTEN",
        f"The server cannot listen on {host} port {port}: {reason}.",
        "Stop what uses it, or choose others with --host, --port and --sync-port.",
    )


def _shown(host: str) -> str:
    """Return a host as it stands in an address."""
    if host in {"", "0.0.0.0"}:  # noqa: S104 - compared, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
