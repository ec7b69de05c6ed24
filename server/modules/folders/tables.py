"""The table of the folders that the server looks into."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text

from databases.schema import metadata

watched_folders: Final = Table(
    "watched_folders",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organizations.id"), nullable=False),
    Column("site_id", Text, ForeignKey("sites.id"), nullable=False),
    Column("path", Text, nullable=False, unique=True),
    Column("answers", Text, nullable=False),
    Column("problem", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
"""``answers`` is JSON: what the importer would ask about the files; ``problem`` is why none can be taken."""
