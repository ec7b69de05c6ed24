"""Orders to table rows and back, inside the transaction of somebody else."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, tuple_

from databases.schema import customers, order_line_items, order_sources, orders
from databases.statements import insert_missing, insert_rows, update_rows, upsert_rows
from server.kernel.decisions import Loaded, OrderRow
from server.kernel.records import SiteKey
from server.kernel.signed import signed, unsigned
from server.sources import Said
from sync.contract.facts import BACKORDER
from sync.contract.ids import derived
from sync.contract.operations import Create, Import, Operation, ShortPick
from sync.contract.orders import LineItem, Order, order_from_bytes

_CUSTOMERS: Final = uuid.UUID("6d1a3a1e-5b0f-4d0c-9f6e-0d2b6f0c7a11")
"""Name space of customer ids: one organisation's customer has one id, whoever writes it first."""
NAME_CHARACTERS: Final = 500
"""Longest name in the list of customers; the order has all of it. PostgreSQL's indexes take 2,700 bytes."""

# Made once: to make a statement costs several times what SQLite needs to carry it out.
_ORDERS: Final = select(orders.c.id, orders.c.site_id, orders.c.body, orders.c.row_hash).where(
    orders.c.id.in_(bindparam("ids", expanding=True))
)
_REFERENCES: Final = select(orders.c.source, orders.c.external_ref, orders.c.id).where(
    orders.c.organization_id == bindparam("organization"),
    orders.c.external_ref != "",
    tuple_(orders.c.source, orders.c.external_ref).in_(bindparam("references", expanding=True)),
)
_SAID: Final = select(order_sources).where(
    order_sources.c.organization_id == bindparam("organization"),
    tuple_(order_sources.c.source, order_sources.c.external_ref).in_(bindparam("references", expanding=True)),
)
_UNLINED: Final = delete(order_line_items).where(
    order_line_items.c.order_id.in_(bindparam("ids", expanding=True))
)


def load(connection: Connection, site: SiteKey, operations: Iterable[Operation], loaded: Loaded) -> None:
    """Put into ``loaded`` every order that ``operations`` name or could collide with."""
    operations = list(operations)
    references = sorted({_reference(operation) for operation in operations} - {("", "")})
    if references:
        _load_references(connection, site, references, loaded)
    backorders = {
        derived(operation.op_id, BACKORDER)
        for operation in operations
        if isinstance(operation.change, ShortPick)
    }
    named = {operation.order_id for operation in operations}
    wanted = sorted(named | backorders | set(loaded.references.values()))
    for row in connection.execute(_ORDERS, {"ids": wanted}):
        if row.site_id == site.site_id:
            order = loaded.orders[row.id] = order_from_bytes(row.body)
            loaded.hashes[row.id] = unsigned(row.row_hash) if order.is_on_board else 0
        else:
            loaded.taken.add(row.id)


def _reference(operation: Operation) -> tuple[str, str]:
    change = operation.change
    if not isinstance(change, Create | Import) or change.order is None or not change.order.external_ref:
        return "", ""
    # A typed order is always the source "manual", whatever the terminal says.
    source = "manual" if isinstance(change, Create) else change.order.source
    return source, change.order.external_ref


def _load_references(
    connection: Connection, site: SiteKey, references: list[tuple[str, str]], loaded: Loaded
) -> None:
    named = {"organization": site.organization_id, "references": references}
    rows = connection.execute(_REFERENCES, named)
    loaded.references.update({(row.source, row.external_ref): row.id for row in rows})
    for row in connection.execute(_SAID, named):
        loaded.said[row.source, row.external_ref] = Said(
            row.order_id, unsigned(row.digest), row.body, row.said_at
        )


def write_said(connection: Connection, site: SiteKey, said: Mapping[tuple[str, str], Said]) -> None:
    """Keep what sources said last of their orders."""
    rows: list[dict[str, object]] = [
        {
            "organization_id": site.organization_id,
            "source": source,
            "external_ref": external_ref,
            "order_id": row.order_id,
            "digest": signed(row.digest),
            "body": row.body,
            "said_at": row.said_ms,
        }
        for (source, external_ref), row in sorted(said.items())
    ]
    upsert_rows(connection, order_sources, rows, ("organization_id", "source", "external_ref"))


