"""A row source in memory: what the cache is to the board, without a cache."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

from sync.contract.rows import BoardChange, CardRow, Fate, Group, GroupKey
from sync.contract.stages import STAGES, Stage

_MINUTE_MS = 60_000


class ListSource:
    """Implements :class:`widgets.board.rows.RowSource` over rows held in a dict."""

    def __init__(self, rows: Iterable[CardRow]) -> None:
        """Hold ``rows``; local ids must differ."""
        self._rows = {row.local_id: row for row in rows}
        self._needle = ""
        self._ids: dict[Stage, array[int]] = {}
        self._groups: dict[Stage, list[Group]] = {}
        self._places: dict[int, tuple[Stage, int]] = {}
        self._sort(STAGES)

    def ids(self, stage: Stage) -> array[int]:
        """Return the ids of a column in display order."""
        return self._ids[stage]

    def groups(self, stage: Stage) -> Sequence[Group]:
        """Return the groups of a column."""
        return self._groups[stage]

    def rows(self, ids: Sequence[int]) -> list[CardRow]:
        """Return the rows of ``ids``; unknown ids are left out."""
        return [self._rows[one] for one in ids if one in self._rows]

    def total(self, stage: Stage) -> int:
        """Return how many orders the stage holds."""
        return sum(row.stage is stage for row in self._rows.values())

    def shown_count(self, stage: Stage) -> int | None:
        """Return how many of them are shown."""
        return len(self._ids[stage])

    def place(self, local_id: int) -> tuple[Stage, int] | None:
        """Return where an order is shown."""
        return self._places.get(local_id)

    def row(self, local_id: int) -> CardRow:
        """Return one row."""
        return self._rows[local_id]

    def put(self, row: CardRow) -> BoardChange:
        """Add or replace a row and say what changed."""
        before = self._rows.get(row.local_id)
        self._rows[row.local_id] = row
        stages = {row.stage} | ({before.stage} if before is not None else set())
        is_same_place = (
            before is not None and self._key(before) == self._key(row) and before.stage is row.stage
        )
        self._sort(stages)
        return BoardChange((row.local_id,), () if is_same_place else tuple(stages))

    def take(self, local_id: int) -> BoardChange:
        """Remove a row and say what changed."""
        row = self._rows.pop(local_id)
        del self._places[local_id]
        self._sort((row.stage,))
        return BoardChange((local_id,), (row.stage,))

    def move(self, ids: Iterable[int], stage: Stage, fate: Fate = Fate.PENDING) -> BoardChange:
        """Move orders to a stage and say what changed."""
        ids = tuple(ids)
        stages = {stage} | {self._rows[one].stage for one in ids}
        for one in ids:
            self._rows[one] = self._rows[one]._replace(stage=stage, fate=fate)
        self._sort(stages)
        return BoardChange(ids, tuple(stages))

    def search(self, needle: str) -> BoardChange:
        """Show only orders whose number or customer holds ``needle``."""
        self._needle = needle.casefold()
        self._places.clear()
        self._sort(STAGES)
        return BoardChange((), STAGES)

    def _sort(self, stages: Iterable[Stage]) -> None:
        """Put columns in display order and find their groups."""
        for stage in stages:
            rows = [row for row in self._rows.values() if row.stage is stage and self._matches(row)]
            rows.sort(key=self._shipped_key if stage is Stage.SHIPPED else self._key)
            self._ids[stage] = array("q", (row.local_id for row in rows))
            self._groups[stage] = [] if stage is Stage.SHIPPED else _runs(rows)
            self._places.update({row.local_id: (stage, place) for place, row in enumerate(rows)})

    def _matches(self, row: CardRow) -> bool:
        """Say whether the search shows a row."""
        return self._needle in f"{row.number} {row.customer}".casefold()

    @staticmethod
    def _key(row: CardRow) -> tuple[bool, int, str, int, int, int]:
        """Return what open orders are sorted by."""
        minute = (row.cut_off_ms or 0) // _MINUTE_MS
        return row.cut_off_ms is None, minute, row.carrier, -row.priority, row.placed_ms, row.local_id

    @staticmethod
    def _shipped_key(row: CardRow) -> tuple[int, int]:
        """Return what shipped orders are sorted by: the newest first."""
        return -row.stage_ms, row.local_id


def _runs(rows: Sequence[CardRow]) -> list[Group]:
    """Return the runs of equal cut-off and carrier."""
    groups: list[Group] = []
    for place, row in enumerate(rows):
        key = GroupKey(row.cut_off_ms, row.carrier)
        if groups and groups[-1].key == key:
            groups[-1] = Group(groups[-1].start, groups[-1].count + 1, key)
        else:
            groups.append(Group(place, 1, key))
    return groups
