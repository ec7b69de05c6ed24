"""The window: header, view bar, banners, board, status line. A shell; it decides nothing about orders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QMainWindow, QVBoxLayout, QWidget

from widgets.actions import ACTIONS, LATER, ActionBook
from widgets.banner import BannerArea
from widgets.board.view import Board
from widgets.header import Header
from widgets.late_parts import LateParts
from widgets.menus import THEME_ACTIONS, MainMenu, next_scale
from widgets.status_line import StatusLine
from widgets.theme.look import Look
from widgets.theme.tokens import ThemeName
from widgets.view_bar import ViewBar
from widgets.words import translate

if TYPE_CHECKING:
    from widgets.older_orders import OlderOrders
    from widgets.order_panel import OrderPanel


def everything_is_on(_name: str) -> bool:
    """Allow every action."""
    return True


class MainWindow(QMainWindow):
    """The one window of the client."""

    action_triggered = Signal(str)
    look_chosen = Signal(object)
    closed = Signal()

    def __init__(
        self,
        look: Look,
        board: Board,
        now_ms: Callable[[], int],
        zone: tzinfo,
        is_enabled: Callable[[str], bool] = everything_is_on,
        *,
        version: str = "",
    ) -> None:
        """Lay the parts out around ``board``."""
        super().__init__()
        self.look = look
        self.board = board
        self._now_ms = now_ms
        self._version = version
        self._minute = now_ms() // 60_000
        self._late = LateParts(board, now_ms, zone)
        self.setWindowTitle(translate("Window", "Fulfillment Kanban"))
        self.header = Header(look, now_ms, zone)
        self.view_bar = ViewBar(look, zone)
        self.banners = BannerArea(look)
        self.status_line = StatusLine(look, zone)
        self._build()
        self.actions_book = ActionBook(ACTIONS, board, self, look, is_enabled)
        self.menu = MainMenu(self.actions_book, look, self)
        self.header.set_menu(self.menu)
        self._own_actions = self._make_own_actions()
        self._connect()
        self.setStyleSheet(look.style_sheet())
        self._second = QTimer(self, interval=1000)
        self._second.timeout.connect(self.on_second)
        self._second.start()
        self.on_second()

    def _build(self) -> None:
        """Put the strips above each other; the board takes what is left."""
        shell = QWidget(self)
        shell.setObjectName("shell")
        column = QVBoxLayout(shell)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        beside = self._beside = QVBoxLayout()
        beside.setSpacing(0)
        for part in (self.view_bar, self.banners):
            beside.addWidget(part)
        beside.addWidget(self.board, stretch=1)
        self._middle = QHBoxLayout()
        self._middle.setSpacing(0)
        self._middle.addLayout(beside, stretch=1)
        column.addLayout(self._middle, stretch=1)
        column.addWidget(self.status_line)
        self.setCentralWidget(shell)
        # Large text must never force the window beyond the screen: parts shrink or are cut instead.
        layout = self.layout()
        if layout is not None:
            layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self.board.setFocus(Qt.FocusReason.OtherFocusReason)

    def _connect(self) -> None:
        """Join the parts."""
        self.actions_book.triggered.connect(self._on_action)
        self.header.search_left.connect(lambda: self.board.setFocus(Qt.FocusReason.ShortcutFocusReason))
        self.header.search_submitted.connect(self._on_search_submitted)
        self.header.needs_you_requested.connect(lambda: self.actions_book.trigger("needs_you"))
        self.view_bar.undo_requested.connect(lambda: self.actions_book.trigger("undo"))
        self.view_bar.import_requested.connect(lambda: self.actions_book.trigger("import"))
        self.status_line.undo_requested.connect(lambda: self.actions_book.trigger("undo"))
        self.board.filter_clear_requested.connect(self.header.clear_search)
        self.board.announced.connect(self._on_announced)

    def _make_own_actions(self) -> dict[str, Callable[[], object]]:
        """Return the actions that the window carries out itself."""
        board = self.board
        own: dict[str, Callable[[], object]] = {
            "open_order": board.open_focused,
            "move_forward": lambda: board.request_move(1),
            "move_back": lambda: board.request_move(-1),
            "toggle_selection": board.toggle_focused,
            "select_column": lambda: board.change_focus(lambda focus: focus.select_column()),
            "select_none": lambda: board.change_focus(lambda focus: focus.clear()),
            "search": self.header.focus_search,
            "text_larger": lambda: self._choose_scale(next_scale(self.look.scale_percent, 1)),
            "text_smaller": lambda: self._choose_scale(next_scale(self.look.scale_percent, -1)),
            "text_normal": lambda: self._choose_scale(100),
            "full_screen": lambda: self.showNormal() if self.isFullScreen() else self.showFullScreen(),
            "next_region": lambda: self._go_region(1),
            "previous_region": lambda: self._go_region(-1),
            "keys": self._show_keys,
            "about": self._show_about,
        }
        own |= {f"focus_column_{number + 1}": partial(board.focus_column, number) for number in range(4)}
        own |= {name: partial(self._choose_theme, theme) for name, theme in THEME_ACTIONS.items()}
        return own

    def _on_action(self, name: str) -> None:
        """Carry out an action, or tell that it is wanted."""
        own = self._own_actions.get(name)
        if own is not None:
            own()
        else:
            self.action_triggered.emit(name)

    def _on_announced(self, words: str, _is_assertive: bool) -> None:
        """Repeat an announcement where screen readers and eyes find it."""
        self.board.setAccessibleDescription(words)
        self.status_line.say(words)

    def _on_search_submitted(self, _text: str) -> None:
        """Enter in the search field goes to the first card that it left."""
        self.board.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.board.focus_first()

    def _show_keys(self) -> None:
        """Open the list of all keys."""
        # Imported when first wanted: a start does without.
        from widgets.dialogs import keys_dialog

        # What a later release brings has keys already, but nobody is told to press them.
        specs = [spec for spec in self.actions_book.specs() if spec.id not in LATER]
        keys_dialog(self.look, specs, self).open()

    def _show_about(self) -> None:
        """Say what this program is."""
        from widgets.dialogs import about_dialog

        about_dialog(self.look, self._version, self).open()

    def _go_region(self, step: int) -> None:
        """Move the focus to the next or previous part of the window."""
        regions: tuple[QWidget, ...] = (self.header.search, self.header.connection)
        regions += (*self._late.above_board(), self.board, *self._late.beside_board())
        focused = self._late.region_of(self.focusWidget())
        current = regions.index(focused) if focused in regions else regions.index(self.board)
        regions[(current + step) % len(regions)].setFocus(Qt.FocusReason.TabFocusReason)

    def _choose_theme(self, theme: ThemeName) -> None:
        """Apply a theme that the person chose."""
        self._choose(self.look.with_theme(theme))

    def _choose_scale(self, percent: int) -> None:
        """Apply a text size that the person chose."""
        self._choose(self.look.with_scale(percent))

    def _choose(self, look: Look) -> None:
        """Apply a look that the person chose, and tell it."""
        self.set_look(look)
        self.look_chosen.emit(look)

    def set_look(self, look: Look) -> None:
        """Change theme or text size everywhere."""
        self.look = look
        self.setStyleSheet(look.style_sheet())
        self.actions_book.set_look(look)
        for part in (self.header, self.view_bar, self.banners, self.status_line, self.board, self.menu):
            part.set_look(look)
        self._late.set_look(look)

    def make_older(self) -> OlderOrders:
        """Make what says which older orders a search found: in the view bar and above the board."""
        older = self._late.make_older(self.look, self)
        self.view_bar.add_beside_summary(older.bar)
        self._beside.insertWidget(self._beside.indexOf(self.board), older.list)
        for before, after in pairwise((self.header.last_stop, older.bar.button, older.list.table)):
            QWidget.setTabOrder(before, after)
        older.offered.connect(self.board.offer_elsewhere)
        self.board.elsewhere_requested.connect(older.open_list)
        older.told.connect(self.header.search.setAccessibleDescription)
        older.left.connect(self.header.focus_search)
        self.header.search.went_down.connect(older.open_list)
        return older

    def make_panel(self) -> OrderPanel:
        """Make the panel of the open order, hidden at the right of the board."""
        panel = self._late.make_panel(self.look, self)
        self._middle.addWidget(panel)
        return panel

    def close_panel(self) -> None:
        """Close the panel; the focus goes back to where it was opened from."""
        self._late.close_panel()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Escape that nobody nearer wanted closes the panel."""
        if event.key() == Qt.Key.Key_Escape:
            self.close_panel()
        else:
            super().keyPressEvent(event)

    def on_second(self) -> None:
        """Set the clock; at a new minute tell all times anew."""
        now_ms = self._now_ms()
        self.status_line.set_time(now_ms)
        self.header.connection.refresh()
        if now_ms // 60_000 != self._minute:
            self._minute = now_ms // 60_000
            self.board.on_minute()
            self._late.on_minute()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Tell that the window goes; nothing unsent is lost by it, so nothing is asked."""
        super().closeEvent(event)
        self._second.stop()
        self.closed.emit()
