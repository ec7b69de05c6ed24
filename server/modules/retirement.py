"""Finished orders leave the board when their site's day is over: job and command ``retire``.

The board keeps what was shipped or cancelled since the site's day began, or some days before
(``site set --shipped-days``). Leaving is a logged operation like any other, so every terminal agrees; the
order itself stays on the server and is found by search.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Engine, and_, func, or_, select, text

from calendars.local_times import day_start_ms, shown
from databases.schema import FINISHED, orders, sites
from server.cut_offs.recomputing import PAUSE_S, Pause, go_on
from server.kernel.records import Batch, SiteKey, Submission
from server.kernel.store import Store
from server.registration import (
    Command,
    CommandContext,
    Job,
    JobContext,
    Module,
    add_data_option,
    add_site_option,
)
from sync.contract.operations import Operation, Outcome, Retire
from sync.contract.ports import Ids
from sync.contract.stages import Stage

EVERY_S: Final = 60.0
AT_ONCE: Final = 200
AT_MOST: Final = 20_000
"""Orders of a site in one run: an old shop's whole history leaves within some minutes, not at once."""
_IDS: Final = uuid.UUID("3f8d5f4e-6f3b-4f57-8d3c-0c9a2f2b7e19")
"""Name space of operation ids: two processes that retire one order do it once."""


class Closing(NamedTuple):
    """A site, and what its board no longer keeps: finished before ``before_ms``."""

    site: SiteKey
    zone: ZoneInfo
    before_ms: int


class Retirement:
    """Takes finished orders off the boards."""

    def __init__(self, engine: Engine, store: Store, ids: Ids) -> None:
        """Read from ``engine``, write through ``store``."""
        self._reading = engine.execution_options(is_reading=True)
        self._store = store
        self._ids = ids

    def closings(self, now_ms: int) -> list[Closing]:
        """Return where the day of each site begins at ``now_ms``."""
        columns = (sites.c.organization_id, sites.c.id, sites.c.time_zone, sites.c.shipped_days)
        with self._reading.begin() as connection:
            rows = connection.execute(select(*columns).order_by(sites.c.id)).all()
        found: list[Closing] = []
        for organization_id, site_id, time_zone, days in rows:
            zone = ZoneInfo(time_zone)
            found.append(Closing(SiteKey(organization_id, site_id), zone, day_start_ms(now_ms, zone, days)))
        return found

    def count(self, closing: Closing) -> int:
        """Return how many orders would leave."""
        with self._reading.begin() as connection:
            statement = select(func.count()).select_from(orders).where(*_over(closing))
            return int(connection.execute(statement).scalar_one())

    def run(self, closing: Closing, pause: Pause, at_most: int = AT_MOST) -> int:
        """Let orders leave, the oldest first; return how many did."""
        batch_id, left = self._ids.new(), 0
        for operations in self._chunks(closing, at_most, batch_id):
            submissions = tuple(Submission(operation) for operation in operations)
            verdicts = self._store.commit(Batch(closing.site, submissions)).verdicts
            # One that somebody reopened since we looked is refused, and stays.
            left += sum(1 for each in verdicts if each and each.outcome is Outcome.APPLIED)
            if pause():
                break
        return left

    def _chunks(self, closing: Closing, at_most: int, batch_id: str) -> Iterator[list[Operation]]:
        rows = self._finished(closing, at_most)
        for start in range(0, len(rows), AT_ONCE):
            yield [
                Operation(
                    str(uuid.uuid5(_IDS, f"{closing.site.site_id}:{order_id}:{revision}")),
                    order_id,
                    Retire(),
                    batch_id=batch_id,
                    base_revision=revision,
                )
                for order_id, revision in rows[start : start + AT_ONCE]
            ]

    def _finished(self, closing: Closing, at_most: int) -> list[tuple[str, int]]:
        """Return id and revision of the orders that were finished, the oldest first."""
        statement = select(orders.c.id, orders.c.revision).where(*_over(closing))
        oldest_first = statement.order_by(orders.c.stage_at, orders.c.id).limit(at_most)
        with self._reading.begin() as connection:
            return [(row.id, row.revision) for row in connection.execute(oldest_first)]


def _over(closing: Closing) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of the orders that were finished before the day began."""
    is_shipped = orders.c.status == Stage.SHIPPED.value
    is_cancelled_before = orders.c.cancelled_at < closing.before_ms
    is_over = or_(orders.c.cancelled_at.is_(None), is_cancelled_before)
    return (
        orders.c.site_id == closing.site.site_id,
        text(FINISHED),  # type: ignore[return-value] # plain words, so that they are those of the index
        or_(
            # A source may say a time to come; nothing happened to an order after its last change.
            orders.c.updated_at < closing.before_ms,
            and_(is_shipped, orders.c.stage_at < closing.before_ms, is_over),
            and_(~is_shipped, is_cancelled_before),
        ),
    )


def _job(context: JobContext) -> None:
    database, services = context.database, context.services
    retirement = Retirement(database.engine, database.store, services.ids)
    for closing in retirement.closings(services.clock.wall_ms()):
        if not context.stopping.is_set():
            retirement.run(closing, lambda: context.stopping.wait(PAUSE_S))


def _configure(parser: argparse.ArgumentParser) -> None:
    add_data_option(parser)
    add_site_option(parser)
    parser.add_argument("--dry-run", action="store_true", help="only say how many orders would leave")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        retirement = Retirement(database.engine, database.store, context.ids)
        every = retirement.closings(context.clock.wall_ms())
        closing = next(each for each in every if each.site == site.key)
        since = f"orders finished before {shown(closing.before_ms, closing.zone)}"
        if arguments.dry_run:
            context.say(f"{retirement.count(closing):,} {since} would leave the board of {site.name}.")
            return 0
        left = 0
        while some := retirement.run(closing, go_on):
            left += some
    context.say(f"{left:,} {since} left the board of {site.name}.")
    return 0


MODULE: Final = Module(
    name="retirement",
    commands=(Command("retire", "take finished orders off the board", _configure, _run),),
    jobs=(Job("retire", EVERY_S, _job),),
)
