"""The pointer on the board: clicks, drags, the wheel, scroll bars, scrolling at the edges."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent

from sync.contract.stages import STAGES, Stage
from widgets.board.columns import Hit
from widgets.board.drag import Press
from widgets.board.geometry import edge_speed, scroll_for_thumb
from widgets.board.latency import EventClock

if TYPE_CHECKING:
    from widgets.board.view import Board

_NOTCH: Final = 120
"""Eighths of a degree in one step of a wheel with steps."""

_NOTCH_PX: Final = 96
_BAR_HIT_PX: Final = 14
_FRAME_MS: Final = 16


class BoardMouse:
    """Turns pointer events into lifts, drops, scrolls and focus."""

    def __init__(self, board: Board) -> None:
        """Steer ``board``."""
        self._board = board
        self._press: Press | None = None
        self._bar: tuple[int, int] | None = None
        """Column and where inside its thumb the pointer holds it."""
        self._side_inside: int | None = None
        """Where inside its thumb the pointer holds the bar below the columns."""
        self._clock = EventClock()
        self._at = (0, 0)
        self._edge_timer = QTimer(board, interval=_FRAME_MS)
        self._edge_timer.timeout.connect(self._scroll_at_edge)

    def forget(self) -> None:
        """Forget a press: the drag was put back by the keyboard."""
        self._press = None
        self._bar = None
        self._side_inside = None
        self._edge_timer.stop()

    def held_stages(self) -> set[Stage]:
        """Return the stage whose column must not change: a click or a lift is meant for what was pressed."""
        return set() if self._press is None else {STAGES[self._press.column]}

    def press(self, event: QMouseEvent) -> None:
        """Arm a drag on a card, take a scroll bar, or focus a column."""
        self._delay_ms(event)
        if event.button() != Qt.MouseButton.LeftButton or self._board.is_dragging:
            return
        x, y = _point(event)
        if self._take_bar(x, y):
            return
        hit = self._board.columns.hit(x, y)
        if hit is None:
            return
        if hit.place is None or hit.local_id is None:
            self._board.change_focus(lambda focus: focus.clear())
            return
        self._press = Press(x, y, hit.column, hit.place, hit.local_id)

    def move(self, event: QMouseEvent) -> None:
        """Carry what is lifted, lift what was pressed, or drag a scroll bar."""
        arrival = perf_counter()
        late_ms = self._delay_ms(event)
        x, y = _point(event)
        self._at = (x, y)
        board = self._board
        if self._press is not None and not event.buttons() & Qt.MouseButton.LeftButton:
            # The button was let go where this window was not told.
            board.cancel_drag()
        elif self._side_inside is not None:
            self._drag_side_bar(x)
        elif self._bar is not None:
            self._drag_bar(y)
        elif board.is_dragging:
            board.carry.move_to(x, y)
        elif self._press is not None and self._press.is_beyond_slop(x, y):
            press = self._press
            began, spot = arrival - late_ms / 1000, (press.column, press.place)
            if board.lift(press.local_id, (press.x, press.y), began, spot):
                board.carry.move_to(x, y)
                self._edge_timer.start()
            else:
                self._press = None
                board.release_columns()

    def _delay_ms(self, event: QMouseEvent) -> float:
        """Return how long an event waited; asked of every one, because the quickest is the measure."""
        return self._clock.delay_ms(event.timestamp(), perf_counter() * 1000)

    def release(self, event: QMouseEvent) -> None:
        """Drop what is carried, or finish a click."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        press = self._press
        self.forget()
        if self._board.is_dragging:
            self._board.carry.drop()
        elif press is not None:
            self._click(press, event.modifiers())
            self._board.release_columns()

    def _click(self, press: Press, keys: Qt.KeyboardModifier) -> None:
        """Focus the card; the glyph and Ctrl select it, Shift selects up to it, "Decide" opens it."""
        board = self._board
        column = board.columns.each[press.column]
        box = column.card_box(press.place)
        x, y = press.x - box.x, press.y - box.y
        shape = column.shape
        row = board.row(press.local_id)
        is_glyph = x < shape.text_x and y < shape.glyph_y + shape.glyph + 6
        is_link = shape.band_height and y >= shape.band_y and x > box.width - board.look.px(90)
        if keys & Qt.KeyboardModifier.ShiftModifier:
            board.change_focus(lambda focus: focus.extend_to(press.column, press.place))
        elif is_glyph or keys & Qt.KeyboardModifier.ControlModifier:
            board.change_focus(lambda focus: focus.choose(press.column, press.place, is_toggle=True))
        else:
            board.change_focus(lambda focus: focus.choose(press.column, press.place, is_toggle=False))
            if is_link and row is not None and row.exception and not row.is_cancelled:
                board.open_order(press.local_id)

    def double_click(self, event: QMouseEvent) -> None:
        """Open the order below the pointer."""
        hit: Hit | None = self._board.columns.hit(*_point(event))
        if hit is not None and hit.local_id is not None and event.button() == Qt.MouseButton.LeftButton:
            self._board.open_order(hit.local_id)

    def wheel(self, event: QWheelEvent) -> None:
        """Scroll by the pixels of a touchpad, or by a card per step of a wheel."""
        board = self._board
        moved = event.pixelDelta()
        dx, dy = moved.x(), moved.y()
        if moved.isNull():
            angle = event.angleDelta()
            dx, dy = angle.x() * _NOTCH_PX // _NOTCH, angle.y() * _NOTCH_PX // _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier and not dx:
            dx, dy = dy, 0
        if dx and board.columns.scroll_sideways(board.columns.scroll_x - dx):
            board.update()
        point = event.position()
        hit = board.columns.hit(point.x(), point.y())
        if dy and hit is not None:
            column = board.columns.each[hit.column]
            board.scroll_column(hit.column, column.scroll - dy)
        if board.is_dragging:
            board.carry.move_to(*self._at)
        event.accept()

    def _drag_side_bar(self, x: int) -> None:
        """Scroll sideways so that the thumb follows the pointer."""
        assert self._side_inside is not None
        if self._board.columns.drag_side_thumb(x - self._side_inside):
            self._board.update()

    def _take_bar(self, x: int, y: int) -> bool:
        """Take hold of a scroll bar's thumb, or jump to where its track was pressed."""
        side = self._board.columns.side_thumb()
        if side is not None and y >= side.y - 4:
            self._side_inside = x - side.x if side.x <= x < side.right else side.width // 2
            self._drag_side_bar(x)
            return True
        for number, column in enumerate(self._board.columns.each):
            thumb, view = column.thumb(), column.view
            if thumb is None or not view.contains(x, y) or x < view.right - _BAR_HIT_PX:
                continue
            inside = y - thumb.y if thumb.y <= y < thumb.bottom else thumb.height // 2
            self._bar = (number, inside)
            self._drag_bar(y)
            return True
        return False

    def _drag_bar(self, y: int) -> None:
        """Scroll so that the thumb follows the pointer."""
        assert self._bar is not None
        number, inside = self._bar
        column = self._board.columns.each[number]
        thumb, view = column.thumb(), column.view
        if thumb is not None:
            offset = max(0, y - inside - view.y)
            wanted = scroll_for_thumb(
                offset, view.height, column.content_height, view.height - 4, thumb.height
            )
            self._board.scroll_column(number, wanted)

    def _scroll_at_edge(self) -> None:
        """Scroll while cards are carried at an edge or beyond it: columns up and down, boards sideways."""
        board = self._board
        if not board.is_dragging:
            return
        columns, (x, y) = board.columns, self._at
        side = edge_speed(x, 0, board.width()) if columns.side_thumb() is not None else 0
        if side and columns.scroll_sideways(columns.scroll_x + side):
            board.update()
            board.carry.move_to(x, y)
        box = columns.each[0].box
        hit = columns.hit(x, min(max(y, box.y), box.bottom - 1))
        if hit is None:
            return
        column = columns.each[hit.column]
        speed = edge_speed(y, column.view.y, column.view.bottom)
        if speed:
            board.scroll_column(hit.column, column.scroll + speed)


def _point(event: QMouseEvent) -> tuple[int, int]:
    """Return where an event happened, in whole pixels."""
    point = event.position()
    return int(point.x()), int(point.y())
