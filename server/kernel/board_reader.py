"""Reads of the boards: pages of the log, heads, single orders, who a token is."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, Connection, Engine, bindparam, func, select

from databases.schema import boards, operation_log, order_sources, orders
from server.kernel import token_rows
from server.kernel.records import Head, Look, Page, Principal, SiteKey
from server.kernel.signed import unsigned
from sync.contract.limits import DELTA_BYTES, DELTA_ENTRIES
from sync.contract.ports import Clock

REFS_PER_QUERY: Final = 500
_HEAD: Final = (boards.c.seq, boards.c.epoch, boards.c.durable_seq, boards.c.state_hash)
# Made once: to make a statement costs several times what SQLite needs to carry it out.
_HEADS: Final = select(boards.c.site_id, *_HEAD).where(
    boards.c.site_id.in_(bindparam("sites", expanding=True))
)
_HEAD_OF: Final = select(*_HEAD).where(
    boards.c.site_id == bindparam("site"), boards.c.organization_id == bindparam("organization")
)
_PAGE: Final = (
    select(operation_log.c.entry)
    .where(operation_log.c.site_id == bindparam("site"), operation_log.c.seq > bindparam("cursor"))
    .order_by(operation_log.c.seq)
    .limit(DELTA_ENTRIES)
)


class BoardReader:
    """What can be asked of the boards. Every call takes the site."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        """Read through ``engine``."""
        self._engine = engine
        self._clock = clock

    def authenticate(self, token: str) -> Principal | None:
        """Return who an access token is, None when it is nobody's or over."""
        with self._engine.begin() as connection:
            return token_rows.principal_of(connection, token, self._clock.wall_ms())

    def head(self, site: SiteKey) -> Head:
        """Return where the log of a board stands."""
        with self._engine.begin() as connection:
            return head_of(connection, site)

    def page(self, site: SiteKey, cursor: int) -> Page:
        """Return the log after ``cursor``, at most a delta's worth of it."""
        with self._engine.begin() as connection:
            return log_page(connection, site, cursor)

    def look(self, site_ids: tuple[str, ...], sign_in_ids: tuple[str, ...]) -> Look:
        """Return the heads of these boards, and which of these sign-ins are over."""
        with self._engine.begin() as connection:
            rows = connection.execute(_HEADS, {"sites": site_ids})
            heads = {site_id: _as_head(*head) for site_id, *head in rows}
            ended = token_rows.ended(connection, sign_in_ids)
        return Look(heads, ended)

    def said(self, site: SiteKey, source: str, refs: Iterable[str]) -> dict[str, tuple[str, int]]:
        """Return order id and digest of what ``source`` said last of each of these orders of the site."""
        said: dict[str, tuple[str, int]] = {}
        wanted = iter(refs)
        table = order_sources
        with self._engine.begin() as connection:
            while some := list(islice(wanted, REFS_PER_QUERY)):
                rows = connection.execute(
                    select(table.c.external_ref, table.c.order_id, table.c.digest)
                    .join(orders, orders.c.id == table.c.order_id)
                    .where(
                        table.c.organization_id == site.organization_id,
                        table.c.source == source,
                        table.c.external_ref.in_(some),
                        orders.c.site_id == site.site_id,
                    )
                )
                said.update({row.external_ref: (row.order_id, unsigned(row.digest)) for row in rows})
        return said

    def counts(self, site: SiteKey) -> dict[str, int]:
        """Return how many orders stand in each stage."""
        with self._engine.begin() as connection:
            rows = connection.execute(
                select(orders.c.status, func.count()).where(*on_board(site)).group_by(orders.c.status)
            )
            return {row[0]: row[1] for row in rows}

    def order(self, site: SiteKey, order_id: str) -> bytes | None:
        """Return one order of a site as its canonical bytes, also one that has left the board."""
        with self._engine.begin() as connection:
            return connection.execute(
                select(orders.c.body).where(*of_site(site), orders.c.id == order_id)
            ).scalar()


def fitting(rows: Iterable[bytes]) -> tuple[bytes, ...]:
    """Return the first of these entries that fit into one delta, at least one."""
    entries: list[bytes] = []
    size = 0
    for row in rows:
        size += len(row)
        if entries and size > DELTA_BYTES:
            break
        entries.append(row)
    return tuple(entries)


def log_page(connection: Connection, site: SiteKey, cursor: int) -> Page:
    """Return the log after ``cursor``, at most a delta's worth of it."""
    rows = connection.execute(_PAGE, {"site": site.site_id, "cursor": cursor}).scalars()
    entries = fitting(rows)
    return Page(cursor, cursor + len(entries), entries)


def of_site(site: SiteKey) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the orders that a site has, on its board or behind it."""
    return (
        orders.c.organization_id == site.organization_id,
        orders.c.site_id == site.site_id,
        orders.c.deleted_at.is_(None),
    )


def on_board(site: SiteKey) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the orders on the board of a site."""
    return *of_site(site), orders.c.retired_at.is_(None)


def head_of(connection: Connection, site: SiteKey) -> Head:
    """Return where the log of a board stands."""
    named = {"site": site.site_id, "organization": site.organization_id}
    row = connection.execute(_HEAD_OF, named).one()
    return _as_head(*row)


def _as_head(seq: int, epoch: str, durable_seq: int, state_hash: int) -> Head:
    return Head(seq, epoch, durable_seq, unsigned(state_hash))
