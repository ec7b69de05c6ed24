"""Orders in and out: what sources said, orders that left the board, and the tables of the modules."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

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
    _search()
    _exports()


def _retired() -> None:
    op.add_column("orders", sa.Column("retired_at", sa.BigInteger(), nullable=True))
    op.drop_index("idx_orders_board", "orders")
    is_on_board = sa.text("deleted_at IS NULL AND retired_at IS NULL")
    op.create_index(
        "idx_orders_board",
        "orders",
        ["site_id", "id", "status", "created_at", "deleted_at", "retired_at"],
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
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("site_id", "name", name="uq_webhook_sources_name"),
        sa.UniqueConstraint("organization_id", "label", name="uq_webhook_sources_label"),
    )


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


def _search() -> None:
    # Not by site first: SQLite would then prefer it to the board's own index.
    op.create_index("idx_orders_updated", "orders", ["updated_at"], unique=False)
    op.create_table(
        "order_search",
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "created_at", "order_id"),
        sqlite_with_rowid=False,
    )
    _fill_search()


def _fill_search() -> None:
    """Put the orders into the index that are there already, some at a time."""
    from server.search_words import search_words
    from sync.contract.orders import order_from_bytes

    connection = op.get_bind()
    orders = sa.table("orders", *(sa.column(name) for name in ("id", "site_id", "created_at", "body")))
    search = sa.table(
        "order_search", *(sa.column(name) for name in ("site_id", "created_at", "order_id", "words"))
    )
    last = ""
    while True:
        page = sa.select(orders).where(orders.c.id > last).order_by(orders.c.id).limit(500)
        rows = connection.execute(page).all()
        if not rows:
            return
        values = [
            {
                "site_id": row.site_id,
                "created_at": row.created_at,
                "order_id": row.id,
                "words": search_words(order_from_bytes(row.body)),
            }
            for row in rows
        ]
        connection.execute(sa.insert(search), values)
        last = rows[-1].id


def _exports() -> None:
    with op.batch_alter_table("data_exports") as table:
        table.alter_column("user_id", existing_type=sa.Text(), nullable=True)
        if op.get_bind().dialect.name == "postgresql":
            table.alter_column("entities", type_=postgresql.JSONB(), postgresql_using="entities::jsonb")
        else:
            table.alter_column("entities", type_=sa.JSON())
    op.create_index("idx_data_exports_made", "data_exports", ["organization_id", "created_at"], unique=False)
    op.create_table(
        "export_jobs",
        *_of_a_site(),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("has_bom", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("orders_done", sa.BigInteger(), nullable=False),
        sa.Column("orders_total", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("last_created_at", sa.BigInteger(), nullable=True),
        sa.Column("last_id", sa.Text(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
