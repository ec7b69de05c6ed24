"""Which orders somebody wants, as plain words; and the pages of them, newest arrival first.

A page is found in two steps: the ids out of the search index, in their order, and then the orders
themselves. So the wide rows of orders that are not wanted are never read for their words, on any database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Engine, Select, exists, func, select, tuple_

from databases.schema import customers, orders
from intake.moments import Moment, moment_ms
from intake.sentences import bad_request, converted
from server.interface.search_rows import order_search
from server.kernel.board_reader import of_site
from server.kernel.records import SiteRow
from server.search_words import folded
from sync.contract.problems import ProblemError
from sync.contract.stages import STAGES

LIMIT: Final = 50
LIMIT_MAX: Final = 200
COUNTED_MAX: Final = 1_000
"""How far orders are counted for a person; an export counts all of its own."""
Text = Annotated[str, Meta(max_length=200)]


class OrderFilter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which orders are wanted; what is left out does not matter, what is given must all be true.

    ``status`` may name several stages, parted by commas. ``q`` is what people type into a search: every word
    must begin a word of number, reference, tracking number, customer, address names, city or products.
    ``older`` orders have left the board.
    """

    q: Text = ""
    scope: Literal["board", "older", "all"] = "all"
    status: Text = ""
    number: Text = ""
    external_ref: Text = ""
    source: Text = ""
    customer: Text = ""
    placed_from: Moment | None = None
    placed_to: Moment | None = None
    updated_since: Moment | None = None


class Place(NamedTuple):
    """Where a page ends: the last order that it shows."""

    created_ms: int
    order_id: str


class FoundPage(NamedTuple):
    """Some orders as encoded bytes; ``last`` is where to go on from, None at the end."""

    orders: tuple[bytes, ...]
    last: Place | None


class Criteria(NamedTuple):
    """A filter as conditions: words in the search index, ids that it must hold, and what orders must be."""

    words: tuple[str, ...]
    ids: tuple[ColumnElement[bool], ...]
    orders: tuple[ColumnElement[bool], ...]


class Asked(NamedTuple):
    """A query as it is meant: the filter, the order to go on behind, how many."""

    filter: OrderFilter
    after: str
    limit: int


def asked(query: Mapping[str, str]) -> Asked:
    """Return what a query asks for; raises ``ProblemError``."""
    words = dict(query)
    after, limit = words.pop("after", ""), words.pop("limit", str(LIMIT))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= LIMIT_MAX):
        raise bad_request("The parameter limit is not a count.", f"Give 1 to {LIMIT_MAX}.")
    return Asked(filter_of(words), after, int(limit))


def filter_of(words: Mapping[str, object]) -> OrderFilter:
    """Return the filter that plain words mean; raises ``ProblemError``."""
    return converted(dict(words), OrderFilter, "The filter")


def criteria(wanted: OrderFilter, site: SiteRow) -> Criteria:
    """Return the conditions of a filter; raises ``ProblemError`` when it makes no sense."""
    words = tuple(filter(None, map(folded, wanted.q.split())))
    if wanted.q and not words:
        raise bad_request("The search q holds no letter and no digit.", "Type a part of a number or a name.")
    # An exact name holds its own words: they find it in the index, the condition then decides.
    exact = (wanted.number, wanted.external_ref, wanted.customer)
    return Criteria(
        (*words, *filter(None, map(folded, exact))),
        tuple(_ids(wanted, site)),
        tuple(_conditions(wanted, site)),
    )


def _ids(wanted: OrderFilter, site: SiteRow) -> Iterator[ColumnElement[bool]]:
    """Give the conditions that an index answers faster than looking at every order."""
    # Only what the partial index of the board holds, so that the orders themselves are not read.
    of_this_site = select(orders.c.id).where(
        orders.c.site_id == site.key.site_id, orders.c.deleted_at.is_(None)
    )
    if wanted.scope == "board":
        yield order_search.c.order_id.in_(of_this_site.where(orders.c.retired_at.is_(None)))
    if wanted.updated_since is not None:
        since_ms = _bound("updated_since", wanted.updated_since, site)
        yield order_search.c.order_id.in_(of_this_site.where(orders.c.updated_at >= since_ms))


