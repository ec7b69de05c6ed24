"""Dragging while other people work: what is under the pointer stays, what they did is said at the drop."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from support.board_bench import BoardBench, MakeBoard
from support.card_rows import card_row
from sync.contract.stages import Stage
from widgets.board.focus import Focus
from widgets.board.geometry import Box

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def bench(make_board: MakeBoard) -> BoardBench:
    """A board with 40 orders in Confirmed and 40 in Picking, every second number free."""
    rows = [card_row(one) for one in range(2, 82, 2)]
    return make_board(rows + [card_row(one, stage=Stage.PICKING) for one in range(102, 182, 2)])


def _press(bench: BoardBench, local_id: int) -> QPoint:
    """Press on a visible card; return where."""
    box = bench.board.columns.visible_cards()[local_id]
    point = QPoint(box.x + 150, box.y + 40)
    QTest.mousePress(bench.board, LEFT, pos=point)
    return point


def _carry(bench: BoardBench, local_id: int, column: int) -> QPoint:
    """Lift a card and carry it over a column; return where the pointer is."""
    start = _press(bench, local_id)
    QTest.mouseMove(bench.board, start + QPoint(0, 12))
    goal = QPoint(bench.board.columns.each[column].box.x + 200, start.y() + 60)
    QTest.mouseMove(bench.board, goal)
    return goal


def _shown(bench: BoardBench, column: int) -> dict[int, Box]:
    """Return the cards of a column that show, with their boxes."""
    found = bench.board.columns.each[column]
    return {found.ids[item.number]: found.item_box(item) for item in found.visible() if item.kind == "card"}


def _others_work(bench: BoardBench) -> None:
    """Let others bring orders to the tops of both columns, move some away and remove one."""
    for one in (3, 5, 7):
        bench.board.show_change(bench.source.put(card_row(one, priority=2)))
    for one in (101, 103):
        bench.board.show_change(bench.source.put(card_row(one, stage=Stage.PICKING, priority=2)))
    bench.board.show_change(bench.source.move((104,), Stage.PICKED))
    bench.board.show_change(bench.source.take(12))
    QApplication.processEvents()


def test_nothing_below_a_carried_card_moves(bench: BoardBench) -> None:
    """The lifted card, the column it came from and the one below it stay as they are, slot and all."""
    _carry(bench, 6, 1)
    before = (_shown(bench, 0), _shown(bench, 1), bench.drag.box, bench.board.columns.each[1].slot_box())
    _others_work(bench)
    after = (_shown(bench, 0), _shown(bench, 1), bench.drag.box, bench.board.columns.each[1].slot_box())
    assert after == before
    assert 104 in bench.board.columns.each[2].ids
    bench.board.cancel_drag()
    assert 3 in _shown(bench, 0)
    assert 104 not in bench.board.columns.each[1].ids


def test_nothing_moves_between_press_and_lift(bench: BoardBench) -> None:
    """A card that was pressed is the one that is lifted, and it is lifted where it was pressed."""
    start = _press(bench, 6)
    box = bench.board.columns.visible_cards()[6]
    _others_work(bench)
    assert _shown(bench, 0)[6] == box
    QTest.mouseMove(bench.board, start + QPoint(0, 12))
    assert bench.drag.lead.local_id == 6
    assert bench.drag.box == box.moved(0, 12)._replace(width=bench.drag.box.width)
    bench.board.cancel_drag()


def test_a_pressed_order_that_somebody_else_moves_is_lifted_where_it_was_pressed(bench: BoardBench) -> None:
    """It does not jump to the hand from its new column, and the drop says who was first."""
    start = _press(bench, 6)
    bench.board.show_change(bench.source.move((6,), Stage.PICKED))
    QTest.mouseMove(bench.board, start + QPoint(0, 12))
    assert bench.drag.origin == 0
    assert bench.drag.box.contains(start.x(), start.y() + 12)
    QTest.mouseMove(bench.board, QPoint(bench.board.columns.each[1].box.x + 200, start.y()))
    assert "Somebody else moved" in bench.drag.refusal
    bench.board.cancel_drag()


def test_a_click_is_meant_for_the_card_that_was_pressed(bench: BoardBench) -> None:
    """Cards that come between press and release do not get the click; afterwards they show."""
    start = _press(bench, 6)
    _others_work(bench)
    QTest.mouseRelease(bench.board, LEFT, pos=start)
    assert bench.board.focused() == 6
    assert 3 in _shown(bench, 0)


def test_a_column_is_not_held_for_ever(bench: BoardBench) -> None:
    """When the button was let go where the window was not told, the next motion lets go too."""
    start = _press(bench, 6)
    bench.board.show_change(bench.source.put(card_row(3, priority=2)))
    assert 3 not in bench.board.columns.each[0].ids
    none, point = Qt.MouseButton.NoButton, QPointF(start + QPoint(0, 30))
    motion = QMouseEvent(QEvent.Type.MouseMove, point, point, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(bench.board, motion)
    assert not bench.is_dragging()
    assert 3 in bench.board.columns.each[0].ids


def test_a_dropped_card_stands_where_it_was_dropped(bench: BoardBench) -> None:
    """Orders that came above it meanwhile are above it, not where it was seen to land."""
    goal = _carry(bench, 6, 1)
    slot = bench.board.columns.each[1].slot_box()
    _others_work(bench)
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.moves == [((6,), Stage.PICKING)]
    assert _shown(bench, 1)[6].y == slot.y
    assert 101 in bench.board.columns.each[1].ids


def test_a_drop_without_others_scrolls_nothing(bench: BoardBench) -> None:
    """The column that was dropped on keeps its place."""
    goal = _carry(bench, 6, 1)
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.board.columns.each[1].scroll == 0
    assert 6 in _shown(bench, 1)


def test_an_order_that_somebody_else_moved_is_not_moved_back(bench: BoardBench) -> None:
    """The slot turns red and says where it is now; the drop asks for nothing and says the same."""
    goal = _carry(bench, 6, 1)
    number = bench.drag.lead.number
    bench.board.show_change(bench.source.move((6,), Stage.PICKED))
    words = f"Somebody else moved order {number} to Picked while you carried it"
    assert bench.drag.refusal == words
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.moves == []
    assert bench.said[-1] == f"Not moved. {words}."
    assert 6 in bench.board.columns.each[2].ids
    assert 6 not in bench.board.columns.each[0].ids


def test_an_order_that_left_the_board_is_not_moved(bench: BoardBench) -> None:
    """What nobody can move any more is said so."""
    goal = _carry(bench, 6, 1)
    bench.board.show_change(bench.source.take(6))
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.moves == []
    assert "left the board while you carried it" in bench.said[-1]


def test_putting_back_says_where_an_overtaken_order_is(bench: BoardBench) -> None:
    """Escape does not claim that an order is where it no longer is."""
    _carry(bench, 6, 1)
    bench.board.show_change(bench.source.move((6,), Stage.PICKED))
    QTest.keyClick(bench.board, Qt.Key.Key_Escape)
    assert bench.said[-1].startswith("Somebody else moved order")
    assert not any("Put back" in words for words in bench.said)


def test_an_order_that_comes_back_may_be_dropped(bench: BoardBench) -> None:
    """Whoever takes their move back while it is carried leaves nothing behind."""
    goal = _carry(bench, 6, 1)
    bench.board.show_change(bench.source.move((6,), Stage.PICKED))
    bench.board.show_change(bench.source.move((6,), Stage.CONFIRMED))
    assert bench.drag.refusal == ""
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.moves == [((6,), Stage.PICKING)]


def test_of_several_only_those_go_that_nobody_else_moved(bench: BoardBench) -> None:
    """Three are carried, one is overtaken: two are moved, and the third is told."""
    for one in (4, 6, 8):
        bench.board.change_focus(partial(Focus.toggle, local_id=one))
    goal = _carry(bench, 6, 1)
    bench.board.show_change(bench.source.move((8,), Stage.PICKED))
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.moves == [((4, 6), Stage.PICKING)]
    assert bench.said[-1].startswith("1 of them stays")
    assert 8 in bench.board.columns.each[2].ids


def test_an_order_that_is_put_on_hold_while_it_is_carried_is_refused(bench: BoardBench) -> None:
    """The reason is asked for anew when the order changes, not only when the pointer enters a column."""
    goal = _carry(bench, 6, 1)
    assert bench.drag.refusal == ""
    bench.refusal = "On hold: release it first"
    bench.board.show_change(bench.source.put(card_row(6, hold_reason="address")))
    assert bench.drag.refusal == bench.refusal
    QTest.mouseRelease(bench.board, LEFT, pos=goal)
    assert bench.moves == []


def test_the_focus_stays_while_its_column_is_held(bench: BoardBench) -> None:
    """Others' orders above the focused card do not take the ring to another card."""
    bench.board.focus_order(10)
    _carry(bench, 6, 2)
    _others_work(bench)
    assert bench.board.focused() == 10
    bench.board.cancel_drag()
    assert bench.board.focused() == 10


