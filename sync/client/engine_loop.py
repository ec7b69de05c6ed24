"""The network thread's side of the engine: one loop with machine, driver, session and local socket."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Final

from sync.client.commands import GoOffline, GoOnline, OlderQuestion, Stop, SubmitDrafts, TryNow
from sync.client.driver import Driver
from sync.client.engine_memory import EngineMemory
from sync.client.engine_stores import Opened, Stores
from sync.client.environment import Environment
from sync.client.http import is_loopback, may_have_proxy
from sync.client.local_socket import Door
from sync.client.machine import ClientMachine
from sync.client.news import (
    ConnectionChanged,
    CredentialsWanted,
    LinkState,
    News,
    OperationsNotSaved,
    ProblemArose,
    ProblemCleared,
    Started,
)
from sync.client.older_orders import OlderOrders
from sync.client.patience import opened
from sync.client.sign_in import SignIn
from sync.contract.limits import SERVER_FRAME_BYTES
from sync.contract.problems import Problem, ProblemError
from sync.contract.steps import Command

if TYPE_CHECKING:
    from sync.client.engine import Engine
    from sync.client.local_socket import Request
    from sync.client.session import Credentials
    from sync.client.socket_link import Socket

FRAMES_READ_AHEAD: Final = 2
SETTLE_S: Final = 0.5
STORES_S: Final = 2.0
RESTART_S: Final = 1.0
ROOM_S: Final = 10.0
"""So often the room on the disk is looked at."""
ROOM_CODES: Final = frozenset({"DISK_FULL", "DISK_LOW"})
_LOG: Final = logging.getLogger("sync.client.engine")

_FAULT: Final = Problem(
    "ENGINE_FAULT",
    "Something in this program went wrong. Saved moves are safe; the connection is set up anew.",
    "If this comes back, restart the program and tell IT.",
)


class EngineLoop:
    """Lives as long as the engine runs; made and used on the network thread."""

    def __init__(self, engine: Engine) -> None:
        """Take the parts from ``engine``."""
        self._engine = engine
        self._memory = EngineMemory(engine.recorder)
        self._stores = Stores(
            engine.profile, engine.ids, self._told_soon, self._rebuilt_soon, self._cleared_soon
        )
        self._door = Door(engine.profile.socket, self)
        self._driver: Driver | None = None
        self._unusable: Problem | None = None
        self._is_online = engine.session is not None
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._sign_in = SignIn(engine.session, engine.clock, self._give) if engine.session else None
        self._older = OlderOrders(engine.session, self._publish)

    # ------------------------------------------------------------------ from other threads

    def look_soon(self) -> None:
        """Look at what the engine wants; after the end nobody does any more."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_requests)

    def stop_soon(self) -> None:
        """Begin to stop."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._stopping.set)

    def _told_soon(self, problem: Problem) -> None:
        """Say what the stores found (called on the database thread)."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._publish, ProblemArose(problem))

    def _cleared_soon(self, code: str) -> None:
        """Say that what the stores told is over (called on the database thread)."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._over, code)

    def _over(self, code: str) -> None:
        self._publish(ProblemCleared(code))
        if code in ROOM_CODES:
            # The board waits for nothing else any more.
            self._publish(ProblemCleared("CACHE_NOT_WRITTEN"))
            self._give(TryNow())

    def _rebuilt_soon(self) -> None:
        """Have the board loaded anew (called on the database thread)."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._reconnect)

    def _reconnect(self) -> None:
        if self._is_online:
            self._give(GoOffline())
            self._give(GoOnline())

    # ------------------------------------------------------------------ the life of the engine

    async def run(self) -> bool:
        """Run until stopped; say whether everything was finished."""
        try:
            opened = await self._stores.open()
        except ProblemError as error:
            return await self._stand_still(error.problem)
        await self._open_door()
        watching = asyncio.ensure_future(self._watch_room())
        while not self._stopping.is_set():
            opened = await self._live(opened)
        watching.cancel()
        return await self._close()

    async def _stand_still(self, problem: Problem) -> bool:
        """Show what the files still hold, and keep nothing: every move is told so."""
        self._unusable = problem
        found = await self._stores.look()
        await self._open_door()
        cache = found.cache
        self._publish(Started(found.outbox.shown, cache.site, cache.person, cache.last_contact_ms))
        self._publish(ConnectionChanged(LinkState.OFFLINE, cache.last_contact_ms, problem.code))
        self._publish(ProblemArose(problem))
        self._engine.ready(self)
        self._take_requests()
        await self._stopping.wait()
        await self._close()
        return False

    async def _watch_room(self) -> None:
        while True:
            await asyncio.sleep(ROOM_S)
            self._stores.watch_room()

    async def _live(self, opened: Opened) -> Opened:
        """Run one machine to its end: normally that of the engine, after a fault sooner."""
        engine = self._engine
        cache = opened.cache
        shown = opened.outbox.shown
        started = Started(shown, cache.site, cache.person, cache.last_contact_ms, opened.needs_you)
        self._publish(started)
        for problem in opened.problems:
            self._publish(ProblemArose(problem))
        environment = Environment(engine.clock, engine.ids, engine.random, engine.version)
        machine = ClientMachine(opened.outbox, cache, environment, opened.needs_you)
        driver = Driver(machine, engine.clock, self._open_socket, self._stores.run_job, self._publish)
        self._driver = driver
        engine.ready(self)
        self._give(GoOnline() if self._is_online else GoOffline())
        self._take_requests()
        stopping = asyncio.ensure_future(self._stopping.wait())
        ends: list[asyncio.Future[Any]] = [stopping, driver.fault]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if self._stopping.is_set():
            return opened
        return await self._restarted(driver)

    async def _restarted(self, driver: Driver) -> Opened:
        """Let go of a machine that failed; what the files hold is where the next one starts."""
        _LOG.error("the machine failed", exc_info=driver.fault.exception())
        self._driver = None
        self._publish(ProblemArose(_FAULT))
        await driver.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), RESTART_S)
        return await self._stores.state()

    async def _close(self) -> bool:
        """Close everything; the disk first, because moves may be on their way to it."""
        self._take_requests()
        if self._driver is not None:
            self._driver.step(Command(Stop()))
        # The time of the last contact goes to the cache, whose jobs a stop would drop.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stores.settle(), SETTLE_S)
        is_clean = await self._loop.run_in_executor(None, self._stores.close, STORES_S)
        # The results of the last jobs are on this loop by now; let them be told.
        await asyncio.sleep(0)
        if self._driver is not None:
            is_clean = is_clean and not self._driver.fault.done()
            await self._driver.close()
        await self._older.close()
        if self._sign_in is not None:
            await self._sign_in.close()
        await self._door.close()
        return is_clean

    # ------------------------------------------------------------------ between the parts

    def _take_requests(self) -> None:
        """Give the machine what was asked for; between two machines it stays where it is."""
        while self._engine.requests and (self._is_machine_well() or self._unusable is not None):
            self._give(self._engine.requests.popleft())

    def _is_machine_well(self) -> bool:
        return self._driver is not None and not self._driver.fault.done()

    def _give(self, request: object) -> None:
        if isinstance(request, OlderQuestion):
            self._older.ask(request)
            return
        if isinstance(request, GoOnline | GoOffline):
            self._is_online = isinstance(request, GoOnline)
        if self._driver is not None:
            self._driver.step(Command(request))
        if isinstance(request, SubmitDrafts) and not self._is_machine_well():
            # Not given to the next machine: if the fault lies in these, it would fail as well.
            op_ids = tuple(each.op_id for each in request.drafts)
            self._publish(OperationsNotSaved(op_ids, self._unusable or _FAULT))

    def _publish(self, news: News) -> None:
        self._memory.take(news)
        if isinstance(news, CredentialsWanted):
            self._want_credentials(news.why)
        self._door.tell(news)
        try:
            self._engine.listener(news)
        except Exception:  # noqa: BLE001 - it is logged
            # A listener that fails must not take the connection down with it.
            _LOG.exception("a listener failed on %s", type(news).__name__)

    def _want_credentials(self, why: str) -> None:
        if self._sign_in is not None:
            self._sign_in.ask(why)

    async def _open_socket(self) -> Socket:
        # Not within the limit: a renewal that is cut off in the middle would lose the refresh token.
        await self._session().get()
        return await opened(self._connected)

    async def _connected(self) -> Socket:
        from websockets.asyncio.client import connect

        url = await self._session().sync_address()
        return await connect(
            url,
            max_size=SERVER_FRAME_BYTES,
            max_queue=FRAMES_READ_AHEAD,
            compression=None,
            ping_interval=None,  # the machine pings, on its own clock
            open_timeout=None,
            close_timeout=1,
            proxy=True if may_have_proxy() and not is_loopback(url) else None,
        )

    def _session(self) -> Credentials:
        if self._engine.session is None:
            raise ProblemError("SIGN_IN_NEEDED", "This program was started without a server.")
        return self._engine.session

    async def _open_door(self) -> None:
        try:
            await self._door.open()
        except OSError as error:
            # Without the door a second start cannot raise the window; everything else works.
            _LOG.warning("no local socket: %s", error)

    # ------------------------------------------------------------------ the local socket's host

    @property
    def has_window(self) -> bool:
        """Say whether there is a window that could be raised."""
        return self._engine.has_window

    def on_request(self, request: Request) -> None:
        """Carry out what another program asked for."""
        self._engine.on_request(request)

    def first_news(self) -> list[News]:
        """Return what brings a newcomer to where everybody is."""
        return self._memory.first_news()
