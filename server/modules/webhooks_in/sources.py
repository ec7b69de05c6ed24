"""The shops that may send orders: names, secrets, and what they sent that could not be used.

Errors (``ProblemError``): ``WEBHOOK_SOURCE_EXISTS``, ``WEBHOOK_LABEL_TAKEN``, ``WEBHOOK_SOURCE_UNKNOWN``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, Row, Select, delete, insert, select, update

from server.kernel.records import SiteKey, SiteRow
from server.kernel.schema import organizations, sites
from server.modules.webhooks_in.tables import webhook_refusals, webhook_sources
from server.statements import serialise
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError

ROTATION_MS: Final = 3 * 24 * 3600 * 1000
"""How long the secret before the newest counts, too."""
SAID_AGAIN_MS: Final = 60_000
"""Times of a source are written at most this often, whoever sends how much."""
REFUSALS_KEPT: Final = 500
REFUSALS_KEPT_MS: Final = 30 * 24 * 3600 * 1000


class Kind(StrEnum):
    """The vendors whose webhooks are understood."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"


class Source(NamedTuple):
    """One shop. ``label`` is what its orders say they come from; ``secrets`` count now."""

    id: str
    site: SiteRow
    kind: Kind
    name: str
    label: str
    secrets: tuple[str, ...]
    old_until_ms: int
    received_ms: int
    failed_ms: int


class Refused(msgspec.Struct):
    """One thing that a shop sent and that could not be used, and when (server wall)."""

    source: str
    topic: str
    ref: str
    line: int
    why: str
    at_ms: int


