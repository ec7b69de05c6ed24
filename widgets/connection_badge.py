"""The badge that tells whether other people's moves arrive, and how many of ours have not left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QWidget

from widgets.board.texts import clock_text
from widgets.numbers import seconds_text
from widgets.theme.look import Look
from widgets.tones import TONES, Tone
from widgets.words import counted, translate

SLOW_MS: Final = 1_000
"""Live updates later than this are called slow."""

STALE_UNSENT_MS: Final = 10_000
"""Unsent moves older than this while live turn the badge amber."""


class LinkState(StrEnum):
    """How this terminal stands with its server."""

    CONNECTING = "connecting"
    LIVE = "live"
    CATCHING_UP = "catching_up"
    OFFLINE = "offline"


@dataclass(frozen=True)
class ConnectionState:
    """What the badge shows; times are milliseconds since 1970 UTC."""

    link: LinkState
    since_ms: int | None = None
    delay_ms: float | None = None
    changes_left: int = 0
    not_sent: int = 0
    oldest_unsent_ms: int | None = None


class Badge(NamedTuple):
    """The words, the mood and the icon of a state; ``not_sent`` is the second half, often empty."""

    text: str
    tone: Tone
    icon: str
    not_sent: str = ""

    @property
    def words(self) -> str:
        """Both halves in one line."""
        return f"{self.text} | {self.not_sent}" if self.not_sent else self.text


def badge_text(state: ConnectionState, now_ms: int, zone: tzinfo) -> Badge:
    """Return what the badge says of a state."""
    not_sent = translate("Badge", "{n} not sent", n=state.not_sent) if state.not_sent > 0 else ""
    if state.link is LinkState.OFFLINE:
        return Badge(_offline(state, zone), Tone.AMBER_SOLID, "cloud-off", not_sent)
    if state.link is LinkState.CATCHING_UP:
        words = counted("Badge", "Catching up, {n} change", "Catching up, {n} changes", state.changes_left)
        return Badge(words, Tone.BLUE, "refresh-cw", not_sent)
    if state.link is LinkState.CONNECTING:
        return Badge(translate("Badge", "Connecting"), Tone.PLAIN, "refresh-cw", not_sent)
    is_stuck = state.oldest_unsent_ms is not None and now_ms - state.oldest_unsent_ms > STALE_UNSENT_MS
    if state.delay_ms is None:
        return Badge(translate("Badge", "Live"), Tone.AMBER if is_stuck else Tone.GREEN, "zap", not_sent)
    # Never "0 s": a tenth of a second is as near as anybody can tell.
    time = seconds_text(max(state.delay_ms, 100) / 1000)
    if state.delay_ms >= SLOW_MS:
        return Badge(translate("Badge", "Live {time}, slow", time=time), Tone.AMBER, "zap", not_sent)
    tone = Tone.AMBER if is_stuck and state.not_sent else Tone.GREEN
    return Badge(translate("Badge", "Live {time}", time=time), tone, "zap", not_sent)


def _offline(state: ConnectionState, zone: tzinfo) -> str:
    """Return "Offline since 13:12"."""
    if state.since_ms is None:
        return translate("Badge", "Offline")
    return translate("Badge", "Offline since {time}", time=clock_text(state.since_ms, zone))


class ConnectionBadge(QAbstractButton):
    """Paints a badge: icon, words, and after a thin rule the moves not sent."""

    def __init__(
        self, look: Look, now_ms: Callable[[], int], zone: tzinfo, parent: QWidget | None = None
    ) -> None:
        """Begin as "Connecting"."""
        super().__init__(parent)
        self._look = look
        self._now_ms = now_ms
        self._zone = zone
        self._state = ConnectionState(LinkState.CONNECTING)
        self._badge = Badge("", Tone.PLAIN, "refresh-cw")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_state(self._state)

    def set_state(self, state: ConnectionState) -> None:
        """Show a state."""
        self._state = state
        self.refresh()

    def refresh(self) -> None:
        """Work the words out again: time has passed."""
        badge = badge_text(self._state, self._now_ms(), self._zone)
        if badge == self._badge:
            return
        self._badge = badge
        self.setText(badge.words)
        self.setAccessibleName(
            translate("Badge", "Connection: {words}", words=badge.words.replace(" | ", ", "))
        )
        self.updateGeometry()
        self.update()

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Return the room that the words need."""
        return QSize(self._layout_parts()[-1], self._look.px(36))

    def minimumSizeHint(self) -> QSize:
        """Never cut the words."""
        return self.sizeHint()

    def _layout_parts(self) -> tuple[int, int, int, int]:
        """Return x of: first text, rule, second text, end."""
        look = self._look
        metrics = QFontMetrics(look.font(14, 600, figures=True))
        pad, icon, gap = look.px(12), look.px(18), look.px(8)
        first = pad + icon + gap
        rule = first + metrics.horizontalAdvance(self._badge.text) + gap + 2
        if not self._badge.not_sent:
            return first, rule, rule, rule - gap - 2 + pad
        second = rule + gap + 2 + icon + gap
        return first, rule, second, second + metrics.horizontalAdvance(self._badge.not_sent) + pad

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint ground, icon and words."""
        look, badge = self._look, self._badge
        tokens = TONES[badge.tone]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = 2 if self.hasFocus() else look.theme.border_px
        painter.setPen(QPen(look.colour("focus" if self.hasFocus() else tokens.edge), edge))
        painter.setBrush(look.colour(tokens.ground))
        half = edge / 2
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(half, half, -half, -half), 8, 8)
        first, rule, second, _ = self._layout_parts()
        icon, ratio, height = look.px(18), self.devicePixelRatioF(), self.height()
        y = (height - icon) // 2
        painter.drawPixmap(look.px(12), y, look.pixmap(badge.icon, 18, tokens.ink, ratio))
        painter.setFont(look.font(14, 600, figures=True))
        painter.setPen(look.colour(tokens.ink))
        line = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(first, 0, self.width(), height, line, badge.text)
        if badge.not_sent:
            painter.fillRect(rule, height // 4, 1, height // 2, look.colour(tokens.ink))
            cloud = look.pixmap("cloud-upload", 18, tokens.ink, ratio)
            painter.drawPixmap(second - icon - look.px(8), y, cloud)
            painter.drawText(second, 0, self.width(), height, line, badge.not_sent)
        painter.end()
