"""An empty Qt window, the floor of start and memory: prints when it was painted, and what it holds.

One JSON line: ``{"painted_ns", "private_dirty_mb"}``, the time on the monotonic clock that processes share.
"""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

SETTLE_MS = 1_000


class Window(QWidget):
    """Remembers when it was first painted."""

    painted_ns = 0

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint nothing, and note the time."""
        super().paintEvent(event)
        self.painted_ns = self.painted_ns or time.monotonic_ns()


def main() -> None:
    """Show the window, wait until memory has settled, report."""
    application = QApplication([])
    window = Window()
    window.resize(1920, 1080)
    window.show()
    QTimer.singleShot(SETTLE_MS, application.quit)
    application.exec()
    text = Path("/proc/self/smaps_rollup").read_text(encoding="ascii")
    dirty_kb = sum(int(found) for found in re.findall(r"^Private_Dirty: +(\d+) kB", text, re.MULTILINE))
    print(json.dumps({"painted_ns": window.painted_ns, "private_dirty_mb": dirty_kb / 1024}))


if __name__ == "__main__":
    main()
