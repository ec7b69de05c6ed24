"""Facts of the hall: what people gave up on a line, and a checksum in every row of the log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column(
        "order_line_items",
        sa.Column("quantity_short", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.add_column("operation_log", sa.Column("crc", sa.BigInteger(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        # Ranges of ids go by code points, the other indexes as people sort.
        op.create_index("idx_orders_range", "orders", ["site_id", sa.text('id COLLATE "C"')])
