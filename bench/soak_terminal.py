"""The desktop client as installed, going through the same round again and again, and telling what it holds.

A round: a card is dragged into the next column with the mouse and brought back by keyboard, every column is
scrolled down and up, a search finds something and is cleared, an order is opened and closed, the connection
ends and comes back. After each one a JSON line: ``{"round", "private_dirty_kb", "objects"}``, once everything
is sent and all garbage collected. ``--rounds N`` comes before the client's own arguments.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from collections.abc import Callable, Iterator

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication

import app.window_run
from app.composition import Client
from app.main import main
from sync.contract.stages import Stage
from telemetry.process import memory_sample
from widgets.board.geometry import Box

LOOK_MS = 2
GIVE_UP_S = 20.0
WHEEL_STEPS = 6
NOTCH = 120
NO_BUTTON, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
Condition = Callable[[], bool]


class SoakedClient(Client):
    """The client, with a hand that never tires."""

    rounds = 0

    def start(self) -> None:
        """Start as always, then begin the rounds."""
        super().start()
        self._steps = self._all_rounds()
        self._until: Condition = self._is_live
        self._since = time.monotonic()
        self._timer = QTimer(self, interval=LOOK_MS)
        self._timer.timeout.connect(self.on_look)
        self._timer.start()

    def on_look(self) -> None:
        """Go on when what is waited for has come; give up with the program when it does not come."""
        if self._until():
            self._until = next(self._steps, self._ended)
            self._since = time.monotonic()
        elif time.monotonic() - self._since > GIVE_UP_S:
            sys.stderr.write(f"waited in vain for {self._until}\n")
            self._ended()

    def _ended(self) -> bool:
        self._timer.stop()
        self.window.close()
        return False

    def _is_live(self) -> bool:
        return self.connection.is_live and not self.view.not_sent_count()

    def _all_rounds(self) -> Iterator[Condition]:
        card = self._free_card()
        for number in range(self.rounds):
            yield from self._moved(card)
            yield from self._scrolled()
            yield from self._searched()
            yield from self._opened(card)
            yield from self._reconnected()
            gc.collect()
            kib = memory_sample().cost_bytes / 1024
            told = {"round": number, "private_dirty_kb": kib, "objects": len(gc.get_objects())}
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()

    def _free_card(self) -> int:
        """Return a card in sight that may be moved on."""
        ids = self.view.ids(Stage.CONFIRMED)[:10]
        return next(each for each in ids if not self._may_move((each,), Stage.PICKING))

    def _is_in(self, card: int, stage: Stage) -> bool:
        place = self.view.place(card)
        return place is not None and place[0] is stage and self._is_live()

    def _moved(self, card: int) -> Iterator[Condition]:
        columns = self.board.columns.each
        place = self.view.place(card)
        assert place is not None
        begin, end = _middle(columns[0].card_box(place[1])), _middle(columns[1].view)
        self._mouse(QEvent.Type.MouseButtonPress, begin, LEFT)
        for share in (0.2, 0.6, 1.0):
            self._mouse(QEvent.Type.MouseMove, begin + (end - begin) * share, NO_BUTTON)
            yield lambda: self.board.is_dragging
        self._mouse(QEvent.Type.MouseButtonRelease, end, LEFT)
        yield lambda: self._is_in(card, Stage.PICKING)
        self.board.request_move_of((card,), -1)
        yield lambda: self._is_in(card, Stage.CONFIRMED)

    def _scrolled(self) -> Iterator[Condition]:
        for angle in (-NOTCH, NOTCH):
            for column in self.board.columns.each:
                for _ in range(WHEEL_STEPS):
                    self._wheel(_middle(column.view), angle)
                    yield _at_once

    def _searched(self) -> Iterator[Condition]:
        field = self.window.header.search
        for words in ("a", "an", ""):
            field.setText(words)
            yield lambda wanted=bool(words): (self.view._filter is not None) is wanted  # type: ignore[misc]  # noqa: SLF001

    def _opened(self, card: int) -> Iterator[Condition]:
        self.board.open_order(card)
        yield _at_once
        self.window.close_panel()
        yield _at_once

    def _reconnected(self) -> Iterator[Condition]:
        assert self._engine is not None
        self._engine.go_offline()
        yield lambda: not self.connection.is_live
        self._engine.go_online()
        yield self._is_live

    def _mouse(self, kind: QEvent.Type, at: QPointF, button: Qt.MouseButton) -> None:
        down = NO_BUTTON if kind is QEvent.Type.MouseButtonRelease else LEFT
        where = QPointF(self.board.mapToGlobal(at))
        event = QMouseEvent(kind, at, where, button, down, Qt.KeyboardModifier(0))
        QApplication.sendEvent(self.board, event)

    def _wheel(self, at: QPointF, angle: int) -> None:
        board = self.board
        where = QPointF(board.mapToGlobal(at))
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(
            at, where, QPoint(), QPoint(0, angle), NO_BUTTON, Qt.KeyboardModifier(0), phase, False
        )
        QApplication.sendEvent(board, event)


def _at_once() -> bool:
    return True


def _middle(box: Box) -> QPointF:
    return QPointF(box.x + box.width / 2, box.y + box.height / 2)


if __name__ == "__main__":
    place = sys.argv.index("--rounds")
    SoakedClient.rounds = int(sys.argv[place + 1])
    vars(app.window_run)["Client"] = SoakedClient
    sys.exit(main([*sys.argv[1:place], *sys.argv[place + 2 :]]))
