"""A disk that fills up: the board's copy stops first, moves go on as long as there is anything to give."""

from __future__ import annotations

import asyncio
import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.clocks import CountingIds
from support.drafts import draft
from sync.client.database_thread import Priority
from sync.client.engine_stores import Stores
from sync.client.outbox import Outbox
from sync.client.profile import Profile, open_profile
from sync.client.stores.ballast import (
    BALLAST_BYTES,
    ENOUGH_BYTES,
    FULL,
    LOW,
    RESERVE_BYTES,
    Ballast,
    DiskFullError,
    is_full,
)
from sync.contract.operations import Operation
from sync.contract.problems import Problem, ProblemError
from sync.contract.steps import Job


def full_disk() -> sqlite3.OperationalError:
    """Return what SQLite says when there is no room."""
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = sqlite3.SQLITE_FULL
    return error


def free_bytes(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    """Have the disk say how much room there is."""
    monkeypatch.setattr(Ballast, "_free_bytes", lambda _ballast: free)


def at_work(profile: Profile, told: list[Problem], job: Job) -> tuple[object, str]:
    """Open the stores of a profile and have one job done."""

    async def live() -> tuple[object, str]:
        stores = Stores(profile, CountingIds(), told.append)
        await stores.open()
        await stores._call(lambda: None, Priority.TELEMETRY)
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[tuple[object, str]] = loop.create_future()

        def done(result: object, error: str) -> None:
            loop.call_soon_threadsafe(answer.set_result, (result, error))

        stores.run_job(job, done)
        try:
            return await answer
        finally:
            await asyncio.to_thread(stores.close, 5.0)

    return asyncio.run(live())


def failing_once(monkeypatch: pytest.MonkeyPatch, error: Exception, times: int = 1) -> None:
    """Let the next appends fail."""
    append: Callable[..., Any] = Outbox.append
    left = [times]

    def fails(outbox: Outbox, drafts: tuple[Operation, ...]) -> object:
        if left[0]:
            left[0] -= 1
            raise error
        return append(outbox, drafts)

    monkeypatch.setattr(Outbox, "append", fails)


def test_the_ballast_is_loaded_once_and_only_where_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It must not be what fills the disk."""
    free_bytes(monkeypatch, RESERVE_BYTES + BALLAST_BYTES)
    held = Ballast(tmp_path)
    held.load()
    assert not (tmp_path / "ballast").exists()
    assert not held.drop()
    free_bytes(monkeypatch, RESERVE_BYTES + 3 * BALLAST_BYTES)
    held.load()
    file = tmp_path / "ballast"
    assert file.stat().st_size == BALLAST_BYTES
    written = file.stat().st_mtime_ns
    held.load()
    assert file.stat().st_mtime_ns == written
    assert held.drop()
    assert not file.exists()


def test_a_full_disk_gives_the_ballast_for_a_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The move is stored, and the person is told in time."""
    profile = open_profile(tmp_path / "profile")
    told: list[Problem] = []
    failing_once(monkeypatch, full_disk())
    result, error = at_work(profile, told, Job(1, "outbox", "append", ((draft("op-1", "order-1"),),)))
    assert error == ""
    assert isinstance(result, tuple)
    assert [problem.code for problem in told] == ["DISK_FULL"]
    assert not (profile.folder / "ballast").exists()


def test_a_disk_that_stays_full_is_said_of_the_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ballast is given once; then the machine hears the error and undoes the move."""
    profile = open_profile(tmp_path / "profile")
    told: list[Problem] = []
    failing_once(monkeypatch, full_disk(), times=9)
    result, error = at_work(profile, told, Job(1, "outbox", "append", ((draft("op-1", "order-1"),),)))
    assert (result, error) == (None, "OperationalError: database or disk is full")


def test_other_errors_leave_the_ballast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would not help, and the day may come when it does."""
    profile = open_profile(tmp_path / "profile")
    failing_once(monkeypatch, sqlite3.OperationalError("disk I/O error"))
    _, error = at_work(profile, [], Job(1, "outbox", "append", ((draft("op-1", "order-1"),),)))
    assert "disk I/O error" in error
    assert (profile.folder / "ballast").exists()


def test_a_full_disk_at_the_start_gives_the_ballast(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the program could not even show what is waiting."""
    profile = open_profile(tmp_path / "profile")
    (profile.folder / "ballast").write_bytes(b"x")
    told: list[Problem] = []
    whole = Outbox.open
    left = [1]

    def opens(*arguments: Any) -> object:  # noqa: ANN401 - what open takes
        if left[0]:
            left[0] -= 1
            raise ProblemError("OUTBOX_UNUSABLE", "No.") from OSError(errno.ENOSPC, "No space left on device")
        return whole(*arguments)

    monkeypatch.setattr(Outbox, "open", opens)
    _, error = at_work(profile, told, Job(1, "outbox", "state", ()))
    assert (error, [problem.code for problem in told]) == ("", ["DISK_FULL"])


def test_the_boards_copy_stops_growing_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What room is left belongs to moves; reading and tidying go on."""
    profile = open_profile(tmp_path / "profile")
    free_bytes(monkeypatch, RESERVE_BYTES - 1)
    _, error = at_work(profile, [], Job(1, "cache", "apply_delta", ("device", 0, 0, ())))
    assert error.startswith(DiskFullError.__name__)
    assert at_work(profile, [], Job(1, "cache", "tidy", ())) == (False, "")
    result, error = at_work(profile, [], Job(1, "outbox", "append", ((draft("op-1", "order-1"),),)))
    assert error == ""
    assert result


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (full_disk(), True),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), True),
        (OSError(errno.EIO, os.strerror(errno.EIO)), False),
        (sqlite3.OperationalError("locked"), False),
        (None, False),
    ],
)
def test_what_a_full_disk_is(error: BaseException | None, expected: bool) -> None:
    """SQLite's word for it, the system's, and that of a quota."""
    assert is_full(error) is expected


