"""The question that the board asks: which cards, in which order, with which values.

The board never learns where the answers come from: :mod:`sync.client.board_view` answers from the
cache, tests and screenshot scenes answer from a list.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from sync.contract.rows import CardRow, Group
from sync.contract.stages import Stage


class RowSource(Protocol):
    """Plain values for the board; every call answers within 1 ms and never writes."""

    def ids(self, stage: Stage) -> array[int]:
        """Return the local ids of a column in display order, filtered (``array('q')``, read only)."""
        ...

    def groups(self, stage: Stage) -> Sequence[Group]:
        """Return the runs of equal cut-off and carrier of a column, in display order."""
        ...

    def rows(self, ids: Sequence[int]) -> list[CardRow]:
        """Return the rows of ``ids``, in the same order; unknown ids are left out."""
        ...

    def total(self, stage: Stage) -> int:
        """Return how many orders the stage holds, whatever the filter hides."""
        ...

    def shown_count(self, stage: Stage) -> int | None:
        """Return how many of them are shown, None while ``ids`` are the first page of a filter only."""
        ...

    def place(self, local_id: int) -> tuple[Stage, int] | None:
        """Return the column and the place in it where an order is shown, None if it is not."""
        ...
