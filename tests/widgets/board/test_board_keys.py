"""The keyboard on the board: walking, selecting, lifting, and where the focus goes when cards leave."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from support.board_bench import BoardBench, MakeBoard
from support.card_rows import card_row
from sync.contract.operations import Source
from sync.contract.stages import Stage

Key = Qt.Key
SHIFT, CONTROL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def bench(make_board: MakeBoard) -> BoardBench:
    """Twenty orders in Confirmed, five in Picking, none in Picked, two shipped."""
    rows = [card_row(one) for one in range(1, 21)]
    rows += [card_row(one, stage=Stage.PICKING) for one in range(31, 36)]
    rows += [card_row(one, stage=Stage.SHIPPED, stage_ms=one) for one in (41, 42)]
    made = make_board(rows)
    made.board.setFocus(Qt.FocusReason.TabFocusReason)
    made.settle()
    return made


def _press(
    bench: BoardBench, *keys: Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> int | None:
    """Press keys and return the focused order."""
    for key in keys:
        QTest.keyClick(bench.board, key, modifier)
    return bench.board.focused()


def test_tab_into_the_board_focuses_the_first_card(bench: BoardBench) -> None:
    """The board is one tab stop; entering it focuses a card and says it."""
    assert bench.board.focused() == 1
    assert bench.said[-1].startswith("Order 70001, ")
    assert bench.said[-1].endswith("1 of 20 in Confirmed.")


def test_arrows_walk(bench: BoardBench) -> None:
    """Up and down stay in the column and stop at its ends; left and right go to the nearest row."""
    assert _press(bench, Key.Key_Down, Key.Key_Down) == 3
    assert _press(bench, Key.Key_Up, Key.Key_Up, Key.Key_Up) == 1
    assert _press(bench, Key.Key_Down, Key.Key_Right) == 32
    assert _press(bench, Key.Key_Left) == 2
    assert _press(bench, Key.Key_Left) == 2


def test_an_empty_column_takes_the_focus_without_a_card(bench: BoardBench) -> None:
    """Walking through an empty column needs one key, like any other."""
    assert _press(bench, Key.Key_Right, Key.Key_Right) is None
    assert _press(bench, Key.Key_Right) == 42


def test_home_end_and_pages(bench: BoardBench) -> None:
    """Home, End, Page Up and Page Down walk in the column and scroll it."""
    assert _press(bench, Key.Key_End) == 20
    column = bench.board.columns.each[0]
    assert column.card_box(19).bottom <= column.view.bottom
    assert (_press(bench, Key.Key_PageUp) or 99) < 15
    assert _press(bench, Key.Key_Home) == 1
    assert column.scroll == 0
    assert (_press(bench, Key.Key_PageDown) or 0) > 5


def test_control_home_and_end_change_the_column(bench: BoardBench) -> None:
    """Ctrl+End goes to the last column, Ctrl+Home to the first."""
    assert _press(bench, Key.Key_End, modifier=CONTROL) == 42
    assert _press(bench, Key.Key_Home, modifier=CONTROL) == 1


def test_shift_extends_and_escape_unselects(bench: BoardBench) -> None:
    """Shift with arrows selects a run, Escape selects nothing."""
    _press(bench, Key.Key_Down, Key.Key_Down, modifier=SHIFT)
    assert bench.board.selected() == (1, 2, 3)
    _press(bench, Key.Key_Escape)
    assert bench.board.selected() == ()


def test_space_lifts_arrows_carry_space_drops(bench: BoardBench) -> None:
    """A move without a pointer: lift, aim, drop; the focus goes along with what was carried."""
    _press(bench, Key.Key_Down, Key.Key_Space)
    assert bench.board.is_dragging
    assert bench.said[-1].startswith("Lifted order 70002.")
    _press(bench, Key.Key_Right)
    assert bench.said[-1] == "Picking, place 1 of 6."
    QApplication.processEvents()
    _press(bench, Key.Key_Space)
    assert bench.moves == [((2,), Stage.PICKING)]
    assert bench.move_sources == [Source.KEY]
    assert bench.board.focused() == 2
    assert "Order 70002 moved to Picking, place 1. Not sent yet." in bench.said


def test_escape_puts_a_lifted_card_back(bench: BoardBench) -> None:
    """Escape while lifted moves nothing and keeps the focus."""
    _press(bench, Key.Key_Space, Key.Key_Right, Key.Key_Escape)
    assert bench.moves == []
    assert bench.board.focused() == 1
    assert bench.said[-1] == "Put back. Order 70001 is in Confirmed."


def test_losing_the_focus_puts_a_lifted_card_back(bench: BoardBench) -> None:
    """Cards lifted by keyboard do not stay in the air when the focus leaves the board."""
    _press(bench, Key.Key_Space)
    bench.board.clearFocus()
    assert not bench.board.is_dragging


def test_carrying_back_to_the_own_column_drops_nothing(bench: BoardBench) -> None:
    """Right, left, Space: back where it was."""
    _press(bench, Key.Key_Space, Key.Key_Right, Key.Key_Left, Key.Key_Space)
    assert bench.moves == []


def test_moves_by_name_act_on_the_focused_card_and_stay(bench: BoardBench) -> None:
    """``request_move`` moves the focused order; the focus goes to the next card in its place."""
    _press(bench, Key.Key_Down)
    bench.board.request_move(1)
    assert bench.moves == [((2,), Stage.PICKING)]
    assert bench.board.focused() == 3


def test_a_move_of_the_selection_ends_it(bench: BoardBench) -> None:
    """The next move is meant for the card with the focus, not again for what has just gone."""
    _press(bench, Key.Key_Down, modifier=SHIFT)
    bench.board.request_move(1)
    assert bench.moves == [((1, 2), Stage.PICKING)]
    assert bench.board.selected() == ()
    focused = bench.board.focused()
    bench.board.request_move(1)
    assert bench.moves[1] == ((focused,), Stage.PICKING)


def test_the_card_with_the_focus_can_be_brought_into_view(bench: BoardBench) -> None:
    """However far somebody scrolled away from it."""
    _press(bench, Key.Key_End)
    column = bench.board.columns.each[0]
    column.scroll_to(0)
    bench.board.reveal_focused()
    assert column.card_box(19).bottom <= column.view.bottom


def test_moves_beyond_the_ends_only_say_so(bench: BoardBench) -> None:
    """There is no stage before Confirmed and none after Shipped."""
    bench.board.request_move(-1)
    assert bench.said[-1] == "Not moved. Confirmed is the first column."
    _press(bench, Key.Key_End, modifier=CONTROL)
    bench.board.request_move(1)
    assert bench.said[-1] == "Not moved. Shipped is the last column."
    assert bench.moves == []


def test_a_refused_move_is_said(bench: BoardBench) -> None:
    """The reason is announced; nothing is asked for."""
    bench.refusal = "On hold: address needs checking"
    bench.board.request_move(1)
    assert bench.moves == []
    assert bench.said[-1] == "Not moved. On hold: address needs checking."


def test_a_remote_move_never_takes_the_focus_along(bench: BoardBench) -> None:
    """If the focused card leaves, the focus goes to the next card in its place; at the end, to the last."""
    _press(bench, Key.Key_Down)
    bench.board.show_change(bench.source.move((2,), Stage.PICKED))
    assert bench.board.focused() == 3
    _press(bench, Key.Key_End)
    bench.board.show_change(bench.source.take(20))
    assert bench.board.focused() == 19


def test_orders_that_leave_the_board_leave_the_selection(bench: BoardBench) -> None:
    """Nobody can act on what does not show any more."""
    _press(bench, Key.Key_Down, modifier=SHIFT)
    bench.board.show_change(bench.source.take(1))
    assert bench.board.selected() == (2,)
    assert bench.board.targets() == (2,)


def test_focus_order_scrolls_to_it(bench: BoardBench) -> None:
    """Focusing a hidden order brings it into view; an unknown one changes nothing."""
    assert bench.board.focus_order(20)
    assert 20 in bench.board.visible_ids()
    assert not bench.board.focus_order(999)
    assert bench.board.focused() == 20


def test_escape_asks_to_clear_the_filter_last(bench: BoardBench) -> None:
    """Escape goes one step back: first the selection, then the filter."""
    asked: list[int] = []
    bench.board.filter_clear_requested.connect(lambda: asked.append(1))
    bench.board.set_filter("fox")
    _press(bench, Key.Key_Down, modifier=SHIFT)
    _press(bench, Key.Key_Escape)
    assert asked == []
    _press(bench, Key.Key_Escape)
    assert asked == [1]
