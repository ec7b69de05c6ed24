"""Which card has the focus and which are selected: moves over the columns, paints nothing."""

from __future__ import annotations

from sync.contract.stages import STAGES, stage_index
from widgets.board.columns import Columns
from widgets.board.geometry import Box


class Focus:
    """The roving focus of the board and the selection around it."""

    def __init__(self, columns: Columns) -> None:
        """Begin with nothing focused and nothing selected."""
        self._columns = columns
        self._anchor: tuple[int, int] | None = None
        self.column = 0
        self.place = 0
        self.local_id: int | None = None
        self.selected: dict[int, None] = {}

    def set(self, column: int, place: int) -> None:
        """Focus the card nearest to ``place`` in ``column``; an empty column has focus without a card."""
        ids = self._columns.each[column].ids
        self.column = column
        self.place = max(0, min(place, len(ids) - 1))
        self.local_id = ids[self.place] if len(ids) else None
        self._anchor = None

    def choose(self, column: int, place: int, *, is_toggle: bool) -> None:
        """Focus a card that was clicked: alone, or as one more in the selection."""
        self.set(column, place)
        if not is_toggle:
            self.clear()
        elif self.local_id is not None:
            self.toggle(self.local_id)

    def box(self) -> Box | None:
        """Return the box of the focused card, None when it does not show."""
        if self.local_id is None:
            return None
        return self._columns.box_of(self.local_id, self.column, self.place)

    def focus_order(self, local_id: int) -> bool:
        """Focus an order by id; False when it is not shown."""
        found = self._columns.find(local_id)
        if found is None:
            return False
        self.set(*found)
        return True

    def step(self, rows: int) -> None:
        """Move the focus up or down inside its column."""
        self.set(self.column, self.place + (rows if self.local_id is not None else 0))

    def page_rows(self) -> int:
        """Return how many cards a page of the focused column holds."""
        column = self._columns.each[self.column]
        return max(1, column.view.height // column.layout.pitch - 1)

    def sideways(self, step: int) -> None:
        """Move the focus to the next column, to the card nearest to the same height."""
        goal = self.column + step
        if not 0 <= goal < len(STAGES):
            return
        origin, target = self._columns.each[self.column], self._columns.each[goal]
        if self.local_id is None or not len(target.ids):
            self.set(goal, 0)
            return
        y = origin.card_box(self.place).y + origin.layout.card_height // 2
        place = target.layout.nearest_place(target.content_y(y))
        self.set(goal, place or 0)

    def edge(self, *, is_end: bool) -> None:
        """Move the focus to the first or last card of its column."""
        self.set(self.column, len(self._columns.each[self.column].ids) if is_end else 0)

    def follow(self) -> bool:
        """After columns changed: stay on the card, or on the next one in its place.

        Return whether the focus is on another card than before. A remote move never takes the focus
        along: whoever works down a column stays in it.
        """
        before = self.local_id
        if before is None:
            return False
        column = self._columns.each[self.column]
        found = self._columns.source.place(before) if self._columns.source is not None else None
        if found is not None and stage_index(found[0]) == self.column and found[1] < len(column.ids):
            self.place = found[1]
            self.local_id = column.ids[self.place]
        else:
            self.set(self.column, self.place)
        return self.local_id != before

    def drop_missing(self) -> None:
        """Take orders out of the selection that the board does not show any more."""
        source = self._columns.source
        if source is not None and self.selected:
            self.selected = {one: None for one in self.selected if source.place(one) is not None}

    def toggle(self, local_id: int) -> None:
        """Select or unselect one order."""
        if local_id in self.selected:
            del self.selected[local_id]
        else:
            self.selected[local_id] = None

    def extend(self, rows: int) -> None:
        """Move the focus and select everything between where the extension began and here."""
        if self.local_id is None:
            return
        begin = self._anchor if self._anchor and self._anchor[0] == self.column else (self.column, self.place)
        self.step(rows)
        self._anchor = begin
        self._select_between(begin[1], self.place)

    def extend_to(self, column: int, place: int) -> None:
        """Select everything between the focus and a card of the same column."""
        begin = self.place if column == self.column else place
        self.set(column, place)
        self._anchor = (column, begin)
        self._select_between(begin, self.place)

    def _select_between(self, one: int, other: int) -> None:
        """Select a run of the focused column."""
        ids = self._columns.each[self.column].ids
        low, high = sorted((one, other))
        self.selected.update(dict.fromkeys(ids[low : high + 1]))

    def select_column(self) -> None:
        """Select all cards of the focused column."""
        self.selected = dict.fromkeys(self._columns.each[self.column].ids)

    def clear(self) -> bool:
        """Select nothing; say whether anything was selected."""
        had = bool(self.selected)
        self.selected = {}
        self._anchor = None
        return had

    def targets(self) -> tuple[int, ...]:
        """Return what an action acts on: the selection, else the focused card."""
        if self.selected:
            return tuple(self.selected)
        return () if self.local_id is None else (self.local_id,)
