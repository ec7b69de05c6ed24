"""The four columns: which cards, in which groups, scrolled how far. Arithmetic only, nothing painted."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Sequence
from typing import NamedTuple

from sync.contract.rows import Group
from sync.contract.stages import STAGES, Stage, stage_index
from widgets.board.card_shape import CardShape, shape_at
from widgets.board.geometry import (
    Box,
    ColumnLayout,
    Density,
    Item,
    Metrics,
    Slot,
    bounded_scroll,
    card_size,
    column_boxes,
    content_width,
    scaled,
    scroll_for_thumb,
    thumb,
)
from widgets.board.rows import RowSource

_NO_GROUPS: tuple[Group, ...] = ()


class Column:
    """One stage: its ids and groups as last read, where it lies and how far it is scrolled."""

    def __init__(self, stage: Stage) -> None:
        """Begin empty; Shipped is compact and has no groups."""
        self.stage = stage
        self.density = Density.COMPACT if stage is Stage.SHIPPED else Density.COMFORTABLE
        self.ids: array[int] = array("q")
        self.groups: Sequence[Group] = _NO_GROUPS
        self.total = 0
        self.shown = 0
        """How many of them a filter leaves; while that is worked out, how many there were before."""
        self.scroll = 0
        self.box = Box(0, 0, 0, 0)
        self.view = Box(0, 0, 0, 0)
        """Where cards show: below the column's header."""
        self.header_height = 0
        self.inset = 8
        self.shape: CardShape = shape_at(self.density, 100)
        self.layout = ColumnLayout((), 0, card_height=1, gap=0, header=0)
        self.slot: Slot | None = None

    def read(self, source: RowSource) -> None:
        """Read ids and groups anew."""
        self.ids = source.ids(self.stage)
        self.groups = _NO_GROUPS if self.stage is Stage.SHIPPED else source.groups(self.stage)
        self.total = source.total(self.stage)
        shown = source.shown_count(self.stage)
        self.shown = self.shown if shown is None else shown

    def lay_out(self, box: Box, metrics: Metrics, scale_percent: int) -> None:
        """Compute heights for the current ids, and keep the scroll position within them."""
        self.box = box
        below = box.y + metrics.column_header
        self.view = Box(box.x, below, box.width, max(0, box.height - metrics.column_header))
        self.header_height = metrics.column_header
        self.inset = metrics.card_inset
        self.shape = shape_at(self.density, scale_percent)
        height, gap = card_size(self.density, scale_percent)
        self.layout = ColumnLayout(
            [group.start for group in self.groups],
            len(self.ids),
            card_height=height,
            gap=gap,
            header=metrics.group_header,
            slot=self.slot,
        )
        self.scroll_to(self.scroll)

    @property
    def content_height(self) -> int:
        """How tall everything is, with air for the focus ring above and below."""
        return self.layout.height + 8

    def scroll_to(self, wanted: int) -> bool:
        """Scroll, within bounds; say whether anything moved."""
        before = self.scroll
        self.scroll = bounded_scroll(wanted, self.content_height, self.view.height)
        return self.scroll != before

    def top_of(self, y: int) -> int:
        """Return where a y of the content stands in the widget."""
        return self.view.y + 2 + y - self.scroll

    def content_y(self, y: int) -> int:
        """Return the y of the content at a y of the widget: the inverse of :meth:`top_of`."""
        return y - self.view.y - 2 + self.scroll

    def card_box(self, place: int) -> Box:
        """Return the box of a card in the widget, visible or not."""
        return self._card_at(self.layout.card_top(place))

    def slot_box(self) -> Box:
        """Return the box of the drop slot in the widget."""
        return self._card_at(self.layout.slot_top())

    @property
    def card_width(self) -> int:
        """How wide cards, headers and the slot are."""
        return self.box.width - 2 * self.inset

    def item_box(self, item: Item) -> Box:
        """Return the box in the widget of something that shows."""
        if item.kind == "header":
            return self.header_box(item.number)
        return self._card_at(item.y)

    def _card_at(self, y: int) -> Box:
        """Return the box of something as large as a card."""
        return Box(self.box.x + self.inset, self.top_of(y), self.card_width, self.layout.card_height)

    def header_box(self, group: int) -> Box:
        """Return the box of a group's header in the widget."""
        y = self.top_of(self.layout.header_top(group))
        return Box(self.box.x + self.inset, y, self.card_width, self.layout.header)

    def visible(self) -> list[Item]:
        """Return headers, slot and cards that show, even in part."""
        top = self.content_y(self.view.y)
        return list(self.layout.visible(top, top + self.view.height))

    def thumb(self) -> Box | None:
        """Return the thumb of the scroll bar, None when everything is visible."""
        view = self.view
        track = view.height - 4
        found = thumb(view.height, self.content_height, self.scroll, track)
        if found is None:
            return None
        return Box(view.right - 7, view.y + found[0], 6, found[1])

    def fingerprint(self) -> dict[Hashable, Box]:
        """Return everything that shows with its box: two of them differ where a repaint is due."""
        shown: dict[Hashable, Box] = {
            ("title", self.total, self.shown): Box(
                self.box.x, self.box.y, self.box.width, self.header_height
            ),
        }
        bar = self.thumb()
        if bar is not None:
            shown["thumb"] = bar
        if not self.ids:
            shown["empty"] = self.view
        for item in self.visible():
            if item.kind == "card":
                shown[self.ids[item.number]] = self.item_box(item)
            elif item.kind == "header":
                group = self.groups[item.number]
                shown[(group.key, group.count)] = self.header_box(item.number)
            else:
                shown["slot"] = self.slot_box()
        return shown


