"""Where things lie on the board: exact, without a screen."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from widgets.board.geometry import (
    Box,
    ColumnLayout,
    Density,
    Metrics,
    Slot,
    bounded_scroll,
    card_size,
    column_boxes,
    content_width,
    edge_speed,
    scroll_for_thumb,
    thumb,
)


def _layout(starts: Sequence[int], count: int, slot: Slot | None = None) -> ColumnLayout:
    """Return a column of comfortable cards."""
    return ColumnLayout(starts, count, card_height=84, gap=8, header=30, slot=slot)


def test_columns_share_the_width() -> None:
    """At 1920 px each column is 463 px wide, 12 px apart, 16 px from the edges."""
    boxes = column_boxes(1920, 950, Metrics.at(100))
    assert [box.width for box in boxes] == [463] * 4
    assert boxes[0].x == 16
    assert boxes[1].x - boxes[0].right == 12
    assert content_width(1920, Metrics.at(100)) <= 1920


@pytest.mark.parametrize(("scale", "least"), [(100, 280), (150, 420), (200, 560)])
def test_narrow_columns_keep_their_least_width(scale: int, least: int) -> None:
    """Below the least width the board becomes wider than its window."""
    metrics = Metrics.at(scale)
    assert column_boxes(600, 500, metrics)[0].width == least
    assert content_width(600, metrics) > 600


@pytest.mark.parametrize(
    ("density", "scale", "size"),
    [
        (Density.COMPACT, 100, (52, 6)),
        (Density.COMFORTABLE, 100, (84, 8)),
        (Density.FLOOR, 100, (132, 12)),
        (Density.COMFORTABLE, 125, (105, 8)),
        (Density.COMPACT, 175, (91, 6)),
    ],
)
def test_cards_have_one_height_per_density(density: Density, scale: int, size: tuple[int, int]) -> None:
    """Heights are those of the design, rounded up with the text."""
    assert card_size(density, scale) == size


def test_cards_stand_below_their_headers() -> None:
    """Two groups of two: header, cards, header, cards, without overlap."""
    layout = _layout([0, 2], 4)
    assert [layout.header_top(group) for group in (0, 1)] == [0, 30 + 2 * 92]
    assert [layout.card_top(place) for place in range(4)] == [30, 122, 244, 336]
    assert layout.height == 2 * 30 + 4 * 92


def test_a_slot_pushes_what_comes_after_it() -> None:
    """A slot at the end of the first group leaves its header and cards, and pushes the second group."""
    layout = _layout([0, 2], 4, Slot(2, 0))
    assert layout.slot_top() == 30 + 2 * 92
    assert layout.card_top(1) == 122
    assert layout.header_top(1) == 30 + 3 * 92
    assert layout.card_top(2) == 244 + 92


def test_a_slot_at_the_start_of_a_group_stays_below_its_header() -> None:
    """The slot before the first card of the second group stands between header and card."""
    layout = _layout([0, 2], 4, Slot(2, 1))
    assert layout.header_top(1) == 30 + 2 * 92
    assert layout.slot_top() == 30 + 2 * 92 + 30
    assert layout.card_top(2) == layout.slot_top() + 92


def test_points_find_cards_and_nothing_else() -> None:
    """Headers, gaps and the slot are not cards."""
    layout = _layout([0, 2], 4, Slot(1, 0))
    assert layout.place_at(35) == 0
    assert layout.place_at(5) is None
    assert layout.place_at(30 + 86) is None
    assert layout.place_at(layout.slot_top() + 10) is None
    assert layout.place_at(10_000) is None
    assert _layout([], 0).place_at(10) is None
    assert _layout([], 0).nearest_place(10) is None


groups = st.lists(st.integers(1, 9), max_size=12)


@given(groups, st.integers(-50, 6000), st.integers(1, 900), st.booleans())
def test_visible_things_are_exactly_those_in_view(
    counts: list[int], top: int, height: int, has_slot: bool
) -> None:
    """Binary search finds the same items as looking at every one."""
    starts = [sum(counts[:place]) for place in range(len(counts))]
    count = sum(counts)
    slot = Slot(count, len(counts) - 1) if has_slot else None
    layout = _layout(starts, count, slot)
    bottom = top + height
    expected = {("card", one) for one in range(count) if top - 84 < layout.card_top(one) < bottom}
    expected |= {("header", one) for one in range(len(counts)) if top - 30 < layout.header_top(one) < bottom}
    if slot is not None and top - 84 < layout.slot_top() < bottom:
        expected.add(("slot", slot.place))
    assert {(item.kind, item.number) for item in layout.visible(top, bottom)} == expected


@given(groups.filter(bool), st.data())
def test_nothing_overlaps(counts: list[int], data: st.DataObject) -> None:
    """Headers, cards and the slot never share a pixel, wherever the slot opens."""
    starts = [sum(counts[:place]) for place in range(len(counts))]
    group = data.draw(st.integers(0, len(counts) - 1))
    place = data.draw(st.integers(starts[group], starts[group] + counts[group]))
    layout = _layout(starts, sum(counts), Slot(place, group))
    spans = [(layout.card_top(one), 84) for one in range(layout.count)]
    spans += [(layout.header_top(one), 30) for one in range(len(counts))]
    spans.append((layout.slot_top(), 84))
    spans.sort()
    assert all(y + tall <= after for (y, tall), (after, _) in pairwise(spans))
    assert spans[-1][0] + spans[-1][1] <= layout.height


def test_a_hundred_thousand_cards_are_found_quickly() -> None:
    """The last card of a huge column is found without walking over the others."""
    layout = _layout(range(0, 100_000, 50), 100_000)
    items = list(layout.visible(layout.height - 500, layout.height))
    assert items[-1].number == 99_999
    assert len(items) < 10


def test_scrolling_has_bounds() -> None:
    """There is no emptiness above or below the content."""
    assert bounded_scroll(-5, 1000, 300) == 0
    assert bounded_scroll(900, 1000, 300) == 700
    assert bounded_scroll(10, 200, 300) == 0


def test_the_thumb_and_its_inverse_agree() -> None:
    """Dragging the thumb to where it stands does not scroll by more than rounding."""
    view, content, track = 900, 12_000, 896
    for scroll in (0, 500, 6000, 11_100):
        found = thumb(view, content, scroll, track)
        assert found is not None
        back = scroll_for_thumb(found[0], view, content, track, found[1])
        assert abs(back - scroll) <= content // track + 1
    assert thumb(900, 800, 0, 896) is None


def test_edges_scroll_faster_the_nearer_they_are() -> None:
    """6 to 24 px per frame within 48 px of an edge, nothing in the middle."""
    assert edge_speed(500, 100, 900) == 0
    assert edge_speed(147, 100, 900) == -6
    assert edge_speed(100, 100, 900) == -24
    assert edge_speed(899, 100, 900) >= 23
    assert edge_speed(2000, 100, 900) == 24


def test_boxes_know_their_edges() -> None:
    """The right and lower edge belong to the neighbour."""
    box = Box(10, 20, 30, 40)
    assert box.contains(10, 20)
    assert not box.contains(40, 20)
    assert not box.contains(10, 60)
    assert box.moved(1, -1) == Box(11, 19, 30, 40)


@given(groups, st.integers(-50, 6000), st.data())
def test_the_nearest_card_is_the_last_that_begins_above(
    counts: list[int], y: int, data: st.DataObject
) -> None:
    """Arithmetic finds the same card as looking at every one, wherever a slot is open."""
    starts = [sum(counts[:place]) for place in range(len(counts))]
    count = sum(counts) if counts else 7
    slots = [Slot(0, -1)] + [
        Slot(place, group)
        for group, start in enumerate(starts)
        for place in range(start, start + counts[group] + 1)
    ]
    layout = _layout(starts, count, data.draw(st.sampled_from([None, *slots])))
    above = [place for place in range(count) if layout.card_top(place) <= y]
    assert layout.nearest_place(y) == (above[-1] if above else 0)
