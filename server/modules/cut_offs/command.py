"""``fulfillment-kanban-server cut-off``: change the schedule of a site; its open orders follow at once."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Final

import msgspec

from calendars.local_times import shown, wall_ms
from calendars.schedule import EVERY_OTHER, Calendar, Day, Rule, Schedule
from calendars.words import (
    date_of,
    lines,
    method_of,
    minute_of,
    name_of,
    plan_from,
    schedule_of,
    toml_plan,
    weekdays_of,
)
from server.cut_offs.recomputing import Recomputed, Recomputing
from server.cut_offs.rows import calendar_of, change
from server.database import Database
from server.kernel.records import SiteRow
from server.progress import ProgressLine
from server.registration import CommandContext, add_data_option, add_site_option
from sync.contract.problems import ProblemError, UsageError

Edit = Callable[[Schedule], Schedule]
FILE_BYTES: Final = 1024 * 1024


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    setting = _action(actions, "set", "say until when orders must be ready on some weekdays")
    _add_method(setting)
    setting.add_argument("--weekdays", required=True, metavar="DAYS", help="like mon-fri or mon,wed,sat")
    setting.add_argument("--time", required=True, metavar="HH:MM", help="on the clocks of the site")
    removing = _action(actions, "remove", "take weekly times away")
    _add_method(removing)
    removing.add_argument("--weekdays", default="mon-sun", metavar="DAYS", help="all unless told")
    _configure_days(actions)
    listing = _action(actions, "list", "show the schedule and the next cut-offs")
    listing.add_argument("--json", action="store_true", help="answer with one JSON line")
    reading = _action(actions, "import-file", "put a TOML file in place of the whole schedule")
    reading.add_argument("file", type=Path, metavar="FILE")
    reading.add_argument("--apply", action="store_true", help="do it; without this it is only shown")
    trying = _action(actions, "preview", "say which cut-off an order would get")
    _add_method(trying)
    trying.add_argument("--at", default="", metavar="TIME", help="its arrival, like 2026-03-29T00:30")


def _configure_days(actions: Any) -> None:  # noqa: ANN401 - argparse does not name its type
    holidays = actions.add_parser("holiday", help="days without dispatch").add_subparsers(
        dest="day_action", required=True, metavar="ACTION"
    )
    for name, words in (("add", "name a day without dispatch"), ("remove", "make it a day like others")):
        parser = _action(holidays, name, words)
        parser.add_argument("date", metavar="DATE", help="like 2026-12-25")
        _add_method(parser)
        if name == "add":
            parser.add_argument("--name", default="", help="what the day is called")
    overriding = _action(actions, "override", "give one day another time")
    overriding.add_argument("date", metavar="DATE", help="like 2026-12-24")
    what = overriding.add_mutually_exclusive_group(required=True)
    what.add_argument("--time", metavar="HH:MM", help="on the clocks of the site")
    what.add_argument("--remove", action="store_true", help="make it a day like others")
    overriding.add_argument("--name", default="", help="why")
    _add_method(overriding)


def _action(actions: Any, name: str, words: str) -> argparse.ArgumentParser:  # noqa: ANN401 - as above
    parser: argparse.ArgumentParser = actions.add_parser(name, help=words, description=words)
    add_data_option(parser)
    add_site_option(parser)
    return parser


def _add_method(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ship-method", default="", metavar="NAME", help="of this one: docs/cut-offs.md")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Carry the command out and return the exit code."""
    action: str = arguments.action
    edit = None if action in _READING else _edit(arguments)
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        desk = _Desk(database, site, context)
        if edit is not None:
            desk.change(edit)
        elif action == "list":
            desk.show(as_json=arguments.json)
        elif action == "preview":
            desk.preview(method_of(arguments.ship_method), arguments.at)
        else:
            desk.read(_file(arguments.file), is_real=arguments.apply)
    return 0


_READING: Final = frozenset({"list", "preview", "import-file"})


def _edit(arguments: argparse.Namespace) -> Edit:
    """Return what a command changes; wrong words are found before anything is opened."""
    ship_method = method_of(arguments.ship_method)
    if arguments.action == "set":
        minute = minute_of(arguments.time)
        rules = [Rule(ship_method, weekday, minute) for weekday in weekdays_of(arguments.weekdays)]
        return lambda schedule: schedule.with_rules(rules)
    if arguments.action == "remove":
        weekdays = weekdays_of(arguments.weekdays)
        return lambda schedule: schedule.without_rules(ship_method, weekdays)
    date = date_of(arguments.date)
    is_holiday = arguments.action == "holiday"
    if arguments.day_action == "remove" if is_holiday else arguments.remove:
        return lambda schedule: schedule.without_day(ship_method, date, is_holiday=is_holiday)
    day = Day(ship_method, date, None if is_holiday else minute_of(arguments.time), name_of(arguments.name))
    return lambda schedule: schedule.with_days([day])


