"""The tables of the schedules. ``ship_method`` is kept as it was typed, in one spelling a site."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, PrimaryKeyConstraint, Table, Text

from databases.schema import metadata


def _scope() -> tuple[Column[str], Column[str]]:
    return (
        Column("organization_id", Text, ForeignKey("organizations.id"), nullable=False),
        Column("site_id", Text, ForeignKey("sites.id"), nullable=False),
    )


cut_off_schedules: Final = Table(
    "cut_off_schedules",
    metadata,
    *_scope(),
    Column("revision", BigInteger, nullable=False),
    Column("applied", BigInteger, nullable=False),
    PrimaryKeyConstraint("site_id"),
)
"""How often the schedule of a site was changed, and the change that its open orders follow by now."""

cut_off_rules: Final = Table(
    "cut_off_rules",
    metadata,
    *_scope(),
    Column("ship_method", Text, nullable=False),
    Column("weekday", Integer, nullable=False),
    Column("minute", Integer, nullable=False),
    PrimaryKeyConstraint("site_id", "ship_method", "weekday"),
)
"""Weekly times: minutes after midnight on the site's clocks; weekday 0 is Monday."""

cut_off_days: Final = Table(
    "cut_off_days",
    metadata,
    *_scope(),
    Column("ship_method", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("minute", Integer),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("site_id", "ship_method", "day"),
)
"""Dates (ISO) with another time, or without one: holidays."""
