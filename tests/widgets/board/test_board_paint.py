"""The board repaints exactly what changed, and measures every paint."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from support.board_bench import MakeBoard
from support.card_rows import MINUTE_MS, NOW_MS, card_row, mixed_rows
from sync.contract.rows import BoardChange, Fate
from sync.contract.stages import Stage
from widgets.board.card_sheet import SETTLES_AFTER
from widgets.board.geometry import Density
from widgets.board.no_match import NoMatch
from widgets.board.shelf import MAX_CARDS, SETTLES_PER_PAINT
from widgets.theme import Look, ThemeName


def test_first_paint_is_told_once(make_board: MakeBoard, qtbot: QtBot) -> None:
    """``first_painted`` comes after the first paint with a source, and only then."""
    bench = make_board(mixed_rows(40))
    bench.board.repaint()
    bench.settle()
    assert bench.first_paints == [1]
    assert bench.recorder.samples("render_time")


def test_a_changed_row_repaints_only_its_card(make_board: MakeBoard) -> None:
    """A visible order that changed without moving is the only card painted again."""
    bench = make_board(mixed_rows(80))
    local_id = bench.board.visible_ids()[3]
    bench.board.show_change(bench.source.put(bench.source.row(local_id)._replace(customer="Somebody else")))
    assert bench.painted_ids() == {local_id}


def test_a_hidden_row_repaints_nothing(make_board: MakeBoard) -> None:
    """An order that does not show costs no paint at all."""
    bench = make_board(mixed_rows(400))
    hidden = next(one for one in bench.source.ids(Stage.PICKED) if one not in bench.board.visible_ids())
    bench.board.show_change(bench.source.put(bench.source.row(hidden)._replace(customer="Somebody else")))
    assert bench.painted_ids() == set()


def test_a_move_repaints_only_what_shifts(make_board: MakeBoard) -> None:
    """An order that leaves a column repaints the cards below its place, not those above it."""
    bench = make_board([card_row(one, stage=Stage.CONFIRMED) for one in range(1, 9)])
    bench.board.show_change(bench.source.move((5,), Stage.PICKING))
    painted = bench.painted_ids()
    assert {1, 2, 3} & painted == set()
    assert {5, 6, 7, 8} <= painted


def test_an_order_at_the_end_repaints_itself_alone(make_board: MakeBoard) -> None:
    """A new last card leaves all others unpainted: the rest of the column did not change."""
    bench = make_board([card_row(one) for one in range(1, 5)])
    bench.board.show_change(bench.source.put(card_row(9)))
    assert bench.painted_ids() == {9}


def test_a_column_read_again_repaints_cards_that_differ(make_board: MakeBoard) -> None:
    """A change that names only the column still repaints cards whose rows differ."""
    bench = make_board([card_row(one) for one in range(1, 5)])
    bench.source.put(card_row(2, customer="Somebody else"))
    bench.board.show_change(BoardChange((), (Stage.CONFIRMED,)))
    assert bench.painted_ids() == {2}


def test_scrolled_columns_keep_what_people_look_at(make_board: MakeBoard) -> None:
    """Orders that arrive above the visible part do not move the visible cards."""
    bench = make_board([card_row(one) for one in range(10, 60)])
    bench.board.scroll_column(0, 1000)
    bench.settle()
    before = bench.board.columns.visible_cards()[30]
    bench.board.show_change(bench.source.put(card_row(1)))
    assert bench.board.columns.visible_cards()[30] == before


def test_every_state_of_a_card_looks_different(make_board: MakeBoard) -> None:
    """No two states paint the same picture: shape and words tell them apart, not only colour."""
    states: dict[str, dict[str, Any]] = {
        "normal": {},
        "express": {"priority": 1},
        "at risk": {"lines_total": 99},
        "late": {"cut_off_ms": NOW_MS - 4 * MINUTE_MS},
        "hold": {"hold_reason": "Address needs checking"},
        "short": {"lines_short": 2},
        "cancelled": {"is_cancelled": True},
        "disagreement": {"exception": "Two moves disagree"},
        "not sent": {"fate": Fate.PENDING},
        "saving": {"fate": Fate.SAVING},
        "claimed": {"claimed_by": "Bea F.", "claimed_id": "u-bea"},
    }
    pictures = []
    for changes in states.values():
        bench = make_board([card_row(1, **changes)], width=1300, height=300)
        box = bench.board.columns.visible_cards()[1]
        picture = bench.board.grab().toImage().copy(box.x, box.y, box.width, box.height)
        pictures.append(picture.convertToFormat(picture.Format.Format_Grayscale8))
    for place, picture in enumerate(pictures):
        assert all(picture != other for other in pictures[:place])


def test_passing_time_changes_the_words(make_board: MakeBoard) -> None:
    """A minute later the cards are painted with their new times."""
    bench = make_board([card_row(1)])
    before = bench.board.grab().toImage()
    bench.now_ms += MINUTE_MS
    bench.board.on_minute()
    assert bench.painted_ids() == {1}
    assert bench.board.grab().toImage() != before


def test_another_look_paints_in_its_colours(make_board: MakeBoard, look: Look) -> None:
    """After a theme change the canvas has the colour of the new theme."""
    bench = make_board(mixed_rows(20))
    dark = look.with_theme(ThemeName.DARK)
    bench.board.set_look(dark)
    picture = bench.board.grab().toImage()
    assert picture.pixelColor(2, 400) == QColor(dark.theme.colours["canvas"])


def test_a_filter_without_hits_says_so(make_board: MakeBoard) -> None:
    """With a filter and nothing to show, the board names what was looked for and offers the way out."""
    bench = make_board(mixed_rows(20))
    asked: list[int] = []
    bench.board.filter_clear_requested.connect(lambda: asked.append(1))
    bench.board.set_filter("zzz")
    bench.board.show_change(bench.source.search("zzz"))
    panel = bench.board.findChild(NoMatch, "noMatch")
    assert panel is not None
    assert panel.isVisible()
    panel.clear_requested.emit()
    assert asked == [1]
    bench.board.set_filter("")
    assert not panel.isVisible()


def test_a_filter_begins_at_the_top_and_gives_the_place_back(make_board: MakeBoard) -> None:
    """Hits are seen from the first; without the filter everything stands where it stood."""
    bench = make_board(mixed_rows(400))
    column = bench.board.columns.each[0]
    bench.board.scroll_column(0, 500)
    assert column.scroll == 500
    bench.board.set_filter("0")
    bench.board.show_change(bench.source.search("0"))
    assert column.scroll == 0
    bench.board.set_filter("")
    bench.board.show_change(bench.source.search(""))
    assert column.scroll == 500


def test_a_filter_leaves_a_pressed_card_where_it_is(make_board: MakeBoard) -> None:
    """The answer to a search that comes while a card is pressed scrolls nothing, now or later."""
    bench = make_board(mixed_rows(400))
    column = bench.board.columns.each[0]
    bench.board.scroll_column(0, 500)
    box = column.item_box(column.visible()[2])
    QTest.mousePress(bench.board, Qt.MouseButton.LeftButton, pos=QPoint(box.x + 40, box.y + 20))
    bench.board.set_filter("0")
    bench.board.show_change(bench.source.search("0"))
    assert column.scroll == 500


def test_empty_columns_say_what_comes_next(make_board: MakeBoard) -> None:
    """A board without orders paints words in every column."""
    bench = make_board([])
    picture = bench.board.grab().toImage()
    track = picture.pixelColor(300, 600)
    for column in bench.board.columns.each:
        row = [
            picture.pixelColor(x, y) for x in range(column.box.x + 10, column.box.x + 200) for y in (68, 100)
        ]
        assert any(pixel != track for pixel in row)


def test_without_a_source_nothing_is_told_as_painted(look: Look, qtbot: QtBot) -> None:
    """Before rows arrive the board paints, but does not claim its first paint."""
    from datetime import UTC

    from telemetry.recorder import MemoryRecorder
    from widgets.board.view import Board

    board = Board(look, lambda: NOW_MS, UTC, MemoryRecorder(), lambda _ids, _stage: "")
    qtbot.addWidget(board)
    told: list[int] = []
    board.first_painted.connect(lambda: told.append(1))
    board.resize(800, 400)
    with qtbot.waitExposed(board):
        board.show()
    board.repaint()
    assert board.visible_ids() == ()
    assert told == []
    board.setFocus(Qt.FocusReason.TabFocusReason)
    board.show_change(BoardChange((1,), (Stage.PICKED,)))


@pytest.mark.parametrize("scale_percent", [100, 150])
@pytest.mark.parametrize("density", list(Density))
def test_pictures_of_words_look_like_the_words(
    make_board: MakeBoard, look: Look, density: Density, scale_percent: int
) -> None:
    """A card that stays is drawn from pictures after some paints, and no pixel changes by it."""
    bench = make_board(mixed_rows(120))
    for column in bench.board.columns.each:
        column.density = density
    bench.board.set_look(look.with_scale(scale_percent))
    first = bench.board.grab().toImage()
    for _ in range(SETTLES_AFTER + MAX_CARDS // SETTLES_PER_PAINT):
        bench.board.repaint()
    assert bench.board.grab().toImage() == first


def test_a_page_of_new_cards_settles_over_some_paints(make_board: MakeBoard) -> None:
    """No single paint makes pictures of the words of all cards: that would cost as much as preparing them."""
    bench = make_board(mixed_rows(120))
    made: list[int] = []
    shelf = bench.board.pictures.shelf
    shelf.forget_pictures()
    for _ in range(SETTLES_AFTER + MAX_CARDS // SETTLES_PER_PAINT):
        bench.board.repaint()
        made.append(sum(card.is_settled for card in shelf.kept()))
    steps = [after - before for before, after in pairwise([0, *made])]
    assert max(steps) == SETTLES_PER_PAINT
    assert made[-1] == len(shelf)


def test_another_theme_lays_no_text_out_again(make_board: MakeBoard, look: Look) -> None:
    """Texts have no colour: after a change of the theme all of them are there already."""
    bench = make_board(mixed_rows(120))
    texts = bench.board.pictures.texts
    before = set(texts.known())
    bench.board.set_look(look.with_theme(ThemeName.DARK))
    bench.board.repaint()
    assert bench.board.pictures.texts is texts
    assert set(texts.known()) == before
    bench.board.set_look(look.with_scale(150))
    assert bench.board.pictures.texts is not texts
