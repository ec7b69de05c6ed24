"""Long, strange and hostile orders: every card stays inside its box, and none costs more than others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPainter

from support.board_bench import MakeBoard
from support.boards import ServerBoard
from support.card_rows import NOW_MS, card_row
from support.drawn_cards import drawn_boxes
from support.hard_orders import FAMILY, NAMES, STACKED, hard_orders
from sync.client.board_view import BoardView
from sync.client.cache import Cache
from sync.contract.rows import CardRow
from sync.contract.stages import STAGES
from widgets.board.card_shape import shape_at
from widgets.board.card_words import Moment
from widgets.board.geometry import Box, Density
from widgets.board.prepared import CardMaker
from widgets.board.sprites import SpriteAtlas
from widgets.board.statics import MAX_LENGTH, MAX_MARKS, TextCache
from widgets.theme import Look
from widgets.theme.fonts import FontKey

MOMENT = Moment(NOW_MS, UTC, 45.0)


@pytest.fixture(scope="module")
def hard_rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[CardRow]]:
    """The rows of hard orders as the product's own source gives them, out of a cache."""
    path = tmp_path_factory.mktemp("hard") / "cache.db"
    cache = Cache.open(path).cache
    ServerBoard(hard_orders()).snapshot_into(cache)
    view = BoardView(path)
    view.reload()
    yield [row for stage in STAGES for row in view.rows(view.ids(stage))]
    view.close()
    cache.close()


def _maker(look: Look) -> CardMaker:
    """Return a maker with empty caches."""
    return CardMaker(look, SpriteAtlas(look, 1.0), TextCache(look.fonts))


@pytest.mark.parametrize("width", [264, 447, 900])
@pytest.mark.parametrize("density", list(Density))
def test_nothing_leaves_a_hard_card(
    look: Look, hard_rows: list[CardRow], density: Density, width: int
) -> None:
    """Every text and picture of every hard order lies inside its card."""
    shape = shape_at(density, 100)
    maker = _maker(look)
    for row in hard_rows:
        card = maker.make(row, shape, width, MOMENT, is_selected=False, ground="track")
        for box in drawn_boxes(card):
            assert box.x >= 0, row
            assert box.right <= width, row
            assert box.y >= 0, row
            assert box.bottom <= shape.height, row


def test_a_hard_card_costs_no_more_than_others(look: Look, hard_rows: list[CardRow]) -> None:
    """Texts are cut before they are laid out, and no card has more of them, however long its order is."""
    ordinary = _maker(look)
    for number in range(1, 30):
        ordinary.make(
            card_row(number, tags=("gift",)), shape_at(Density.COMFORTABLE, 100), 447, MOMENT,
            is_selected=False, ground="track",
        )  # fmt: skip
    for row in hard_rows:
        maker = _maker(look)
        card = maker.make(
            row, shape_at(Density.COMFORTABLE, 100), 447, MOMENT, is_selected=False, ground="track"
        )
        known = [text for text, _ in maker.texts.known()]
        assert max(map(len, known)) <= MAX_LENGTH
        # Number, customer, city, time, detail and name; what is cut is laid out whole once.
        assert len(known) <= 2 * 6
        assert len(card.texts) + len(card.blits) <= 10


def test_what_stands_in_a_card_is_one_line_of_plain_text(look: Look) -> None:
    """Line breaks and turned directions become spaces, page tags stay letters, joined pictures stay whole."""
    texts, font = TextCache(look.fonts), FontKey(14)
    for name in NAMES.values():
        laid = texts.fit(name, font, 900)
        assert not set("\n\t\x07\x00\u2028\u202e\u2066") & set(laid.words)
    assert FAMILY in texts.fit(NAMES["emoji"], font, 900).words
    tags = texts.fit(NAMES["tags of a page"], font, 900)
    assert tags.text.textFormat() is Qt.TextFormat.PlainText
    assert tags.words == NAMES["tags of a page"]


def test_marks_do_not_pile_up(look: Look) -> None:
    """A letter keeps as many marks as languages use; a tower of them would cover the line above."""
    words = TextCache(look.fonts).fit(STACKED, FontKey(14), 900).words
    assert words.startswith("S" + STACKED[1 : 1 + MAX_MARKS] + "t")
    composed = NAMES["composed or not"]
    assert TextCache(look.fonts).fit(composed, FontKey(14), 900).words == composed


@pytest.mark.parametrize("density", list(Density))
def test_nothing_is_painted_beside_a_hard_card(
    make_board: MakeBoard, hard_rows: list[CardRow], density: Density
) -> None:
    """Between the cards the ground is the same as between ordinary ones, before and after they settle."""
    plain = [
        row._replace(
            customer="Plain",
            city="Jena",
            number="1",
            carrier="",
            tags=(),
            claimed_by="A. B." if row.claimed_by else "",
            exception="Two moves disagree" if row.exception else "",
            hold_reason="Payment" if row.hold_reason else "",
        )
        for row in hard_rows
    ]
    hard = [row._replace(carrier="") for row in hard_rows]
    pictures = [_settled_and_fresh(make_board, rows, density) for rows in (plain, hard)]
    for ordinary, strange in zip(*pictures, strict=True):
        assert ordinary == strange


def _settled_and_fresh(make_board: MakeBoard, rows: list[CardRow], density: Density) -> list[QImage]:
    """Return what stands between the cards, painted once and painted often."""
    bench = make_board(rows)
    board = bench.board
    for column in board.columns.each:
        column.density = density
    board.set_look(board.look)
    # Only one of two windows has the ring.
    board.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    board.clearFocus()
    first = board.grab().toImage()
    for _ in range(40):
        board.repaint()
    return [
        _without_cards(bench.board.columns.visible_cards(), each) for each in (first, board.grab().toImage())
    ]


def _without_cards(boxes: dict[int, Box], picture: QImage) -> QImage:
    """Return a picture with its cards painted over."""
    painter = QPainter(picture)
    for box in boxes.values():
        painter.fillRect(box.x, box.y, box.width, box.height, QColor("white"))
    painter.end()
    return picture
