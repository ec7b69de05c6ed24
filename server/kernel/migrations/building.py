"""Steps that are long on a table that is full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op


def add_index(name: str, table: str, columns: Sequence[str], where: str = "") -> None:
    """Add an index to a table that may be big; on PostgreSQL orders are moved meanwhile.

    ``columns`` may be expressions (``"created_at DESC"``). The step up to here is committed by it, so it
    stands last in a step, or in one of its own. What a build that was cut off left behind is built again.

    Example::

        def upgrade() -> None:
            add_index("idx_orders_number", "orders", ["site_id", "number"], where="deleted_at IS NULL")
    """
    condition = sa.text(where) if where else None
    expressions: list[str | sa.ColumnElement[Any]] = [
        sa.literal_column(each) if " " in each else each for each in columns
    ]
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, expressions, sqlite_where=condition)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, expressions, postgresql_concurrently=True, postgresql_where=condition)
