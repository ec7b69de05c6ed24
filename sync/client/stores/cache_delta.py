"""One page of the log on top of the cached board. Runs inside the cache's transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from sync.client.stores import cache_schema as schema
from sync.client.stores.cache_ranges import distrust, whole_order
from sync.client.stores.cache_schema import OrderRow
from sync.client.stores.card_columns import search_text
from sync.client.stores.carriers import Carriers
from sync.contract.messages import Verdict
from sync.contract.operations import LogEntry
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, patched, row_hash


class Applied(NamedTuple):
    """What a page did to the tables: local ids, and by how much hash and count changed.

    It is not whole when it changes orders that the cache lacks or that are damaged. Those are passed over:
    the hash then differs from the server's, and they are repaired.
    """

    changed: tuple[int, ...]
    removed: tuple[int, ...]
    hash_change: int
    count_change: int
    is_whole: bool


class _Known(NamedTuple):
    local_id: int
    row_hash: int
    order: Order


def apply_page(
    connection: sqlite3.Connection, carriers: Carriers, entries: Sequence[LogEntry], next_local_id: int
) -> Applied:
    """Write what ``entries`` make of the orders."""
    before: dict[str, _Known | None] = {}
    after: dict[str, Order] = {}
    passed_over: set[str] = set()
    distrusted = 0
    for entry in entries:
        order_id = entry.operation.order_id
        if (entry.order is None and entry.patch is None) or order_id in passed_over:
            continue
        if order_id not in before:
            known = _read(connection, order_id)
            if isinstance(known, int):
                # What changed would be laid over something else than the server's order.
                distrusted += distrust(connection, known)
                passed_over.add(order_id)
                continue
            before[order_id] = known
            if known is not None:
                after[order_id] = known.order
        order = _made(entry, after.get(order_id))
        if order is None:
            passed_over.add(order_id)
        else:
            after[order_id] = order
    applied = _write(connection, carriers, before, after, next_local_id)
    hash_change = (applied.hash_change + distrusted) % HASH_MODULUS
    return applied._replace(hash_change=hash_change, is_whole=not passed_over)


def own_verdicts(entries: Sequence[LogEntry], device_id: str) -> tuple[Verdict, ...]:
    """Return what the page says about operations of ``device_id``."""
    return tuple(
        Verdict(
            device_seq=entry.operation.device_seq,
            op_id=entry.operation.op_id,
            seq=entry.seq,
            outcome=entry.outcome,
            reason=entry.reason,
            at_ms=entry.decided_ms,
        )
        for entry in entries
        if entry.operation.device_id == device_id
    )


def _made(entry: LogEntry, order: Order | None) -> Order | None:
    if entry.order is not None:
        order = entry.order
    return order if order is None or entry.patch is None else patched(order, entry.patch)


def _read(connection: sqlite3.Connection, order_id: str) -> _Known | int | None:
    """Return an order as it is, its local id when it is not whole, None when it is not there."""
    row = connection.execute(
        "SELECT o.local_id, o.hash, b.body FROM orders o LEFT JOIN bodies b USING (local_id)"
        " WHERE o.order_id = ?",
        (order_id,),
    ).fetchone()
    if row is None:
        return None
    stored_hash = schema.to_unsigned(row[1])
    order = whole_order(row[2], stored_hash)
    return int(row[0]) if order is None else _Known(int(row[0]), stored_hash, order)


def _write(
    connection: sqlite3.Connection,
    carriers: Carriers,
    before: dict[str, _Known | None],
    after: dict[str, Order],
    next_local_id: int,
) -> Applied:
    written: list[OrderRow] = []
    changed: list[int] = []
    removed: list[int] = []
    hash_change = count_change = 0
    for order_id, order in after.items():
        known = before[order_id]
        hash_change -= 0 if known is None else known.row_hash
        if not order.is_on_board:
            # Retired or deleted: the server's board is without it from this seq on.
            if known is not None:
                schema.drop_row(connection, known.local_id, known.order)
                removed.append(known.local_id)
                count_change -= 1
                changed += _waiting_for(connection, order)
            continue
        local_id = next_local_id if known is None else known.local_id
        next_local_id += known is None
        count_change += known is None
        row = _row(carriers, local_id, order)
        hash_change += row.row_hash
        written.append(row)
        changed.append(local_id)
        _write_words(connection, local_id, None if known is None else known.order, order)
        changed += _waiting_for(connection, order)
    schema.put_rows(connection, written)
    gone = frozenset(removed)
    stayed = tuple(local_id for local_id in dict.fromkeys(changed) if local_id not in gone)
    return Applied(stayed, tuple(removed), hash_change, count_change, is_whole=True)


def _row(carriers: Carriers, local_id: int, order: Order) -> OrderRow:
    body = canonical_bytes(order)
    return OrderRow(local_id, carriers.sort_key(order), row_hash(body), body, order)


def _write_words(connection: sqlite3.Connection, local_id: int, old: Order | None, new: Order) -> None:
    if old is not None:
        # Most operations move an order and leave its words alone.
        if _worded(old) == _worded(new):
            return
        schema.drop_words(connection, local_id, search_text(old))
    schema.put_words(connection, local_id, search_text(new))


def _worded(order: Order) -> tuple[object, ...]:
    """Return everything that search words are made of and that can change."""
    return (order.number, order.tracking_number, order.customer, order.ship_to, order.lines)


def _waiting_for(connection: sqlite3.Connection, order: Order) -> list[int]:
    """Return the order whose short rest this one holds: its card names this one as long as it is here."""
    if not order.backorder_of:
        return []
    query = "SELECT local_id FROM orders WHERE order_id = ?"
    return [int(row[0]) for row in connection.execute(query, (order.backorder_of,))]
