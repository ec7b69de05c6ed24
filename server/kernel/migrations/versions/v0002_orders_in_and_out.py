"""Orders in and out: what sources said, orders that left the board, and the tables of the modules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what this release keeps beside the first tables."""
    _retired()
    _sources()
    _finished()
    _cut_offs()
    _webhooks_in()
    _webhooks_out()
    _folders()


def _retired() -> None:
    op.add_column("orders", sa.Column("retired_at", sa.BigInteger(), nullable=True))
    op.drop_index("idx_orders_board", "orders")
    is_on_board = sa.text("deleted_at IS NULL AND retired_at IS NULL")
    op.create_index(
        "idx_orders_board",
        "orders",
        ["site_id", "id"],
        unique=False,
        sqlite_where=is_on_board,
        postgresql_where=is_on_board,
    )


def _sources() -> None:
    op.create_table(
        "order_sources",
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("said_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
        ),
        sa.PrimaryKeyConstraint("organization_id", "source", "external_ref"),
    )


def _finished() -> None:
    op.add_column("sites", sa.Column("shipped_days", sa.Integer(), server_default="1", nullable=False))
    is_finished = sa.text(
        "deleted_at IS NULL AND retired_at IS NULL AND (status = 'shipped' OR cancelled_at IS NOT NULL)"
    )
    op.create_index(
        "idx_orders_finished",
        "orders",
        ["site_id", "stage_at"],
        unique=False,
        sqlite_where=is_finished,
        postgresql_where=is_finished,
    )


def _cut_offs() -> None:
    op.create_table(
        "cut_off_schedules",
        *_of_a_site(),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("applied", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "cut_off_rules",
        *_of_a_site(),
        sa.Column("ship_method", sa.Text(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "ship_method", "weekday"),
    )
    op.create_table(
        "cut_off_days",
        *_of_a_site(),
        sa.Column("ship_method", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "ship_method", "day"),
    )


def _webhooks_in() -> None:
    op.create_table(
        "webhook_sources",
        sa.Column("id", sa.Text(), nullable=False),
        *_of_a_site(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("old_secret", sa.Text(), nullable=True),
        sa.Column("old_until", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("site_id", "name", name="uq_webhook_sources_name"),
        sa.UniqueConstraint("organization_id", "label", name="uq_webhook_sources_label"),
    )
    op.create_table(
        "webhook_refusals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["webhook_sources.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("idx_webhook_refusals_source", "webhook_refusals", ["source_id", "created_at"])


def _webhooks_out() -> None:
    op.create_table(
        "webhook_targets",
        sa.Column("id", sa.Text(), nullable=False),
        *_of_a_site(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("failing_since", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("site_id", "name", name="uq_webhook_targets_name"),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Text(), nullable=False),
        *_of_a_site(),
        sa.Column("target_id", sa.Text(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["target_id"], ["webhook_targets.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("target_id", "place", name="uq_webhook_deliveries_place"),
    )
    is_waiting = sa.text("state = 'waiting'")
    op.create_index(
        "idx_webhook_deliveries_waiting",
        "webhook_deliveries",
        ["target_id", "order_id", "place"],
        unique=False,
        sqlite_where=is_waiting,
        postgresql_where=is_waiting,
    )
    op.create_index("idx_webhook_deliveries_settled", "webhook_deliveries", ["state", "settled_at"])


def _folders() -> None:
    op.create_table(
        "watched_folders",
        sa.Column("id", sa.Text(), nullable=False),
        *_of_a_site(),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("path"),
    )


def _of_a_site() -> tuple[sa.Column[str], sa.Column[str], sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"]),
    )
