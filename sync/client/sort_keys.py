"""Where an order stands in its column, as one number of 63 bits that sorts.

Open columns, from the highest bit: cut-off minute since 1990 (25 bits, all ones = no cut-off),
number of the carrier in this cache (9), 3 - priority (2), minute at which the order was placed
(27). Orders that share the first two parts form a group. The shipped column is newest first and
has no groups. Equal keys are ordered by local id.
"""

from __future__ import annotations

from typing import Final

from sync.contract.orders import Order
from sync.contract.stages import Stage

MINUTE_MS: Final = 60_000
FIRST_MS: Final = 631_152_000_000
"""1990-01-01T00:00Z: older orders sort as if they were from then."""
CARRIER_BITS: Final = 9
PRIORITY_BITS: Final = 2
PLACED_BITS: Final = 27
GROUP_SHIFT: Final = PRIORITY_BITS + PLACED_BITS
NO_CUT_OFF: Final = (1 << 25) - 1
CARRIERS: Final = 1 << CARRIER_BITS
"""Carrier numbers end below this; all further carriers of a site share the last one."""
NEWEST_FIRST: Final = (1 << 62) - 1


def sort_key(order: Order, carrier: int) -> int:
    """Return the sort key of ``order``, whose carrier has the number ``carrier`` here."""
    if order.stage is Stage.SHIPPED:
        return NEWEST_FIRST - max(order.stage_ms, 0)
    return open_key(order.cut_off_ms, carrier, order.priority, order.placed_ms)


def open_key(cut_off_ms: int | None, carrier: int, priority: int, placed_ms: int) -> int:
    """Return the sort key of an order that has not shipped."""
    cut_off = NO_CUT_OFF if cut_off_ms is None else _minute(cut_off_ms, NO_CUT_OFF - 1)
    group = (cut_off << CARRIER_BITS) | min(max(carrier, 0), CARRIERS - 1)
    urgency = 3 - min(max(priority, 0), 3)
    placed = _minute(placed_ms, (1 << PLACED_BITS) - 1)
    return (group << GROUP_SHIFT) | (urgency << PLACED_BITS) | placed


def group_number(key: int) -> int:
    """Return what all keys of one group have in common."""
    return key >> GROUP_SHIFT


def group_end(group: int) -> int:
    """Return the highest key of a group."""
    return ((group + 1) << GROUP_SHIFT) - 1


def group_cut_off_ms(group: int) -> int | None:
    """Return the cut-off of a group, to the minute; None when it has none."""
    minute = group >> CARRIER_BITS
    return None if minute == NO_CUT_OFF else FIRST_MS + minute * MINUTE_MS


def group_carrier(group: int) -> int:
    """Return the carrier number of a group."""
    return group & (CARRIERS - 1)


def _minute(at_ms: int, highest: int) -> int:
    return min(max((at_ms - FIRST_MS) // MINUTE_MS, 0), highest)
