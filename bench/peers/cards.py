"""The orders of the web boards: the values that our own cards are drawn from, as one file of JSON.

``{"fields": [...], "rows": [[...], ...]}``, sorted as the board sorts, so that a page has nothing to
work out. That is the least that a page can be given: no lines of orders, no addresses, no history.
"""

from __future__ import annotations

from typing import Any

import msgspec

from support.orders import Made, make_orders
from sync.client.stores.card_columns import COLUMNS, card_values
from sync.contract.orders import Order
from sync.contract.stages import STAGES

LATEST_MS = 2**62
"""Orders without a cut-off come last."""


def cards_json(count: int, now_ms: int) -> bytes:
    """Return the file of ``count`` seeded orders, the same that our own board is filled with."""
    orders = sorted(make_orders(count, Made(now_ms=now_ms, source="bench")), key=_sort_key)
    return msgspec.json.encode({"fields": COLUMNS, "rows": [_row(order) for order in orders]})


def _sort_key(order: Order) -> tuple[int, str, int, int]:
    """Return the place on the board: what leaves first, then the carrier, express, the oldest."""
    cut_off_ms = LATEST_MS if order.cut_off_ms is None else order.cut_off_ms
    return cut_off_ms, order.carrier, -order.priority, order.placed_ms


def _row(order: Order) -> list[Any]:
    """Return the values of one card, the stage by its name and the tags as a list."""
    values = dict(zip(COLUMNS, card_values(order), strict=True))
    values["stage"] = STAGES[values["stage"]]
    values["tags"] = order.tags
    return list(values.values())
