"""The program's mark: three bars of a departure board, the last one amber."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QImage, QPainter, QPixmap

from widgets.theme.look import Look


def mark_pixmap(look: Look, px: int, ratio: float = 1.0) -> QPixmap:
    """Return the mark, ``px`` logical pixels wide and high."""
    side = round(px * ratio)
    image = QImage(side, side, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(side / 32, side / 32)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(look.colour("inverse"))
    painter.drawRoundedRect(QRectF(0, 0, 32, 32), 7, 7)
    for x, height, token in ((7, 18, "oninverse"), (14, 12, "oninverse"), (21, 7, "amberfill")):
        painter.setBrush(look.colour(token))
        painter.drawRoundedRect(QRectF(x, 25 - height, 4.5, height), 1.2, 1.2)
    painter.end()
    image.setDevicePixelRatio(ratio)
    return QPixmap.fromImage(image)