def watched(profile: Profile, monkeypatch: pytest.MonkeyPatch, free: list[int]) -> list[str]:
    """Return what is told and, with a minus, what is over, while the disk has these amounts of room."""
    heard: list[str] = []

    async def live() -> None:
        free_bytes(monkeypatch, ENOUGH_BYTES)

        def told(problem: Problem) -> None:
            heard.append(problem.code)

        def cleared(code: str) -> None:
            heard.append(f"-{code}")

        stores = Stores(profile, CountingIds(), told, cleared=cleared)
        await stores.open()
        for each in free:
            free_bytes(monkeypatch, each)
            stores.watch_room()
            await stores._call(lambda: None, Priority.TELEMETRY)
        await asyncio.to_thread(stores.close, 5.0)

    asyncio.run(live())
    return heard


def test_little_room_is_told_once_and_so_is_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In between, around the border, nothing blinks."""
    profile = open_profile(tmp_path / "profile")
    low = RESERVE_BYTES - 1
    free = [ENOUGH_BYTES, RESERVE_BYTES, low, low, RESERVE_BYTES, ENOUGH_BYTES - 1, low, ENOUGH_BYTES, low]
    assert watched(profile, monkeypatch, free) == ["DISK_LOW", "-DISK_LOW", "DISK_LOW"]


def test_the_ballast_comes_back_with_the_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was given is told, and the warning goes when it is there again."""
    free_bytes(monkeypatch, ENOUGH_BYTES)
    held = Ballast(tmp_path)
    held.load()
    assert held.drop()
    assert held.watch() == (None, FULL)
    assert (tmp_path / "ballast").exists()
    free_bytes(monkeypatch, 0)
    assert held.watch() == (LOW, None)
    assert held.drop()
    assert held.watch() == (FULL, FULL)
    free_bytes(monkeypatch, ENOUGH_BYTES - 1)
    assert held.watch() == (FULL, FULL)


def test_a_page_that_finds_no_room_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the next look."""
    profile = open_profile(tmp_path / "profile")
    told: list[Problem] = []
    free_bytes(monkeypatch, RESERVE_BYTES - 1)
    at_work(profile, told, Job(1, "cache", "apply_delta", ("device", 0, 0, ())))
    assert [problem.code for problem in told] == ["DISK_LOW"]


def test_a_disk_that_does_not_answer_changes_nothing(tmp_path: Path) -> None:
    """It was taken out, for example."""
    held = Ballast(tmp_path / "gone")
    assert held.watch() == (None, None)
