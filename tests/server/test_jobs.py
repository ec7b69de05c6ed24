"""Jobs: each comes round by itself, alone, in a thread; a failure is said once; a stop is orderly."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from server import jobs as jobs_module
from server.application import Application, Settings
from server.database import create_database
from server.jobs import Jobs
from server.modules import MODULES
from server.registration import Job, JobContext, Module
from server.system import SystemClock
from support.clocks import CountingIds
from support.http_bench import HttpBench

SELDOM_S = 3600.0
OFTEN_S = 0.01


@pytest.fixture
def context(tmp_path: Path) -> JobContext:
    """What a job gets, over a data folder that is closed: these jobs do not look into it."""
    with HttpBench(tmp_path / "data") as bench:
        return JobContext(bench.database, bench.services, threading.Event())


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until the condition holds; there is a deadline."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for happens on other threads
            await asyncio.sleep(0.005)


def test_a_job_runs_at_the_start_and_comes_round(context: JobContext) -> None:
    """In a thread of its own, off the loop, with the server's services."""
    seen: list[tuple[JobContext, str]] = []
    job = Job("counting", OFTEN_S, lambda given: seen.append((given, threading.current_thread().name)))

    async def story() -> None:
        jobs = Jobs([job])
        jobs.start(context)
        await until(lambda: len(seen) >= 3)
        await jobs.stop()
        count = len(seen)
        await asyncio.sleep(OFTEN_S * 5)
        assert len(seen) == count

    asyncio.run(story())
    assert set(seen) == {(context, "job-counting")}


def test_a_job_never_runs_twice_at_once(context: JobContext) -> None:
    """However late it is, and whoever wakes it."""
    together: list[int] = []
    running: list[int] = []
    go = threading.Event()

    def run(_: JobContext) -> None:
        running.append(1)
        together.append(len(running))
        go.wait(5)
        running.pop()

    async def story() -> None:
        jobs = Jobs([Job("slow", OFTEN_S, run)])
        jobs.start(context)
        await until(lambda: running)
        for _ in range(20):
            jobs.wake("slow")
            await asyncio.sleep(OFTEN_S)
        assert together == [1]
        go.set()
        await until(lambda: len(together) >= 3)
        await jobs.stop()

    asyncio.run(story())
    assert set(together) == {1}


def test_a_woken_job_runs_soon_and_once(context: JobContext) -> None:
    """From any thread; many reasons within a moment are one run."""
    runs: list[int] = []

    async def story() -> None:
        jobs = Jobs([Job("sleepy", SELDOM_S, lambda _: runs.append(1))])
        jobs.wake("sleepy")
        jobs.start(context)
        await until(lambda: len(runs) == 1)
        for _ in range(50):
            await asyncio.to_thread(jobs.wake, "sleepy")
        await until(lambda: len(runs) == 2)
        await asyncio.sleep(jobs_module.WAKE_S * 2)
        assert len(runs) == 2
        await jobs.stop()
        jobs.wake("sleepy")
        await asyncio.sleep(jobs_module.WAKE_S * 2)

    asyncio.run(story())
    assert len(runs) == 2


def test_a_job_that_is_woken_while_it_runs_runs_once_more(context: JobContext) -> None:
    """What came too late for the run that was on its way is not forgotten until the next time."""
    runs: list[int] = []
    go = threading.Event()

    def run(_: JobContext) -> None:
        runs.append(1)
        go.wait(5)

    async def story() -> None:
        jobs = Jobs([Job("sleepy", SELDOM_S, run)])
        jobs.start(context)
        await until(lambda: runs)
        jobs.wake("sleepy")
        await asyncio.sleep(0.01)
        go.set()
        await until(lambda: len(runs) == 2)
        await jobs.stop()

    asyncio.run(story())
    assert len(runs) == 2


