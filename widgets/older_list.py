"""The list of orders that left the board: number, customer, how each ended, its parcel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sync.contract.orders import Order
from widgets.order_texts import finished_text, number_text
from widgets.theme.look import Look
from widgets.words import translate

NUMBER, CUSTOMER, CITY, ENDED, PARCEL = range(5)
ROW: Final = 44
"""A finger needs so much."""
HEAD: Final = 32
MOST_ROWS: Final = 6
MOST_PERCENT: Final = 40
"""Of the window's height: the board stays below the list."""
_SHARES: Final = {NUMBER: 30, CUSTOMER: 34, CITY: 18, ENDED: 30}
"""Percent of the width that a column takes at most; the parcel has the rest."""
_GIVEN_UP: Final = (CITY, PARCEL)
"""Left out, in this order, where there is no room: the order itself tells them."""


class _Table(QTableWidget):
    """The rows; Enter and a click choose one, Escape leaves."""

    chosen = Signal(int)
    left = Signal()
    focused = Signal(bool)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusInEvent(event)
        self.focused.emit(True)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Tell the frame."""
        super().focusOutEvent(event)
        self.focused.emit(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take Enter and Escape; the arrows walk."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.chosen.emit(self.currentRow())
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class OlderList(QFrame):
    """Stands between view bar and board while it is open; the board moves down."""

    opened = Signal(object)
    """The order that was chosen."""
    left = Signal()

    def __init__(
        self, look: Look, now_ms: Callable[[], int], zone: tzinfo, parent: QWidget | None = None
    ) -> None:
        """Begin empty and hidden."""
        super().__init__(parent)
        self.setObjectName("olderArea")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._look, self._now_ms, self._zone = look, now_ms, zone
        self._orders: tuple[Order, ...] = ()
        # The ring stands around the list, not inside it: cells would paint over its corners.
        self._frame = QFrame(self)
        self._frame.setObjectName("olderFrame")
        inside = QVBoxLayout(self._frame)
        inside.setContentsMargins(2, 2, 2, 2)
        self.table = _Table(0, 5, self._frame)
        inside.addWidget(self.table)
        self.table.setObjectName("olderList")
        self.table.setProperty("is_data", True)
        self.table.setAccessibleName(translate("Older", "Older orders, no longer on the board"))
        self.table.setHorizontalHeaderLabels(_titles())
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setTabKeyNavigation(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.horizontalHeader()
        header.setMinimumSectionSize(0)
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self._more = QLabel(self)
        self._more.setTextFormat(Qt.TextFormat.PlainText)
        self._more.setProperty("tone", "quiet")
        self._more.setWordWrap(True)
        self._column = QVBoxLayout(self)
        self._column.addWidget(self._frame)
        self._column.addWidget(self._more)
        self.table.chosen.connect(self._on_chosen)
        self.table.cellClicked.connect(lambda row, _column: self._on_chosen(row))
        self.table.left.connect(self.left)
        self.table.focused.connect(lambda has_focus: self._show_focus(has_focus=has_focus))
        self.set_look(look)
        self.hide()

    def show_orders(self, orders: Sequence[Order], more: str) -> None:
        """List ``orders``; ``more`` says what is not listed."""
        self._orders = tuple(orders)
        self._more.setText(more)
        self._more.setVisible(bool(more))
        self._fill()

    def open(self) -> None:
        """Show the list and go to its first row."""
        self.show()
        self._fit()
        self.table.setCurrentCell(0, NUMBER)
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def is_on(self, order: Order | None) -> bool:
        """Say whether the list stands open on ``order``: it was opened from here."""
        row = self.table.currentRow()
        is_here = order is not None and 0 <= row < len(self._orders) and self._orders[row].id == order.id
        return is_here and not self.isHidden()

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        self._column.setContentsMargins(16, look.px(2), 16, look.px(8))
        self._column.setSpacing(look.px(4))
        self._more.setFont(look.font(13))
        self.table.horizontalHeader().setFont(look.font(13, 600))
        self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Share the width out anew."""
        super().resizeEvent(event)
        self._fit()

    def _fill(self) -> None:
        """Write the cells; what orders say is plain text."""
        table, now_ms = self.table, self._now_ms()
        table.setRowCount(len(self._orders))
        table.verticalHeader().setDefaultSectionSize(self._look.px(ROW))
        for row, order in enumerate(self._orders):
            customer, ended = order.customer or order.ship_to.name, finished_text(order, now_ms, self._zone)
            number = self._write(row, NUMBER, number_text(order), 15, 700)
            self._write(row, CUSTOMER, customer, 14)
            self._write(row, CITY, order.ship_to.city, 14, token="ink2")
            self._write(row, ENDED, ended, 14, token="ink2")
            self._write(row, PARCEL, order.tracking_number, 14, token="ink2")
            told = (number_text(order), customer, order.ship_to.city, ended, order.tracking_number)
            # The keyboard stands on the number; a reader says the row with it.
            number.setData(Qt.ItemDataRole.AccessibleTextRole, ", ".join(filter(None, told)))
        self._fit()

    def _write(
        self, row: int, column: int, text: str, px: int, weight: int = 400, *, token: str = "ink"
    ) -> QTableWidgetItem:
        item = QTableWidgetItem(text)
        item.setFont(
            self._look.font(px, weight, figures=column in {NUMBER, PARCEL}, zero=column in {NUMBER, PARCEL})
        )
        item.setForeground(self._look.colour(token))
        item.setToolTip(text)
        self.table.setItem(row, column, item)
        return item

    def _fit(self) -> None:
        """Give each column what it needs within its share, and the table the height of its rows."""
        table, look = self.table, self._look
        wanted = [self._wanted(column) for column in range(table.columnCount())]
        room = self.width() - 32 - look.px(16)
        for column in (NUMBER, CUSTOMER, *_GIVEN_UP):
            table.setColumnHidden(column, False)
        for column in _GIVEN_UP:
            least = sum(width for each, width in enumerate(wanted) if each != CUSTOMER)
            if least + look.px(120) > room:
                table.setColumnHidden(column, True)
                wanted[column] = 0
        for column, share in _SHARES.items():
            table.setColumnWidth(column, min(wanted[column], room * share // 100))
        last = ENDED if table.isColumnHidden(PARCEL) else PARCEL
        for column in (ENDED, PARCEL):
            mode = QHeaderView.ResizeMode.Stretch if column == last else QHeaderView.ResizeMode.Fixed
            table.horizontalHeader().setSectionResizeMode(column, mode)
        table.horizontalHeader().setFixedHeight(look.px(HEAD))
        rows_room = self.window().height() * MOST_PERCENT // 100 // look.px(ROW)
        rows = max(1, min(len(self._orders), MOST_ROWS, rows_room))
        table.setFixedHeight(look.px(HEAD) + rows * look.px(ROW))

    def _wanted(self, column: int) -> int:
        """Return the width at which nothing of a column is cut."""
        head = self.table.horizontalHeader().sectionSizeHint(column)
        return max(self.table.sizeHintForColumn(column), head) + self._look.px(20)

    def _show_focus(self, *, has_focus: bool) -> None:
        self._frame.setProperty("focused", has_focus)
        self._frame.style().polish(self._frame)

    def _on_chosen(self, row: int) -> None:
        if 0 <= row < len(self._orders):
            self.opened.emit(self._orders[row])


def _titles() -> list[str]:
    return [
        translate("Older", "Older order"),
        translate("Older", "Customer"),
        translate("Older", "City"),
        translate("Older", "How it ended"),
        translate("Older", "Tracking number"),
    ]
