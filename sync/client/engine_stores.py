"""The engine's files, opened and used on the database thread only."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import MsgspecError

from sync.client.cache import Cache
from sync.client.database_thread import STOPPED, DatabaseThread, Priority
from sync.client.needs_you import NeedsYou
from sync.client.outbox import Outbox
from sync.client.profile import Profile
from sync.client.store_values import CacheState, OutboxState
from sync.client.stores import files
from sync.client.stores.ballast import FULL, LOW, Ballast, DiskFullError, is_full
from sync.client.stores.cache_reader import CacheReader
from sync.client.stores.outbox_ladder import ladder
from sync.client.stores.outbox_look import look
from sync.contract.ports import Ids
from sync.contract.problems import Problem, ProblemError
from sync.contract.steps import Job

T = TypeVar("T")
GROWING: Final = frozenset(
    {"apply_delta", "begin_snapshot", "add_chunk", "end_snapshot", "put_page", "repair"}
)
"""What the cache does not do when the room that is left belongs to moves."""


class Opened(NamedTuple):
    """What the files hold, and what a person should know about how they were found."""

    outbox: OutboxState
    cache: CacheState
    problems: tuple[Problem, ...]
    needs_you: tuple[NeedsYou, ...] = ()


class Stores:
    """Outbox and cache of one profile, behind the database thread."""

    def __init__(
        self,
        profile: Profile,
        ids: Ids,
        told: Callable[[Problem], None] = lambda _problem: None,
        rebuilt: Callable[[], None] = lambda: None,
        cleared: Callable[[str], None] = lambda _code: None,
    ) -> None:
        """Use the files of ``profile``; :meth:`open` opens them.

        Called on the database thread: ``told`` with what a person should know and ``cleared`` with the code
        of what is over, ``rebuilt`` after the cache was found damaged and emptied.
        """
        self._profile = profile
        self._ids = ids
        self._told = told
        self._rebuilt = rebuilt
        self._cleared = cleared
        self._ballast = Ballast(profile.folder)
        self._thread = DatabaseThread()
        self._outbox: Outbox | None = None
        self._cache: Cache | None = None

    async def open(self) -> Opened:
        """Start the thread and open both files; raises ``ProblemError``, then neither is open."""
        self._thread.start()
        opened = await self._call(self._open, Priority.OUTBOX)
        # The board is on screen by now, and both can wait.
        self._later(self._ballast.load)
        self.watch_room()
        self._check_after(0)
        return opened

    async def look(self) -> Opened:
        """Return what can be read of files that cannot be opened; whatever is wrong, it is less."""
        return await self._call(self._look, Priority.OUTBOX)

    def watch_room(self) -> None:
        """Look how much room there is on the disk, and tell what changed."""
        self._later(self._look_at_room)

    async def state(self) -> Opened:
        """Return anew what the files hold."""
        return await self._call(lambda: self._state(()), Priority.OUTBOX)

    async def settle(self) -> None:
        """Wait until everything given so far is done; a stop would drop what is only the cache's."""
        await self._call(lambda: None, Priority.CACHE)

    def run_job(self, job: Job, done: Callable[[object, str], None]) -> None:
        """Run a machine's job; ``done`` is called on the database thread, or at once when it stopped."""
        is_outbox = job.store == "outbox"
        call = getattr(self._outbox if is_outbox else self._cache, job.method)

        def work() -> object:
            try:
                if job.method in GROWING:
                    self._ballast.check_reserve()
                return call(*job.arguments)
            except DiskFullError:
                self._look_at_room()
                raise
            except Exception as error:
                if is_outbox and self._has_made_room(error):
                    # A job is one transaction: nothing of it has happened yet.
                    return call(*job.arguments)
                if not is_outbox and files.is_rotten(error):
                    # The error drops the link, and the next hello says that the board is wanted anew.
                    self._rebuild(error)
                raise

        if not self._thread.submit(Priority.OUTBOX if is_outbox else Priority.CACHE, work, done):
            done(None, STOPPED)

    def _check_after(self, local_id: int) -> None:
        """Go through the cached board in small steps, whenever the thread has nothing else to do."""

        def work() -> None:
            if self._cache is None:
                return
            try:
                following = self._cache.check(local_id)
            except (files.DamagedError, ValueError, MsgspecError, sqlite3.Error) as error:
                if not isinstance(error, sqlite3.Error) or files.is_damage(error):
                    self._rebuild(error)
                return
            if following:
                self._check_after(following)
            elif self._cache.is_suspect:
                # The next hello tells the server's hash, and what differs is replaced.
                self._cache.is_suspect = False
                self._told(_SUSPECT)
                self._rebuilt()

        self._later(work)

    def _later(self, call: Callable[[], None]) -> None:
        self._thread.submit(Priority.TELEMETRY, call, lambda _result, _error: None)

    def _look_at_room(self) -> None:
        now, before = self._ballast.watch()
        if before is not None and now is not before:
            self._cleared(before.code)
        if now is not None and now is not before:
            self._told(now)

    def _rebuild(self, error: Exception) -> None:
        if self._cache is not None:
            self._told(_put_aside(str(error), self._cache.rebuild()))
            self._rebuilt()

    def _has_made_room(self, error: BaseException | None) -> bool:
        """Give the ballast back when the disk is full; say whether that helped."""
        if not is_full(error) or not self._ballast.drop():
            return False
        self._cleared(LOW.code)
        self._told(FULL)
        return True

    def close(self, timeout_s: float) -> bool:
        """Finish what the outbox has to do and close the files; blocks; says whether it was in time."""
        return self._thread.stop(self._close, timeout_s)

    async def _call(self, call: Callable[[], T], priority: Priority) -> T:
        """Return what ``call`` returns on the database thread, or raise what it raises."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(tell: Callable[[Any], None], outcome: object) -> None:
            # Whoever asked may have waited long enough.
            if not answer.done():
                tell(outcome)

        def work() -> None:
            try:
                value = call()
            except Exception as error:  # noqa: BLE001 - it is raised again where it was asked for
                loop.call_soon_threadsafe(settle, answer.set_exception, error)
            else:
                loop.call_soon_threadsafe(settle, answer.set_result, value)

        self._thread.submit(priority, work, lambda _result, _error: None)
        return await answer

    def _look(self) -> Opened:
        with closing(CacheReader(self._profile.cache)) as reader:
            return Opened(look(self._profile.outbox, len(ladder(self._ids))), reader.state(), ())

    def _open(self) -> Opened:
        try:
            return self._opened()
        except ProblemError:
            self._close()
            raise

    def _opened(self) -> Opened:
        _check_writable(self._profile)
        problems = []
        try:
            self._outbox, salvage = Outbox.open(self._profile.outbox, self._ids)
        except ProblemError as error:
            if not self._has_made_room(error.__cause__):
                raise
            self._outbox, salvage = Outbox.open(self._profile.outbox, self._ids)
        if salvage is not None:
            problems.append(salvage.problem)
        self._cache, put_aside, reason = Cache.open(self._profile.cache)
        if put_aside:
            problems.append(_put_aside(reason, put_aside))
        return self._state(tuple(problems))

    def _state(self, problems: tuple[Problem, ...]) -> Opened:
        if self._outbox is None or self._cache is None:
            raise ProblemError("PROFILE_CLOSED", "The files of this profile are not open.")
        return Opened(self._outbox.state(), self._cache.state(), problems, self._outbox.needs_you())

    def _close(self) -> None:
        for store in (self._outbox, self._cache):
            if store is not None:
                store.close()


def _check_writable(profile: Profile) -> None:
    """Refuse files that nothing could be kept in, before SQLite notices at the first move."""
    if profile.hindrance:
        raise ProblemError(
            "PROFILE_READ_ONLY",
            f"No move can be kept in {profile.folder}: {profile.hindrance}. "
            "The board is shown as it was last.",
            "Have IT look at the disk, then start the program again.",
        )
    for path in (profile.outbox, profile.cache):
        if path.exists() and not os.access(path, os.W_OK):
            raise ProblemError(
                "PROFILE_READ_ONLY",
                f"No move can be kept: {path} cannot be written. The board is shown as it was last.",
                "Have IT look at the rights of the file, then start the program again.",
            )


_SUSPECT: Final = Problem(
    "CACHE_DAMAGED",
    "The board's copy on this computer is damaged in places. They are compared with the server's "
    "and replaced.",
    "Nothing to do; if this comes back, tell IT: the disk may be failing.",
)


def _put_aside(reason: str, name: str) -> Problem:
    return Problem(
        "CACHE_PUT_ASIDE",
        f"The board's copy on this computer was damaged ({reason}) and is loaded anew. "
        f"The damaged file is kept as {name}. No move is lost.",
        "Nothing to do; if this comes back, tell IT.",
    )
