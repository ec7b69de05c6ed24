"""The board's surface with a roving focus and a selection: moves them, scrolls to them, tells them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal

from widgets.announcements import focus_text
from widgets.board.canvas import BoardCanvas
from widgets.board.focus import Focus
from widgets.board.painter import RING_PX


class FocusedCanvas(BoardCanvas):
    """Focus and selection over the painted cards."""

    focus_changed = Signal(object)
    selection_changed = Signal(object)
    announced = Signal(str, bool)

    def focused(self) -> int | None:
        """Return the order that has the focus."""
        return self.focus_state.local_id

    def selected(self) -> tuple[int, ...]:
        """Return the selected orders in the order of their selection."""
        return tuple(self.focus_state.selected)

    def targets(self) -> tuple[int, ...]:
        """Return what an action acts on: the selection, else the focused card."""
        return self.focus_state.targets()

    def focus_order(self, local_id: int) -> bool:
        """Focus an order and scroll to it; False when it is not shown."""
        return self.change_focus(lambda focus: focus.focus_order(local_id))

    def change_focus(self, change: Callable[[Focus], object]) -> bool:
        """Let ``change`` move focus or selection, then repaint and tell what became different."""
        state = self.focus_state
        focus_before, selected_before = state.local_id, dict(state.selected)
        result = change(state)
        shown = self.columns.visible_cards()
        touched = {focus_before, state.local_id} if focus_before != state.local_id else set()
        touched |= selected_before.keys() ^ state.selected.keys()
        self.repaint_boxes(shown[one] for one in touched if one is not None and one in shown)
        if focus_before != state.local_id:
            self.reveal(state.column, state.place)
            self.tell_focus()
        if selected_before != state.selected:
            self.selection_changed.emit(self.selected())
        return bool(result)

    def focus_column(self, number: int) -> None:
        """Focus the nearest card of a column."""
        self.change_focus(lambda focus: focus.sideways(number - focus.column))

    def focus_first(self) -> None:
        """Focus the first card of the board, if there is one."""
        for number, column in enumerate(self.columns.each):
            if column.ids:
                self.change_focus(partial(Focus.set, column=number, place=0))
                return

    def reveal_focused(self) -> None:
        """Scroll to the card with the focus, wherever the rows have it now."""
        if self.focus_state.local_id is not None:
            self.reveal(self.focus_state.column, self.focus_state.place)

    def toggle_focused(self) -> None:
        """Select or unselect the focused order."""
        local_id = self.focused()
        if local_id is not None:
            self.change_focus(lambda focus: focus.toggle(local_id))

    def tell_focus(self) -> None:
        """Tell which order has the focus now, and say it."""
        state = self.focus_state
        self.repaint_boxes(())
        self.focus_changed.emit(state.local_id)
        row = self.row(state.local_id) if state.local_id is not None else None
        if row is not None:
            count = len(self.columns.each[state.column].ids)
            words = focus_text(row, state.place + 1, count, self.now_ms(), self.zone)
            self.announced.emit(words, False)

    def reveal(self, number: int, place: int) -> None:
        """Scroll so that a card shows whole, with its ring."""
        column = self.columns.each[number]
        if self.columns.content_width > self.width():
            box = column.box
            if box.x < 0 or box.right > self.width():
                goal = self.columns.scroll_x + (box.x - 16 if box.x < 0 else box.right + 16 - self.width())
                if self.columns.scroll_sideways(goal):
                    self.update()
        if not column.ids:
            return
        box, view = column.card_box(place), column.view
        lead = 2 + (column.layout.header if column.groups else RING_PX)
        if box.y - lead < view.y:
            self.scroll_column(number, column.scroll + box.y - lead - view.y)
        elif box.bottom + RING_PX > view.bottom:
            self.scroll_column(number, column.scroll + box.bottom + RING_PX - view.bottom)

    def scroll_column(self, number: int, wanted: int) -> None:
        """Scroll one column and repaint it."""
        column = self.columns.each[number]
        if column.scroll_to(wanted):
            self.columns.moved()
            self.repaint_boxes([column.box])

    def say(self, words: str, *, is_assertive: bool = False) -> None:
        """Announce a sentence."""
        self.announced.emit(words, is_assertive)
