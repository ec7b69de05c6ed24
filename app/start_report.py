"""Runs that end by themselves: a picture of the board, or the figures of the start for the benches."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal

from sync.contract.ports import Recorder
from sync.contract.stages import STAGES
from telemetry.process import process_age_seconds
from widgets.board.view import Board

if TYPE_CHECKING:
    from app.composition import Client

LOOK_MS: Final = 100
QUIET_MS: Final = 1_000
"""So long nothing may have changed before memory is read or the picture taken."""
OFFLINE_MS: Final = 5_000
"""So long a server that does not answer may take its time; then the cached board is good enough."""
GIVE_UP_MS: Final = 180_000


class StartMarks(QObject):
    """Takes the two instants of a start, counted from the creation of the process, in milliseconds."""

    done = Signal()
    """A posted event was served after the first paint: the person can work."""

    def __init__(self, board: Board, recorder: Recorder) -> None:
        """Watch ``board`` for its first paint; tell ``recorder`` both instants, where they are known."""
        super().__init__(board)
        self._recorder = recorder
        self.first_paint_ms: float | None = None
        self.interactive_ms: float | None = None
        board.first_painted.connect(self.on_first_painted)

    def on_first_painted(self) -> None:
        """Note the first paint and post the event."""
        self.first_paint_ms = self._mark("first_contentful_paint")
        QTimer.singleShot(0, self, self.on_served)

    def on_served(self) -> None:
        """Note that the event was served; everything else may start now."""
        self.interactive_ms = self._mark("time_to_interactive")
        self.done.emit()

    def _mark(self, kpi: str) -> float | None:
        age = process_age_seconds()
        if age is None:
            return None
        self._recorder.observe(kpi, age * 1000)
        return round(age * 1000, 1)


class StartReport(QObject):
    """Waits until the board is live, or known to be offline, and quiet; then writes and ends."""

    def __init__(
        self, client: Client, marks: StartMarks, picture: Path | None, timer: QTimer, *, wants_orders: bool
    ) -> None:
        """Look again and again; ``picture`` is the file to write, without one the figures are printed."""
        super().__init__(client)
        self.code = 1
        self._client = client
        self._marks = marks
        self._picture = picture
        self._wants_orders = wants_orders
        self._seen: tuple[int, ...] = ()
        self._began = QElapsedTimer()
        self._began.start()
        self._quiet = QElapsedTimer()
        self._quiet.start()
        self._timer = timer
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.on_look)
        self._timer.start()

    def on_look(self) -> None:
        """See whether it is time."""
        view = self._client.view
        seen = (*(view.total(stage) for stage in STAGES), view.not_sent_count())
        if seen != self._seen:
            self._seen = seen
            self._quiet.restart()
        if self._began.elapsed() > GIVE_UP_MS:
            self._end("The server did not answer in time, so there is no picture of its board.")
        elif self._is_hopeless():
            self._end("There is no board to show: the server does not answer, or does not let this one in.")
        elif self._is_time(sum(seen)) and self._quiet.elapsed() >= QUIET_MS:
            self._timer.stop()
            self._write()

    def _is_time(self, orders: int) -> bool:
        if self._marks.interactive_ms is None:
            return False
        if self._client.connection.is_live:
            return orders > 0 or not self._wants_orders
        return self._is_long_offline() and orders > 0

    def _is_hopeless(self) -> bool:
        """Say whether nothing was ever here and nothing comes; a server of our own is slow, not offline."""
        return self._is_long_offline() and not self._client.view.info().epoch

    def _is_long_offline(self) -> bool:
        return self._client.connection.is_offline and self._began.elapsed() > OFFLINE_MS

    def _write(self) -> None:
        if self._picture is None:
            sys.stdout.write(json.dumps(self._figures()) + "\n")
            self._end("")
            return
        self._client.shell.on_figures()
        picture = self._client.window.grab()
        try:
            self._picture.parent.mkdir(parents=True, exist_ok=True)
            is_written = picture.save(str(self._picture))
        except OSError:
            is_written = False
        self._end("" if is_written else f"The picture could not be written to {self._picture}.")

    def _figures(self) -> dict[str, object]:
        from telemetry.process import memory_sample

        view = self._client.view
        return {
            "first_paint_ms": self._marks.first_paint_ms,
            "interactive_ms": self._marks.interactive_ms,
            "private_dirty_mb": round(memory_sample().private_dirty_bytes / 1_000_000, 2),
            "orders": sum(view.total(stage) for stage in STAGES),
            "state": "live" if self._client.connection.is_live else "offline",
        }

    def _end(self, sentence: str) -> None:
        self._timer.stop()
        if sentence:
            sys.stderr.write(sentence + "\n")
        self.code = 1 if sentence else 0
        self._client.shell.leave()
