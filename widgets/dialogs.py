"""The two windows that only tell something: the keys, and what this program is. Both close with Escape."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from widgets.actions import ActionSpec, keys_text
from widgets.mark import mark_pixmap
from widgets.theme.look import Look
from widgets.words import translate


def walking_keys() -> tuple[tuple[str, str], ...]:
    """Return (what, keys) for the keys that only walk, select and lift, and so are no actions."""
    return (
        (translate("Keys", "Walk over the cards"), translate("Keys", "Arrow keys")),
        (translate("Keys", "First and last card of the column"), translate("Keys", "Home, End")),
        (translate("Keys", "One page up or down"), translate("Keys", "Page Up, Page Down")),
        (translate("Keys", "First and last column"), translate("Keys", "Ctrl+Home, Ctrl+End")),
        (translate("Keys", "Lift the card, drop it"), translate("Keys", "Space")),
        (translate("Keys", "Put it back, select nothing, clear the search"), translate("Keys", "Escape")),
        (translate("Keys", "List older orders, from the search field"), translate("Keys", "Down")),
        (translate("Keys", "Select more"), translate("Keys", "Shift+Up, Shift+Down")),
    )


class TellingDialog(QDialog):
    """A window with a title, a body and one button that closes it."""

    def __init__(self, look: Look, title: str, parent: QWidget) -> None:
        """Begin with the title; ``body`` is the layout to fill."""
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.body = QVBoxLayout()
        self.body.setSpacing(8)
        heading = QLabel(title, self)
        heading.setFont(look.font(20, 700))
        self.body.addWidget(heading)
        close = QPushButton(translate("Dialog", "Back to the board"), self)
        close.setFont(look.font(14, 600))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSizeConstraint(QVBoxLayout.SizeConstraint.SetNoConstraint)
        column.setSpacing(16)
        column.addLayout(self.body, stretch=1)
        column.addLayout(foot)


def keys_dialog(look: Look, specs: Sequence[ActionSpec], parent: QWidget) -> TellingDialog:
    """Return the window that lists every key: walking first, then the action table."""
    dialog = TellingDialog(look, translate("Keys", "Keys"), parent)
    lines = list(walking_keys())
    lines += [(translate("Action", spec.text), keys_text(spec)) for spec in specs if spec.keys]
    table = QTableWidget(len(lines), 2, dialog)
    table.setAccessibleName(translate("Keys", "Keys"))
    table.horizontalHeader().hide()
    table.verticalHeader().hide()
    table.setShowGrid(False)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
    table.verticalHeader().setDefaultSectionSize(look.px(32))
    for place, (what, keys) in enumerate(lines):
        first, second = QTableWidgetItem(what), QTableWidgetItem(keys)
        first.setFont(look.font(14))
        second.setFont(look.font(14, 600))
        table.setItem(place, 0, first)
        table.setItem(place, 1, second)
    table.setCurrentCell(0, 0)
    dialog.body.addWidget(table, stretch=1)
    dialog.resize(QSize(look.px(620), look.px(640)).boundedTo(parent.size()))
    return dialog


def about_dialog(look: Look, version: str, parent: QWidget) -> TellingDialog:
    """Return the window that says what this program is and which version."""
    dialog = TellingDialog(look, translate("About", "Fulfillment Kanban"), parent)
    mark = QLabel(dialog)
    mark.setPixmap(mark_pixmap(look, look.px(48), parent.devicePixelRatioF()))
    dialog.body.insertWidget(0, mark)
    for text in (
        translate("About", "Version {version}", version=version),
        translate("About", "A board of orders that works offline and measures itself."),
        translate("About", "Letters: Inter (OFL). Icons: Lucide (ISC). Windows: Qt for Python (LGPL)."),
    ):
        line = QLabel(text, dialog)
        line.setFont(look.font(14))
        line.setWordWrap(True)
        dialog.body.addWidget(line)
    dialog.body.addStretch(1)
    dialog.resize(QSize(look.px(440), look.px(280)).boundedTo(parent.size()))
    return dialog
