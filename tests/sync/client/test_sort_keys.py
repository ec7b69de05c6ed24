"""The sort key puts orders where the column wants them, and names their group."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from support.orders import NOON_MS, make_order
from sync.client.sort_keys import (
    CARRIERS,
    FIRST_MS,
    MINUTE_MS,
    group_carrier,
    group_cut_off_ms,
    group_end,
    group_number,
    open_key,
    sort_key,
)
from sync.contract.stages import Stage

CUT_OFFS = st.none() | st.integers(0, 4_000_000_000_000)
TIMES = st.integers(0, 4_000_000_000_000)
KEYED = st.tuples(CUT_OFFS, st.integers(0, CARRIERS - 1), st.integers(0, 3), TIMES)


def wanted(parts: tuple[int | None, int, int, int]) -> tuple[float, int, int, int]:
    """Return what the column sorts by, to the minute and within the range of the key."""
    cut_off_ms, carrier, priority, placed_ms = parts
    last = float("inf")
    cut_off = last if cut_off_ms is None else min(max((cut_off_ms - FIRST_MS) // MINUTE_MS, 0), 2**25 - 2)
    return cut_off, carrier, -priority, max((placed_ms - FIRST_MS) // MINUTE_MS, 0)


@given(KEYED, KEYED)
def test_keys_sort_as_the_column_does(
    one: tuple[int | None, int, int, int], other: tuple[int | None, int, int, int]
) -> None:
    """Earlier cut-off, then carrier, then the higher priority, then the older order; none is last."""
    assert (open_key(*one) < open_key(*other)) == (wanted(one) < wanted(other))


@given(KEYED)
def test_a_key_fits_sqlite_and_tells_its_group(parts: tuple[int | None, int, int, int]) -> None:
    """A key has 63 bits at most; cut-off (to the minute) and carrier can be read back."""
    key = open_key(*parts)
    group = group_number(key)
    assert 0 <= key < 2**63
    assert key <= group_end(group)
    assert group_carrier(group) == parts[1]
    expected = None if parts[0] is None else FIRST_MS + int(wanted(parts)[0]) * MINUTE_MS
    assert group_cut_off_ms(group) == expected


def test_shipped_orders_are_newest_first() -> None:
    """What shipped last stands on top; cut-off and carrier play no part."""
    older = make_order(stage=Stage.SHIPPED, stage_ms=NOON_MS, cut_off_ms=None)
    newer = make_order(stage=Stage.SHIPPED, stage_ms=NOON_MS + 1, cut_off_ms=NOON_MS)
    assert sort_key(newer, 3) < sort_key(older, 1)
    assert 0 <= sort_key(newer, 3) < 2**63


def test_numbers_out_of_range_are_taken_to_the_edge() -> None:
    """A wild priority, carrier or time changes no other part of the key."""
    assert open_key(0, 10_000, 99, -5) == open_key(FIRST_MS, CARRIERS - 1, 3, FIRST_MS)
    assert open_key(0, -1, -1, 0) == open_key(FIRST_MS, 0, 0, FIRST_MS)


def test_an_open_order_uses_its_own_fields() -> None:
    """The key of an order is the key of its cut-off, carrier, priority and age."""
    order = make_order(stage=Stage.PICKING, cut_off_ms=NOON_MS, priority=1)
    assert sort_key(order, 4) == open_key(NOON_MS, 4, 1, order.placed_ms)
