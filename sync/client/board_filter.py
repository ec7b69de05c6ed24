"""What a search leaves of the board: the first page of every column at once, the rest when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from sync.client.columns import Column

FIRST_PAGE: Final = 64
"""So many cards of a column are found at once: more than a 4K screen shows of the smallest."""


class BoardFilter:
    """The columns of the orders that are wanted, as far as they have been worked out."""

    def __init__(
        self, wanted: frozenset[int], columns: Sequence[Column], key_of: Callable[[int], int]
    ) -> None:
        """Filter ``columns``, whose orders have the sort keys of ``key_of``."""
        self.wanted = wanted
        self._all = columns
        self._key_of = key_of
        self._found: list[Column] | None = None

    def columns(self) -> list[Column]:
        """Return the filtered columns, whole."""
        if self._found is None:
            self._found = self._only()
        return self._found

    def first_page(self) -> list[Column]:
        """Return how the filtered columns begin; whole, if they are worked out already."""
        return self._only(FIRST_PAGE) if self._found is None else self._found

    def renew(self, columns: Sequence[Column]) -> None:
        """Filter other columns: everything was read anew."""
        self._all = columns
        self._found = None

    def _only(self, at_most: int = 0) -> list[Column]:
        return [column.only(self.wanted, self._key_of, at_most) for column in self._all]
