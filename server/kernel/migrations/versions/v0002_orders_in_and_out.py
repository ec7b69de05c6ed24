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


def _of_a_site() -> tuple[sa.Column[str], sa.Column[str], sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"]),
    )
