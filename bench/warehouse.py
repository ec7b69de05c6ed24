"""A terminal's cache for measuring: 100,000 orders as a server's snapshot puts them there.

The board then reads it as the product does, through ``sync.client.board_view``. Every state that a card
can show stands among the orders; one order in ten has an exception, more than any day should have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from support.boards import ServerBoard
from support.card_rows import NOW_MS
from support.orders import Made, make_orders
from sync.client.cache import Cache
from sync.contract.orders import Order, OrderException

ORDERS = 100_000


def warehouse_orders(count: int = ORDERS, now_ms: int = NOW_MS) -> Iterator[Order]:
    """Return seeded orders that stay on the board: what was finished on another day is taken off it."""
    for number, order in enumerate(make_orders(count, Made(now_ms=now_ms, source="bench"))):
        if order.is_open:
            yield _dressed(order, number)
        else:
            cancelled_ms = None if order.cancelled_ms is None else now_ms
            yield msgspec.structs.replace(order, stage_ms=now_ms, cancelled_ms=cancelled_ms)


def _dressed(order: Order, number: int) -> Order:
    """Let every twentieth order disagree and every twentieth lack something."""
    if number % 20 == 0:
        told = OrderException("moved_elsewhere", "Two moves disagree", f"bench-{number}", order.stage_ms)
        return msgspec.structs.replace(order, exceptions=(told,))
    if number % 20 == 1:
        first, *others = order.lines
        short = msgspec.structs.replace(first, quantity_picked=0, quantity_short=first.quantity_ordered)
        return msgspec.structs.replace(order, lines=(short, *others))
    return order


def fill_cache(path: Path, orders: Iterable[Order]) -> None:
    """Make a cache that holds ``orders``."""
    with closing(Cache.open(path).cache) as cache:
        ServerBoard(orders).snapshot_into(cache)
