"""The lines of an order as a table: bin, product, state, pieces. It scrolls with what is around it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from sync.contract.orders import LineItem
from widgets.order_texts import SHOWN_LINES, line_state, pieces_text, walking_order
from widgets.theme.look import Look
from widgets.words import translate

BIN, PRODUCT, STATE, PIECES = range(4)


class OrderLines(QTableWidget):
    """The first lines in walking order."""

    reached = Signal(int)
    """The keyboard came to a line; its middle, in pixels from the top."""

    def __init__(self, look: Look, parent: QWidget) -> None:
        """Begin without lines."""
        super().__init__(0, 4, parent)
        self.setObjectName("orderLines")
        self.setProperty("is_data", True)
        self.setAccessibleName(translate("Order", "Lines, in walking order"))
        self._look = look
        self._lines: tuple[LineItem, ...] = ()
        self._removed: frozenset[int] = frozenset()
        self._is_shipped = False
        self.horizontalHeader().hide()
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setWordWrap(True)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setMinimumSectionSize(0)
        for column in (BIN, STATE, PIECES):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(PRODUCT, QHeaderView.ResizeMode.Stretch)
        self.currentCellChanged.connect(self._on_current)

    def show_lines(
        self, lines: tuple[LineItem, ...], removed: frozenset[int] = frozenset(), *, is_shipped: bool = False
    ) -> None:
        """Show the first of ``lines``; the line that the keyboard stands on stays.

        ``removed`` are the positions of those that the order's source took away.
        """
        shown = (self._lines, self._removed, self._is_shipped)
        if (lines, removed, is_shipped) == shown and self.rowCount():
            return
        self._lines, self._removed, self._is_shipped = lines, removed, is_shipped
        self._fill()

    def set_look(self, look: Look) -> None:
        """Change theme or text size."""
        self._look = look
        self._fill()

    def _fill(self) -> None:
        """Write the cells."""
        look, shown = self._look, walking_order(self._lines)[:SHOWN_LINES]
        self.setIconSize(QSize(look.px(16), look.px(16)))
        self.verticalHeader().setDefaultSectionSize(look.px(56))
        self.setRowCount(len(shown))
        for row, line in enumerate(shown):
            is_removed = line.position in self._removed
            state = line_state(line, is_removed=is_removed, is_shipped=self._is_shipped)
            product = "\n".join(part for part in (line.name, line.sku) if part)
            pieces = pieces_text(line, is_shipped=self._is_shipped)
            self._write(row, BIN, line.location, 15, 600, "ink")
            self._write(row, PRODUCT, product, 14, 400, "ink")
            cell = self._write(row, STATE, state.text, 13, 600, state.token)
            cell.setIcon(look.icon(state.icon, 16, state.token, self.devicePixelRatioF()))
            cell = self._write(row, PIECES, pieces, 15, 600, "ink")
            cell.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setFixedHeight(len(shown) * look.px(56) + 2)

    def _write(self, row: int, column: int, text: str, px: int, weight: int, token: str) -> QTableWidgetItem:
        """Write one cell."""
        item = QTableWidgetItem(text)
        item.setFont(self._look.font(px, weight))
        item.setForeground(self._look.colour(token))
        item.setToolTip(text if column == PRODUCT else "")
        self.setItem(row, column, item)
        return item

    def _on_current(self, row: int, *_before: int) -> None:
        """Tell where the keyboard is, so that what is around can scroll there."""
        self.reached.emit(self.rowViewportPosition(row) + self.rowHeight(row) // 2)

    def minimumSizeHint(self) -> QSize:
        """Shrink sideways where there is no room."""
        return QSize(0, super().minimumSizeHint().height())
