"""A terminal's copy of the board is damaged on its disk; the running server mends it, order by order."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from support.headless import Headless, put_orders, start_headless
from support.processes import ProcessRunner
from support.real_server import RealServer, started_server
from support.waiting import eventually
from sync.client.cache import Cache

ORDERS = 600
DAMAGES = {
    "an order is gone": (
        "DELETE FROM orders WHERE local_id = 17; DELETE FROM bodies WHERE local_id = 17;"
        "UPDATE meta SET value = '{hash}' WHERE key = 'state_hash'; DELETE FROM meta WHERE key = 'crc'"
    ),
    "a bit of an order": (
        "UPDATE bodies SET body = CAST(replace(body, 'SO-', 'SP-') AS BLOB) WHERE local_id = 17"
    ),
    "a card": "UPDATE orders SET customer = 'Somebody Else' WHERE local_id IN (17, 350)",
}


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[RealServer]:
    """A running server with a board."""
    with started_server(tmp_path, database_url) as server:
        put_orders(server, ORDERS)
        yield server


def spoil(profile: Path, statements: str) -> None:
    """Change the cache as only a fault can."""
    with closing(sqlite3.connect(profile / "cache.db")) as connection:
        connection.executescript(statements.format(hash=7))
        connection.commit()


def state_hash(profile: Path) -> tuple[int, int, bool]:
    """Return hash and number of the orders of a cache, and whether all of it is whole."""
    with closing(Cache.open(profile / "cache.db").cache) as cache:
        after = 0
        while after := cache.check(after):
            pass
        state = cache.state()
        return state.state_hash, state.orders, not cache.is_suspect


def logged(server: RealServer, what: str) -> list[dict[str, object]]:
    """Return what the server's log says of an event."""
    files = sorted((server.data / "logs").glob("*.jsonl")) or sorted((server.data / "logs").glob("*"))
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if what in line]
    return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_mended_and_reported(
    server: RealServer, processes: ProcessRunner, tmp_path: Path, damage: str
) -> None:
    """Without a snapshot: orders that differ are replaced, the person is told, and the server logs it."""
    profile = tmp_path / "profile"
    first = start_headless(processes, server, profile)
    assert first.quit() == 0
    before = state_hash(profile)
    assert before[1:] == (ORDERS, True)
    spoil(profile, DAMAGES[damage])
    words = ("--server", server.url, "--device-token-file", server.token_file)
    terminal = Headless(processes, profile, *words)
    repaired = terminal.wait("repaired")
    assert repaired["orders"] == (2 if damage == "a card" else 1)
    assert terminal.lines("snapshot") == []
    number = terminal.numbers("confirmed")[0]
    terminal.move(number, "picking", "after")
    terminal.wait("operation", ref="after", fate="done")
    assert terminal.quit() == 0
    assert state_hash(profile)[1:] == (ORDERS, True)
    eventually(lambda: logged(server, "board_repaired"), what="the line in the log of the server")
