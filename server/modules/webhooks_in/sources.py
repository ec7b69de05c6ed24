"""The shops that may send orders: names and secrets.

Errors (``ProblemError``): ``WEBHOOK_SOURCE_EXISTS``, ``WEBHOOK_LABEL_TAKEN``, ``WEBHOOK_SOURCE_UNKNOWN``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update

from databases.schema import sites
from databases.statements import serialise
from server.kernel.records import SiteKey
from server.modules.webhooks_in.tables import webhook_sources as table
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError

ROTATION_MS: Final = 3 * 24 * 3600 * 1000
"""How long the secret before the newest counts, too."""


class Kind(StrEnum):
    """The vendors whose webhooks are understood."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"


class Source(NamedTuple):
    """One shop. ``label`` is what its orders say they come from; ``secrets`` count now."""

    id: str
    site: SiteKey
    zone: str
    kind: Kind
    name: str
    label: str
    secrets: tuple[str, ...]


class Sources:
    """Adds, finds and changes sources."""

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        """Write through ``engine``."""
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def add(self, site: SiteKey, kind: Kind, name: str, label: str, secret: str) -> str:
        """Make a source and return its id."""
        source_id = self._ids.new()
        row = {"id": source_id, "organization_id": site.organization_id, "site_id": site.site_id}
        row |= {"kind": kind, "name": name, "label": label, "secret": secret}
        with self._engine.begin() as connection:
            serialise(connection, "webhook sources")
            ours = select(table.c.name).where(table.c.site_id == site.site_id, table.c.name == name)
            if connection.execute(ours).first() is not None:
                raise ProblemError(
                    "WEBHOOK_SOURCE_EXISTS",
                    f"There is a source {name!r} already.",
                    "Choose another name, or give it a new secret with webhook source rotate.",
                )
            alike = table.c.organization_id == site.organization_id, table.c.label == label
            if (other := connection.execute(select(table.c.name).where(*alike)).scalar()) is not None:
                # Two shops may number their orders alike; told apart only by this word.
                raise ProblemError(
                    "WEBHOOK_LABEL_TAKEN",
                    f"The orders of {other!r} are called {label!r} already.",
                    "Give this shop another word with --label.",
                )
            connection.execute(insert(table).values(**row, old_until=0, created_at=self._clock.wall_ms()))
        return source_id

    def of_site(self, site: SiteKey) -> list[Source]:
        """Return the sources of a site by name."""
        return sorted(self._found(table.c.site_id == site.site_id), key=lambda source: source.name)

    def find(self, source_id: str, kind: Kind) -> Source | None:
        """Return the source of this id and kind."""
        return next(iter(self._found(table.c.id == source_id, table.c.kind == kind)), None)

    def rotate(self, site: SiteKey, name: str, secret: str) -> None:
        """Give a source a new secret; the one before counts a while longer."""
        until = self._clock.wall_ms() + ROTATION_MS
        with self._engine.begin() as connection:
            changed = update(table).where(*_named(connection, site, name))
            connection.execute(changed.values(old_secret=table.c.secret, old_until=until, secret=secret))

    def remove(self, site: SiteKey, name: str) -> None:
        """Let a source send nothing any more; its orders stay."""
        with self._engine.begin() as connection:
            connection.execute(delete(table).where(*_named(connection, site, name)))

    def _found(self, *conditions: Any) -> list[Source]:  # noqa: ANN401 - conditions of SQL
        asked = select(table, sites.c.time_zone).join(sites, sites.c.id == table.c.site_id)
        with self._engine.execution_options(is_reading=True).begin() as connection:
            return [self._source(row) for row in connection.execute(asked.where(*conditions))]

    def _source(self, row: Row[Any]) -> Source:
        is_rotating = row.old_secret is not None and self._clock.wall_ms() < row.old_until
        secrets = (row.secret, row.old_secret) if is_rotating else (row.secret,)
        site = SiteKey(row.organization_id, row.site_id)
        return Source(row.id, site, row.time_zone, Kind(row.kind), row.name, row.label, secrets)


def _named(connection: Connection, site: SiteKey, name: str) -> tuple[Any, ...]:
    """Return the conditions of the source of this name; it must be there."""
    conditions = table.c.site_id == site.site_id, table.c.name == name
    if connection.execute(select(table.c.id).where(*conditions)).first() is None:
        raise ProblemError(
            "WEBHOOK_SOURCE_UNKNOWN", f"There is no source {name!r}.", "See webhook source list."
        )
    return conditions
