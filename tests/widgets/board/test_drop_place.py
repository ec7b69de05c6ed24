"""Where a drop lands: the same place that the sort gives afterwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.card_rows import MINUTE_MS, NOW_MS, card_row, mixed_rows
from support.list_source import ListSource
from sync.contract.rows import CardRow
from sync.contract.stages import Stage
from widgets.board.drop_place import drop_slot
from widgets.board.geometry import Slot


def _slot(source: ListSource, row: CardRow, stage: Stage) -> Slot:
    """Return where a row would land in a column of the source."""
    return drop_slot(row, stage, source.ids(stage), source.groups(stage), source.row)


@given(st.integers(0, 10_000), st.integers(2, 90))
def test_the_slot_is_where_the_sort_puts_the_order(seed: int, count: int) -> None:
    """For any board and any order, the place of the slot is the order's place after the move."""
    rows = mixed_rows(count, seed)
    source = ListSource(rows)
    row = rows[seed % count]
    target = Stage.PICKED if row.stage is not Stage.PICKED else Stage.PICKING
    slot = _slot(source, row, target)
    source.move((row.local_id,), target)
    assert source.place(row.local_id) == (target, slot.place)


def test_a_new_group_opens_between_its_neighbours() -> None:
    """A cut-off that the column does not have yet opens a slot between the groups around it."""
    source = ListSource(
        [
            card_row(1, cut_off_ms=NOW_MS + 10 * MINUTE_MS),
            card_row(2, cut_off_ms=NOW_MS + 30 * MINUTE_MS),
        ]
    )
    row = card_row(9, cut_off_ms=NOW_MS + 20 * MINUTE_MS)
    assert _slot(source, row, Stage.CONFIRMED) == Slot(1, 0, opens_group=True)
    last = card_row(9, cut_off_ms=None)
    assert _slot(source, last, Stage.CONFIRMED) == Slot(2, 1, opens_group=True)


def test_shipped_orders_land_on_top() -> None:
    """The newest shipped order stands first; an empty column has one place."""
    source = ListSource([card_row(1, stage=Stage.SHIPPED)])
    assert _slot(source, card_row(2), Stage.SHIPPED) == Slot(0)
    assert _slot(source, card_row(2), Stage.PICKED) == Slot(0)
