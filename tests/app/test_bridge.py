"""The crossing: news from any thread arrive on the GUI thread, in order, in batches."""

from __future__ import annotations

import asyncio
import threading

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from app.bridge import Bridge
from sync.client.news import DelayMeasured, News


class Receiver:
    """Keeps batches and the threads on which they came."""

    def __init__(self) -> None:
        """Begin empty."""
        self.news: list[News] = []
        self.batches = 0
        self.threads: set[int] = set()

    def take(self, batch: list[News]) -> None:
        """Take one batch."""
        self.news.extend(batch)
        self.batches += 1
        self.threads.add(threading.get_ident())


def _ignore(_loop: object, _context: dict[str, object]) -> None:
    """Take nothing."""


def test_news_of_another_thread_arrive_here_in_their_order(qtbot: QtBot) -> None:
    """Many news are few events, and none is lost."""
    parent, receiver = QObject(), Receiver()
    bridge = Bridge(_ignore, parent)
    bridge.open(receiver.take)

    def tell_all() -> None:
        for ms in range(1_000):
            bridge.tell(DelayMeasured(ms))

    thread = threading.Thread(target=tell_all)
    thread.start()
    qtbot.waitUntil(lambda: len(receiver.news) == 1_000)
    thread.join()
    assert receiver.news == [DelayMeasured(ms) for ms in range(1_000)]
    assert receiver.threads == {threading.get_ident()}
    assert receiver.batches < 1_000


def test_news_before_the_opening_wait_and_after_the_end_are_dropped(qtbot: QtBot) -> None:
    """A window that is not made yet misses nothing; one that is gone is left alone."""
    parent, receiver = QObject(), Receiver()
    bridge = Bridge(_ignore, parent)
    bridge.tell(DelayMeasured(1))
    bridge.open(receiver.take)
    assert receiver.news == [DelayMeasured(1)]
    bridge.close()
    bridge.tell(DelayMeasured(2))
    bridge.open(receiver.take)
    qtbot.wait(0)
    assert DelayMeasured(1) in receiver.news


def test_what_a_loop_cannot_give_to_anybody_is_told(qtbot: QtBot) -> None:
    """The first news from a loop makes its exceptions ours."""
    parent, told = QObject(), list[str]()
    bridge = Bridge(lambda _loop, context: told.append(str(context["message"])), parent)

    async def talk() -> None:
        bridge.tell(DelayMeasured(1))
        asyncio.get_running_loop().call_exception_handler({"message": "lost"})

    bridge.tell(DelayMeasured(0))
    asyncio.run(talk())
    assert told == ["lost"]
