"""The one crossing between the engine's threads and the GUI thread.

The engine tells its news on the network thread. They wait in a queue and one posted event wakes
the GUI thread, however many came. When a lot is going on elsewhere, other people's changes come four times
a second and together: 500 deltas a second are four looks at the board. What a person here waits for never
waits. The other way, what the engine's loop could not give to anybody ends on the surface where all problems
end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import monotonic

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from app.pace import Pace
from sync.client.news import News
from sync.client.view_news import can_wait, gathered

LoopExceptionHandler = Callable[[object, dict[str, object]], None]
"""What an event loop calls with what nobody caught."""


class Bridge(QObject):
    """Takes news on any thread, hands them over on the thread that made it."""

    _woken = Signal()

    def __init__(self, on_loop_exception: LoopExceptionHandler, parent: QObject | None = None) -> None:
        """Make the crossing; nothing is handed over before :meth:`open`."""
        super().__init__(parent)
        self._on_loop_exception = on_loop_exception
        self._is_watching = False
        self._waiting: deque[News] = deque()
        self._is_woken = False
        self._is_urgent = False
        self._handler: Callable[[list[News]], None] | None = None
        self._pace = Pace()
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._hand_over)
        self._woken.connect(self._on_woken, Qt.ConnectionType.QueuedConnection)

    def open(self, handler: Callable[[list[News]], None]) -> None:
        """Hand everything to ``handler`` from now on, oldest first, in batches."""
        self._handler = handler
        self._hand_over()

    def close(self) -> None:
        """Hand nothing over any more; news that still come are dropped."""
        self._handler = None
        self._waiting.clear()

    def tell(self, news: News) -> None:
        """Take one piece of news; any thread."""
        if not self._is_watching:
            self._watch_loop()
        # A deque's append is atomic. What is marked here before the other thread empties the queue is in it;
        # a wake-up for an emptied queue does nothing.
        self._waiting.append(news)
        if not can_wait(news):
            self._is_urgent = True
            self._woken.emit()
        elif not self._is_woken:
            self._is_woken = True
            self._woken.emit()

    def _watch_loop(self) -> None:
        """Take the exceptions of the loop that tells, at the first news from one."""
        import asyncio

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # Told from a thread without a loop.
        loop.set_exception_handler(self._on_loop_exception)
        self._is_watching = True

    def _on_woken(self) -> None:
        """Hand over now, or when it is time for what can wait."""
        wait_ms = 0 if self._is_urgent else self._pace.wait_ms(_now_ms())
        if not wait_ms:
            self._hand_over()
        elif not self._later.isActive():
            self._later.start(wait_ms)

    def _hand_over(self) -> None:
        if self._handler is None:
            return
        self._later.stop()
        self._is_woken = self._is_urgent = False
        batch: list[News] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        if batch:
            self._pace.handed(sum(map(can_wait, batch)), _now_ms())
            self._handler(gathered(batch))


def _now_ms() -> int:
    return int(monotonic() * 1000)