def _file(path: Path) -> Schedule:
    try:
        if path.stat().st_size > FILE_BYTES:
            raise UsageError("FILE_UNUSABLE", f"{path} is longer than 1 MiB.", "Is it the right file?")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8"
        raise ProblemError("FILE_UNUSABLE", f"{path} cannot be read: {reason}.", "Check it.") from error
    return schedule_of(toml_plan(text))


class _Desk:
    """One site's schedule, and somebody at a command line."""

    def __init__(self, database: Database, site: SiteRow, context: CommandContext) -> None:
        self._database = database
        self._site = site
        self._context = context
        self._progress = ProgressLine(context.stderr)
        self._recomputing = Recomputing(database.engine, database.store, progress=self._show)

    def _show(self, sofar: Recomputed) -> None:
        self._progress.say(_counted(sofar, "recomputed", "changed"))

    def _calendar(self) -> Calendar:
        with self._database.engine.execution_options(is_reading=True).begin() as connection:
            return calendar_of(connection, self._site.key)

    def change(self, edit: Edit) -> None:
        """Change the schedule, and let the open orders follow."""
        before = self._calendar().schedule
        with self._database.engine.begin() as connection:
            after = change(connection, self._site.key, edit)
        self._say_difference(before, after)
        done = self._recomputing.run(self._site.key)
        self._progress.clear()
        self._context.say(_counted(done, "recomputed", "changed"))

    def read(self, schedule: Schedule, *, is_real: bool) -> None:
        """Put a whole schedule in place of the one before, or show what that would change."""
        if is_real:
            self.change(lambda before: schedule._replace(revision=before.revision))
            return
        calendar = self._calendar()
        self._say_difference(calendar.schedule, schedule)
        wanted = self._recomputing.preview(self._site.key, Calendar(schedule, calendar.zone))
        self._context.say(_counted(wanted, "looked at", "would change"))
        self._context.say("Preview: nothing has been written; add --apply.")

    def _say_difference(self, before: Schedule, after: Schedule) -> None:
        old, new = list(lines(before)), list(lines(after))
        for sign, some, others in (("-", old, new), ("+", new, old)):
            for line in some:
                if line not in others:
                    self._context.say(f"{sign} {line}")
        if old == new:
            self._context.say("The schedule is the same as before.")

    def show(self, *, as_json: bool) -> None:
        """Say what the schedule is, and the next cut-off of each ship method."""
        calendar = self._calendar()
        now_ms = self._context.clock.wall_ms()
        following = [(name, *calendar.next(name, now_ms)) for name in calendar.schedule.ship_methods]
        if as_json:
            found = [{"ship_method": name, "cut_off_ms": ms, "rule": rule} for name, ms, rule in following]
            plan = msgspec.to_builtins(plan_from(calendar.schedule))
            self._context.say(json.dumps(plan | {"time_zone": str(calendar.zone), "next": found}))
            return
        self._context.say(f"{self._site.name}, {calendar.zone}")
        for line in lines(calendar.schedule) if following else ("There are no cut-offs.",):
            self._context.say(f"  {line}")
        for name, ms, rule in following:
            self._context.say(f"Next of {name or EVERY_OTHER}: {_answer(ms, rule, calendar.zone)}")

    def preview(self, ship_method: str, arrival: str) -> None:
        """Say which cut-off an order that arrives then would get."""
        calendar = self._calendar()
        arrival_ms = _moment(arrival, calendar.zone) if arrival else self._context.clock.wall_ms()
        answer = calendar.next(ship_method, arrival_ms)
        self._context.say(f"Arrival {shown(arrival_ms, calendar.zone)}")
        self._context.say(f"Cut-off {_answer(*answer, calendar.zone)}")


def _answer(cut_off_ms: int | None, rule: str, zone: tzinfo) -> str:
    return "none" if cut_off_ms is None else f"{shown(cut_off_ms, zone)} ({rule})"


def _moment(text: str, zone: tzinfo) -> int:
    try:
        return wall_ms(datetime.fromisoformat(text), zone)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            "CUT_OFF_WRONG", f"{text!r} is no time.", "Write it like 2026-03-29T00:30, site time."
        ) from error


def _counted(done: Recomputed, looked: str, changed: str) -> str:
    noun = "order" if done.orders == 1 else "orders"
    return f"{done.orders:,} open {noun} {looked}, {done.changed:,} {changed}."
