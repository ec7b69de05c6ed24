"""Where everything on the board lies: pure arithmetic in whole logical pixels, nothing painted.

A column is a stack of groups; a group is a header and equal cards. During a drag a column may carry
one empty :class:`Slot`, the height of a card, where the sort will put what is dropped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

COLUMN_COUNT: Final = 4


class Box(NamedTuple):
    """A rectangle in whole pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first x beyond the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first y beyond the box."""
        return self.y + self.height

    def contains(self, x: float, y: float) -> bool:
        """Say whether a point lies in the box."""
        return self.x <= x < self.right and self.y <= y < self.bottom

    def moved(self, dx: int, dy: int) -> Box:
        """Return the box, displaced."""
        return Box(self.x + dx, self.y + dy, self.width, self.height)


class Density(StrEnum):
    """How much of an order a card shows."""

    COMPACT = "compact"
    COMFORTABLE = "comfortable"
    FLOOR = "floor"


class Metrics(NamedTuple):
    """Heights and gaps of a board at one text scale, in pixels."""

    gutter: int
    column_gap: int
    bottom_gap: int
    column_header: int
    group_header: int
    min_column: int
    card_inset: int

    @classmethod
    def at(cls, scale_percent: int) -> Metrics:
        """Return the metrics for a text scale; outer gaps do not grow with the text."""
        return cls(
            gutter=16,
            column_gap=12,
            bottom_gap=6,
            column_header=scaled(46, scale_percent),
            group_header=scaled(30, scale_percent),
            min_column=scaled(280, scale_percent),
            card_inset=8,
        )


def scaled(pixels: float, scale_percent: int) -> int:
    """Return ``pixels`` at a text scale, rounded up so that text never loses a line."""
    return -int(-pixels * scale_percent // 100)


_CARDS: Final = {
    Density.COMPACT: (52, 6),
    Density.COMFORTABLE: (84, 8),
    Density.FLOOR: (132, 12),
}


def card_size(density: Density, scale_percent: int) -> tuple[int, int]:
    """Return (height, gap below) of a card."""
    height, gap = _CARDS[density]
    return scaled(height, scale_percent), gap


def column_boxes(width: int, height: int, metrics: Metrics, scroll_x: int = 0) -> tuple[Box, ...]:
    """Return the four columns of a board of ``width`` x ``height``, shifted left by ``scroll_x``."""
    each = column_width(width, metrics)
    tall = max(0, height - metrics.bottom_gap)
    step = each + metrics.column_gap
    return tuple(
        Box(metrics.gutter + place * step - scroll_x, 0, each, tall) for place in range(COLUMN_COUNT)
    )


def column_width(width: int, metrics: Metrics) -> int:
    """Return the width of each column: an equal share, but never below the minimum."""
    free = width - 2 * metrics.gutter - (COLUMN_COUNT - 1) * metrics.column_gap
    return max(metrics.min_column, free // COLUMN_COUNT)


def content_width(width: int, metrics: Metrics) -> int:
    """Return how wide all columns are together; more than ``width`` means sideways scrolling."""
    each = column_width(width, metrics)
    return 2 * metrics.gutter + COLUMN_COUNT * each + (COLUMN_COUNT - 1) * metrics.column_gap


class Slot(NamedTuple):
    """Where a drop would land: before the card at ``place``, below the header of ``group``.

    ``group`` -1 is the top of the column; ``opens_group`` says that the group does not exist yet.
    """

    place: int
    group: int = -1
    opens_group: bool = False


class Item(NamedTuple):
    """Something visible in a column: a header (``group``), a card (``place``) or the slot."""

    kind: str
    number: int
    y: int


class ColumnLayout:
    """The heights of one column: answers by binary search, also for 100,000 cards."""

    def __init__(
        self,
        starts: Sequence[int],
        count: int,
        *,
        card_height: int,
        gap: int,
        header: int,
        slot: Slot | None = None,
    ) -> None:
        """Lay out ``count`` cards in groups that begin at ``starts`` (none = no headers at all)."""
        self.count = count
        self.card_height = card_height
        self.header = header
        self.pitch = card_height + gap
        self.gap = gap
        self.slot = slot
        self._starts = list(starts)
        self._tops = [
            group * header + start * self.pitch + self._shift_of_group(group)
            for group, start in enumerate(self._starts)
        ]
        self.height = len(self._starts) * header + count * self.pitch + (self.pitch if slot else 0)

    def _shift_of_group(self, group: int) -> int:
        """Return how far the slot pushes the header of ``group`` down."""
        return self.pitch if self.slot is not None and group > self.slot.group else 0

    def group_of(self, place: int) -> int:
        """Return the index of the group that holds the card at ``place``, -1 without groups."""
        return bisect_right(self._starts, place) - 1

    def header_top(self, group: int) -> int:
        """Return the y of a group's header."""
        return self._tops[group]

    def card_top(self, place: int) -> int:
        """Return the y of the card at ``place``."""
        group = self.group_of(place)
        top = (group + 1) * self.header + place * self.pitch
        slot = self.slot
        if slot is not None and (place >= slot.place if group == slot.group else group > slot.group):
            top += self.pitch
        return top

    def slot_top(self) -> int:
        """Return the y of the slot; only with a slot."""
        assert self.slot is not None
        return (self.slot.group + 1) * self.header + self.slot.place * self.pitch

    def place_at(self, y: int) -> int | None:
        """Return the place of the card at ``y``, None for headers, gaps and the slot."""
        place = self.nearest_place(y)
        if place is None:
            return None
        top = self.card_top(place)
        return place if top <= y < top + self.card_height else None

    def nearest_place(self, y: int) -> int | None:
        """Return the last place whose card begins at or above ``y``; the first one if none does."""
        if self.count == 0:
            return None
        group = bisect_right(self._tops, y) - 1
        start = self._starts[group] if group >= 0 else 0
        below = y - (self._tops[group] + self.header if group >= 0 else 0)
        # Above the group's first card this is the last one of the group before.
        place = start + below // self.pitch
        if self.slot is not None and group == self.slot.group and place >= self.slot.place:
            place -= 1
        return max(0, min(place, self.count - 1))

    def visible(self, top: int, bottom: int) -> Iterator[Item]:
        """Yield what shows between ``top`` and ``bottom``: headers, the slot, then cards."""
        group = max(0, bisect_right(self._tops, top - self.header) - 1)
        while group < len(self._tops) and self._tops[group] < bottom:
            if self._tops[group] + self.header > top:
                yield Item("header", group, self._tops[group])
            group += 1
        if self.slot is not None and top < self.slot_top() + self.card_height and self.slot_top() < bottom:
            yield Item("slot", self.slot.place, self.slot_top())
        yield from self._visible_cards(top, bottom)

    def _visible_cards(self, top: int, bottom: int) -> Iterator[Item]:
        """Yield the cards that show; only where a header or the slot comes between, a height is asked for."""
        place = self.nearest_place(top)
        if place is None:
            return
        group = self.group_of(place) + 1
        breaks = [*self._starts[group : group + 1], *([self.slot.place] if self.slot else [])]
        y = self.card_top(place)
        while place < self.count and y < bottom:
            if y + self.card_height > top:
                yield Item("card", place, y)
            place += 1
            y += self.pitch
            if place in breaks and place < self.count:
                y = self.card_top(place)
                group = self.group_of(place) + 1
                breaks[0:1] = self._starts[group : group + 1] or [self.count]


