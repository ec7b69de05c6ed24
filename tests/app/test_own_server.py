"""The server that the program starts itself: started when first asked, again when it died, never twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded import EmbeddedServer
from app.own_server import OwnServerSession
from app.system import SystemClock, SystemRandom
from server.database import open_database
from support.server_bench import fresh_order
from support.waiting import eventually
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import Import, Operation
from sync.contract.problems import ProblemError

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server that is stopped with the test."""
    made = EmbeddedServer(tmp_path / "server")
    yield made
    made.stop()


def test_it_tells_address_and_token_and_ends_with_its_pipe(server: EmbeddedServer) -> None:
    """One line over the pipe; afterwards no process is left."""
    address = server.start()
    assert address.url.startswith("http://127.0.0.1:")
    assert len(address.device_token) > 30
    pid = server.pid
    assert pid is not None
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_after_the_end_nothing_starts_any_more(server: EmbeddedServer) -> None:
    """The program ends while its engine still asks."""
    server.stop()
    with pytest.raises(ProblemError) as raised:
        server.start()
    assert raised.value.problem.code == "SERVER_NOT_STARTED"
    assert server.pid is None


def test_a_folder_that_is_none_is_a_sentence(tmp_path: Path) -> None:
    """With the reason that the server gave."""
    (tmp_path / "server").write_text("mine", encoding="utf-8")
    server = EmbeddedServer(tmp_path / "server")
    with pytest.raises(ProblemError) as raised:
        server.start()
    server.stop()
    assert raised.value.problem.code == "SERVER_NOT_STARTED"
    assert "Traceback" not in raised.value.problem.sentence
    assert (tmp_path / "server").read_text(encoding="utf-8") == "mine"


def test_a_server_that_died_is_started_again_by_the_next_question(server: EmbeddedServer) -> None:
    """The engine knows nothing of it: it asks for the address and gets the new one."""

    async def talk() -> None:
        session = OwnServerSession(server, "profile")
        assert session.expires_ms() == 0
        with pytest.raises(ProblemError):
            await session.read("/orders", {})
        assert not server.is_running
        first = await session.get()
        assert await session.get() == first
        assert b"ws://" in await session.read("/sync-address", {})
        address = await session.sync_address()
        assert address.startswith("ws://")
        assert session.expires_ms() > 0
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not server.is_running, 10)
        assert (await session.sync_address()).startswith("ws://")
        assert server.pid != pid
        await session.close()

    asyncio.run(talk())


def test_demo_orders_come_once_and_only_to_an_empty_board(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order that somebody imported keeps made-up ones away, for good."""
    # Who administers a real server may have its address in the environment: it is none of ours.
    monkeypatch.setenv("FULFILLMENT_KANBAN_SERVER_DATABASE", "postgresql://127.0.0.1:1/real")
    empty, filled = tmp_path / "empty", tmp_path / "filled"
    for folder, wanted in ((empty, 30), (filled, 1)):
        server = EmbeddedServer(folder)
        server.start()
        server.stop()
        if folder is filled:
            _import_one(folder)
        with_demo = EmbeddedServer(folder, demo_orders=30)
        with_demo.start()
        with_demo.stop()
        assert _orders(folder) == wanted


def _import_one(folder: Path) -> None:
    clock = SystemClock()
    ids = Uuid7Ids(clock, SystemRandom())
    with open_database(folder, clock, ids) as database:
        site = database.identities.choose_site("")
        operation = Operation(ids.new(), ids.new(), Import(fresh_order(1)))
        database.store.import_orders(site.key, [operation], ids.new())


def _orders(folder: Path) -> int:
    clock = SystemClock()
    with open_database(folder, clock, Uuid7Ids(clock, SystemRandom())) as database:
        site = database.identities.choose_site("").key
        return len(database.reader.page(site, 0).entries)


def test_a_start_that_fails_is_the_engines_problem(tmp_path: Path) -> None:
    """It is raised where the engine asks, so that the board says it and the next question tries again."""
    (tmp_path / "server").write_text("mine", encoding="utf-8")
    server = EmbeddedServer(tmp_path / "server")

    async def talk() -> str:
        session = OwnServerSession(server, "profile")
        with pytest.raises(ProblemError) as raised:
            await session.get()
        return raised.value.problem.code

    assert asyncio.run(talk()) == "SERVER_NOT_STARTED"
    server.stop()
