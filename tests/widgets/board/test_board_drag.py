"""Dragging with the pointer: lift, slot, drop, put back; what others do meanwhile."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from support.board_bench import BoardBench, MakeBoard
from support.card_rows import MINUTE_MS, NOW_MS, card_row, mixed_rows
from sync.contract.operations import Source
from sync.contract.rows import BoardChange, Fate
from sync.contract.stages import Stage
from widgets.board.focus import Focus

LEFT = Qt.MouseButton.LeftButton


def _point(bench: BoardBench, local_id: int, dx: int = 150, dy: int = 40) -> QPoint:
    """Return a point on a visible card."""
    box = bench.board.columns.visible_cards()[local_id]
    return QPoint(box.x + dx, box.y + dy)


def _over(bench: BoardBench, column: int, y: int = 400) -> QPoint:
    """Return a point in a column."""
    return QPoint(bench.board.columns.each[column].box.x + 200, y)


def _lift(bench: BoardBench, local_id: int, column: int) -> None:
    """Press on a card and carry it over a column."""
    start = _point(bench, local_id)
    QTest.mousePress(bench.board, LEFT, pos=start)
    QTest.mouseMove(bench.board, start + QPoint(0, 12))
    QTest.mouseMove(bench.board, _over(bench, column))


def _release(bench: BoardBench, column: int) -> None:
    """Let go over a column."""
    QTest.mouseRelease(bench.board, LEFT, pos=_over(bench, column))


@pytest.fixture
def bench(make_board: MakeBoard) -> BoardBench:
    """A board with eight orders in Confirmed and three in Picking."""
    rows = [card_row(one) for one in range(1, 9)]
    return make_board(rows + [card_row(one, stage=Stage.PICKING) for one in (21, 24, 27)])


def test_a_drop_on_another_column_asks_for_the_move(bench: BoardBench) -> None:
    """Press, move, release over Picking asks once to move that order there."""
    _lift(bench, 3, 1)
    assert bench.is_dragging()
    _release(bench, 1)
    assert bench.moves == [((3,), Stage.PICKING)]
    assert bench.move_sources == [Source.DRAG]
    assert not bench.is_dragging()
    assert 3 in bench.source.ids(Stage.PICKING)


def test_the_lifted_card_is_painted_in_the_same_frame(bench: BoardBench) -> None:
    """The paint after the lifting move shows the card, and its latency is measured once."""
    start = _point(bench, 3)
    QTest.mousePress(bench.board, LEFT, pos=start)
    QTest.mouseMove(bench.board, start + QPoint(0, 12))
    QApplication.processEvents()
    assert len(bench.recorder.samples("drag_latency")) == 1
    QTest.mouseMove(bench.board, start + QPoint(0, 60))
    QApplication.processEvents()
    assert len(bench.recorder.samples("drag_latency")) == 1
    bench.board.cancel_drag()


def test_a_small_move_is_a_click(bench: BoardBench) -> None:
    """Less than the slop focuses the card and lifts nothing."""
    start = _point(bench, 4)
    QTest.mousePress(bench.board, LEFT, pos=start)
    QTest.mouseMove(bench.board, start + QPoint(5, 5))
    assert not bench.is_dragging()
    QTest.mouseRelease(bench.board, LEFT, pos=start)
    assert bench.board.focused() == 4
    assert bench.moves == []


@pytest.mark.parametrize("where", ["own column", "outside"])
def test_a_drop_that_moves_nothing_puts_back(bench: BoardBench, where: str) -> None:
    """On its own column, or beside all columns, nothing is asked for."""
    _lift(bench, 3, 0)
    point = _over(bench, 0) if where == "own column" else QPoint(1919, 948)
    QTest.mouseMove(bench.board, point)
    QTest.mouseRelease(bench.board, LEFT, pos=point)
    assert bench.moves == []
    assert not bench.is_dragging()
    assert any("Put back" in words for words in bench.said)


def test_escape_puts_back(bench: BoardBench) -> None:
    """Escape ends the drag; the release that follows drops nothing."""
    _lift(bench, 3, 1)
    QTest.keyClick(bench.board, Qt.Key.Key_Escape)
    assert not bench.is_dragging()
    _release(bench, 1)
    assert bench.moves == []


def test_a_refused_column_says_why_and_moves_nothing(bench: BoardBench) -> None:
    """What may not move shows its reason in the slot, and a drop there puts it back."""
    bench.refusal = "On hold: release it first"
    _lift(bench, 3, 1)
    assert bench.drag.refusal == bench.refusal
    QApplication.processEvents()
    _release(bench, 1)
    assert bench.moves == []
    assert bench.said[-1] == "Not moved. On hold: release it first."


def test_the_slot_opens_where_the_sort_will_put_the_card(bench: BoardBench) -> None:
    """Order 25 waits longer than 27 and less long than 24: its slot is between them."""
    bench.board.show_change(bench.source.put(card_row(25)))
    _lift(bench, 25, 1)
    column = bench.board.columns.each[1]
    assert bench.slot.place == 2
    slot = column.slot_box()
    assert column.card_box(1).bottom <= slot.y
    assert slot.bottom <= column.card_box(2).y
    _release(bench, 1)
    assert bench.source.place(25) == (Stage.PICKING, 2)


def test_all_selected_orders_travel_together(bench: BoardBench) -> None:
    """Dragging one of the selected orders moves them all; dragging another moves only that one."""
    for one in (1, 2, 5):
        bench.board.change_focus(partial(Focus.toggle, local_id=one))
    _lift(bench, 2, 1)
    _release(bench, 1)
    assert bench.moves == [((1, 2, 5), Stage.PICKING)]
    _lift(bench, 7, 1)
    _release(bench, 1)
    assert bench.moves[-1] == ((7,), Stage.PICKING)


def test_five_hundred_orders_can_be_dragged(make_board: MakeBoard) -> None:
    """A drag of 500 orders asks for one move of 500 orders."""
    bench = make_board([card_row(one) for one in range(1, 501)])
    bench.board.change_focus(Focus.select_column)
    _lift(bench, 1, 2)
    QApplication.processEvents()
    _release(bench, 2)
    assert len(bench.moves[0][0]) == 500


def test_updates_of_others_do_not_move_what_is_under_the_pointer(bench: BoardBench) -> None:
    """Columns below a drag stay still until the drop, then show what changed."""
    _lift(bench, 3, 1)
    before = list(bench.board.columns.each[1].ids)
    bench.board.show_change(bench.source.move((27,), Stage.PICKED))
    assert list(bench.board.columns.each[1].ids) == before
    assert list(bench.board.columns.each[2].ids) == [27]
    QTest.keyClick(bench.board, Qt.Key.Key_Escape)
    assert 27 not in bench.board.columns.each[1].ids


def test_a_column_left_by_the_drag_shows_what_it_missed(bench: BoardBench) -> None:
    """Only the column where the card came from and the one below it are held."""
    _lift(bench, 3, 1)
    bench.board.show_change(bench.source.take(27))
    assert 27 in bench.board.columns.each[1].ids
    QTest.mouseMove(bench.board, _over(bench, 2))
    assert 27 not in bench.board.columns.each[1].ids
    bench.board.cancel_drag()


def test_a_drop_that_nobody_answers_is_drawn_in_its_slot(bench: BoardBench) -> None:
    """Until the rows know the move, the card is drawn where it was dropped."""
    bench.applies_moves = False
    _lift(bench, 3, 1)
    _release(bench, 1)
    QApplication.processEvents()
    assert bench.drag.is_settling
    assert bench.slot.place == 0
    bench.board.show_change(bench.source.move((3,), Stage.PICKING, Fate.PENDING))
    assert not bench.has_drag()
    assert bench.board.columns.each[1].slot is None
    assert 3 in bench.board.columns.each[1].ids


def test_a_drop_that_stays_unanswered_goes_back(bench: BoardBench, qtbot: QtBot) -> None:
    """When the time to settle is over, the board shows what the rows say."""
    bench.applies_moves = False
    _lift(bench, 3, 1)
    _release(bench, 1)
    bench.board._give_up_settling()
    assert not bench.has_drag()
    assert 3 in bench.board.columns.each[0].ids


def test_a_drag_near_the_edge_scrolls(make_board: MakeBoard) -> None:
    """Carried near the lower edge of a long column, the column scrolls."""
    bench = make_board(mixed_rows(400))
    local_id = bench.board.visible_ids()[0]
    start = _point(bench, local_id)
    QTest.mousePress(bench.board, LEFT, pos=start)
    QTest.mouseMove(bench.board, start + QPoint(0, 12))
    QTest.mouseMove(bench.board, _over(bench, 1, bench.board.columns.each[1].view.bottom - 10))
    bench.board._mouse._scroll_at_edge()
    inside = bench.board.columns.each[1].scroll
    assert inside > 0
    QTest.mouseMove(bench.board, _over(bench, 1, 2_000))
    bench.board._mouse._scroll_at_edge()
    assert bench.board.columns.each[1].scroll > 2 * inside, "a hand that slipped over the edge scrolls faster"
    bench.board.cancel_drag()
    bench.board._mouse._scroll_at_edge()


def test_a_drag_near_the_side_brings_further_columns(make_board: MakeBoard) -> None:
    """On a narrow board the card is carried to a column that was out of sight, and dropped there."""
    bench = make_board(mixed_rows(40), width=900)
    board, local_id = bench.board, bench.board.visible_ids()[0]
    start = _point(bench, local_id, dx=60)
    QTest.mousePress(board, LEFT, pos=start)
    QTest.mouseMove(board, start + QPoint(0, 12))
    QTest.mouseMove(board, QPoint(870, 400))
    last = board.columns.each[3]
    assert last.box.right > 900
    for _ in range(100):
        board._mouse._scroll_at_edge()
    assert last.box.right <= 900
    assert bench.drag.target == 3
    QTest.mouseMove(board, QPoint(4, 400))
    for _ in range(100):
        board._mouse._scroll_at_edge()
    assert board.columns.scroll_x == 0
    board.cancel_drag()


def test_what_is_under_the_pointer_stays_while_the_column_scrolls(make_board: MakeBoard) -> None:
    """Updates of others during a drag at the edge move no card of the column that scrolls by itself."""
    bench = make_board(mixed_rows(400))
    board = bench.board
    QTest.mousePress(board, LEFT, pos=_point(bench, board.visible_ids()[0]))
    QTest.mouseMove(board, _over(bench, 1, 400))
    QTest.mouseMove(board, _over(bench, 1, board.columns.each[1].view.bottom - 10))
    column = board.columns.each[1]
    ids, leaving = column.ids, column.ids[:30]
    for one in leaving:
        before = column.scroll
        board.show_change(bench.source.move((one,), Stage.PICKED))
        assert column.ids == ids
        assert column.scroll == before
        board._mouse._scroll_at_edge()
        assert column.scroll > before
    board.cancel_drag()
    assert not set(leaving) & set(column.ids)


def test_clicks_select_and_open(bench: BoardBench, qtbot: QtBot) -> None:
    """The glyph and Ctrl select, Shift selects a run, a plain click selects nothing, two clicks open."""
    board = bench.board
    QTest.mouseClick(board, LEFT, pos=_point(bench, 2, 20, 20))
    assert board.selected() == (2,)
    QTest.mouseClick(board, LEFT, Qt.KeyboardModifier.ControlModifier, _point(bench, 4))
    assert set(board.selected()) == {2, 4}
    QTest.mouseClick(board, LEFT, Qt.KeyboardModifier.ShiftModifier, _point(bench, 6))
    assert set(board.selected()) == {2, 4, 5, 6}
    QTest.mouseClick(board, LEFT, pos=_point(bench, 1))
    assert board.selected() == ()
    with qtbot.waitSignal(board.order_opened) as opened:
        QTest.mouseDClick(board, LEFT, pos=_point(bench, 1))
    assert opened.args == [1]
    QTest.mouseClick(board, LEFT, pos=_point(bench, 2, 20, 20))
    QTest.mouseClick(board, LEFT, pos=_over(bench, 3))
    assert board.selected() == ()


def test_decide_opens_the_order(make_board: MakeBoard, qtbot: QtBot) -> None:
    """The word "Decide" on a card with a disagreement opens that order."""
    bench = make_board([card_row(1, exception="Two moves disagree")])
    box = bench.board.columns.visible_cards()[1]
    with qtbot.waitSignal(bench.board.order_opened):
        QTest.mouseClick(bench.board, LEFT, pos=QPoint(box.right - 30, box.bottom - 10))


def _wheel(bench: BoardBench, point: QPoint, pixels: QPoint, angle: QPoint) -> None:
    """Turn the wheel over a point."""
    event = QWheelEvent(
        QPointF(point),
        QPointF(point),
        pixels,
        angle,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(bench.board, event)


def test_the_wheel_scrolls_the_column_below_the_pointer(make_board: MakeBoard) -> None:
    """Pixels of a touchpad are taken as they are, steps of a wheel are a card each; bounds hold."""
    bench = make_board(mixed_rows(400))
    first, second = bench.board.columns.each[:2]
    _wheel(bench, _over(bench, 1), QPoint(0, -30), QPoint(0, -240))
    assert (first.scroll, second.scroll) == (0, 30)
    _wheel(bench, _over(bench, 1), QPoint(), QPoint(0, -120))
    assert second.scroll == 126
    _wheel(bench, _over(bench, 1), QPoint(), QPoint(0, 12000))
    assert second.scroll == 0


def test_the_scroll_bar_is_dragged(make_board: MakeBoard) -> None:
    """The thumb follows the pointer to the end of the column."""
    bench = make_board(mixed_rows(400))
    column = bench.board.columns.each[0]
    thumb = column.thumb()
    assert thumb is not None
    start = QPoint(thumb.x + 3, thumb.y + 10)
    QTest.mousePress(bench.board, LEFT, pos=start)
    QTest.mouseMove(bench.board, QPoint(start.x(), 2000))
    QTest.mouseRelease(bench.board, LEFT, pos=start)
    assert column.scroll == column.content_height - column.view.height
    assert not bench.is_dragging()


def test_narrow_boards_scroll_sideways(make_board: MakeBoard) -> None:
    """Below the least width of a column the board gets a bar below the columns."""
    bench = make_board(mixed_rows(40), width=900)
    bar = bench.board.columns.side_thumb()
    assert bar is not None
    QTest.mousePress(bench.board, LEFT, pos=QPoint(bar.x + 5, bar.y + 2))
    QTest.mouseMove(bench.board, QPoint(900, bar.y + 2))
    QTest.mouseRelease(bench.board, LEFT, pos=QPoint(900, bar.y + 2))
    assert bench.board.columns.scroll_x > 0
    _wheel(bench, QPoint(300, 300), QPoint(4000, 0), QPoint())
    assert bench.board.columns.scroll_x == 0


def test_a_late_order_says_so_on_the_lifted_card(make_board: MakeBoard) -> None:
    """Lifting paints without rows being asked again for what is known."""
    bench = make_board([card_row(1, cut_off_ms=NOW_MS - MINUTE_MS)])
    _lift(bench, 1, 2)
    assert bench.painted_ids() <= {1}
    bench.board.cancel_drag()


def test_a_carried_order_that_leaves_the_board_is_dropped_into_nothing(bench: BoardBench) -> None:
    """Paints go on while it is in the air; the drop leaves no ghost of it."""
    bench.applies_moves = False
    _lift(bench, 3, 1)
    bench.board.show_change(bench.source.take(3))
    QTest.mouseMove(bench.board, _over(bench, 2))
    QApplication.processEvents()
    _release(bench, 2)
    # What the controller answers when it finds nothing to move.
    bench.board.show_change(BoardChange((), (Stage.PICKED,)))
    QApplication.processEvents()
    assert not bench.has_drag()
    shown = [each for column in bench.board.columns.each for each in column.ids]
    assert 3 not in shown
    assert len(shown) == 10


def test_the_badge_hides_no_number(make_board: MakeBoard) -> None:
    """How many are lifted stands above the card: below it the picture of a single card is the same."""
    bench = make_board([card_row(one) for one in range(1, 9)])
    board, pictures = bench.board, bench.board.pictures

    def lifted() -> QImage:
        """Return the picture of what is lifted by order 3."""
        board.lift(3, (60, 300))
        drag = bench.drag
        made = pictures.lifted.picture(drag, board.columns.each[0].shape, pictures.moment()).toImage()
        board.cancel_drag()
        return made.copy(drag.margin + 30, drag.margin + 6, 200, 40)

    for one in (3, 5):
        board.change_focus(partial(Focus.toggle, local_id=one))
    several = lifted()
    board.change_focus(Focus.clear)
    assert several == lifted()


def test_the_words_of_a_lift_come_after_its_picture(bench: BoardBench, qtbot: QtBot) -> None:
    """The frame that shows the lifted card waits for no announcement; what was let go by then is not said."""
    bench.said.clear()
    _lift(bench, 3, 1)
    QApplication.processEvents()
    assert len(bench.recorder.samples("drag_latency")) == 1
    assert bench.said == []
    qtbot.waitUntil(lambda: any(words.startswith("Holding order") for words in bench.said))
    bench.board.cancel_drag()
    _lift(bench, 3, 1)
    bench.board.cancel_drag()
    bench.said.clear()
    bench.board._say_carried("Holding order")
    assert bench.said == []
