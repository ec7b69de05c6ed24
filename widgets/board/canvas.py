"""The painted surface under the board: size, look, paint events and what is measured of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from time import perf_counter
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from sync.contract.ports import Recorder
from sync.contract.rows import CardRow
from widgets.board.brush import as_rect
from widgets.board.columns import Columns
from widgets.board.drag import Drag
from widgets.board.focus import Focus
from widgets.board.geometry import Box
from widgets.board.latency import ScreenDelay
from widgets.board.painter import RING_PX, BoardPainter, Scene
from widgets.board.statics import TextCache
from widgets.theme.look import Look

PaintObserver = Callable[[frozenset[int]], None]
"""Told the ids of the cards that one paint event painted."""

_CALM_MS: Final = 1_000
"""How long after the first paint the board makes ready for the first lift."""


class BoardCanvas(QWidget):
    """Paints the columns of a :class:`Columns` in one look and measures every paint."""

    first_painted = Signal()

    def __init__(
        self,
        look: Look,
        now_ms: Callable[[], int],
        zone: tzinfo,
        recorder: Recorder,
        observer: PaintObserver | None,
        parent: QWidget | None,
    ) -> None:
        """Paint in ``look`` with times of ``zone``; tell paints to ``recorder`` and ``observer``."""
        super().__init__(parent)
        self.look = look
        self.now_ms = now_ms
        self.zone = zone
        self.columns = Columns(look.scale_percent)
        self.focus_state = Focus(self.columns)
        self.seconds_per_line = 45.0
        self.is_filtered = False
        self._recorder = recorder
        self._observer = observer
        self._lift_began: float | None = None
        self._paint_ended = 0.0
        self.screen_delay = ScreenDelay()
        self._was_painted = False
        self._ringed: Box | None = None
        self._texts = TextCache(look.fonts)
        self._pictures: BoardPainter | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def pictures(self) -> BoardPainter:
        """The caches of the current look and of the screen that the window is on."""
        ratio = self.devicePixelRatioF()
        if self._pictures is None or self._pictures.ratio != ratio:
            self._pictures = BoardPainter(self.look, self._texts, ratio, self.now_ms, self.zone)
            self._pictures.seconds_per_line = self.seconds_per_line
        return self._pictures

    def current_drag(self) -> Drag | None:
        """Return what is being carried; the board overrides it."""
        return None

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self.look = look
        if look.fonts is not self._texts.fonts:
            self._texts = TextCache(look.fonts)
        self._pictures = None
        self._lay_out()

    def row(self, local_id: int) -> CardRow | None:
        """Return the row of an order as the source tells it."""
        source = self.columns.source
        return None if source is None else self.pictures.shelf.row(source, local_id)

    def visible_ids(self) -> tuple[int, ...]:
        """Return the ids of all cards that show, column by column."""
        return tuple(self.columns.visible_cards())

    def repaint_boxes(self, boxes: Iterable[Box]) -> None:
        """Ask for a repaint of boxes, and of the focus ring where it was and is, if it moved."""
        for box in boxes:
            self.update(as_rect(box))
        ring = self._focused_box()
        if ring != self._ringed:
            for moved in (ring, self._ringed):
                if moved is not None:
                    self.update(as_rect(moved).adjusted(-RING_PX, -RING_PX, RING_PX, RING_PX))

    def _focused_box(self) -> Box | None:
        """Return the box of the card that wears the ring, None when none shows."""
        return self.focus_state.box() if self.hasFocus() else None

    def begin_lift(self, began: float | None) -> None:
        """Measure from ``began`` (``perf_counter`` seconds) to the paint that shows the lifted card."""
        self._lift_began = began
        self.pictures.lifted.forget()

    def sizeHint(self) -> QSize:
        """Return a size that shows the columns at their minimum."""
        return QSize(self.look.px(1200), self.look.px(600))

    def minimumSizeHint(self) -> QSize:
        """Return the size below which nothing useful shows."""
        return QSize(320, 200)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay out for the new size."""
        super().resizeEvent(event)
        self._lay_out()

    def _lay_out(self) -> None:
        """Compute the geometry again and repaint everything."""
        self.columns.resize(self.width(), self.height(), self.look.scale_percent)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint what was asked for, and measure it."""
        began = perf_counter()
        self._ringed = self._focused_box()
        drag = self.current_drag()
        scene = Scene(self.columns, self.focus_state, drag, self.hasFocus(), self.is_filtered)
        painter = QPainter(self)
        try:
            painted = self.pictures.paint(painter, event.region(), scene)
        finally:
            # A painter left open takes the whole program down with it.
            painter.end()
        ended = self._paint_ended = perf_counter()
        self._recorder.observe("render_time", (ended - began) * 1000)
        if self._observer is not None:
            self._observer(frozenset(painted))
        if self._lift_began is not None and drag is not None:
            seen_ms = (ended - self._lift_began) * 1000 + self.screen_delay.ms
            self._recorder.observe("drag_latency", seen_ms)
            self._lift_began = None
        if not self._was_painted and self.columns.source is not None:
            self._was_painted = True
            # After the flush: whoever listens may do heavy work.
            QTimer.singleShot(0, self, self._tell_first_paint)
            QTimer.singleShot(_CALM_MS, self, self.get_ready_for_drags)

    def _tell_first_paint(self) -> None:
        """Emit the first paint."""
        self.first_painted.emit()

    def get_ready_for_drags(self) -> None:
        """While nobody waits: make what the first lift would have to, and measure the way to the screen."""
        shown = self.visible_ids()
        if shown:
            # A source of 100,000 orders makes its index of places when it is first asked.
            self.columns.find(shown[0])
        column = self.columns.each[0]
        width, height = column.card_width, column.layout.card_height
        self.pictures.lifted.prepare(min(width, column.box.width - 16), height)
        if self.isVisible() and self.current_drag() is None:
            box = as_rect(Box(column.view.x, column.view.y, width, height))
            self.screen_delay.measure(lambda: self._painted(box), QGuiApplication.sync)

    def _painted(self, box: QRect) -> float:
        """Repaint a box at once and return when (s) the painting ended."""
        self.repaint(box)
        return self._paint_ended
