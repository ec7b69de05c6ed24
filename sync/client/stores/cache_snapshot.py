"""A whole board, staged in chunks beside the old one and swapped in by renaming.

Every chunk is hashed from the canonical bytes of its orders; at the end number and hash must be
those that were announced, otherwise the old board stays.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

from sync.client.store_values import CacheState, SnapshotHeld, SnapshotRefused
from sync.client.stores import cache_schema as schema
from sync.client.stores.cache_meta import put_meta, read_number
from sync.client.stores.cache_schema import OrderRow
from sync.client.stores.card_columns import search_text
from sync.client.stores.carriers import Carriers
from sync.contract.messages import SnapshotBegin
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, row_hash
from sync.contract.stages import Stage, stage_index

FEWEST_REMOVED: Final = 20
LARGEST_SHARE: Final = 5
"""A whole board that lacks more than one in so many open orders is not believed without a person's word."""
_OPEN: Final = f"stage < {stage_index(Stage.SHIPPED)} AND NOT is_cancelled"


class Staging:
    """A snapshot on its way in. Every method runs inside the cache's transaction."""

    def __init__(self, connection: sqlite3.Connection, carriers: Carriers, begin: SnapshotBegin) -> None:
        """Make the empty staging tables."""
        self._connection = connection
        self._carriers = carriers
        self.begin = begin
        self._chunks = 0
        self._orders = 0
        self._still_open = 0
        self._hash = 0
        drop_set(connection, schema.STAGING)
        generation = read_number(connection, "generation") + 1
        put_meta(connection, generation=generation)
        schema.create_set(connection, schema.STAGING, generation)

    def add(self, index: int, orders: Sequence[Order]) -> SnapshotRefused | None:
        """Stage the chunk ``index``; chunks come in order."""
        if index != self._chunks:
            return SnapshotRefused("order")
        # What is no part of the board set is not kept, whoever sends it: hash and count leave it out too.
        orders = [order for order in orders if order.is_on_board]
        known = self._known(orders)
        next_local_id = read_number(self._connection, "next_local_id", 1)
        rows: list[OrderRow] = []
        for order in orders:
            local_id, is_open = known.get(order.id, (None, False))
            self._still_open += is_open
            if local_id is None:
                local_id = next_local_id
                next_local_id += 1
            body = canonical_bytes(order)
            rows.append(OrderRow(local_id, self._carriers.sort_key(order), row_hash(body), body, order))
        schema.put_rows(self._connection, rows, schema.STAGING)
        for row in rows:
            schema.put_words(self._connection, row.local_id, search_text(row.order), schema.STAGING)
        put_meta(self._connection, next_local_id=next_local_id)
        self._chunks += 1
        self._orders += len(rows)
        self._hash = (self._hash + sum(row.row_hash for row in rows)) % HASH_MODULUS
        return None

    def check(self, seq: int) -> SnapshotRefused | None:
        """Say what keeps the staged board from being the announced one."""
        if seq != self.begin.seq or self._chunks != self.begin.chunks:
            return SnapshotRefused("order")
        if self._orders != self.begin.orders:
            return SnapshotRefused("count")
        return None if self._hash == self.begin.state_hash else SnapshotRefused("hash")

    def held_back(self, cached: CacheState) -> SnapshotHeld | None:
        """Say that the staged board lacks open orders of the ``cached`` one that no log accounts for.

        Within one history every order that leaves the board takes at least one operation.
        """
        # Those that stay were counted with their chunks: to look for all of them now would take 0.1 s.
        query = f"SELECT count(*) FROM orders NOT INDEXED WHERE {_OPEN}"
        there = int(self._connection.execute(query).fetchone()[0])
        removed = there - self._still_open
        is_large = removed >= FEWEST_REMOVED and removed * LARGEST_SHARE > there
        is_logged = cached.epoch == self.begin.epoch and self.begin.seq - cached.cursor >= removed
        # What a cache without a history shows is the first page of a board that never came.
        is_held = cached.epoch and is_large and not is_logged
        return SnapshotHeld(removed, there) if is_held else None

    def swap(self) -> None:
        """Let the staged tables take the place of the current ones, which become the old ones."""
        for table in schema.TABLES:
            self._connection.execute(f"ALTER TABLE {table} RENAME TO {schema.OLD}{table}")
            self._connection.execute(f"ALTER TABLE {schema.STAGING}{table} RENAME TO {table}")

    def _known(self, orders: Sequence[Order]) -> dict[str, tuple[int, bool]]:
        """Return the local ids of those that are on the board already: they keep them; and which are open."""
        query = (
            f"SELECT order_id, local_id, {_OPEN} FROM orders"
            " WHERE order_id IN (SELECT value FROM json_each(?))"
        )
        rows = self._connection.execute(query, (json.dumps([order.id for order in orders]),))
        return {str(order_id): (int(local_id), bool(is_open)) for order_id, local_id, is_open in rows}


def drop_set(connection: sqlite3.Connection, prefix: str) -> None:
    """Drop a set of order tables, if it is there."""
    for table in schema.TABLES:
        connection.execute(f"DROP TABLE IF EXISTS {prefix}{table}")


def drop_piece(connection: sqlite3.Connection, prefix: str, rows: int = 4_000) -> bool:
    """Drop one small piece of a set; False when nothing of it is left."""
    for table in schema.TABLES:
        name = f"{prefix}{table}"
        query = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        if connection.execute(query, (name,)).fetchone() is None:
            continue
        if table == "orders_fts":
            connection.execute(f"DROP TABLE {name}")
            return True
        deleted = connection.execute(
            f"DELETE FROM {name} WHERE local_id IN (SELECT local_id FROM {name} LIMIT {rows})"
        ).rowcount
        if deleted < rows:
            connection.execute(f"DROP TABLE {name}")
        return True
    return False
