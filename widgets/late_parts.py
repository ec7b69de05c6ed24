"""Parts of the window that are made when somebody first wants them: a start does without."""

from __future__ import annotations

from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from widgets.board.view import Board
from widgets.theme.look import Look

if TYPE_CHECKING:
    from widgets.older_orders import OlderOrders
    from widgets.order_panel import OrderPanel


class LateParts:
    """The order panel, and what a search finds beside the board."""

    def __init__(self, board: Board, now_ms: Callable[[], int], zone: tzinfo) -> None:
        """Begin with nothing made; the focus goes back to ``board``."""
        self._board, self._now_ms, self._zone = board, now_ms, zone
        self.panel: OrderPanel | None = None
        self.older: OlderOrders | None = None

    def make_panel(self, look: Look, window: QWidget) -> OrderPanel:
        """Make the panel of the open order, hidden."""
        from widgets.order_panel import OrderPanel

        panel = self.panel = OrderPanel(look, self._now_ms, self._zone, window)
        panel.closed.connect(self.close_panel)
        return panel

    def make_older(self, look: Look, window: QWidget) -> OlderOrders:
        """Make what says which older orders a search found, hidden."""
        from widgets.older_orders import OlderOrders

        self.older = OlderOrders(look, self._now_ms, self._zone, window)
        return self.older

    def close_panel(self) -> None:
        """Close the panel; the focus goes from it back to the board, or to the list that it came from."""
        panel, older = self.panel, self.older
        if panel is None or panel.isHidden():
            return
        has_focus = panel.isAncestorOf(panel.window().focusWidget())
        is_from_list = older is not None and older.list.is_on(panel.order)
        panel.hide()
        # An order may leave the board while somebody types elsewhere.
        if has_focus:
            back = older.list.table if older is not None and is_from_list else self._board
            back.setFocus(Qt.FocusReason.OtherFocusReason)

    def region_of(self, widget: QWidget) -> QWidget:
        """Return what stands for ``widget`` among the regions: the title for all of the panel."""
        panel = self.panel
        return panel.title if panel is not None and panel.isAncestorOf(widget) else widget

    def above_board(self) -> tuple[QWidget, ...]:
        """Return the region between the header and the board, if there is one now."""
        older = self.older
        if older is None or not older.has_found:
            return ()
        return (older.bar.button if older.list.isHidden() else older.list.table,)

    def beside_board(self) -> tuple[QWidget, ...]:
        """Return the region beside the board, if there is one now."""
        return () if self.panel is None or self.panel.isHidden() else (self.panel.title,)

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        for part in (self.panel, self.older):
            if part is not None:
                part.set_look(look)

    def on_minute(self) -> None:
        """Tell all times anew."""
        if self.panel is not None:
            self.panel.on_minute()