def write(
    connection: Connection,
    written: Mapping[str, OrderRow],
    made: set[str],
    revised: Iterable[str],
    lines: Mapping[str, tuple[LineItem, ...]],
) -> None:
    """Write orders: those in ``made`` are new, those in ``revised`` may have another customer.

    ``lines`` are those that orders had before; a move leaves them, and then their rows are not touched.
    """
    new = [row for order_id, row in written.items() if order_id in made]
    changed = [row for order_id, row in written.items() if order_id not in made]
    named = made.union(revised)
    _write_customers(connection, [row.order for order_id, row in written.items() if order_id in named])
    insert_rows(connection, orders, [values_of(row) for row in new])
    update_rows(connection, orders, [values_of(row) for row in changed])
    relined = [row.order for row in changed if row.order.lines != lines.get(row.order.id)]
    if relined:
        connection.execute(_UNLINED, {"ids": [order.id for order in relined]})
    _write_lines(connection, [*(row.order for row in new), *relined])


def _write_customers(connection: Connection, new: list[Order]) -> None:
    rows = {
        customer_id: {
            "id": customer_id,
            "organization_id": order.organization_id,
            "name": _listed_name(order),
            "created_at": order.created_ms,
        }
        for order in new
        if (customer_id := _customer_id(order)) is not None
    }
    # In one order for everybody: two sites of an organisation may bring the same customers at once.
    insert_missing(connection, customers, [rows[customer_id] for customer_id in sorted(rows)])


def _customer_id(order: Order) -> str | None:
    return customer_id(order.organization_id, _listed_name(order)) if order.customer else None


def customer_id(organization_id: str, name: str) -> str:
    """Return the id of a customer, which is made of the name in the list."""
    return str(uuid.uuid5(_CUSTOMERS, f"{organization_id}:{name}"))


def _listed_name(order: Order) -> str:
    # As PostgreSQL would hold it, or two ids would want one name there.
    return order.customer[:NAME_CHARACTERS].replace("\0", "\ufffd")


def _write_lines(connection: Connection, changed: list[Order]) -> None:
    insert_rows(connection, order_line_items, [row for order in changed for row in lines_of(order)])


def lines_of(order: Order) -> list[dict[str, object]]:
    """Return the rows of an order's lines."""
    return [
        {
            "order_id": order.id,
            "position": line.position,
            "sku": line.sku,
            "name": line.name,
            "location": line.location,
            "quantity_ordered": line.quantity_ordered,
            "quantity_picked": line.quantity_picked,
            "quantity_cancelled": line.quantity_cancelled,
            "quantity_short": line.quantity_short,
            "requires_picking": line.requires_picking,
        }
        for line in order.lines
    ]


def values_of(row: OrderRow) -> dict[str, object]:
    """Return the row of an order."""
    order = row.order
    return {
        "id": order.id,
        "organization_id": order.organization_id,
        "site_id": order.site_id,
        "customer_id": _customer_id(order),
        "source": order.source,
        "external_ref": order.external_ref,
        "number": order.number,
        "status": order.stage.value,
        "priority": order.priority,
        "placed_at": order.placed_ms,
        "stage_at": order.stage_ms,
        "cut_off_at": order.cut_off_ms,
        "carrier": order.carrier,
        "ship_method": order.ship_method,
        "claimed_by": order.claimed_by.user_id if order.claimed_by else None,
        "hold_reason": order.hold.reason if order.hold else None,
        "cancelled_at": order.cancelled_ms,
        "revision": order.revision,
        "created_at": order.created_ms,
        "updated_at": order.updated_ms,
        "deleted_at": order.deleted_ms,
        "retired_at": order.retired_ms,
        "row_hash": signed(row.hash),
        "body": row.body,
    }
