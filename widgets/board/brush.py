"""Draws prepared things: copies first, then texts grouped by style, because changing a font costs."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QStaticText

from widgets.board.card_sheet import PreparedCard
from widgets.board.geometry import Box
from widgets.board.statics import Laid, TextCache, TextStyle
from widgets.theme.look import Look


def as_rect(box: Box) -> QRect:
    """Return a box as Qt's rectangle."""
    return QRect(box.x, box.y, box.width, box.height)


class Brush:
    """Collects texts while pictures are copied, and draws them style by style."""

    def __init__(self, painter: QPainter, look: Look, texts: TextCache) -> None:
        """Draw with ``painter`` in the colours of ``look`` and the fonts of ``texts``."""
        self.painter = painter
        self.texts = texts
        self._look = look
        self._waiting: dict[TextStyle, list[tuple[int, int, QStaticText]]] = {}

    def card(self, card: PreparedCard, x: int, y: int) -> None:
        """Draw a card's pictures now and its texts at :meth:`flush`."""
        draw = self.painter.drawPixmap
        draw(x, y, card.background)
        for dx, dy, picture in card.blits:
            draw(x + dx, y + dy, picture)
        waiting = self._waiting
        for style, dx, dy, text in card.texts:
            run = waiting.get(style)
            if run is None:
                run = waiting[style] = []
            run.append((x + dx, y + dy, text))

    def text(self, text: str, style: TextStyle, x: int, y: int, line: int) -> int:
        """Write a text in a line of height ``line`` at :meth:`flush`; return its width."""
        laid = self.texts.lay(text, style.font)
        self.laid(laid, style, x, y + (line - laid.height) // 2)
        return laid.width

    def laid(self, laid: Laid, style: TextStyle, x: int, y: int) -> None:
        """Draw a text that is laid out already, at :meth:`flush`."""
        self._waiting.setdefault(style, []).append((x, y, laid.text))

    def flush(self) -> None:
        """Draw all waiting texts."""
        painter, texts = self.painter, self.texts
        draw = painter.drawStaticText
        for style, run in self._waiting.items():
            painter.setFont(texts.font(style.font))
            painter.setPen(self._look.colour(style.token))
            for x, y, text in run:
                draw(x, y, text)
        self._waiting = {}

    def outline(
        self, box: Box, colour: QColor, width: float, *, radius: float = 8, dashed: bool = False
    ) -> None:
        """Draw a rounded line just inside ``box``."""
        painter = self.painter
        pen = QPen(colour, width)
        if dashed:
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([4, 3])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = width / 2
        frame = QRectF(box.x + half, box.y + half, box.width - width, box.height - width)
        painter.drawRoundedRect(frame, radius, radius)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)

    def filled(self, box: Box, colour: QColor, radius: float) -> None:
        """Draw a filled rounded box."""
        painter = self.painter
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=True)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRoundedRect(as_rect(box), radius, radius)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, on=False)
