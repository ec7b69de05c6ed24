"""Banners above the board: what happened, what is safe, what to do with the hands. Never a modal box."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sync.contract.problems import Problem
from widgets.board.texts import moment_text
from widgets.theme.look import Look
from widgets.tones import Tone
from widgets.words import counted, translate

MAX_BANNERS: Final = 3
"""More would hide the board; the oldest leaves."""

_TOKENS: Final = {Tone.AMBER: "amber", Tone.RED: "red", Tone.BLUE: "blue"}


@dataclass(frozen=True)
class BannerMessage:
    """What a banner says; ``strong`` comes first and in bold, ``button`` says its result."""

    tone: Tone
    icon: str
    strong: str
    text: str = ""
    button: str = ""
    can_close: bool = True


def age_banner(as_of_ms: int, now_ms: int, zone: tzinfo) -> BannerMessage:
    """Return the banner of a board that is shown from this terminal's memory."""
    moment = moment_text(as_of_ms, now_ms, zone)
    minutes = max(0, now_ms - as_of_ms) // 60_000
    if minutes < 180:
        strong = counted(
            "Banner",
            "This is the board as it was at {moment}, {n} min ago.",
            "This is the board as it was at {moment}, {n} min ago.",
            minutes,
            moment=moment,
        )
    else:
        strong = translate("Banner", "This is the board as it was at {moment}.", moment=moment)
    text = translate(
        "Banner",
        "This terminal has just started and the server has not answered. "
        "You can work: moves are kept here and sent when it returns.",
    )
    return BannerMessage(
        Tone.AMBER, "hourglass", strong, text, translate("Banner", "Try now"), can_close=False
    )


def problem_banner(problem: Problem) -> BannerMessage:
    """Return the banner of a problem; its code comes last, for IT."""
    text = " ".join(part for part in (problem.what_to_do, f"[{problem.code}]") if part)
    return BannerMessage(Tone.RED, "octagon-alert", problem.sentence, text)


class _Banner(QFrame):
    """One banner."""

    pressed = Signal()
    closed = Signal()

    def __init__(self, message: BannerMessage, look: Look, parent: QWidget) -> None:
        """Show ``message``."""
        super().__init__(parent)
        self._message = message
        self.setProperty("banner", message.tone.value)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._icon = QLabel(self)
        self._strong = QLabel(message.strong, self)
        self._text = QLabel(message.text, self)
        for label in (self._strong, self._text):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._words.setSpacing(5)
        self._words.addWidget(self._strong)
        self._words.addWidget(self._text, stretch=1)
        self._button = QPushButton(message.button, self)
        self._button.setVisible(bool(message.button))
        self._button.clicked.connect(self.pressed)
        self._close = QToolButton(self)
        self._close.setAccessibleName(translate("Banner", "Close this message"))
        self._close.setToolTip(translate("Banner", "Close this message"))
        self._close.setVisible(message.can_close)
        self._close.clicked.connect(self.closed)
        self.setAccessibleName(f"{message.strong} {message.text}".strip())
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(12)
        row.addWidget(self._icon)
        row.addLayout(self._words, stretch=1)
        row.addWidget(self._button)
        row.addWidget(self._close)
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        message, ratio = self._message, self.devicePixelRatioF()
        token = _TOKENS.get(message.tone, "ink2")
        self._icon.setPixmap(look.pixmap(message.icon, 20, token, ratio))
        # Two labels, because bold inside one text does not reach the variable font.
        self._strong.setFont(look.font(15, 700))
        self._text.setFont(look.font(15))
        self._fit()
        self._button.setFont(look.font(14, 600))
        self._button.setIcon(look.button_icon("refresh-cw", 16, "ink", ratio))
        self._button.setIconSize(look.button_icon_size(16))
        self._close.setIcon(look.icon("x", 18, "ink", ratio))
        self._close.setIconSize(QSize(look.px(18), look.px(18)))
        self.setMinimumHeight(look.px(46))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the words below each other where they do not fit beside each other."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Choose between one line and two."""
        metrics = self._strong.fontMetrics()
        strong = metrics.horizontalAdvance(self._strong.text())
        needed = strong + self._text.fontMetrics().horizontalAdvance(self._text.text())
        is_wide = needed < self.width() - 360
        direction = QBoxLayout.Direction.LeftToRight if is_wide else QBoxLayout.Direction.TopToBottom
        self._words.setDirection(direction)
        self._strong.setMinimumWidth(strong + 2 if is_wide else 0)


class BannerArea(QWidget):
    """The place between the view bar and the board where banners stand, each under a key."""

    button_pressed = Signal(str)
    closed = Signal(str)

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        """Begin without banners, taking no room."""
        super().__init__(parent)
        self.setObjectName("bannerArea")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._look = look
        self._shown: dict[str, tuple[BannerMessage, _Banner]] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(16, 0, 16, 10)
        self._column.setSpacing(8)
        self.hide()

    def show_banner(self, key: str, message: BannerMessage) -> None:
        """Show a message under ``key``, in the place of what stood there, else below the others."""
        before = self._shown.get(key)
        if before is not None and before[0] == message:
            return
        place = self._column.indexOf(before[1]) if before is not None else -1
        self._remove(key)
        while len(self._shown) >= MAX_BANNERS:
            self._remove(next(iter(self._shown)))
        banner = _Banner(message, self._look, self)
        banner.pressed.connect(lambda: self.button_pressed.emit(key))
        banner.closed.connect(lambda: self._close(key))
        self._shown[key] = (message, banner)
        self._column.insertWidget(place, banner)
        banner.show()
        self.show()

    def hide_banner(self, key: str) -> None:
        """Remove the banner of ``key``, if there is one."""
        self._remove(key)
        self.setVisible(bool(self._shown))

    def keys(self) -> tuple[str, ...]:
        """Return the keys of the banners that stand, oldest first."""
        return tuple(self._shown)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        for _, banner in self._shown.values():
            banner.set_look(look)

    def _close(self, key: str) -> None:
        """Remove a banner because a person closed it, and tell."""
        self.hide_banner(key)
        self.closed.emit(key)

    def _remove(self, key: str) -> None:
        """Take a banner out of the layout."""
        found = self._shown.pop(key, None)
        if found is not None:
            self._column.removeWidget(found[1])
            found[1].hide()
            found[1].deleteLater()
