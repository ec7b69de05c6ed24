"""Prepared cards, kept until their order, their look or the minute changes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sync.contract.rows import CardRow
from widgets.board.card_shape import CardShape
from widgets.board.card_sheet import PreparedCard
from widgets.board.card_words import Moment
from widgets.board.prepared import CardMaker
from widgets.board.rows import RowSource

MAX_CARDS: Final = 160
"""Cards kept: a few screens, two of them on a huge one. Beyond that the shelf is emptied."""

SETTLES_PER_PAINT: Final = 8
"""Cards whose words become pictures in one paint: a page of new ones settles over a few frames."""


class Want(NamedTuple):
    """A card to be drawn: which one and in which dress. Its shape follows from its stage."""

    local_id: int
    width: int
    is_selected: bool
    ground: str


class CardShelf:
    """Fetches the rows that are missing in one question and prepares their cards."""

    def __init__(self, maker: CardMaker) -> None:
        """Begin empty."""
        self._maker = maker
        self._rows: dict[int, CardRow] = {}
        self._cards: dict[Want, PreparedCard] = {}
        self._wants: dict[int, list[Want]] = {}
        self._limit = MAX_CARDS
        self._settles = 0

    def __len__(self) -> int:
        """How many cards are kept."""
        return len(self._cards)

    def kept(self) -> Collection[PreparedCard]:
        """Return the cards that are kept."""
        return self._cards.values()

    def clear(self) -> None:
        """Forget everything (the look changed, or a new source came)."""
        self._rows.clear()
        self.forget_pictures()

    def forget_pictures(self) -> None:
        """Forget what the cards look like, keep the rows (a minute has passed)."""
        self._cards.clear()
        self._wants.clear()

    def forget(self, ids: Collection[int]) -> None:
        """Forget some orders: they changed."""
        for local_id in ids:
            self._rows.pop(local_id, None)
            for want in self._wants.pop(local_id, ()):
                self._cards.pop(want, None)

    def row(self, source: RowSource, local_id: int) -> CardRow | None:
        """Return one row, fetched if it is not kept."""
        self.fetch(source, (local_id,))
        return self._rows.get(local_id)

    def begin_paint(self, source: RowSource, ids: Sequence[int]) -> None:
        """Make ready to paint ``ids``: fetch what is missing, allow some cards to settle."""
        self._settles = SETTLES_PER_PAINT
        self._limit = max(MAX_CARDS, 2 * len(ids))
        self.fetch(source, ids)

    def fetch(self, source: RowSource, ids: Sequence[int]) -> None:
        """Fetch the rows of ``ids`` that are missing, in one question."""
        missing = [one for one in ids if one not in self._rows]
        if missing:
            if len(self._rows) + len(missing) > self._limit * 2:
                self.clear()
                missing = list(ids)
            for row in source.rows(missing):
                self._rows[row.local_id] = row

    def stale(self, source: RowSource, ids: Sequence[int]) -> list[int]:
        """Return which of ``ids`` have other rows now than the kept ones, and forget those."""
        changed = [row.local_id for row in source.rows(ids) if self._rows.get(row.local_id) != row]
        self.forget(changed)
        return changed

    def card(self, want: Want, shape: CardShape, moment: Moment) -> PreparedCard | None:
        """Return a prepared card; None when its row is gone. Rows must have been fetched."""
        found = self._cards.get(want)
        if found is not None:
            if not found.is_settled and self._settles:
                self._settles -= self._maker.seen(found)
            return found
        row = self._rows.get(want.local_id)
        if row is None:
            return None
        if len(self._cards) >= self._limit:
            self.forget_pictures()
        made = self.make(row, want, shape, moment)
        self._cards[want] = made
        self._wants.setdefault(want.local_id, []).append(want)
        return made

    def make(self, row: CardRow, want: Want, shape: CardShape, moment: Moment) -> PreparedCard:
        """Prepare a card without keeping it."""
        return self._maker.make(
            row, shape, want.width, moment, is_selected=want.is_selected, ground=want.ground
        )