class Sources:
    """Adds, finds and changes sources."""

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        """Write through ``engine``."""
        self._engine = engine
        self._reading = engine.execution_options(is_reading=True)
        self._clock = clock
        self._ids = ids

    def add(self, site: SiteKey, kind: Kind, name: str, label: str, secret: str) -> str:
        """Make a source and return its id."""
        table = webhook_sources
        source_id = self._ids.new()
        with self._engine.begin() as connection:
            serialise(connection, "webhook sources")
            if self._id(connection, site, name) is not None:
                raise ProblemError(
                    "WEBHOOK_SOURCE_EXISTS",
                    f"There is a source {name!r} already.",
                    "Choose another name, or give it a new secret with webhook source rotate.",
                )
            of_label = select(table.c.name).where(
                table.c.organization_id == site.organization_id, table.c.label == label
            )
            if (other := connection.execute(of_label).scalar()) is not None:
                # Two shops may number their orders alike; told apart only by this word.
                raise ProblemError(
                    "WEBHOOK_LABEL_TAKEN",
                    f"The orders of {other!r} are called {label!r} already.",
                    "Give this shop another word with --label.",
                )
            connection.execute(
                insert(table).values(
                    id=source_id,
                    organization_id=site.organization_id,
                    site_id=site.site_id,
                    kind=kind,
                    name=name,
                    label=label,
                    secret=secret,
                    old_until=0,
                    created_at=self._clock.wall_ms(),
                    received_at=0,
                    failed_at=0,
                )
            )
        return source_id

    def of_site(self, site: SiteKey) -> list[Source]:
        """Return the sources of a site by name."""
        with self._reading.begin() as connection:
            rows = connection.execute(_sources().where(webhook_sources.c.site_id == site.site_id)).all()
        return sorted((self._source(row) for row in rows), key=lambda source: source.name)

    def find(self, source_id: str, kind: Kind) -> Source | None:
        """Return the source of this id and kind."""
        with self._reading.begin() as connection:
            row = connection.execute(
                _sources().where(webhook_sources.c.id == source_id, webhook_sources.c.kind == kind)
            ).one_or_none()
        return None if row is None else self._source(row)

    def rotate(self, site: SiteKey, name: str, secret: str) -> None:
        """Give a source a new secret; the one before counts a while longer."""
        until = self._clock.wall_ms() + ROTATION_MS
        table = webhook_sources
        with self._engine.begin() as connection:
            source_id = self._known(connection, site, name)
            connection.execute(
                update(table)
                .where(table.c.id == source_id)
                .values(old_secret=table.c.secret, old_until=until, secret=secret)
            )

    def end_rotation(self, site: SiteKey, name: str) -> None:
        """Let only the newest secret of a source count."""
        table = webhook_sources
        with self._engine.begin() as connection:
            source_id = self._known(connection, site, name)
            connection.execute(
                update(table).where(table.c.id == source_id).values(old_secret=None, old_until=0)
            )

    def remove(self, site: SiteKey, name: str) -> None:
        """Let a source send nothing any more; its orders stay."""
        with self._engine.begin() as connection:
            source_id = self._known(connection, site, name)
            connection.execute(delete(webhook_refusals).where(webhook_refusals.c.source_id == source_id))
            connection.execute(delete(webhook_sources).where(webhook_sources.c.id == source_id))

    def received(self, source: Source) -> None:
        """Remember that a signed request came."""
        self._said(source, "received_at", source.received_ms)

    def failed(self, source: Source) -> bool:
        """Remember that a request with a wrong signature came; False: that was said a moment ago."""
        return self._said(source, "failed_at", source.failed_ms)

    def refuse(self, source: Source, topic: str, ref: str, refused: list[tuple[int, str]]) -> None:
        """List what of a request is not used: lines and reasons. The oldest entries go."""
        table, now = webhook_refusals, self._clock.wall_ms()
        ours = table.c.source_id == source.id
        with self._engine.begin() as connection:
            connection.execute(
                insert(table),
                [
                    {
                        "id": self._ids.new(),
                        "source_id": source.id,
                        "topic": _plain(topic),
                        "ref": _plain(ref),
                        "line": line,
                        "why": _plain(why),
                        "created_at": now,
                    }
                    for line, why in refused[:REFUSALS_KEPT]
                ],
            )
            beyond = (
                select(table.c.created_at)
                .where(ours)
                .order_by(table.c.created_at.desc())
                .limit(1)
                .offset(REFUSALS_KEPT)
            )
            before = max(connection.execute(beyond).scalar() or 0, now - REFUSALS_KEPT_MS)
            connection.execute(delete(table).where(ours, table.c.created_at <= before))

    def refusals(self, site: SiteKey, limit: int) -> list[Refused]:
        """Return what could not be used lately, the newest first."""
        table = webhook_refusals
        with self._reading.begin() as connection:
            rows = connection.execute(
                select(
                    webhook_sources.c.name,
                    table.c.topic,
                    table.c.ref,
                    table.c.line,
                    table.c.why,
                    table.c.created_at,
                )
                .join(webhook_sources, webhook_sources.c.id == table.c.source_id)
                .where(webhook_sources.c.site_id == site.site_id)
                .order_by(table.c.created_at.desc(), table.c.id.desc())
                .limit(limit)
            )
            return [Refused(*row) for row in rows]

    def _said(self, source: Source, column: str, before_ms: int) -> bool:
        now = self._clock.wall_ms()
        if now - before_ms < SAID_AGAIN_MS:
            return False
        table = webhook_sources
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(table)
                .where(table.c.id == source.id, table.c[column] <= now - SAID_AGAIN_MS)
                .values({column: now})
            )
        return changed.rowcount > 0

    def _source(self, row: Row[Any]) -> Source:
        is_rotating = row.old_secret is not None and self._clock.wall_ms() < row.old_until
        site = SiteRow(SiteKey(row.organization_id, row.site_id), row.site_name, row.zone, row.owner)
        return Source(
            row.id,
            site,
            Kind(row.kind),
            row.name,
            row.label,
            (row.secret, row.old_secret) if is_rotating else (row.secret,),
            row.old_until if is_rotating else 0,
            row.received_at,
            row.failed_at,
        )

    def _known(self, connection: Connection, site: SiteKey, name: str) -> str:
        source_id = self._id(connection, site, name)
        if source_id is None:
            raise ProblemError(
                "WEBHOOK_SOURCE_UNKNOWN", f"There is no source {name!r}.", "See webhook source list."
            )
        return source_id

    def _id(self, connection: Connection, site: SiteKey, name: str) -> str | None:
        table = webhook_sources
        return connection.execute(
            select(table.c.id).where(table.c.site_id == site.site_id, table.c.name == name)
        ).scalar()


def _sources() -> Select[Any]:
    """Return the question for sources and the sites that they send to."""
    return (
        select(
            webhook_sources,
            sites.c.name.label("site_name"),
            sites.c.time_zone.label("zone"),
            organizations.c.name.label("owner"),
        )
        .join(sites, sites.c.id == webhook_sources.c.site_id)
        .join(organizations, organizations.c.id == sites.c.organization_id)
    )


def _plain(text: str) -> str:
    """Return text as every database keeps it."""
    return text.replace("\0", "\ufffd")[:500]
