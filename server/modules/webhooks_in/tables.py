"""The tables of the shops that send us orders. A secret must be readable: signatures are made with it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, UniqueConstraint

from databases.schema import metadata

webhook_sources: Final = Table(
    "webhook_sources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organizations.id"), nullable=False),
    Column("site_id", Text, ForeignKey("sites.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("old_secret", Text),
    Column("old_until", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("site_id", "name", name="uq_webhook_sources_name"),
    UniqueConstraint("organization_id", "label", name="uq_webhook_sources_label"),
)
"""``label`` is the source of its orders; ``old_secret`` counts until ``old_until``."""
