"""The strip at the top: where we are, search, filters, what needs a person, the connection, the menu."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import tzinfo
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from widgets.connection_badge import ConnectionBadge, ConnectionState
from widgets.elided_label import ElidedLabel
from widgets.mark import mark_pixmap
from widgets.theme.look import Look
from widgets.words import translate

_CHIPS: Final = ("all", "mine", "at_risk", "on_hold")
_CHIP_ICONS: Final = {"at_risk": "triangle-alert", "on_hold": "circle-pause"}


def chip_text(name: str, count: int) -> str:
    """Return the words of a filter chip and how many orders it would show."""
    words = {
        "all": translate("Header", "All"),
        "mine": translate("Header", "Mine"),
        "at_risk": translate("Header", "At risk"),
        "on_hold": translate("Header", "On hold"),
    }
    return f"{words[name]}  {count}"


class SearchField(QLineEdit):
    """The field that every scan and search goes into; Escape clears it, then leaves it."""

    left = Signal()
    went_down = Signal()
    """The Down key: to what was found beside the board."""

    def __init__(self, look: Look, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.setObjectName("search")
        self.setPlaceholderText(translate("Header", "Scan a label, or type to search"))
        self.setAccessibleName(translate("Header", "Search"))
        self.setMaxLength(200)
        self._icon = QLabel(self)
        self._hint = QLabel("/", self)
        self._hint.setProperty("kind", "key")
        self._hint.setProperty("is_data", True)
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.textChanged.connect(lambda text: self._hint.setVisible(not text))
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._icon.setPixmap(look.pixmap("scan-barcode", 20, "ink2", self.devicePixelRatioF()))
        self._icon.adjustSize()
        self._hint.setFont(look.font(12, 600))
        self._hint.setFixedSize(look.px(20), look.px(20))
        self.setFont(look.font(15))
        self.setTextMargins(look.px(32), 0, look.px(28), 0)
        self.setFixedHeight(look.px(40))
        self._place()

    def _place(self) -> None:
        """Put the icon left and the key hint right."""
        middle = self.height() // 2
        self._icon.move(12, middle - self._icon.height() // 2)
        self._hint.move(self.width() - self._hint.width() - 8, middle - self._hint.height() // 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep icon and hint in their places."""
        super().resizeEvent(event)
        self._place()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape clears, a second Escape goes back to the board."""
        if event.key() == Qt.Key.Key_Escape:
            if self.text():
                self.clear()
            else:
                self.left.emit()
            return
        if event.key() == Qt.Key.Key_Down:
            self.went_down.emit()
            return
        super().keyPressEvent(event)


class Header(QFrame):
    """The header of the window."""

    search_changed = Signal(str)
    search_submitted = Signal(str)
    search_left = Signal()
    filter_chosen = Signal(str)
    needs_you_requested = Signal()
    connection_requested = Signal()

    def __init__(
        self, look: Look, now_ms: Callable[[], int], zone: tzinfo, parent: QWidget | None = None
    ) -> None:
        """Begin without a place, without counts, connecting."""
        super().__init__(parent)
        self.setObjectName("header")
        self._look = look
        self._mark = QLabel(self)
        self._site = ElidedLabel(self)
        self._station = ElidedLabel(self)
        self._station.setProperty("tone", "quiet")
        for data in (self._site, self._station):
            data.setProperty("is_data", True)
        self.search = SearchField(look, self)
        self._chips: dict[str, QPushButton] = {}
        self._needs_you = QPushButton(self)
        self._needs_you.setProperty("kind", "violet")
        self._needs_you.hide()
        self.connection = ConnectionBadge(look, now_ms, zone, self)
        self._menu = QToolButton(self)
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu.setAccessibleName(translate("Header", "Menu"))
        self._menu.setToolTip(translate("Header", "Menu"))
        self._group = QButtonGroup(self)
        self._build()
        self._connect()
        self.set_look(look)

    def _build(self) -> None:
        """Lay the parts out from left to right."""
        place = QVBoxLayout()
        place.setSpacing(1)
        place.addStretch(1)
        place.addWidget(self._site)
        place.addWidget(self._station)
        place.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(12)
        row.addWidget(self._mark)
        row.addLayout(place)
        row.addSpacing(8)
        row.addWidget(self.search)
        for name in _CHIPS:
            chip = QPushButton(self)
            chip.setProperty("kind", "chip")
            chip.setCheckable(True)
            chip.setChecked(name == "all")
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            chip.clicked.connect(lambda _checked, name=name: self.filter_chosen.emit(name))
            chip.hide()
            self._group.addButton(chip)
            self._chips[name] = chip
            row.addWidget(chip)
        row.addStretch(1)
        row.addWidget(self._needs_you)
        row.addWidget(self.connection)
        row.addWidget(self._menu)
        order = [self.search, *self._chips.values(), self._needs_you, self.connection, self._menu]
        for before, after in pairwise(order):
            QWidget.setTabOrder(before, after)

    def _connect(self) -> None:
        """Join the parts' signals to this header's."""
        self.search.textChanged.connect(self.search_changed)
        self.search.returnPressed.connect(lambda: self.search_submitted.emit(self.search.text()))
        self.search.left.connect(self.search_left)
        self._needs_you.clicked.connect(self.needs_you_requested)
        self.connection.clicked.connect(self.connection_requested)

    @property
    def last_stop(self) -> QWidget:
        """The part that the Tab key comes to last."""
        return self._menu

    def set_place(self, site: str, station: str) -> None:
        """Say where this terminal stands."""
        self._site.setText(site)
        self._station.setText(station)
        self._station.setVisible(bool(station))

    def set_counts(self, counts: Mapping[str, int]) -> None:
        """Show the chips that have a count ("all", "mine", "at_risk", "on_hold"), hide the others."""
        for name, chip in self._chips.items():
            chip.setVisible(name in counts)
            if name in counts:
                chip.setText(chip_text(name, counts[name]))

    def set_connection(self, state: ConnectionState) -> None:
        """Show how the terminal stands with its server."""
        self.connection.set_state(state)

    def set_needs_you(self, count: int) -> None:
        """Show how many things wait for a person; nothing is shown for 0."""
        self._needs_you.setText(translate("Header", "Needs you  {n}", n=count))
        self._needs_you.setVisible(count > 0)

    def set_menu(self, menu: QMenu) -> None:
        """Open ``menu`` from the button at the right."""
        self._menu.setMenu(menu)

    def focus_search(self) -> None:
        """Go to the search field and select what it holds."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def clear_search(self) -> None:
        """Empty the search field."""
        self.search.clear()

    def search_text(self) -> str:
        """Return what is searched for."""
        return self.search.text()

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        ratio = self.devicePixelRatioF()
        self.setFixedHeight(look.px(56))
        self._mark.setPixmap(mark_pixmap(look, look.px(32), ratio))
        self._site.setFont(look.font(14, 700))
        self._station.setFont(look.font(13))
        self.search.set_look(look)
        for name, chip in self._chips.items():
            chip.setFont(look.font(13, 600, figures=True))
            if name in _CHIP_ICONS:
                token = "amber" if name == "at_risk" else "ink2"
                chip.setIcon(look.button_icon(_CHIP_ICONS[name], 16, token, ratio))
                chip.setIconSize(look.button_icon_size(16))
        self._needs_you.setFont(look.font(14, 600, figures=True))
        self._needs_you.setIcon(look.button_icon("inbox", 18, "violet", ratio))
        self._needs_you.setIconSize(look.button_icon_size(18))
        self.connection.set_look(look)
        self._menu.setIcon(look.icon("ellipsis", 20, "ink", ratio))
        self._menu.setIconSize(QSize(look.px(20), look.px(20)))
        self._fit_search()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the search field its 430 px, less where the window is narrow."""
        super().resizeEvent(event)
        self._fit_search()

    def _fit_search(self) -> None:
        """Set the width of the search field for the width of the window."""
        room = self.width() * 3 // 10 - self._look.px(60) * (self._look.scale_percent > 150)
        self.search.setFixedWidth(max(200, min(self._look.px(430), room)))
