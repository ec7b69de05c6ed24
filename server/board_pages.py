"""Pages of the board: the newest orders of every column with one statement.

Each column is a subquery of its own that walks the kanban index, newest first, and stops when its page is
full or behind the oldest order that is on the board; a sort over all columns would read everything. On
PostgreSQL it is a LATERAL per column, on SQLite, which has none, a UNION of the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Select,
    Text,
    and_,
    column,
    func,
    or_,
    select,
    text,
    true,
    union_all,
    values,
)

from databases.schema import KANBAN, orders
from databases.statements import is_postgresql
from server.kernel.board_reader import on_board
from server.kernel.records import SiteKey
from sync.contract.problems import ProblemError


class BoardPage(NamedTuple):
    """Some orders of one stage as encoded bytes; ``next_after`` is the id to go on from."""

    stage: str
    orders_total: int
    orders: tuple[bytes, ...]
    next_after: str


class _Column(NamedTuple):
    """A stage, and how many orders since when are in it."""

    stage: str
    total: int
    oldest: int


def read_board(
    reading: Engine, site: SiteKey, stages: Sequence[str], after: str, limit: int
) -> tuple[list[BoardPage], dict[str, int]]:
    """Return a page of each of ``stages`` and the counts of all, of one moment.

    A page has at most ``limit`` orders, newest first; ``after`` is the order behind which the page of a
    single stage begins. Raises NOT_FOUND when that one is not on the board.
    """
    with reading.begin() as connection:
        filled = _columns(connection, site)
        behind = _behind(connection, site, after) if after else true()
        wanted = [filled[stage] for stage in stages if stage in filled]
        make = _lateral if is_postgresql(connection) else _union
        rows = connection.execute(make(site, wanted, behind, limit + 1)).all() if wanted else []
    pages = [_page(stage, filled, [row for row in rows if row.stage == stage], limit) for stage in stages]
    return pages, {stage: each.total for stage, each in filled.items()}


def _page(stage: str, filled: dict[str, _Column], rows: Sequence[Any], limit: int) -> BoardPage:
    shown = rows[:limit]
    next_after = shown[-1].id if len(rows) > limit else ""
    count = filled[stage].total if stage in filled else 0
    return BoardPage(stage, count, tuple(row.body for row in shown), next_after)


def _columns(connection: Connection, site: SiteKey) -> dict[str, _Column]:
    # A site has one organisation. Not to name it keeps this inside of the board's own index.
    is_here = (orders.c.site_id == site.site_id, orders.c.deleted_at.is_(None), orders.c.retired_at.is_(None))
    rows = connection.execute(
        select(orders.c.status, func.count(), func.min(orders.c.created_at))
        .where(*is_here)
        .group_by(orders.c.status)
    )
    return {row[0]: _Column(*row) for row in rows}


def _lateral(
    site: SiteKey, columns: Sequence[_Column], behind: ColumnElement[bool], limit: int
) -> Select[tuple[str, str, bytes]]:
    names = (column("stage", Text), column("oldest", BigInteger))
    given = values(*names, name="columns").data([(each.stage, each.oldest) for each in columns])
    page = _newest(site, given.c.stage, given.c.oldest, behind, limit).lateral("page")
    return (
        select(given.c.stage, page.c.id, page.c.body)
        .select_from(given.join(page, true()))
        .order_by(page.c.created_at.desc(), page.c.id)
    )


def _union(
    site: SiteKey, columns: Sequence[_Column], behind: ColumnElement[bool], limit: int
) -> Select[tuple[str, str, bytes]]:
    pages = (_newest(site, each.stage, each.oldest, behind, limit).subquery() for each in columns)
    page = union_all(*(select(each) for each in pages)).subquery("page")
    return select(page.c.status.label("stage"), page.c.id, page.c.body).order_by(
        page.c.created_at.desc(), page.c.id
    )


def _newest(
    site: SiteKey,
    stage: str | ColumnElement[str],
    oldest: int | ColumnElement[int],
    behind: ColumnElement[bool],
    limit: int,
) -> Select[tuple[str, str, bytes, int]]:
    """Return the first orders of a stage; the condition stands in the index's very words."""
    return (
        select(orders.c.status, orders.c.id, orders.c.body, orders.c.created_at)
        .where(*on_board(site), text(KANBAN), orders.c.status == stage, orders.c.created_at >= oldest, behind)
        .order_by(orders.c.created_at.desc(), orders.c.id)
        .limit(limit)
    )


def _behind(connection: Connection, site: SiteKey, after: str) -> ColumnElement[bool]:
    created_at = connection.execute(
        select(orders.c.created_at).where(*on_board(site), orders.c.id == after)
    ).scalar()
    if created_at is None:
        raise ProblemError(
            "NOT_FOUND", f"There is no order {after} on this board.", "Start again without after."
        )
    # The first half is what an index can begin at.
    return and_(orders.c.created_at <= created_at, or_(orders.c.created_at < created_at, orders.c.id > after))
