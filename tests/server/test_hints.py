"""Servers on one PostgreSQL hint each other to look; that no hint is needed is tested as well."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg
from sqlalchemy import make_url

from databases.postgresql import open_engine, parse_url
from server.application import Application, Settings
from server.database import open_database
from server.hints import Hints, PostgresHints, hints_of, is_own_session
from server.modules import MODULES
from server.system import SystemClock
from support.clocks import CountingIds
from support.postgres_cluster import Postgres
from support.real_server import started_server
from support.server_bench import ServerBench, create, numbered
from support.sync_client import SyncClient
from support.waiting import eventually
from sync.contract.operations import Move
from sync.contract.stages import Stage

WITHIN_S = 15.0
HINTERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE query LIKE '%{words}%' AND pid <> pg_backend_pid() AND datname = current_database()
"""


class Heard:
    """What a listener heard: counts its calls."""

    def __init__(self) -> None:
        self.times = 0
        self._news = threading.Semaphore(0)

    def __call__(self) -> None:
        """Be told."""
        self.times += 1
        self._news.release()

    def once_more(self, within_s: float = WITHIN_S) -> bool:
        """Wait for one more call."""
        return self._news.acquire(timeout=within_s)


def end_connections(url: str, words: str) -> int:
    """End the connections whose last statement has these words, and return how many there were."""
    with psycopg.connect(url) as other:
        return len(other.execute(HINTERS.format(words=words).encode()).fetchall())


def hinting(url: str, listener: Callable[[], object]) -> PostgresHints:
    """Return hints that are started and listen."""
    hints = PostgresHints(open_engine(parse_url(url)))
    hints.start(listener)
    return hints


def test_what_one_server_tells_the_others_hear(postgresql_url: str) -> None:
    """And it does not hear itself: it knows."""
    first, second = Heard(), Heard()
    one, two = hinting(postgresql_url, first), hinting(postgresql_url, second)
    # Each is told to look once when it begins to listen: nobody heard what was told before.
    assert first.once_more()
    assert second.once_more()
    one.tell("site-1")
    assert second.once_more()
    two.tell("site-1")
    assert first.once_more()
    one.stop()
    two.stop()
    assert (first.times, second.times) == (2, 2)


def test_hints_come_back_after_their_connections_broke(postgresql_url: str) -> None:
    """By themselves, and with one look for what was not heard meanwhile."""
    heard = Heard()
    teller, hearer = hinting(postgresql_url, Heard()), hinting(postgresql_url, heard)
    assert heard.once_more()
    teller.tell("site-1")
    assert heard.once_more()
    assert end_connections(postgresql_url, "LISTEN") == 2
    assert heard.once_more()
    assert end_connections(postgresql_url, "pg_notify") == 1

    def is_heard() -> bool:
        teller.tell("site-1")
        return heard.once_more(0.1)

    eventually(is_heard, WITHIN_S, "a hint")
    teller.stop()
    hearer.stop()


def test_hints_wait_for_a_database_that_is_away(postgres: Postgres, postgresql_url: str) -> None:
    """A stop does not wait for it."""
    name = make_url(postgresql_url).database
    postgres.ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
    heard = Heard()
    hints = hinting(postgresql_url, heard)
    gone = hinting(postgresql_url, Heard())
    gone.stop()
    postgres.ask(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert heard.once_more()
    hints.stop()


def test_through_a_pool_of_connections_nobody_listens() -> None:
    """The session that answers is not the one that was said hello to."""

    class Pooled:
        """A connection of which PgBouncer made the process number up."""

        info = SimpleNamespace(backend_pid=4711)

        def execute(self, _sql: str) -> Pooled:
            """Run a statement on whichever session is free."""
            return self

        def fetchone(self) -> tuple[int]:
            """Return its process number."""
            return (815,)

    assert not is_own_session(Pooled())


def test_a_file_has_no_hints(tmp_path: Path) -> None:
    """They cost nothing there, and a stop without a start is none."""
    bench = ServerBench(tmp_path / "data")
    hints = hints_of(bench.database.engine)
    assert type(hints) is Hints
    hints.start(Heard())
    hints.tell("site-1")
    hints.stop()
    bench.close()


def test_what_is_not_started_tells_nobody(postgresql_url: str) -> None:
    """A command writes and ends; it makes no connections for hints."""
    bench = ServerBench(Path(), url=postgresql_url)
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    assert end_connections(postgresql_url, "pg_notify") == 0
    bench.close()


def test_servers_whose_hints_are_cut_again_and_again_lose_nothing(
    tmp_path: Path, postgresql_url: str
) -> None:
    """Each of two processes gets the whole log without a gap, whatever becomes of the hints."""
    with (
        started_server(tmp_path / "a", postgresql_url) as first,
        started_server(tmp_path / "b", postgresql_url) as second,
    ):
        token = first.sign_in()["access_token"]
        with SyncClient(first.sync_url) as one, SyncClient(second.sync_url) as two:
            one.join(token, "device-1")
            two.join(token, "device-2")
            for number in range(1, 11):
                one.submit(create(number, f"order-{number}"))
                end_connections(postgresql_url, "LISTEN")
                end_connections(postgresql_url, "pg_notify")
                two.submit(numbered(number, Move(Stage.PICKING), f"order-{number}", "device-2"))
            for client in (one, two):
                assert {entry.seq for entry in client.log_until(20)} <= set(range(1, 21))


def test_without_any_hint_looking_finds_everything(postgresql_url: str, tmp_path: Path) -> None:
    """Two servers that neither tell nor hear: what one decides is on the terminals of the other."""

    async def story() -> None:
        clock, ids = SystemClock(), CountingIds()
        bench = ServerBench(tmp_path / "bench", url=postgresql_url)
        token = bench.device()
        with open_database(tmp_path, clock, ids, url=postgresql_url) as database:
            servers = [
                Application(database, MODULES, Settings(port=0), tmp_path, clock, ids, "1", has_hints=False)
                for _ in range(2)
            ]
            for server in servers:
                await server.start()
            try:
                await asyncio.to_thread(talk, servers, token)
            finally:
                for server in servers:
                    await server.stop()
        bench.close()

    def talk(servers: list[Application], token: str) -> None:
        answer = httpx.post(f"{servers[0].url}/sign-in", json={"device_token": token})
        access_token = str(answer.json()["access_token"])
        with SyncClient(servers[0].sync_address) as one, SyncClient(servers[1].sync_address) as two:
            one.join(access_token, "device-1")
            two.join(access_token, "device-2")
            one.submit(*(create(number, f"order-{number}") for number in range(1, 6)))
            assert [entry.seq for entry in two.log_until(5)] == [1, 2, 3, 4, 5]
        assert end_connections(postgresql_url, "LISTEN") == 0

    asyncio.run(story())
