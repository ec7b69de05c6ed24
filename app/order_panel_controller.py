"""Between the board and the order panel: opens it, keeps it true, closes it, moves its order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QObject

from app.board_controller import BoardController
from sync.client.board_view import BoardView
from sync.contract.orders import Order
from widgets.main_window import MainWindow

if TYPE_CHECKING:
    from widgets.order_panel import OrderPanel


class OrderPanelController(QObject):
    """Shows one order beside the board; the panel is made when the first one is opened."""

    def __init__(
        self, window: MainWindow, view: BoardView, controller: BoardController, parent: QObject | None = None
    ) -> None:
        """Open what the board says was opened, out of ``view``."""
        super().__init__(parent)
        self._window = window
        self._view = view
        self._panel: OrderPanel | None = None
        window.board.order_opened.connect(self.on_order_opened)
        # Told after every piece of news and after every own move: all that can change an order.
        controller.counts_changed.connect(self.refresh)

    def on_order_opened(self, local_id: int) -> None:
        """Open the panel on an order, in the place of the one before."""
        order = self._view.order(local_id)
        if order is not None:
            self._open(order)

    def open_older(self, order: Order) -> None:
        """Open an order that left the board, to be read; one that still has its card opens as that."""
        local_id = self._view.local_id(order.id)
        if local_id is not None:
            self.on_order_opened(local_id)
        else:
            self._open(_off_board(order))

    def _open(self, order: Order) -> None:
        if self._panel is None:
            self._panel = self._window.make_panel()
            self._panel.move_requested.connect(self.on_move_requested)
        self._panel.open(order, self._window.board.seconds_per_line)

    def refresh(self) -> None:
        """Show the order as it is now; one that left the board finished is read on, any other closes."""
        shown = None if self._panel is None else self._panel.order
        if shown is None or self._panel is None or not shown.is_on_board:
            return
        # By its id: after a snapshot the short names belong to other orders.
        local_id = self._view.local_id(shown.id)
        order = None if local_id is None else self._view.order(local_id)
        if order is None and not shown.is_open:
            self._panel.show_order(_off_board(shown))
        elif order is None:
            self._window.close_panel()
        elif order != shown:
            self._panel.show_order(order)

    def on_move_requested(self) -> None:
        """Ask for the move that ``]`` would ask for, of this order alone."""
        shown = None if self._panel is None else self._panel.order
        local_id = None if shown is None else self._view.local_id(shown.id)
        if local_id is not None:
            self._window.board.request_move_of((local_id,), 1)


def _off_board(order: Order) -> Order:
    """Return an order as one that no board holds; when it left is known where the server says it."""
    if not order.is_on_board:
        return order
    return msgspec.structs.replace(order, retired_ms=order.updated_ms)
