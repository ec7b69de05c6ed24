"""What reading yields: an order in the words of its source, and nothing of ours."""

from __future__ import annotations

from typing import NamedTuple

from sync.contract.orders import Order


class Arrival(NamedTuple):
    """An order as its source says it; times that it does not say are 0.

    ``said_ms`` is when the source last changed the order (0: unknown); an older word changes nothing.
    """

    order: Order
    said_ms: int = 0
