"""The search for orders that left the board: asked of the server, one question of each asker at a time.

Runs on the network thread beside the machine and never in its way: a newer question of the same asker
cancels the older one, and what goes wrong is an answer like any other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

import msgspec

from sync.client.commands import OlderQuestion
from sync.client.news import News, OlderOrdersFound
from sync.client.search import expression
from sync.client.session import Credentials
from sync.contract.orders import Order
from sync.contract.problems import Problem, ProblemError

MOST: Final = 50
"""Nobody reads the fifty-first; one more word finds it."""
_LOG: Final = logging.getLogger("sync.client.older_orders")


class _Answer(msgspec.Struct, frozen=True):
    orders: tuple[Order, ...]
    total: int = 0


class OlderOrders:
    """Asks the server; lives on one event loop."""

    def __init__(self, session: Credentials | None, publish: Callable[[News], None]) -> None:
        """Ask with the sign-in of ``session``; answers go to ``publish`` as news."""
        self._session = session
        self._publish = publish
        self._asked: dict[str, asyncio.Task[None]] = {}

    def ask(self, question: OlderQuestion) -> None:
        """Look for the words of ``question``; what its asker wanted before is not wanted any more."""
        before = self._asked.pop(question.asker, None)
        if before is not None:
            before.cancel()
        if expression(question.words):
            task = asyncio.get_running_loop().create_task(self._answer(question))
            self._asked[question.asker] = task
            task.add_done_callback(lambda done: self._forget(question.asker, done))

    async def close(self) -> None:
        """Ask no more."""
        tasks = list(self._asked.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, question: OlderQuestion) -> None:
        try:
            answer = await self._found(question.words)
        except ProblemError as error:
            problem = error.problem
        except Exception as error:  # noqa: BLE001 - whoever asked waits for an answer in any case
            _LOG.exception("looking for older orders failed")
            problem = Problem(
                "SEARCH_FAILED", f"Older orders could not be searched ({type(error).__name__}).", "Tell IT."
            )
        else:
            self._publish(OlderOrdersFound(question.asker, question.number, answer.orders, answer.total))
            return
        self._publish(OlderOrdersFound(question.asker, question.number, problem=problem))

    async def _found(self, words: str) -> _Answer:
        if self._session is None:
            raise ProblemError("SERVER_MISSING", "This program was started without a server.")
        query = {"q": words, "scope": "older", "limit": str(MOST)}
        content = await self._session.read("/orders", query)
        try:
            return msgspec.json.decode(content, type=_Answer)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise ProblemError(
                "SERVER_UNREADABLE",
                "The server says something that this version does not understand.",
                "Ask IT whether this program has to be updated.",
            ) from error

    def _forget(self, asker: str, task: asyncio.Task[None]) -> None:
        if self._asked.get(asker) is task:
            del self._asked[asker]
