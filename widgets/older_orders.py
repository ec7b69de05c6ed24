"""What a search found beside the board: a few words in the view bar, and the list that they open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from sync.contract.orders import Order
from widgets.older_list import OlderList
from widgets.theme.look import Look
from widgets.words import counted, translate

WIDE: Final = 1_200
"""In a narrower window the words need the room of the key."""
COUNTED: Final = 1_000
"""The server counts no further."""


def found_text(total: int) -> str:
    """Return "3 older orders"."""
    if total >= COUNTED:
        return translate("Older", "{n} older orders or more", n=COUNTED)
    return counted("Older", "{n} older order", "{n} older orders", total)


def show_text(total: int) -> str:
    """Return "Show 3 older orders"."""
    if total >= COUNTED:
        return translate("Older", "Show the older orders")
    return counted("Older", "Show {n} older order", "Show {n} older orders", total)


def more_text(listed: int, total: int) -> str:
    """Return what the list leaves out, and how to come to it; nothing where it leaves nothing out."""
    if listed >= total:
        return ""
    return translate("Older", "The newest {n} are listed. One more word finds the others.", n=listed)


class OlderBar(QWidget):
    """The words in the view bar: how many older orders there are, or why nobody knows."""

    pressed = Signal()

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        """Begin hidden."""
        super().__init__(parent)
        self.setObjectName("olderBar")
        self._icon_name = "search"
        self._is_open = False
        self._icon, self._text = QLabel(self), QLabel(self)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self.button = QPushButton(self)
        self.button.setProperty("kind", "link")
        self.button.clicked.connect(self.pressed)
        self._key = QLabel("↓", self)
        self._key.setProperty("kind", "key")
        self._key.setProperty("is_data", True)
        self._key.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        for part in (self._icon, self._text, self.button, self._key):
            self._row.addWidget(part)
        self.set_look(look)
        self.hide()

    def show_words(self, text: str, icon: str, *, is_quiet: bool) -> None:
        """Say ``text``; quiet words have nothing to open."""
        self._text.setText(text)
        self._text.setProperty("tone", "faint" if is_quiet else "")
        self._text.style().polish(self._text)
        self._icon_name = icon
        self.button.setVisible(not is_quiet)
        self._dress()
        self._fit()
        self.show()

    def show_open(self, *, is_open: bool) -> None:
        """Name what the button does now."""
        self._is_open = is_open
        self.button.setText(translate("Older", "Hide") if is_open else translate("Older", "Show"))
        words = (
            translate("Older", "Hide the older orders")
            if is_open
            else translate("Older", "Show the older orders")
        )
        self._fit()
        self.button.setAccessibleName(words)
        self.button.setToolTip(words)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        self._dress()
        self.button.setFont(look.font(14, 600))
        self._key.setFont(look.font(12, 600))
        self._key.setFixedSize(look.px(20), look.px(20))
        self._row.setSpacing(look.px(6))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Follow the window."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Show the key where there is room for it."""
        has_room = self.window().width() >= self._look.px(WIDE)
        self._key.setVisible(has_room and not self._is_open and not self.button.isHidden())

    def _dress(self) -> None:
        """Draw words and icon; quiet ones are thin and faint."""
        is_quiet = self.button.isHidden()
        self._text.setFont(self._look.font(14, 400 if is_quiet else 600))
        token = "ink3" if is_quiet else "ink2"
        self._icon.setPixmap(self._look.pixmap(self._icon_name, 16, token, self.devicePixelRatioF()))


class OlderOrders(QObject):
    """Bar and list together; made when a search first has something to say."""

    opened = Signal(object)
    """The order to open, read only."""
    left = Signal()
    """Escape in the list: back to where the words are."""
    offered = Signal(str, bool)
    """What the button says that opens the list where the board has nothing, and whether the list is open."""
    told = Signal(str)
    """What a screen reader adds to the search field."""

    def __init__(self, look: Look, now_ms: Callable[[], int], zone: tzinfo, parent: QWidget) -> None:
        """Make both, hidden; the window gives them their places."""
        super().__init__(parent)
        self.bar = OlderBar(look, parent)
        self.list = OlderList(look, now_ms, zone, parent)
        self.bar.pressed.connect(self._on_pressed)
        self.list.opened.connect(self.opened)
        self.list.left.connect(self._on_left)
        self._has_found = False
        self._total = 0
        self.bar.show_open(is_open=False)

    @property
    def has_found(self) -> bool:
        """Whether there is a list to open."""
        return self._has_found

    def show_found(self, orders: Sequence[Order], total: int) -> None:
        """Say how many there are; the list stays closed until somebody wants it."""
        self.clear()
        if not orders:
            return
        self._has_found, self._total = True, total
        self.list.show_orders(orders, more_text(len(orders), total))
        text = found_text(total)
        self.bar.show_words(text, "search", is_quiet=False)
        self.offered.emit(show_text(total), False)
        self.told.emit(translate("Older", "{found}. The Down key lists them.", found=text))

    def show_quiet(self, text: str, icon: str = "cloud-off") -> None:
        """Say why older orders were not searched; nothing stands in anybody's way."""
        self.clear()
        self.bar.show_words(text, icon, is_quiet=True)
        self.told.emit(text)

    def clear(self) -> None:
        """Say nothing: nothing is searched, or nothing is known yet."""
        self._has_found = False
        self._close()
        self.bar.hide()
        self.offered.emit("", False)
        self.told.emit("")

    def open_list(self) -> None:
        """Open the list and go into it, if there is one."""
        if self._has_found:
            self.list.open()
            self.bar.show_open(is_open=True)
            self.offered.emit("", True)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self.bar.set_look(look)
        self.list.set_look(look)

    def _on_pressed(self) -> None:
        if self.list.isHidden():
            self.open_list()
        else:
            self._close()
            self.bar.button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_left(self) -> None:
        self._close()
        self.left.emit()

    def _close(self) -> None:
        self.list.hide()
        self.bar.show_open(is_open=False)
        self.offered.emit(show_text(self._total) if self._has_found else "", False)
