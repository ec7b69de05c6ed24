"""Open orders follow their schedule: what changed is worked out anew from the arrival of each order.

One logged batch a change of the schedule, in transactions of 200, so that nobody who moves a card waits
long. Cut-offs that were given stay. Two processes may do it at once and a crash may end it: an operation's
id says what it is for, and a schedule is marked as followed only when a whole pass found nothing to do.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Engine, select

from calendars.schedule import Calendar
from databases.schema import orders
from server.cut_offs.rows import calendar_of, mark_applied
from server.kernel.records import Batch, SiteKey, Submission
from server.kernel.store import Store
from sync.contract.operations import Operation, Outcome, Schedule
from sync.contract.stages import Stage

AT_ONCE: Final = 200
READ_AT_ONCE: Final = 500
PAUSE_S: Final = 0.12
"""Between two transactions. Whoever waits for SQLite's lock looks every 100 ms at the latest, so everybody
who moves a card gets in."""
_IDS: Final = uuid.UUID("0f0c7d52-7c7e-4a56-9a9b-4f3d8a2f7b63")
"""Name space of operation and batch ids: the same work has the same id in every process."""


class Recomputed(NamedTuple):
    """How many open orders without a given cut-off there are, and how many got another one.

    ``refused`` are those that somebody changed in the same moment.
    """

    orders: int = 0
    changed: int = 0
    refused: int = 0
    is_done: bool = True


class Facts(msgspec.Struct, frozen=True):
    """What counts of an order; the rest of its bytes is not decoded."""

    id: str
    created_ms: int
    revision: int = 1
    cut_off_ms: int | None = None
    ship_method: str = ""
    cut_off_rule: str = ""


_FACTS: Final = msgspec.json.Decoder(Facts)
Pause = Callable[[], bool]
"""Called between two transactions to wait; True ends the work."""
Progress = Callable[[Recomputed], None]


def go_on() -> bool:
    """Wait for as long as others need, then go on."""
    time.sleep(PAUSE_S)
    return False


def no_progress(_sofar: Recomputed) -> None:
    """Say nothing."""


class Recomputing:
    """Brings the open orders of a site in line with its schedule."""

    def __init__(
        self, engine: Engine, store: Store, pause: Pause = go_on, progress: Progress = no_progress
    ) -> None:
        """Read from ``engine``, write through ``store``."""
        self._engine = engine
        self._reading = engine.execution_options(is_reading=True)
        self._store = store
        self._pause = pause
        self._progress = progress

    def run(self, site: SiteKey) -> Recomputed:
        """Pass over the open orders until nothing is left to change."""
        sofar = Recomputed()
        while True:
            calendar = self._calendar(site)
            sofar = self._pass(site, calendar, sofar.changed)
            if not sofar.is_done:
                return sofar
            # Orders that somebody changed meanwhile are looked at again, and so is everything after
            # another change of the schedule: its own pass may have been before this one.
            is_latest = self._calendar(site).schedule.revision == calendar.schedule.revision
            if is_latest and not sofar.refused:
                with self._engine.begin() as connection:
                    mark_applied(connection, site, calendar.schedule.revision)
                return sofar

    def preview(self, site: SiteKey, calendar: Calendar) -> Recomputed:
        """Say what a run by ``calendar`` would change."""
        count = changed = 0
        for page in self._pages(site):
            count += len(page)
            changed += len(_wanted(page, calendar, site))
        return Recomputed(count, changed)

    def _calendar(self, site: SiteKey) -> Calendar:
        with self._reading.begin() as connection:
            return calendar_of(connection, site)

    def _pass(self, site: SiteKey, calendar: Calendar, changed: int) -> Recomputed:
        sofar = Recomputed(changed=changed)
        for page in self._pages(site):
            wanted = _wanted(page, calendar, site)
            sofar = sofar._replace(orders=sofar.orders + len(page))
            for start in range(0, len(wanted), AT_ONCE):
                chunk = tuple(Submission(operation) for operation in wanted[start : start + AT_ONCE])
                verdicts = self._store.commit(Batch(site, chunk)).verdicts
                applied = sum(1 for each in verdicts if each and each.outcome is Outcome.APPLIED)
                sofar = sofar._replace(
                    changed=sofar.changed + applied, refused=sofar.refused + len(chunk) - applied
                )
                self._progress(sofar)
                if self._pause():
                    return sofar._replace(is_done=False)
        return sofar

    def _pages(self, site: SiteKey) -> Iterator[list[Facts]]:
        """Yield the open orders whose cut-off nobody gave, by id."""
        last = ""
        while True:
            with self._reading.begin() as connection:
                rows = connection.execute(
                    select(orders.c.id, orders.c.body)
                    .where(
                        orders.c.site_id == site.site_id,
                        orders.c.organization_id == site.organization_id,
                        orders.c.deleted_at.is_(None),
                        orders.c.retired_at.is_(None),
                        orders.c.status != Stage.SHIPPED.value,
                        orders.c.cancelled_at.is_(None),
                        orders.c.id > last,
                    )
                    .order_by(orders.c.id)
                    .limit(READ_AT_ONCE)
                ).all()
            if not rows:
                return
            last = rows[-1].id
            facts = [_FACTS.decode(row.body) for row in rows]
            yield [each for each in facts if each.cut_off_ms is None or each.cut_off_rule]


def _wanted(page: list[Facts], calendar: Calendar, site: SiteKey) -> list[Operation]:
    """Return the operations that bring these orders in line; those that are have none."""
    revision = calendar.schedule.revision
    batch_id = _named("batch", site.site_id, revision)
    wanted: list[Operation] = []
    for order in page:
        cut_off_ms, rule = calendar.next(order.ship_method, order.created_ms)
        if (cut_off_ms, rule) != (order.cut_off_ms, order.cut_off_rule):
            op_id = _named("schedule", site.site_id, revision, order.id, order.revision)
            change = Schedule(cut_off_ms, rule)
            wanted.append(Operation(op_id, order.id, change, batch_id=batch_id, base_revision=order.revision))
    return wanted


def _named(*words: str | int) -> str:
    return str(uuid.uuid5(_IDS, ":".join(str(word) for word in words)))
