"""The keys that only walk, select and carry; keys with a name in the action table go through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent

from widgets.board.focus import Focus

if TYPE_CHECKING:
    from widgets.board.view import Board

_Key = Qt.Key

_ROWS: Final[dict[int, int]] = {_Key.Key_Up: -1, _Key.Key_Down: 1}
_SIDEWAYS: Final[dict[int, int]] = {_Key.Key_Left: -1, _Key.Key_Right: 1}


class BoardKeys:
    """Turns keys into focus, selection and keyboard drags."""

    def __init__(self, board: Board) -> None:
        """Steer ``board``."""
        self._board = board

    def handle(self, event: QKeyEvent) -> bool:
        """Act on a key; False when the board has no use for it."""
        key, modifiers = event.key(), event.modifiers()
        is_shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        is_control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        if self._board.is_dragging:
            return self._carry(key)
        if key == _Key.Key_Space and not event.isAutoRepeat():
            return self._lift()
        if key == _Key.Key_Escape:
            return self._step_back()
        change = self._walk(key, is_shift=is_shift, is_control=is_control)
        if change is None:
            return False
        self._board.change_focus(change)
        return True

    def _walk(self, key: int, *, is_shift: bool, is_control: bool) -> Callable[[Focus], object] | None:
        """Return how a key moves the focus."""
        rows = _ROWS.get(key)
        if rows is not None and not is_control:
            return (lambda focus: focus.extend(rows)) if is_shift else (lambda focus: focus.step(rows))
        sideways = _SIDEWAYS.get(key)
        if sideways is not None and not is_control:
            return lambda focus: focus.sideways(sideways)
        if key in (_Key.Key_Home, _Key.Key_End):
            is_end = key == _Key.Key_End
            if is_control:
                return lambda focus: focus.set(len(self._board.columns.each) - 1 if is_end else 0, 0)
            return lambda focus: focus.edge(is_end=is_end)
        if key in (_Key.Key_PageUp, _Key.Key_PageDown):
            step = -1 if key == _Key.Key_PageUp else 1
            return lambda focus: focus.step(step * focus.page_rows())
        return None

    def _lift(self) -> bool:
        """Lift the focused card, or the selection that it is part of."""
        local_id = self._board.focused()
        if local_id is not None:
            self._board.lift(local_id, None)
        return True

    def _carry(self, key: int) -> bool:
        """Steer what is carried; every other key waits until it is dropped."""
        carry = self._board.carry
        if key == _Key.Key_Escape:
            self._board.cancel_drag()
        elif key in (_Key.Key_Left, _Key.Key_Right):
            carry.aim_step(-1 if key == _Key.Key_Left else 1)
        elif key in (_Key.Key_Space, _Key.Key_Return, _Key.Key_Enter):
            self.drop()
        return True

    def drop(self) -> None:
        """Drop what is carried; the focus goes along with it."""
        drag = self._board.carry.drag
        self._board.carry.drop()
        if drag is not None and drag.is_settling:
            self._board.focus_order(drag.lead.local_id)

    def _step_back(self) -> bool:
        """Escape goes one step back: selection, then the filter."""
        if self._board.focus_state.selected:
            self._board.change_focus(lambda focus: focus.clear())
            return True
        if self._board.is_filtered:
            self._board.filter_clear_requested.emit()
            return True
        return False
