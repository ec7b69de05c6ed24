"""Schedules to table rows and back, and the schedules as the store asks for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, select, update

from calendars.schedule import Calendar, Day, Rule, Schedule
from databases.schema import boards, sites
from databases.statements import insert_rows, upsert_rows
from server.cut_offs.tables import cut_off_days, cut_off_rules, cut_off_schedules
from server.kernel.records import SiteKey
from server.sources import CutOff, no_cut_off
from sync.contract.problems import ProblemError

CHANGED: Final = "CUT_OFFS_CHANGED"
_REVISION: Final = select(cut_off_schedules.c.revision).where(
    cut_off_schedules.c.site_id == bindparam("site")
)


def read(connection: Connection, site: SiteKey) -> Schedule:
    """Return the schedule of a site."""
    revision = connection.execute(_REVISION, {"site": site.site_id}).scalar()
    rules = connection.execute(
        select(cut_off_rules.c.ship_method, cut_off_rules.c.weekday, cut_off_rules.c.minute).where(
            cut_off_rules.c.site_id == site.site_id
        )
    )
    days = connection.execute(
        select(
            cut_off_days.c.ship_method, cut_off_days.c.day, cut_off_days.c.minute, cut_off_days.c.name
        ).where(cut_off_days.c.site_id == site.site_id)
    )
    dated = (Day(row[0], date.fromisoformat(row[1]), row[2], row[3]) for row in days)
    empty = Schedule(revision=revision or 0)
    return empty.with_rules(Rule(*row) for row in rules).with_days(dated)


def calendar_of(connection: Connection, site: SiteKey) -> Calendar:
    """Return the calendar of a site."""
    zone = connection.execute(select(sites.c.time_zone).where(sites.c.id == site.site_id)).scalar_one()
    return Calendar(read(connection, site), ZoneInfo(zone))


def change(
    connection: Connection,
    site: SiteKey,
    edit: Callable[[Schedule], Schedule],
    revision: int | None = None,
) -> Schedule:
    """Change the schedule of a site; raises CUT_OFFS_CHANGED when it is not at ``revision`` any more."""
    # The lock of whoever takes orders in: nobody works a cut-off out by the old schedule after this.
    connection.execute(select(boards.c.seq).where(boards.c.site_id == site.site_id).with_for_update()).one()
    before = read(connection, site)
    if revision is not None and revision != before.revision:
        raise ProblemError(
            CHANGED, "Somebody else changed the cut-offs meanwhile.", "Read them again, then change them."
        )
    after = edit(before)
    if after == before:
        return before
    after = after._replace(revision=before.revision + 1)
    _write(connection, site, after)
    return after


def _write(connection: Connection, site: SiteKey, schedule: Schedule) -> None:
    scope = {"organization_id": site.organization_id, "site_id": site.site_id}
    for table in (cut_off_rules, cut_off_days):
        connection.execute(delete(table).where(table.c.site_id == site.site_id))
    insert_rows(connection, cut_off_rules, [{**scope, **rule._asdict()} for rule in schedule.rules])
    insert_rows(
        connection,
        cut_off_days,
        [{**scope, **day._asdict(), "day": day.day.isoformat()} for day in schedule.days],
    )
    known = connection.execute(
        select(cut_off_schedules.c.applied).where(cut_off_schedules.c.site_id == site.site_id)
    ).scalar()
    row = {**scope, "revision": schedule.revision, "applied": known or 0}
    upsert_rows(connection, cut_off_schedules, [row], key=("site_id",))


def mark_applied(connection: Connection, site: SiteKey, revision: int) -> None:
    """Remember that the open orders follow the schedule of ``revision``."""
    table = cut_off_schedules
    connection.execute(
        update(table)
        .where(table.c.site_id == site.site_id, table.c.applied < revision)
        .values(applied=revision)
    )


def is_applied(connection: Connection, site: SiteKey) -> bool:
    """Say whether the open orders of a site follow its schedule."""
    return site not in waiting(connection)


def waiting(connection: Connection) -> list[SiteKey]:
    """Return the sites whose open orders do not follow their schedule yet."""
    table = cut_off_schedules
    rows = connection.execute(
        select(table.c.organization_id, table.c.site_id).where(table.c.applied < table.c.revision)
    )
    return [SiteKey(*row) for row in rows]


class Calendars:
    """The calendars of all sites, each read again only after its schedule was changed."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: dict[str, Calendar] = {}

    def __call__(self, connection: Connection, site: SiteKey) -> CutOff:
        """Return how a site works its cut-offs out, as of this transaction."""
        revision = connection.execute(_REVISION, {"site": site.site_id}).scalar()
        if revision is None:
            return no_cut_off
        known = self._known.get(site.site_id)
        if known is None or known.schedule.revision != revision:
            known = self._known[site.site_id] = calendar_of(connection, site)
        return known.next
