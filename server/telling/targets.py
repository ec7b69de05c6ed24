"""Whom we tell: addresses, events and secrets.

Errors (``ProblemError``): ``WEBHOOK_TARGET_EXISTS``, ``WEBHOOK_TARGET_UNKNOWN``, ``WEBHOOK_TARGETS_MANY``,
``WEBHOOK_URL_INVALID``, ``WEBHOOK_EVENT_UNKNOWN``.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select

from databases.schema import boards
from databases.statements import serialise
from intake.told import EVENTS
from server.kernel.records import SiteKey
from server.telling.tables import webhook_deliveries, webhook_targets
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError

TARGETS: Final = 20
"""How many one site may have."""
URL_CHARACTERS: Final = 2_000


class Target(NamedTuple):
    """One program that is told. ``url`` may hold a password: show :func:`shown_url`."""

    name: str
    id: str
    url: str
    events: tuple[str, ...]
    secret: str


class Targets:
    """Adds, lists and removes targets."""

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        """Write through ``engine``."""
        self._engine = engine
        self._reading = engine.execution_options(is_reading=True)
        self._clock = clock
        self._ids = ids

    def add(self, site: SiteKey, name: str, url: str, events: tuple[str, ...], secret: str) -> str:
        """Tell a program what happens from now on; returns the target's id."""
        table, target_id = webhook_targets, self._ids.new()
        with self._engine.begin() as connection:
            serialise(connection, "webhook targets")
            ours = select(table.c.name).where(table.c.site_id == site.site_id)
            names = list(connection.execute(ours).scalars())
            if name in names:
                raise ProblemError(
                    "WEBHOOK_TARGET_EXISTS", f"There is a target {name!r} already.", "Choose another --name."
                )
            if len(names) >= TARGETS:
                raise ProblemError(
                    "WEBHOOK_TARGETS_MANY",
                    f"A site may have {TARGETS} targets.",
                    "Remove one, or let one program tell the others.",
                )
            head = connection.execute(select(boards.c.seq).where(boards.c.site_id == site.site_id)).scalar()
            row = {"id": target_id, "organization_id": site.organization_id, "site_id": site.site_id}
            row |= {"name": name, "url": url, "events": ",".join(events), "secret": secret}
            connection.execute(
                insert(table).values(**row, cursor=head or 0, created_at=self._clock.wall_ms())
            )
        return target_id

    def of_site(self, site: SiteKey) -> list[tuple[Target, int, int]]:
        """Return the targets of a site by name, each with how many deliveries wait and how many are dead."""
        table, told = webhook_targets, webhook_deliveries
        counts: list[Any] = [
            select(func.count())
            .where(told.c.target_id == table.c.id, told.c.state == state)
            .scalar_subquery()
            for state in ("waiting", "dead")
        ]
        with self._reading.begin() as connection:
            rows = connection.execute(select(table, *counts).where(table.c.site_id == site.site_id)).all()
        return sorted((target_of(row), row[-2], row[-1]) for row in rows)

    def find(self, site: SiteKey, name: str) -> Target:
        """Return the target of this name."""
        with self._reading.begin() as connection:
            return _known(connection, site, name)

    def remove(self, site: SiteKey, name: str) -> None:
        """Tell a program nothing any more, and forget what was on its way to it."""
        with self._engine.begin() as connection:
            target = _known(connection, site, name)
            connection.execute(delete(webhook_deliveries).where(webhook_deliveries.c.target_id == target.id))
            connection.execute(delete(webhook_targets).where(webhook_targets.c.id == target.id))


def _known(connection: Connection, site: SiteKey, name: str) -> Target:
    table = webhook_targets
    row = connection.execute(
        select(table).where(table.c.site_id == site.site_id, table.c.name == name)
    ).one_or_none()
    if row is None:
        raise ProblemError(
            "WEBHOOK_TARGET_UNKNOWN", f"There is no target {name!r}.", "See webhook target list."
        )
    return target_of(row)


def checked_events(text: str) -> tuple[str, ...]:
    """Return the events that a list with commas names."""
    named = {word.strip() for word in text.split(",")} - {""}
    if not named or named - set(EVENTS):
        raise ProblemError(
            "WEBHOOK_EVENT_UNKNOWN", f"{text!r} names no events.", f"There are {', '.join(EVENTS)}."
        )
    return tuple(event for event in EVENTS if event in named)


def checked_url(url: str) -> str:
    """Return an address that can be sent to; a password in it is not repeated in the refusal."""
    try:
        parts = urlsplit(url)
        is_usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_usable = False
    if not is_usable or len(url) > URL_CHARACTERS or not url.isprintable() or " " in url or "#" in url:
        raise ProblemError(
            "WEBHOOK_URL_INVALID",
            "That is no address of a web server.",
            "Write it like https://shop.example.org/kanban.",
        )
    return url


def shown_url(url: str) -> str:
    """Return an address without what may be secret in it."""
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{host}{port}{parts.path}" + ("?…" if parts.query else "")


def target_of(row: Row[Any]) -> Target:
    """Return the target of a row of its table."""
    return Target(row.name, row.id, row.url, tuple(row.events.split(",")), row.secret)
