"""The line at the bottom: what happened last and how to undo it; how this terminal does; the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from widgets.board.texts import local_time
from widgets.elided_label import ElidedLabel
from widgets.numbers import megabytes_text, milliseconds_text, seconds_text
from widgets.theme.look import Look
from widgets.words import translate


@dataclass(frozen=True)
class Figures:
    """What this terminal measures of itself; None is left out."""

    drag_ms: float | None = None
    frame_ms: float | None = None
    live_s: float | None = None
    memory_mb: float | None = None
    is_offline: bool = False


def figures_text(figures: Figures) -> str:
    """Return "drag 9 ms · frame 2.1 ms · live 0.2 s · 38 MB"."""
    parts: list[str] = []
    if figures.drag_ms is not None:
        parts.append(translate("StatusLine", "drag {time}", time=milliseconds_text(figures.drag_ms)))
    if figures.frame_ms is not None:
        parts.append(translate("StatusLine", "frame {time}", time=milliseconds_text(figures.frame_ms)))
    if figures.is_offline:
        parts.append(translate("StatusLine", "offline"))
    elif figures.live_s is not None:
        parts.append(translate("StatusLine", "live {time}", time=seconds_text(figures.live_s)))
    if figures.memory_mb is not None:
        parts.append(megabytes_text(figures.memory_mb))
    return " · ".join(parts)


class StatusLine(QFrame):
    """The bottom line of the window."""

    undo_requested = Signal()

    def __init__(self, look: Look, zone: tzinfo, parent: QWidget | None = None) -> None:
        """Begin with nothing done and nothing measured."""
        super().__init__(parent)
        self.setObjectName("statusLine")
        self._zone = zone
        self._action = ElidedLabel(self)
        self._undo = QPushButton(translate("StatusLine", "Undo"), self)
        self._undo.setProperty("kind", "link")
        self._undo.clicked.connect(self.undo_requested)
        self._undo_key = QLabel("Ctrl Z", self)
        self._undo_key.setProperty("kind", "key")
        self._undo_key.setProperty("is_data", True)
        self._said = ElidedLabel(self)
        self._said.setProperty("tone", "faint")
        self._said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._terminal = QLabel(translate("StatusLine", "This terminal:"), self)
        self._terminal.setProperty("tone", "quiet")
        self._figures = ElidedLabel(self)
        self._rule = QLabel("|", self)
        self._rule.setProperty("is_data", True)
        self._rule.setProperty("tone", "faint")
        self._clock = QLabel(self)
        self._clock.setProperty("tone", "quiet")
        self._clock.setProperty("is_data", True)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(6)
        for part in (self._action, self._undo, self._undo_key):
            row.addWidget(part)
        row.addWidget(self._said, stretch=1)
        for part in (self._terminal, self._figures, self._rule, self._clock):
            row.addWidget(part)
        self.set_last_action("", can_undo=False)
        self.set_figures(Figures())
        self.set_look(look)

    def set_last_action(self, text: str, can_undo: bool = False) -> None:
        """Say what happened last, and offer to undo it; what was announced before it is old now."""
        self._action.setText(text[:200])
        self._action.setVisible(bool(text))
        self._said.setText("")
        self._undo.setVisible(can_undo)
        self._undo_key.setVisible(can_undo)

    def say(self, words: str) -> None:
        """Repeat an announcement beside the last action."""
        self._said.setText(words[:200])

    def set_figures(self, figures: Figures) -> None:
        """Show what this terminal measures of itself."""
        text = figures_text(figures)
        self._figures.setText(text)
        for part in (self._terminal, self._figures, self._rule):
            part.setVisible(bool(text))

    def set_time(self, now_ms: int) -> None:
        """Set the clock, in the site's time zone."""
        self._clock.setText(local_time(now_ms, self._zone).strftime("%H:%M:%S"))

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self.setFixedHeight(look.px(30))
        for label in (self._action, self._said, self._terminal, self._rule):
            label.setFont(look.font(13))
        self._undo.setFont(look.font(13, 600))
        self._undo_key.setFont(look.font(12, 500))
        self._undo_key.setFixedHeight(look.px(20))
        self._figures.setFont(look.font(13, 600, figures=True))
        self._clock.setFont(look.font(13, 500, figures=True))
