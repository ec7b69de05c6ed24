"""The search index: one narrow row an order, in the order of arrival, with the words that it is found by.

Written in the transaction that writes the order. A hundred thousand of these rows are read in about 30 ms, a
hundredth of what reading the orders would take.
"""

from __future__ import annotations

from typing import Final

from msgspec import UNSET
from sqlalchemy import BigInteger, Column, Connection, PrimaryKeyConstraint, Table, Text

from databases.schema import metadata
from databases.statements import insert_rows, update_rows
from server.kernel.decisions import Decided
from server.kernel.records import SiteKey
from server.search_words import search_words
from sync.contract.orders import Order, OrderPatch

order_search: Final = Table(
    "order_search",
    metadata,
    Column("site_id", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("words", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "created_at", "order_id"),
    sqlite_with_rowid=False,
)

_SEARCHED: Final = ("number", "customer", "ship_to", "tracking_number", "lines")
"""The fields of an order that change its words."""


def write(connection: Connection, _site: SiteKey, decided: Decided) -> None:
    """Keep the index true to what was decided, inside its transaction."""
    new = [row_of(decided.written[order_id].order) for order_id in sorted(decided.made)]
    changed = {
        row.entry.operation.order_id
        for row in decided.rows
        if row.entry.patch is not None and _changes_words(row.entry.patch)
    }
    insert_rows(connection, order_search, new)
    update_rows(
        connection,
        order_search,
        [row_of(decided.written[order_id].order) for order_id in sorted(changed - decided.made)],
        key=("site_id", "created_at", "order_id"),
    )


def row_of(order: Order) -> dict[str, object]:
    """Return the row of an order."""
    return {
        "site_id": order.site_id,
        "created_at": order.created_ms,
        "order_id": order.id,
        "words": search_words(order),
    }


def _changes_words(patch: OrderPatch) -> bool:
    return any(getattr(patch, name) is not UNSET for name in _SEARCHED)
