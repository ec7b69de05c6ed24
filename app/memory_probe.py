"""Reads what this process costs in memory, on a thread of its own: a reading takes up to 2 ms."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal

EVERY_MS = 15_000
FIRST_MS = 4_000


class MemoryProbe(QObject):
    """Tells the cost in megabytes (of 1,000,000 bytes) every now and then, on the GUI thread."""

    measured = Signal(float)
    _read = Signal(float)

    def __init__(self, parent: QObject) -> None:
        """Begin a moment after the start, when it has settled."""
        super().__init__(parent)
        self._thread: threading.Thread | None = None
        self._read.connect(self.measured, Qt.ConnectionType.QueuedConnection)
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look)
        self._timer.start()
        QTimer.singleShot(FIRST_MS, self, self.look)

    def look(self) -> None:
        """Read once, unless the last reading still runs."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._measure, name="memory", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._timer.stop()
        if self._thread is not None:
            self._thread.join()

    def _measure(self) -> None:
        from telemetry.process import memory_sample

        self._read.emit(memory_sample().cost_bytes / 1_000_000)