def test_a_board_that_is_read_anew_lets_go(bench: BoardBench) -> None:
    """After a snapshot, whose ids are new ones, a motion lifts nothing that was pressed before."""
    start = _press(bench, 6)
    bench.board.set_source(bench.source)
    QTest.mouseMove(bench.board, start + QPoint(0, 30))
    assert not bench.is_dragging()
    QTest.mouseRelease(bench.board, LEFT, pos=start)
    _carry(bench, 6, 1)
    bench.board.set_source(bench.source)
    assert not bench.has_drag()
    assert any("Put back" in words for words in bench.said)


def test_edges_scroll_while_others_work(bench: BoardBench) -> None:
    """A column that scrolls below a carried card goes on steadily, whatever others do to it."""
    goal = _carry(bench, 6, 1)
    column = bench.board.columns.each[1]
    QTest.mouseMove(bench.board, QPoint(goal.x(), column.view.bottom - 10))
    steps = []
    for one in range(301, 321, 2):
        before = column.scroll
        bench.board._mouse._scroll_at_edge()
        bench.board.show_change(bench.source.put(card_row(one, stage=Stage.PICKING, priority=2)))
        bench.board.show_change(bench.source.put(card_row(one + 100)))
        steps.append(column.scroll - before)
    assert set(steps) == {steps[0]}
    assert steps[0] > 0
    assert bench.drag.box.y > 0
    bench.board.cancel_drag()
