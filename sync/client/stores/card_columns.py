"""What the cache keeps of an order beside its body: the values of its card, and its search words."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from sync.contract.operations import Reason
from sync.contract.orders import LineItem, Order
from sync.contract.rows import CardRow, Fate
from sync.contract.stages import STAGES, stage_index

CardValues = tuple[Any, ...]
"""The values of :data:`COLUMNS`, as SQLite stores and returns them."""

COLUMNS: Final = (
    "number", "customer", "city", "stage", "priority", "cut_off_ms", "carrier", "placed_ms", "stage_ms",
    "lines_total", "lines_picked", "lines_short", "pieces", "claimed_by", "claimed_id", "hold_reason",
    "hold_until_ms", "is_cancelled", "exception", "has_note", "tags", "backorder_of",
)  # fmt: skip
_TAGS: Final = msgspec.json.Decoder(tuple[str, ...])
_ENCODER: Final = msgspec.json.Encoder()


def carrier_name(order: Order) -> str:
    """Return what a cut-off group is named after: the carrier, before one is known the ship method."""
    return order.carrier or order.ship_method


def card_values(order: Order) -> CardValues:
    """Return the card columns of an order."""
    # What its source took away whole is no line to pick any more.
    to_pick = [
        line
        for line in order.lines
        if line.requires_picking and line.quantity_cancelled < line.quantity_ordered
    ]
    claim, hold = order.claimed_by, order.hold
    return (
        order.number,
        order.customer or order.ship_to.name,
        order.ship_to.city,
        stage_index(order.stage),
        order.priority,
        order.cut_off_ms,
        carrier_name(order),
        order.placed_ms,
        order.stage_ms,
        len(to_pick),
        sum(map(_is_picked, to_pick)),
        sum(line.quantity_short > 0 for line in to_pick),
        sum(line.quantity_ordered for line in to_pick),
        claim.name if claim else "",
        claim.user_id if claim else "",
        hold.reason if hold else "",
        hold.until_ms if hold else None,
        int(order.cancelled_ms is not None),
        _disagreement(order),
        int(bool(order.note)),
        _ENCODER.encode(order.tags).decode() if order.tags else "",
        order.backorder_of,
    )


def _disagreement(order: Order) -> str:
    """Return the sentence of the newest exception; that a cancelled order was cancelled is said anyway."""
    is_said = order.cancelled_ms is not None
    told = [each for each in order.exceptions if not (is_said and each.code == Reason.CANCELLED)]
    return told[-1].sentence if told else ""


def _is_picked(line: LineItem) -> bool:
    return line.quantity_open == 0 and line.quantity_short == 0


def card_row(local_id: int, order_id: str, values: CardValues, backorder_number: str, fate: Fate) -> CardRow:
    """Return the row of a card out of its columns; ``backorder_number`` is another order's number."""
    number, customer, city, stage, priority, cut_off_ms, carrier, placed_ms, stage_ms, *others = values
    total, picked, short, pieces, claimed_by, claimed_id, hold_reason, hold_until_ms, *rest = others
    is_cancelled, exception, has_note, tags, _ = rest
    return CardRow(
        local_id, order_id, number, customer, city, STAGES[stage], priority, cut_off_ms, carrier, placed_ms,
        stage_ms, total, picked, short, pieces, claimed_by, claimed_id, hold_reason, hold_until_ms,
        bool(is_cancelled), exception, backorder_number, bool(has_note),
        _TAGS.decode(tags) if tags else (), fate,
    )  # fmt: skip


SearchText = tuple[str, str, str, str]
"""Numbers, customer, city and all products of an order: the columns of the search index."""


def search_text(order: Order) -> SearchText:
    """Return what an order is found by: its numbers, customer, address and lines, nothing else of it.

    A label that is scanned carries the tracking number; the shop knows the order by its reference.
    """
    numbers = dict.fromkeys((order.number, order.external_ref, order.tracking_number))
    items = dict.fromkeys(word for line in order.lines for word in (line.sku, line.name))
    names = dict.fromkeys((order.customer, order.ship_to.name, order.ship_to.company))
    return (
        " ".join(filter(None, numbers)),
        " ".join(filter(None, names)),
        order.ship_to.city,
        " ".join(items),
    )
