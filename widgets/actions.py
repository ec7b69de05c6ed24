"""Everything a person can do by name: one table, from which actions, menus and the keys dialog are made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from widgets.theme.look import Look
from widgets.words import translate


class Source(StrEnum):
    """Where the keys of an action work: only on the board, or in the whole window."""

    BOARD = "board"
    WINDOW = "window"


class ActionSpec(NamedTuple):
    """One action: its id, its text, its keys (the first is shown), its icon, where its keys work."""

    id: str
    text: str
    keys: tuple[str, ...]
    icon: str
    source: Source


_BOARD, _WINDOW = Source.BOARD, Source.WINDOW

ACTIONS: Final = (
    ActionSpec("open_order", "Open the order", ("Return", "Enter"), "package-open", _BOARD),
    ActionSpec("move_forward", "Move to the next column", ("]", "Ctrl+Right"), "arrow-right", _BOARD),
    ActionSpec("move_back", "Move to the previous column", ("[", "Ctrl+Left"), "arrow-left", _BOARD),
    ActionSpec("toggle_selection", "Select or unselect the order", ("X",), "square-check", _BOARD),
    ActionSpec("select_column", "Select all in the column", ("Ctrl+A",), "square-check", _BOARD),
    ActionSpec("select_none", "Select nothing", ("Ctrl+Shift+A",), "circle", _BOARD),
    ActionSpec("focus_column_1", "Go to Confirmed", ("1",), "inbox", _BOARD),
    ActionSpec("focus_column_2", "Go to Picking", ("2",), "package-open", _BOARD),
    ActionSpec("focus_column_3", "Go to Picked", ("3",), "package-check", _BOARD),
    ActionSpec("focus_column_4", "Go to Shipped today", ("4",), "truck", _BOARD),
    ActionSpec("undo", "Undo", ("Ctrl+Z",), "undo-2", _WINDOW),
    ActionSpec("search", "Search", ("/", "Ctrl+F"), "search", _WINDOW),
    ActionSpec("needs_you", "Needs you", ("N",), "inbox", _BOARD),
    ActionSpec("ask_again", "Ask the server again", ("F5",), "refresh-cw", _WINDOW),
    ActionSpec("theme_light", "Light", (), "sun", _WINDOW),
    ActionSpec("theme_dark", "Dark", (), "sun", _WINDOW),
    ActionSpec("theme_high_contrast", "High contrast", (), "sun", _WINDOW),
    ActionSpec("text_larger", "Larger text", ("Ctrl++", "Ctrl+="), "zoom-in", _WINDOW),
    ActionSpec("text_smaller", "Smaller text", ("Ctrl+-",), "zoom-out", _WINDOW),
    ActionSpec("text_normal", "Normal text", ("Ctrl+0",), "search", _WINDOW),
    ActionSpec("full_screen", "Full screen", ("F11",), "maximize", _WINDOW),
    ActionSpec("next_region", "Next region", ("F6",), "arrow-right", _WINDOW),
    ActionSpec("previous_region", "Previous region", ("Shift+F6",), "arrow-left", _WINDOW),
    ActionSpec("keys", "Keys", ("F1", "?"), "keyboard", _WINDOW),
    ActionSpec("import", "Import orders", (), "file-up", _WINDOW),
    ActionSpec("about", "About", (), "info", _WINDOW),
    ActionSpec("quit", "Quit", ("Ctrl+Q",), "x", _WINDOW),
)
"""All actions; the keyboard map of the documentation is compared with it."""

LATER: Final = frozenset({"needs_you", "import"})
"""Actions that a later release carries out: not enabled, and not in the list of keys."""


class ActionBook(QObject):
    """Makes one QAction per row of the table and tells which was triggered."""

    triggered = Signal(str)

    def __init__(
        self,
        table: Sequence[ActionSpec],
        board: QWidget,
        window: QWidget,
        look: Look,
        is_enabled: Callable[[str], bool],
    ) -> None:
        """Make the actions: keys of the board work on ``board``, the others in ``window``."""
        super().__init__(window)
        self._table = {spec.id: spec for spec in table}
        self._is_enabled = is_enabled
        self._actions: dict[str, QAction] = {}
        for spec in table:
            self._actions[spec.id] = self._make(spec, board if spec.source is Source.BOARD else window)
        self.set_look(look)
        self.refresh()

    def _make(self, spec: ActionSpec, place: QWidget) -> QAction:
        """Make one action and give its keys to the widget in which they work."""
        action = QAction(translate("Action", spec.text), self)
        action.setObjectName(spec.id)
        action.setShortcuts([QKeySequence(keys) for keys in spec.keys])
        is_board = spec.source is Source.BOARD
        context = Qt.ShortcutContext.WidgetShortcut if is_board else Qt.ShortcutContext.WindowShortcut
        action.setShortcutContext(context)
        action.triggered.connect(lambda *_: self.trigger(spec.id))
        place.addAction(action)
        return action

    def specs(self) -> tuple[ActionSpec, ...]:
        """Return the table."""
        return tuple(self._table.values())

    def action(self, name: str) -> QAction:
        """Return an action by id; KeyError for an unknown one."""
        return self._actions[name]

    def trigger(self, name: str) -> None:
        """Tell that an action is wanted, if it is allowed now."""
        if self._is_enabled(self._table[name].id):
            self.triggered.emit(name)

    def refresh(self) -> None:
        """Ask for every action whether it is allowed now."""
        for name, action in self._actions.items():
            action.setEnabled(self._is_enabled(name))

    def set_look(self, look: Look) -> None:
        """Draw the icons again."""
        for name, action in self._actions.items():
            action.setIcon(look.icon(self._table[name].icon, 16, "ink2"))


def keys_text(spec: ActionSpec) -> str:
    """Return the keys of an action as people write them: "] or Ctrl+Right"."""
    shown = [QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText) for keys in spec.keys]
    return translate("Action", " or ").join(shown)
