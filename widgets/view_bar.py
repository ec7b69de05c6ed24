"""The bar above the board: which view, one line of what matters now, Undo, Import."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from widgets.board.texts import moment_text
from widgets.elided_label import ElidedLabel
from widgets.theme.look import Look
from widgets.words import counted, translate


@dataclass(frozen=True)
class Summary:
    """What the line counts: orders that leave by a time, orders at risk, orders late."""

    leaving: int = 0
    leave_by_ms: int | None = None
    at_risk: int = 0
    late: int = 0


def summary_text(summary: Summary, now_ms: int, zone: tzinfo) -> str:
    """Return "63 leave by 14:00 · 6 at risk · 1 late", "by Tue 14:00" on another day; no empty parts."""
    parts: list[str] = []
    if summary.leaving and summary.leave_by_ms is not None:
        time = moment_text(summary.leave_by_ms, now_ms, zone)
        parts.append(
            counted("ViewBar", "{n} leaves by {time}", "{n} leave by {time}", summary.leaving, time=time)
        )
    if summary.at_risk:
        parts.append(translate("ViewBar", "{n} at risk", n=summary.at_risk))
    if summary.late:
        parts.append(translate("ViewBar", "{n} late", n=summary.late))
    return " · ".join(parts)


class ViewBar(QWidget):
    """The bar between header and board."""

    undo_requested = Signal()
    import_requested = Signal()

    def __init__(self, look: Look, zone: tzinfo, parent: QWidget | None = None) -> None:
        """Begin with today's dispatch, nothing to undo, no import."""
        super().__init__(parent)
        self.setObjectName("viewBar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._zone = zone
        self._name = ElidedLabel(self)
        self._name.setText(translate("ViewBar", "Today’s dispatch"))
        self._summary = ElidedLabel(self)
        self._summary.setProperty("tone", "quiet")
        self._undo = QPushButton(translate("ViewBar", "Undo"), self)
        self._undo.clicked.connect(self.undo_requested)
        self._import = QPushButton(translate("ViewBar", "Import orders"), self)
        self._import.setProperty("kind", "primary")
        self._import.clicked.connect(self.import_requested)
        row = self._row = QHBoxLayout(self)
        row.setContentsMargins(16, 2, 16, 0)
        row.setSpacing(8)
        row.addWidget(self._name)
        row.addSpacing(8)
        row.addWidget(self._summary)
        row.addStretch(1)
        row.addWidget(self._undo)
        row.addWidget(self._import)
        self.set_can_undo(False)
        self.set_can_import(False)
        self.set_look(look)

    def set_view(self, name: str) -> None:
        """Name the view (a saved view's name is data, already in the person's words)."""
        self._name.setText(name)

    def set_summary(self, summary: Summary | None, now_ms: int) -> None:
        """Show the line of counts as it reads now; nothing for None."""
        self._summary.setText("" if summary is None else summary_text(summary, now_ms, self._zone))

    def add_beside_summary(self, part: QWidget) -> None:
        """Give ``part`` its place after the line of counts."""
        self._row.insertSpacing(self._row.indexOf(self._summary) + 1, 8)
        self._row.insertWidget(self._row.indexOf(self._summary) + 2, part)

    def set_can_undo(self, can_undo: bool) -> None:
        """Allow Undo."""
        self._undo.setEnabled(can_undo)

    def set_can_import(self, can_import: bool) -> None:
        """Show Import; it is hidden until it works."""
        self._import.setVisible(can_import)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        ratio = self.devicePixelRatioF()
        self.setFixedHeight(look.px(44))
        self._name.setFont(look.font(15, 700))
        self._summary.setFont(look.font(14))
        self._undo.setFont(look.font(14, 600))
        self._undo.setIcon(look.button_icon("undo-2", 16, "ink", ratio))
        self._undo.setIconSize(look.button_icon_size(16))
        self._import.setFont(look.font(14, 600))
        self._import.setIcon(look.button_icon("file-up", 16, "onblue", ratio))
        self._import.setIconSize(look.button_icon_size(16))
