"""The tables, as SQLAlchemy Core sees them. The migrations make them; a test compares the two.

Times are milliseconds since 1970 UTC. A 64-bit hash is kept signed, because that is what an SQL
integer is. Conditions of indexes stand here for SQLite and in the migrations for PostgreSQL too: naming
the other dialect here would load it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata: Final = MetaData()


def _key(name: str, target: str) -> Column[str]:
    return Column(name, Text, ForeignKey(target), nullable=False)


def _scope() -> tuple[Column[str], Column[str]]:
    """Return the two columns that say whose a row is."""
    return _key("organization_id", "organizations.id"), _key("site_id", "sites.id")


organizations: Final = Table(
    "organizations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
)

sites: Final = Table(
    "sites",
    metadata,
    Column("id", Text, primary_key=True),
    _key("organization_id", "organizations.id"),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("shipped_days", Integer, nullable=False, server_default="1"),
    UniqueConstraint("organization_id", "name", name="uq_sites_name"),
)

stations: Final = Table(
    "stations",
    metadata,
    Column("id", Text, primary_key=True),
    *_scope(),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

users: Final = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    *_scope(),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password_hash", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    UniqueConstraint("site_id", "name", name="uq_users_name"),
)

devices: Final = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    *_scope(),
    _key("user_id", "users.id"),
    Column("name", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("is_embedded", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)
"""Enrolments: what a device token stands for."""

device_identities: Final = Table(
    "device_identities",
    metadata,
    Column("id", Text, primary_key=True),
    *_scope(),
    _key("enrolment_id", "devices.id"),
    Column("decided_device_seq", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""Installations: the ``device_id`` of operations, and the highest number decided of each."""

sign_ins: Final = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),
    *_scope(),
    _key("user_id", "users.id"),
    _key("enrolment_id", "devices.id"),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    _key("sign_in_id", "sign_ins.id"),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Index("idx_tokens_sign_in", "sign_in_id"),
)

customers: Final = Table(
    "customers",
    metadata,
    Column("id", Text, primary_key=True),
    _key("organization_id", "organizations.id"),
    Column("name", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("organization_id", "name", name="uq_customers_name"),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("id", Text, primary_key=True),
    *_scope(),
    Column("customer_id", Text, ForeignKey("customers.id")),
    Column("source", Text, nullable=False),
    Column("external_ref", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("placed_at", BigInteger, nullable=False),
    Column("stage_at", BigInteger, nullable=False),
    Column("cut_off_at", BigInteger),
    Column("carrier", Text, nullable=False),
    Column("ship_method", Text, nullable=False),
    Column("claimed_by", Text),
    Column("hold_reason", Text),
    Column("cancelled_at", BigInteger),
    Column("revision", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("retired_at", BigInteger),
    Column("row_hash", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
"""One row an order; ``body`` holds its canonical bytes and is the truth, the columns serve queries."""

Index(
    "uq_orders_external_ref",
    orders.c.organization_id,
    orders.c.source,
    orders.c.external_ref,
    unique=True,
    sqlite_where=orders.c.external_ref != text("''"),
)
Index(
    "idx_orders_board",
    orders.c.site_id,
    orders.c.id,
    # These let a board be counted without reading its orders; SQLite asks for the empty two as well.
    *(orders.c.status, orders.c.created_at, orders.c.deleted_at, orders.c.retired_at),
    sqlite_where=text("deleted_at IS NULL AND retired_at IS NULL"),
)
# PostgreSQL has idx_orders_range besides: it sorts this one as people sort, and ranges go by code points.
FINISHED: Final = (
    "deleted_at IS NULL AND retired_at IS NULL AND (status = 'shipped' OR cancelled_at IS NOT NULL)"
)
"""Orders that only wait to leave the board; in these very words, so that a query is seen to fit the index."""
Index("idx_orders_finished", orders.c.site_id, orders.c.stage_at, sqlite_where=text(FINISHED))
Index("idx_orders_updated", orders.c.updated_at)
KANBAN: Final = "deleted_at IS NULL AND status IN ('confirmed', 'picking', 'picked', 'shipped')"
Index(
    "idx_orders_kanban_status",
    orders.c.organization_id,
    orders.c.status,
    orders.c.created_at.desc(),
    sqlite_where=text(KANBAN),
)

order_line_items: Final = Table(
    "order_line_items",
    metadata,
    Column("order_id", Text, ForeignKey("orders.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("sku", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("quantity_ordered", BigInteger, nullable=False),
    Column("quantity_picked", BigInteger, nullable=False),
    Column("quantity_cancelled", BigInteger, nullable=False),
    Column("requires_picking", Boolean, nullable=False),
    Column("quantity_short", BigInteger, nullable=False, server_default="0"),
)

order_sources: Final = Table(
    "order_sources",
    metadata,
    _key("organization_id", "organizations.id"),
    Column("source", Text, nullable=False),
    Column("external_ref", Text, nullable=False),
    _key("order_id", "orders.id"),
    Column("digest", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("said_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("organization_id", "source", "external_ref"),
)
"""What the source of an order said last (``body``: the order with nothing of ours in it)."""

operation_log: Final = Table(
    "operation_log",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("op_id", Text, nullable=False),
    Column("device_id", Text, nullable=False),
    Column("device_seq", BigInteger, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("in_the_way", Text, nullable=False),
    Column("in_the_way_at", BigInteger, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("state_hash", BigInteger, nullable=False),
    Column("entry", LargeBinary, nullable=False),
    Column("crc", BigInteger, nullable=True),
    UniqueConstraint("site_id", "op_id", name="uq_operation_log_op"),
)
"""Every decided operation; ``state_hash`` is the board's after it, ``entry`` what terminals get.

``crc`` is the checksum of the row's other values, NULL in rows of an earlier release.
"""

Index(
    "uq_operation_log_device",
    operation_log.c.site_id,
    operation_log.c.device_id,
    operation_log.c.device_seq,
    unique=True,
    sqlite_where=operation_log.c.device_id != text("''"),
)
Index("idx_operation_log_order", operation_log.c.order_id, operation_log.c.seq)

boards: Final = Table(
    "boards",
    metadata,
    Column("site_id", Text, ForeignKey("sites.id"), primary_key=True),
    _key("organization_id", "organizations.id"),
    Column("epoch", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("durable_seq", BigInteger, nullable=False),
    Column("state_hash", BigInteger, nullable=False),
)
"""The one counter row of each board: its lock, held to commit, makes commit order seq order."""

data_exports: Final = Table(
    "data_exports",
    metadata,
    Column("id", Text, primary_key=True),
    _key("organization_id", "organizations.id"),
    Column("user_id", Text, ForeignKey("users.id")),
    Column("entities", JSON, nullable=False),
    Column("format", Text, nullable=False),
    Column("record_count", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("filter", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""Every finished export; without a user it was made at the server. ``entities`` is jsonb on PostgreSQL."""
Index("idx_data_exports_made", data_exports.c.organization_id, data_exports.c.created_at)
