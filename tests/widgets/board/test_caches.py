"""Caches of the board: bounded, shared, and never stale."""

from __future__ import annotations

from datetime import UTC
from itertools import pairwise

import pytest

from support.card_rows import NOW_MS, card_row
from support.drawn_cards import drawn_boxes
from support.list_source import ListSource
from widgets.board.card_shape import SHAPES, shape_at
from widgets.board.card_words import Moment
from widgets.board.geometry import Density
from widgets.board.latency import EventClock
from widgets.board.prepared import CardMaker
from widgets.board.shelf import MAX_CARDS, CardShelf, Want
from widgets.board.sprites import Avatar, Face, Pips, SpriteAtlas
from widgets.board.statics import TextCache
from widgets.theme import Look
from widgets.theme.fonts import FontKey

MOMENT = Moment(NOW_MS, UTC, 45.0)
SHAPE = shape_at(Density.COMFORTABLE, 100)


def _shelf(look: Look) -> CardShelf:
    """Return an empty shelf."""
    return CardShelf(CardMaker(look, SpriteAtlas(look, 1.0), TextCache(look.fonts)))


def _want(local_id: int) -> Want:
    """Return a plain dress."""
    return Want(local_id, 447, is_selected=False, ground="track")


def test_texts_are_laid_out_once_and_the_oldest_leave(look: Look) -> None:
    """The cache never grows beyond its limit; what was just used stays."""
    texts = TextCache(look.fonts, limit=3)
    font = FontKey(14)
    first = texts.lay("one", font)
    for word in ("two", "three"):
        texts.lay(word, font)
    assert texts.lay("one", font) is first
    texts.lay("four", font)
    assert len(texts) == 3
    assert ("two", font) not in texts.known()


def test_hostile_texts_become_one_bounded_line(look: Look) -> None:
    """Line breaks, controls and 100,000 characters cost no more than a long name."""
    texts = TextCache(look.fonts)
    shown = texts.elide("a\nb\tc" + "x" * 100_000, FontKey(14), 120)
    assert "\n" not in shown
    assert shown.endswith("…")
    assert len(shown) < 40
    assert texts.elide("", FontKey(14), 120) == ""
    assert texts.elide("Some name", FontKey(14), -5) in {"", "…"}


def test_wrapping_keeps_every_word(look: Look) -> None:
    """Wrapped lines hold all words in order; each line but a single long word fits."""
    texts = TextCache(look.fonts)
    words = "Drag an order here to start it, or press ] on a card."
    assert " ".join(texts.wrap(words, FontKey(14), 150)) == words
    assert len(texts.wrap(words, FontKey(14), 150)) > 1
    assert texts.wrap("Donaudampfschifffahrt", FontKey(14), 10) == ["Donaudampfschifffahrt"]


def test_sprites_are_opaque_shared_and_bounded(look: Look) -> None:
    """Card backgrounds have no alpha; the same face is the same picture; the atlas has a limit."""
    atlas = SpriteAtlas(look, 1.0, limit=160_000)
    face = Face(447, SHAPE)
    assert atlas.card(face) is atlas.card(face)
    assert not atlas.card(face).hasAlphaChannel()
    for number in range(9):
        atlas.avatar(Avatar(f"P {number}", "#5A2DC0", 90, ""))
    assert len(atlas) == 4


def test_sprites_are_sharp_on_dense_screens(look: Look) -> None:
    """At two device pixels per pixel a card has twice the pixels and the same size."""
    picture = SpriteAtlas(look, 2.0).card(Face(447, SHAPE))
    assert (picture.width(), picture.height()) == (894, 168)
    assert picture.deviceIndependentSize().width() == 447


def test_an_order_without_lines_has_no_pips(look: Look) -> None:
    """Nothing to pick, nothing to draw, nothing to divide by."""
    picture = SpriteAtlas(look, 1.0).pips(Pips(0, 0, 0, 9, 8, 112, 2))
    assert picture.width() == 1


