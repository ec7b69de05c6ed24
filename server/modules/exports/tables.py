"""The table of exports under way: each row is an export that can go on after any stop."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Table, Text

from databases.schema import metadata

export_jobs: Final = Table(
    "export_jobs",
    metadata,
    Column("organization_id", Text, ForeignKey("organizations.id"), nullable=False),
    Column("site_id", Text, ForeignKey("sites.id"), nullable=False),
    Column("id", Text, primary_key=True),
    Column("user_id", Text, ForeignKey("users.id"), nullable=False),
    Column("format", Text, nullable=False),
    Column("filter", Text, nullable=False),
    Column("has_bom", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("orders_done", BigInteger, nullable=False),
    Column("orders_total", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("last_created_at", BigInteger),
    Column("last_id", Text),
    Column("leased_until", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
)
"""``last_*`` is the last order in the file, whose first ``bytes`` bytes are good."""