class Hit(NamedTuple):
    """What lies under a point: a column, and perhaps a card."""

    column: int
    place: int | None
    local_id: int | None


class Columns:
    """The board's contents and geometry."""

    def __init__(self, scale_percent: int) -> None:
        """Begin without a source, without a size."""
        self.each = tuple(Column(stage) for stage in STAGES)
        self.source: RowSource | None = None
        self.scroll_x = 0
        self._unfiltered: list[int] = []
        self._scale_percent = scale_percent
        self._size = (0, 0)
        self._boxes: dict[int, Box] | None = None

    @property
    def metrics(self) -> Metrics:
        """Heights and gaps at the current text scale."""
        return Metrics.at(self._scale_percent)

    def scaled(self, pixels: int) -> int:
        """Return a length at the current text scale."""
        return scaled(pixels, self._scale_percent)

    @property
    def frame(self) -> Box:
        """The whole board."""
        return Box(0, 0, *self._size)

    @property
    def content_width(self) -> int:
        """How wide all columns are together."""
        return content_width(self._size[0], self.metrics)

    def resize(self, width: int, height: int, scale_percent: int) -> None:
        """Lay out anew for a size and a text scale."""
        self._size = (width, height)
        self._scale_percent = scale_percent
        self.scroll_x = bounded_scroll(self.scroll_x, self.content_width, width)
        self.lay_out(STAGES)

    def lay_out(self, stages: Iterable[Stage]) -> None:
        """Compute the geometry of some columns again."""
        boxes = column_boxes(*self._size, self.metrics, self.scroll_x)
        for stage in stages:
            place = stage_index(stage)
            self.each[place].lay_out(boxes[place], self.metrics, self._scale_percent)
        self.moved()

    def moved(self) -> None:
        """Forget remembered boxes: something scrolled or changed."""
        self._boxes = None

    def side_thumb(self) -> Box | None:
        """Return the thumb of the bar below the columns, None when all of them fit."""
        width, height = self._size
        track = width - 2 * self.metrics.gutter
        found = thumb(width, self.content_width, self.scroll_x, track)
        return None if found is None else Box(self.metrics.gutter + found[0], height - 6, found[1], 6)

    def drag_side_thumb(self, x: int) -> bool:
        """Scroll so that the thumb of the bar below the columns begins at ``x``."""
        bar = self.side_thumb()
        if bar is None:
            return False
        width, gutter = self._size[0], self.metrics.gutter
        track = width - 2 * gutter
        wanted = scroll_for_thumb(max(0, x - gutter), width, self.content_width, track, bar.width)
        return self.scroll_sideways(wanted)

    def scroll_sideways(self, wanted: int) -> bool:
        """Scroll all columns sideways, within bounds; say whether anything moved."""
        before = self.scroll_x
        self.scroll_x = bounded_scroll(wanted, self.content_width, self._size[0])
        if self.scroll_x != before:
            self.lay_out(STAGES)
        return self.scroll_x != before

    def set_source(self, source: RowSource) -> None:
        """Read everything from ``source``, from the top."""
        self.source = source
        self._unfiltered = []
        for column in self.each:
            column.read(source)
            column.scroll = 0
        self.lay_out(STAGES)

    def begin_filter(self) -> None:
        """Scroll to the top, where the hits begin; the next rows that are read are filtered anew."""
        self._unfiltered = self._unfiltered or [column.scroll for column in self.each]
        for column in self.each:
            column.scroll = 0

    def end_filter(self) -> None:
        """Scroll to where everything was scrolled before the filter; the next rows that are read are all."""
        for column, scroll in zip(self.each, self._unfiltered, strict=False):
            column.scroll = scroll
        self.forget_filter()

    def forget_filter(self) -> None:
        """Forget where everything was scrolled before the filter."""
        self._unfiltered = []

    def read(self, stages: Iterable[Stage]) -> list[Box]:
        """Read some columns anew and return the boxes that must be repainted.

        What people look at stays where it is: the first visible card keeps its place on the screen.
        """
        if self.source is None:
            return []
        dirty: list[Box] = []
        for stage in dict.fromkeys(stages):
            column = self.each[stage_index(stage)]
            before = column.fingerprint()
            anchor = self._anchor(column)
            column.read(self.source)
            self.lay_out((stage,))
            self._keep(column, anchor)
            dirty += changed_boxes(before, column.fingerprint())
        self.moved()
        return dirty

    def set_slot(self, place: int, slot: Slot | None) -> list[Box]:
        """Open or close the drop slot of a column; return the boxes that must be repainted."""
        column = self.each[place]
        if column.slot == slot:
            return []
        before = column.fingerprint()
        column.slot = slot
        self.lay_out((column.stage,))
        return changed_boxes(before, column.fingerprint())

    def _anchor(self, column: Column) -> tuple[int, int] | None:
        """Return (local id, y) of the first card that shows, None at the top of the column."""
        if column.scroll == 0:
            return None
        for item in column.visible():
            if item.kind == "card":
                return column.ids[item.number], column.card_box(item.number).y
        return None

    def _keep(self, column: Column, anchor: tuple[int, int] | None) -> None:
        """Scroll so that the anchor card stands where it stood, if it is still there."""
        if anchor is None or self.source is None:
            return
        found = self.source.place(anchor[0])
        if found is not None and found[0] is column.stage and found[1] < len(column.ids):
            column.scroll_to(column.scroll + column.card_box(found[1]).y - anchor[1])

    def visible_cards(self) -> dict[int, Box]:
        """Return the boxes of all cards that show, by local id."""
        if self._boxes is None:
            self._boxes = {
                column.ids[item.number]: column.item_box(item)
                for column in self.each
                for item in column.visible()
                if item.kind == "card"
            }
        return self._boxes

    def box_of(self, local_id: int, number: int, place: int) -> Box | None:
        """Return the box of a card that shows; where it stands is known, unless its column changed since."""
        column = self.each[number]
        if place < len(column.ids) and column.ids[place] == local_id:
            box = column.card_box(place)
            return box if box.bottom > column.view.y and box.y < column.view.bottom else None
        return self.visible_cards().get(local_id)

    def hit(self, x: float, y: float) -> Hit | None:
        """Return what lies at a point, None beside the columns."""
        for number, column in enumerate(self.each):
            if not column.box.contains(x, y):
                continue
            place = column.layout.place_at(column.content_y(int(y))) if column.view.contains(x, y) else None
            if place is None or not column.card_box(place).contains(x, y):
                return Hit(number, None, None)
            return Hit(number, place, column.ids[place])
        return None

    def find(self, local_id: int) -> tuple[int, int] | None:
        """Return (column, place) of an order as shown, None when it is not shown."""
        found = self.source.place(local_id) if self.source is not None else None
        if found is None:
            return None
        number, place = stage_index(found[0]), found[1]
        ids = self.each[number].ids
        if place < len(ids) and ids[place] == local_id:
            return number, place
        # A column held still during a drag is behind the source: look in what is shown.
        for number, column in enumerate(self.each):
            if local_id in column.ids:
                return number, column.ids.index(local_id)
        return None

    def stages_of(self, ids: Iterable[int]) -> dict[int, Stage]:
        """Return where orders are, without those that are not shown."""
        if self.source is None:
            return {}
        found = ((one, self.source.place(one)) for one in ids)
        return {one: spot[0] for one, spot in found if spot is not None}

    def keep_at(self, local_id: int, number: int, y: int) -> bool:
        """Scroll a column so that a card stands at ``y`` of the widget; say whether anything moved."""
        column, found = self.each[number], self.find(local_id)
        if found is None or found[0] != number:
            return False
        is_moved = column.scroll_to(column.scroll + column.card_box(found[1]).y - y)
        self.moved()
        return is_moved

    @property
    def is_empty(self) -> bool:
        """Whether no column shows a card."""
        return not any(len(column.ids) for column in self.each)


def changed_boxes(before: dict[Hashable, Box], after: dict[Hashable, Box]) -> list[Box]:
    """Return the boxes of everything that came, went or moved."""
    gone = [box for key, box in before.items() if after.get(key) != box]
    come = [box for key, box in after.items() if before.get(key) != box]
    return gone + come
