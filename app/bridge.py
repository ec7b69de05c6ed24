"""The one crossing between the engine's threads and the GUI thread.

The engine tells its news on the network thread. They wait in a queue and one posted event wakes
the GUI thread, however many came: 500 deltas a second are a few events, not 500.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from sync.client.news import News


class Bridge(QObject):
    """Takes news on any thread, hands them over on the thread that made it."""

    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        """Make the crossing; nothing is handed over before :meth:`open`."""
        super().__init__(parent)
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
        # A deque's append is atomic; a wake-up for an emptied queue does nothing.
        self._waiting.append(news)
        if len(self._waiting) == 1:
            self._woken.emit()

    def _hand_over(self) -> None:
        if self._handler is None:
            return
        batch: list[News] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        if batch:
            self._handler(batch)
