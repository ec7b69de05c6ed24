"""The jobs of the modules: work that comes round by itself, each in a thread, never twice at once.

APScheduler keeps the time. A job that somebody wakes runs soon, and once more when it was already
running. What goes wrong in a job is logged once and stops neither the job nor the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from server.registration import Job, JobContext

WAKE_S: Final = 0.1
"""How long a woken job waits: many reasons to wake it are one run."""
STOP_S: Final = 10.0
"""How long a stop waits for running jobs."""
_LOG: Final = logging.getLogger(__name__)


class Jobs:
    """Runs jobs from :meth:`start` to :meth:`stop`, both on the event loop."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        """Run ``jobs``, whose names differ."""
        self._jobs = {job.name: job for job in jobs}
        self._runners: dict[str, _Runner] = {}
        self._scheduler = AsyncIOScheduler(timezone=UTC)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = threading.Event()

    def start(self, context: JobContext) -> None:
        """Run every job now, and again whenever its time has come."""
        self._loop = asyncio.get_running_loop()
        self._stopping = context.stopping
        for job in self._jobs.values():
            runner = self._runners[job.name] = _Runner(job, context)
            self._scheduler.add_job(
                runner.run,
                "interval",
                seconds=job.every_s,
                id=job.name,
                max_instances=1,
                coalesce=True,
                misfire_grace_time=None,
                next_run_time=datetime.now(UTC),
            )
        self._scheduler.start()

    def wake(self, name: str) -> None:
        """Have a job run soon; from any thread, and of no effect before the start and after the stop."""
        if self._loop is not None and not self._stopping.is_set():
            self._loop.call_soon_threadsafe(self._wake, name)

    def board_advanced(self) -> None:
        """Wake the jobs that wait for news of any board."""
        for job in self._jobs.values():
            if job.is_woken_by_boards:
                self.wake(job.name)

    def _wake(self, name: str) -> None:
        runner = self._runners[name]
        if runner.is_running:
            runner.is_wanted = True
        elif not self._stopping.is_set() and not runner.is_woken:
            runner.is_woken = True
            soon = datetime.now(UTC) + timedelta(seconds=WAKE_S)
            self._scheduler.modify_job(name, next_run_time=soon)

    async def stop(self) -> None:
        """Start no job any more, and wait for those that run, up to a bound."""
        self._stopping.set()
        if self._loop is None:
            return
        self._scheduler.pause()
        late = await _wait([runner for runner in self._runners.values() if runner.is_running])
        for name in late:
            # Its thread ends with the process. Whatever a job does, a crash may end it anyway.
            _LOG.warning("job did not stop", extra={"job": name})
        self._scheduler.shutdown(wait=False)
        # The scheduler ends itself with the loop's next turn.
        await asyncio.sleep(0)


class _Runner:
    """One job: runs it in a thread, and remembers what has been said about its failures."""

    def __init__(self, job: Job, context: JobContext) -> None:
        self.job = job
        self.is_running = False
        self.is_wanted = False
        self.is_woken = False
        self.idle = asyncio.Event()
        self._context = context
        self._said: set[str] = set()

    async def run(self) -> None:
        """Run once, and again for whoever woke the job meanwhile."""
        self.is_running, self.is_woken = True, False
        self.idle.clear()
        try:
            await self._run_once()
            while self.is_wanted and not self._context.stopping.is_set():
                self.is_wanted = False
                await asyncio.sleep(WAKE_S)
                await self._run_once()
        finally:
            self.is_running = False
            self.idle.set()

    async def _run_once(self) -> None:
        if self._context.stopping.is_set():
            return
        loop = asyncio.get_running_loop()
        done = asyncio.Event()

        def work() -> None:
            self._work()
            # The loop of a server that stopped without this job is gone.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(done.set)

        # A daemon, unlike a pool's thread: nothing that a job waits for may keep the process from ending.
        threading.Thread(target=work, name=f"job-{self.job.name}", daemon=True).start()
        await done.wait()

    def _work(self) -> None:
        try:
            self.job.run(self._context)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next run may do better
            kind = type(error).__name__
            if kind not in self._said:
                self._said.add(kind)
                _LOG.error("job failed", exc_info=error, extra={"job": self.job.name})
        else:
            self._said.clear()


async def _wait(runners: list[_Runner]) -> list[str]:
    """Wait until these are idle; return the names of those that are not after the bound."""
    if runners:
        waiting = [asyncio.ensure_future(runner.idle.wait()) for runner in runners]
        _, late = await asyncio.wait(waiting, timeout=STOP_S)
        for task in late:
            task.cancel()
    return [runner.job.name for runner in runners if runner.is_running]