def test_a_board_wakes_only_the_jobs_that_want_it(context: JobContext) -> None:
    """The others keep to their time."""
    runs: list[str] = []

    async def story() -> None:
        jobs = Jobs(
            [
                Job("eager", SELDOM_S, lambda _: runs.append("eager"), is_woken_by_boards=True),
                Job("calm", SELDOM_S, lambda _: runs.append("calm")),
            ]
        )
        jobs.start(context)
        await until(lambda: len(runs) == 2)
        jobs.board_advanced()
        await until(lambda: len(runs) == 3)
        await jobs.stop()

    asyncio.run(story())
    assert sorted(runs) == ["calm", "eager", "eager"]


@pytest.mark.expects_log_warnings
def test_a_failure_is_said_once_and_the_job_goes_on(
    context: JobContext, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a kind, and again after a run that went well; other jobs do not notice."""
    plan = ["OSError", "OSError", "ValueError", "OSError", "", "OSError"]
    done: list[int] = []
    others: list[int] = []

    def run(_: JobContext) -> None:
        step = plan[len(done)] if len(done) < len(plan) else ""
        done.append(1)
        if step:
            raise {"OSError": OSError, "ValueError": ValueError}[step]("no")

    async def story() -> None:
        jobs = Jobs([Job("failing", OFTEN_S, run), Job("other", OFTEN_S, lambda _: others.append(1))])
        jobs.start(context)
        await until(lambda: len(done) > len(plan) and len(others) > len(plan))
        await jobs.stop()

    with caplog.at_level(logging.ERROR, "server.jobs"):
        asyncio.run(story())
    kinds = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert kinds == [OSError, ValueError, OSError]


def test_a_stop_waits_for_a_running_job(context: JobContext) -> None:
    """The job sees that it is to stop, and ends in order."""
    ended: list[bool] = []

    def run(given: JobContext) -> None:
        ended.append(given.stopping.wait(5))

    async def story() -> None:
        jobs = Jobs([Job("long", SELDOM_S, run)])
        jobs.start(context)
        await until(lambda: jobs._runners["long"].is_running)
        await jobs.stop()
        assert ended == [True]

    asyncio.run(story())


@pytest.mark.expects_log_warnings
def test_a_stop_does_not_wait_for_ever(context: JobContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that does not listen is left behind and named."""
    monkeypatch.setattr(jobs_module, "STOP_S", 0.05)
    go = threading.Event()

    def run(_: JobContext) -> None:
        go.wait(10)

    async def story() -> None:
        jobs = Jobs([Job("deaf", SELDOM_S, run)])
        jobs.start(context)
        await until(lambda: jobs._runners["deaf"].is_running)
        async with asyncio.timeout(5):
            await jobs.stop()
        go.set()

    asyncio.run(story())


def test_jobs_that_were_never_started_stop(context: JobContext) -> None:
    """A server that cannot listen ends in order, too."""
    asyncio.run(Jobs([Job("none", SELDOM_S, lambda _: None)]).stop())


def test_the_application_runs_the_jobs_of_its_modules(tmp_path: Path) -> None:
    """From listening to the stop, with the database and the services."""
    seen: list[JobContext] = []

    async def story() -> None:
        clock, ids = SystemClock(), CountingIds()
        module = Module("clockwork", jobs=(Job("tick", SELDOM_S, seen.append),))
        with create_database(tmp_path, clock, ids) as database:
            application = Application(database, [module], Settings(port=0), tmp_path, clock, ids, "1")
            await application.start()
            await until(lambda: seen)
            seen[0].services.wake("tick")
            await until(lambda: len(seen) == 2)
            await application.stop()
            assert seen[0].database is database
            assert seen[0].services.clock is clock
            assert seen[0].stopping.is_set()

    asyncio.run(story())


def test_every_job_has_a_name_of_its_own() -> None:
    """It is what a job is woken by, and what the log says."""
    names = [job.name for module in MODULES for job in module.jobs]
    assert len(set(names)) == len(names)
