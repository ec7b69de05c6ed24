"""Orders that left the board: asked of the server, newest question first, never in anybody's way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
import pytest

from support.orders import make_order
from sync.client.commands import OlderQuestion
from sync.client.news import News, OlderOrdersFound
from sync.client.older_orders import MOST, OlderOrders
from sync.contract.orders import Order
from sync.contract.problems import ProblemError

ORDER = make_order(1, number="SO-1", retired_ms=5)


class Server:
    """Credentials whose answers are in the hands of the test."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.content = msgspec.json.encode({"orders": [ORDER], "total": 312, "next": None})
        self.error: Exception | None = None
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Answer, or fail, when the test lets it."""
        self.asked.append((path, query))
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return self.content

    async def get(self, *, is_renewal: bool = False) -> str:
        """Never asked here."""
        raise NotImplementedError

    async def sync_address(self) -> str:
        """Never asked here."""
        raise NotImplementedError

    def expires_ms(self) -> int:
        """Never asked here."""
        raise NotImplementedError

    async def close(self) -> None:
        """Never asked here."""
        raise NotImplementedError


def told(work: Callable[[Server, OlderOrders], Coroutine[Any, Any, None]]) -> list[News]:
    """Run ``work`` and return what was published until everything was answered."""
    news: list[News] = []

    async def run() -> None:
        server = Server()
        older = OlderOrders(server, news.append)
        await work(server, older)
        await asyncio.gather(*older._asked.values())
        await older.close()

    asyncio.run(run())
    return news


async def _steps() -> None:
    """Let what was begun come to where it waits."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_the_server_is_asked_and_its_orders_come_as_news() -> None:
    """Within a limit, with the words as they were typed; the whole count comes with them."""
    asked: list[tuple[str, dict[str, str]]] = []

    async def work(server: Server, older: OlderOrders) -> None:
        older.ask(OlderQuestion("window", 3, "söder & co"))
        await _steps()
        asked.extend(server.asked)

    assert told(work) == [OlderOrdersFound("window", 3, (ORDER,), 312)]
    assert asked == [("/orders", {"q": "söder & co", "scope": "older", "limit": str(MOST)})]


def test_a_newer_question_cancels_the_older_one_of_the_same_asker() -> None:
    """Another program's question goes on."""

    async def work(server: Server, older: OlderOrders) -> None:
        server.may_answer.clear()
        older.ask(OlderQuestion("window", 1, "a"))
        older.ask(OlderQuestion("guest", 1, "b"))
        await _steps()
        older.ask(OlderQuestion("window", 2, "c"))
        server.may_answer.set()

    found = [each for each in told(work) if isinstance(each, OlderOrdersFound)]
    assert sorted((each.asker, each.number) for each in found) == [("guest", 1), ("window", 2)]


@pytest.mark.parametrize("words", ["", "  ", "#", "-- /"])
def test_words_that_say_nothing_only_end_what_was_asked(words: str) -> None:
    """Nothing is sent for them."""
    asked: list[tuple[str, dict[str, str]]] = []

    async def work(server: Server, older: OlderOrders) -> None:
        server.may_answer.clear()
        older.ask(OlderQuestion("window", 1, "a"))
        await _steps()
        older.ask(OlderQuestion("window", 2, words))
        server.may_answer.set()
        await _steps()
        asked.extend(server.asked)

    assert told(work) == []
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "content", "code"),
    [
        (ProblemError("SERVER_UNREACHABLE", "No."), b"", "SERVER_UNREACHABLE"),
        (None, b"<html>", "SERVER_UNREADABLE"),
        (None, b'{"orders": [{"id": 7}]}', "SERVER_UNREADABLE"),
    ],
)
def test_what_goes_wrong_is_an_answer(error: Exception | None, content: bytes, code: str) -> None:
    """Whoever asked is told; nothing else is disturbed."""

    async def work(server: Server, older: OlderOrders) -> None:
        server.error, server.content = error, content
        older.ask(OlderQuestion("window", 1, "a"))

    (news,) = told(work)
    assert isinstance(news, OlderOrdersFound)
    assert news.problem is not None
    assert (news.number, news.problem.code, news.orders) == (1, code, ())


@pytest.mark.expects_log_warnings
def test_a_fault_is_an_answer_too() -> None:
    """And in the log, whole."""

    async def work(server: Server, older: OlderOrders) -> None:
        server.error = RuntimeError("a fault")
        older.ask(OlderQuestion("window", 1, "a"))

    (news,) = told(work)
    assert isinstance(news, OlderOrdersFound)
    assert news.problem is not None
    assert news.problem.code == "SEARCH_FAILED"


def test_the_end_cancels_what_is_asked() -> None:
    """Closing waits for nobody; without a server there is nobody to ask."""
    news: list[News] = []

    async def run() -> None:
        server = Server()
        server.may_answer.clear()
        older = OlderOrders(server, news.append)
        older.ask(OlderQuestion("window", 1, "a"))
        await _steps()
        await older.close()
        alone = OlderOrders(None, news.append)
        alone.ask(OlderQuestion("window", 2, "a"))
        await _steps()
        await alone.close()

    asyncio.run(run())
    (only,) = news
    assert isinstance(only, OlderOrdersFound)
    assert only.problem is not None
    assert (only.number, only.problem.code) == (2, "SERVER_MISSING")


def test_an_order_of_a_later_server_is_read_as_far_as_it_is_known() -> None:
    """Fields that this release does not know are left out."""
    content = msgspec.json.encode({"orders": [msgspec.to_builtins(ORDER) | {"weight_g": 5}], "total": 1})

    async def work(server: Server, older: OlderOrders) -> None:
        server.content = content
        older.ask(OlderQuestion("window", 1, "a"))

    (news,) = told(work)
    assert isinstance(news, OlderOrdersFound)
    assert all(isinstance(order, Order) for order in news.orders)
    assert news.orders == (ORDER,)