def bounded_scroll(wanted: int, content: int, view: int) -> int:
    """Return the nearest scroll position that shows no emptiness below the content."""
    return max(0, min(wanted, content - view))


def thumb(view: int, content: int, scroll: int, track: int, shortest: int = 32) -> tuple[int, int] | None:
    """Return (offset, length) of a scroll bar's thumb on its track, None when all is visible."""
    if content <= view or track <= 0:
        return None
    length = min(track, max(shortest, track * view // content))
    return (track - length) * scroll // max(1, content - view), length


def scroll_for_thumb(offset: int, view: int, content: int, track: int, length: int) -> int:
    """Return the scroll position for a thumb dragged to ``offset``: the inverse of :func:`thumb`."""
    free = max(1, track - length)
    return bounded_scroll(offset * max(0, content - view) // free, content, view)


def edge_speed(y: int, top: int, bottom: int, zone: int = 48) -> int:
    """Return pixels per frame to scroll while a drag is near an edge: 6 to 24, negative = up."""
    if y < top + zone:
        return -_speed(min(zone, top + zone - y), zone)
    if y > bottom - zone:
        return _speed(min(zone, y - bottom + zone), zone)
    return 0


def _speed(depth: int, zone: int) -> int:
    """Return the speed for how deep the pointer is in the zone."""
    return 6 + 18 * depth // zone