def test_shapes_grow_with_the_text() -> None:
    """All lengths are scaled and rounded up, fonts are scaled elsewhere."""
    for density, shape in SHAPES.items():
        large = shape_at(density, 150)
        assert large.height == -(-shape.height * 3 // 2)
        assert large.number_font == shape.number_font
    assert not SHAPES[Density.COMPACT].has_pips


def test_rows_are_asked_for_once(look: Look) -> None:
    """What is kept is not fetched again until it is forgotten."""
    source = ListSource([card_row(one) for one in range(1, 6)])
    asked: list[list[int]] = []
    plain = source.rows
    source.rows = lambda ids: (asked.append(list(ids)), plain(ids))[1]  # type: ignore[method-assign,func-returns-value]
    shelf = _shelf(look)
    shelf.fetch(source, (1, 2, 3))
    shelf.fetch(source, (2, 3, 4))
    shelf.forget((2,))
    shelf.fetch(source, (2, 3))
    assert asked == [[1, 2, 3], [4], [2]]


def test_cards_are_prepared_once_per_dress(look: Look) -> None:
    """The same dress gives the same card; a change of the order makes a new one; unknown ids give none."""
    source = ListSource([card_row(1)])
    shelf = _shelf(look)
    shelf.fetch(source, (1, 99))
    card = shelf.card(_want(1), SHAPE, MOMENT)
    assert shelf.card(_want(1), SHAPE, MOMENT) is card
    assert shelf.card(_want(1)._replace(is_selected=True), SHAPE, MOMENT) is not card
    assert shelf.card(_want(99), SHAPE, MOMENT) is None
    shelf.forget((1,))
    assert len(shelf) == 0
    assert shelf.row(source, 1) == source.row(1)


def test_the_shelf_has_a_limit(look: Look) -> None:
    """Scrolling over many cards keeps a few screens of them."""
    count = MAX_CARDS * 3
    source = ListSource([card_row(one) for one in range(1, count + 1)])
    shelf = _shelf(look)
    for one in range(1, count + 1):
        shelf.fetch(source, (one,))
        assert shelf.card(_want(one), SHAPE, MOMENT) is not None
        assert len(shelf) <= MAX_CARDS


def test_every_density_prepares_every_state(look: Look) -> None:
    """Floor and compact cards exist too, also with bands, tags and long texts."""
    maker = CardMaker(look, SpriteAtlas(look, 1.0), TextCache(look.fonts))
    rows = [
        card_row(1, is_cancelled=True, claimed_by="Bea F.", lines_picked=2),
        card_row(2, exception="Two moves disagree", customer="x" * 500),
        card_row(3, tags=("gift", "cold", "fragile", "odd"), has_note=True, number="9" * 60),
        card_row(4, lines_total=10_000, pieces=99_999),
        card_row(5, customer="\u202eevil \U0001f600 e\u0301", city="ירושלים"),
    ]
    for density in Density:
        for width in (264, 447, 900):
            for row in rows:
                card = maker.make(
                    row, shape_at(density, 100), width, MOMENT, is_selected=False, ground="track"
                )
                assert card.background.width() == width
                assert all(0 <= x < width for _, x, _, _ in card.texts)


@pytest.mark.parametrize("claimed_by", ["", "Bea F."])
@pytest.mark.parametrize("lines", [1, 11, 14, 17, 10_000])
def test_no_words_leave_a_narrow_card(look: Look, lines: int, claimed_by: str) -> None:
    """In the narrowest column the count of lines and pieces ends before the edge and the avatar."""
    maker = CardMaker(look, SpriteAtlas(look, 1.0), TextCache(look.fonts))
    row = card_row(1, lines_total=lines, pieces=99_999, claimed_by=claimed_by)
    card = maker.make(row, SHAPE, 264, MOMENT, is_selected=False, ground="track")
    boxes = drawn_boxes(card)
    assert max(box.right for box in boxes) <= 264 - SHAPE.pill_right
    lowest = sorted(box for box in boxes if box.y >= SHAPE.avatar_y)
    assert len(lowest) == 2 if claimed_by else 1
    assert all(one.right <= other.x for one, other in pairwise(lowest))


def test_event_clocks_find_the_time_in_the_queue() -> None:
    """The fastest event seen counts as no delay; another clock starts anew; no timestamp is no delay."""
    clock = EventClock()
    assert clock.delay_ms(1_000, 50_010.0) == 0.0
    assert 6.9 < clock.delay_ms(1_100, 50_117.0) <= 7.0
    assert clock.delay_ms(1_200, 50_208.0) == 0.0
    assert clock.delay_ms(9_000_000, 50_300.0) == 0.0
    assert clock.delay_ms(0, 50_300.0) == 0.0
