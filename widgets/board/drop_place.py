"""Where the sort will put an order that is dropped on a column: pure, by binary search."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sync.contract.rows import CardRow, Group, GroupKey
from sync.contract.stages import Stage
from widgets.board.geometry import Slot

RowOf = Callable[[int], CardRow | None]
"""Answers the row of a local id."""

_MINUTE_MS = 60_000


def drop_slot(row: CardRow, stage: Stage, ids: Sequence[int], groups: Sequence[Group], row_of: RowOf) -> Slot:
    """Return the slot for ``row`` in a column: in its group by the sort, or where its group would open."""
    if stage is Stage.SHIPPED or not groups:
        return Slot(0)
    wanted = _group_order(GroupKey(row.cut_off_ms, row.carrier))
    for number, group in enumerate(groups):
        order = _group_order(group.key)
        if order == wanted:
            return Slot(_place_in(row, group, ids, row_of), number)
        if order > wanted:
            return Slot(group.start, number - 1, opens_group=True)
    return Slot(len(ids), len(groups) - 1, opens_group=True)


def _group_order(key: GroupKey) -> tuple[bool, int, str]:
    """Return what groups are sorted by: the cut-off's minute (none is last), then the carrier."""
    minute = 0 if key.cut_off_ms is None else key.cut_off_ms // _MINUTE_MS
    return key.cut_off_ms is None, minute, key.carrier


def _place_in(row: CardRow, group: Group, ids: Sequence[int], row_of: RowOf) -> int:
    """Return the place inside a group: higher priority first, then the longest waiting."""
    wanted = _card_order(row)
    low, high = group.start, group.start + group.count
    while low < high:
        middle = (low + high) // 2
        other = row_of(ids[middle])
        if other is not None and _card_order(other) < wanted:
            low = middle + 1
        else:
            high = middle
    return low


def _card_order(row: CardRow) -> tuple[int, int, int]:
    """Return what cards of one group are sorted by."""
    return -row.priority, row.placed_ms, row.local_id
