"""The tables of whom we tell: targets with their place in the log, and what is on its way to them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from databases.schema import metadata

webhook_targets: Final = Table(
    "webhook_targets",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organizations.id"), nullable=False),
    Column("site_id", Text, ForeignKey("sites.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("cursor", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("site_id", "name", name="uq_webhook_targets_name"),
)
"""``cursor`` is the last seq of the site's log that was looked at; ``events`` are names with commas."""

webhook_deliveries: Final = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("organization_id", Text, ForeignKey("organizations.id"), nullable=False),
    Column("site_id", Text, ForeignKey("sites.id"), nullable=False),
    Column("target_id", Text, ForeignKey("webhook_targets.id"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("order_id", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", BigInteger, nullable=False),
    Column("answer", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger, nullable=False),
    UniqueConstraint("target_id", "place", name="uq_webhook_deliveries_place"),
)
"""The outbox: ``state`` is waiting, done or dead; ``place`` is seq times ten and the event's number.

A delivery that is being sent is a waiting one whose next time is the end of that attempt.
"""

Index(
    "idx_webhook_deliveries_waiting",
    webhook_deliveries.c.target_id,
    webhook_deliveries.c.order_id,
    webhook_deliveries.c.place,
    sqlite_where=text("state = 'waiting'"),
)
Index("idx_webhook_deliveries_settled", webhook_deliveries.c.state, webhook_deliveries.c.settled_at)