def _conditions(wanted: OrderFilter, site: SiteRow) -> Iterator[ColumnElement[bool]]:
    """Give the conditions on the orders themselves."""
    if wanted.scope == "older":
        yield orders.c.retired_at.is_not(None)
    if wanted.status:
        stages = sorted({stage.strip() for stage in wanted.status.split(",")})
        if not set(stages) <= set(STAGES):
            raise bad_request("The parameter status names no stage.", f"There are {', '.join(STAGES)}.")
        yield orders.c.status.in_(stages)
    for name in ("number", "external_ref", "source"):
        if getattr(wanted, name):
            yield orders.c[name] == getattr(wanted, name)
    if wanted.customer:
        yield (
            orders.c.customer_id
            == select(customers.c.id)
            .where(
                customers.c.organization_id == site.key.organization_id, customers.c.name == wanted.customer
            )
            .scalar_subquery()
        )
    if wanted.placed_from is not None:
        yield orders.c.placed_at >= _bound("placed_from", wanted.placed_from, site)
    if wanted.placed_to is not None:
        yield orders.c.placed_at < _bound("placed_to", wanted.placed_to, site)


def _bound(name: str, value: Moment, site: SiteRow) -> int:
    # In a query everything is text, also milliseconds.
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) in range(9, 16):
        value = int(value)
    try:
        return moment_ms(value, ZoneInfo(site.time_zone))
    except ValueError as error:
        words = f"The parameter {name} is no time."
        raise bad_request(words, "Give one such as 2026-03-01T09:30:00Z.") from error


class OrderFinder:
    """Finds the orders of a site. Every call takes the site, and it comes from the token."""

    def __init__(self, engine: Engine) -> None:
        """Read through ``engine``."""
        self._engine = engine.execution_options(is_reading=True)

    def place(self, site: SiteRow, after: str) -> Place:
        """Return where the order ``after`` stands; raises ``ProblemError``."""
        with self._engine.begin() as connection:
            created_ms = connection.execute(
                select(orders.c.created_at).where(*of_site(site.key), orders.c.id == after)
            ).scalar()
        if created_ms is None:
            raise ProblemError("NOT_FOUND", "There is no such order to go on from.", "Start without after.")
        return Place(created_ms, after)

    def page(self, site: SiteRow, wanted: OrderFilter, behind: Place | None, limit: int) -> FoundPage:
        """Return at most ``limit`` orders, newest arrival first, from behind a place."""
        found = _found(site, criteria(wanted, site), behind)
        newest = (order_search.c.created_at.desc(), order_search.c.order_id.desc())
        with self._engine.begin() as connection:
            places = [Place(*row) for row in connection.execute(found.order_by(*newest).limit(limit + 1))]
            shown = places[:limit]
            rows = connection.execute(
                select(orders.c.id, orders.c.body).where(orders.c.id.in_([each.order_id for each in shown]))
            )
            bodies = {row.id: row.body for row in rows}
        last = shown[-1] if len(places) > limit else None
        return FoundPage(tuple(bodies[each.order_id] for each in shown), last)

    def count(self, site: SiteRow, wanted: OrderFilter, up_to: int | None = None) -> int:
        """Return how many orders a filter finds, at most ``up_to``."""
        found = _found(site, criteria(wanted, site), None).limit(up_to).subquery()
        with self._engine.begin() as connection:
            return connection.execute(select(func.count()).select_from(found)).scalar() or 0


def _found(site: SiteRow, wanted: Criteria, behind: Place | None) -> Select[int, str]:
    """Return the statement that gives the places of the orders found."""
    row = order_search.c
    statement = select(row.created_at, row.order_id).where(row.site_id == site.key.site_id, *wanted.ids)
    for words in wanted.words:
        statement = statement.where(row.words.contains(words, autoescape=True))
    if behind is not None:
        statement = statement.where(tuple_(row.created_at, row.order_id) < tuple_(*behind))
    # "Exists" and not a join: a planner must begin with the index, whose order is the answer's.
    is_wanted = (orders.c.id == row.order_id, *of_site(site.key), *wanted.orders)
    return statement.where(exists().where(*is_wanted))
