"""The one crossing between the engine's threads and the GUI thread.

The engine tells its news on the network thread. They wait in a queue and one posted event wakes
the GUI thread, however many came: 500 deltas a second are a few events, not 500. The other way, what the
engine's loop could not give to anybody ends on the surface where all problems end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from sync.client.news import News

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
        self._handler: Callable[[list[News]], None] | None = None
        self._woken.connect(self._hand_over, Qt.ConnectionType.QueuedConnection)

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
        # A deque's append is atomic; a wake-up for an emptied queue does nothing.
        self._waiting.append(news)
        if len(self._waiting) == 1:
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

    def _hand_over(self) -> None:
        if self._handler is None:
            return
        batch: list[News] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        if batch:
            self._handler(batch)
