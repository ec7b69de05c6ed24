"""A cache that gets damaged under the feet of the running program."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from support.clocks import CountingIds
from sync.client.cache import Cache
from sync.client.engine_stores import Stores
from sync.client.profile import open_profile
from sync.client.store_values import CacheState
from sync.contract.messages import Site
from sync.contract.steps import Job

SITE = Site("site-1", "Hall A", "Europe/London", "organization-1", "Example")


@pytest.mark.parametrize(
    ("code", "is_put_aside"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_CORRUPT_VTAB, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_ERROR, False),
        (None, False),
    ],
)
def test_a_cache_that_rots_is_put_aside_and_the_board_comes_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int | None, is_put_aside: bool
) -> None:
    """The job fails, which drops the link; the next hello finds an empty cache. A full disk is not rot."""
    error = sqlite3.DatabaseError("database disk image is malformed")
    if code is not None:
        error.sqlite_errorcode = code

    def rotten(_cache: Cache) -> bool:
        raise error

    monkeypatch.setattr(Cache, "tidy", rotten)

    async def live() -> object:
        stores = Stores(open_profile(tmp_path / "profile"), CountingIds())
        await stores.open()

        async def run(method: str, *arguments: object) -> tuple[object, str]:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[tuple[object, str]] = loop.create_future()

            def done(result: object, error: str) -> None:
                loop.call_soon_threadsafe(answer.set_result, (result, error))

            stores.run_job(Job(1, "cache", method, arguments), done)
            return await answer

        await run("remember", SITE, None, None)
        assert await run("tidy") == (None, "DatabaseError: database disk image is malformed")
        state, _ = await run("state")
        await asyncio.to_thread(stores.close, 5.0)
        return state

    state = asyncio.run(live())
    assert isinstance(state, CacheState)
    assert state.site == (None if is_put_aside else SITE)
    assert (tmp_path / "profile" / "cache-damaged-1.db").exists() is is_put_aside
