"""An empty Qt window in which a rectangle follows the pressed pointer: the floor of a drag."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QApplication, QWidget

SIDE = (440, 84)
"""As large as a card."""


class Window(QWidget):
    """Paints one rectangle where the pointer is."""

    def __init__(self) -> None:
        """Begin without a rectangle."""
        super().__init__()
        self._box = QRect()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Put the rectangle under the pointer."""
        point = event.position().toPoint()
        self.update(self._box)
        self._box = QRect(point.x() - SIDE[0] // 2, point.y() - SIDE[1] // 2, *SIDE)
        self.update(self._box)

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:  # noqa: N802 - Qt's name
        """Take the rectangle away."""
        self.update(self._box)
        self._box = QRect()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Fill what was asked for, and the rectangle."""
        painter = QPainter(self)
        painter.fillRect(event.rect(), QColor("white"))
        painter.fillRect(self._box, QColor("navy"))
        painter.end()


def main() -> None:
    """Show the window until the process is ended."""
    application = QApplication([])
    window = Window()
    window.resize(1920, 1080)
    window.show()
    application.exec()


if __name__ == "__main__":
    main()
