"""A schedule as people write it: weekdays, times, a whole schedule as TOML or JSON. Pure.

Errors (``ProblemError``): ``CUT_OFF_WRONG``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Final

import msgspec

from calendars.schedule import EVERY, EVERY_OTHER, WEEKDAYS, Day, Rule, Schedule, clock, plain
from sync.contract.problems import ProblemError

RULES_MAX: Final = 2_000
DAYS_MAX: Final = 5_000
NAME_CHARACTERS: Final = 200
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)


class Weekly(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One time on some weekdays; without ``ship_method`` for every other one."""

    weekdays: str
    time: str
    ship_method: str = ""


class Holiday(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A date without dispatch; without ``ship_method`` for all of them."""

    date: date
    name: str = ""
    ship_method: str = ""


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A date with another time; without ``ship_method`` for all of them."""

    date: date
    time: str
    name: str = ""
    ship_method: str = ""


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole schedule of a site. ``revision`` is the one that it was read at, when that matters."""

    weekly: tuple[Weekly, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    overrides: tuple[Override, ...] = ()
    revision: int | None = None


def minute_of(text: str) -> int:
    """Return a time of day in minutes: ``16:00`` is 960."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise _wrong(f"{text!r} is no time of day", "Write it like 16:00, up to 23:59.")
    return int(match[1]) * 60 + int(match[2])


def weekdays_of(text: str) -> tuple[int, ...]:
    """Return the weekdays of ``mon-fri``, ``mon,wed,fri`` or ``mon-thu,sat`` (0 is Monday)."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in WEEKDAYS or last not in WEEKDAYS:
            raise _wrong(f"{text!r} are no weekdays", f"Write them like mon-fri or {','.join(WEEKDAYS)}.")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
        found.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(sorted(found))


def date_of(text: str) -> date:
    """Return the date of ``2026-12-24``."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise _wrong(f"{text!r} is no date", "Write it like 2026-12-24.") from error


def method_of(text: str) -> str:
    """Return a ship method as it is kept: one line without blanks around it."""
    return _line(text, "ship method")


def name_of(text: str) -> str:
    """Return the name of a day as it is kept."""
    return _line(text, "name")


def _line(text: str, what: str) -> str:
    line = " ".join(text.split())
    if len(line) > NAME_CHARACTERS or not line.isprintable():
        raise _wrong(f"{line[:40]!r} is no {what}", f"Give one line of at most {NAME_CHARACTERS} characters.")
    return line


def shown_weekdays(weekdays: Iterable[int]) -> str:
    """Return weekdays as :func:`weekdays_of` reads them, runs joined: ``mon-fri,sun``."""
    runs = [
        [weekday for _, weekday in run]
        for _, run in groupby(enumerate(sorted(weekdays)), lambda pair: pair[1] - pair[0])
    ]
    parts = [WEEKDAYS[run[0]] + (f"-{WEEKDAYS[run[-1]]}" if len(run) > 1 else "") for run in runs]
    return ",".join(parts)


def toml_plan(text: str) -> Plan:
    """Return the plan that stands in a TOML file."""
    try:
        return msgspec.convert(tomllib.loads(text), Plan)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise _wrong(f"This is no schedule: {error}", "See docs/cut-offs.md.") from error


def json_plan(data: bytes) -> Plan:
    """Return the plan that a request brings."""
    try:
        return msgspec.json.decode(data, type=Plan)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _wrong(f"This is no schedule: {error}", "See docs/cut-offs.md.") from error


def schedule_of(plan: Plan) -> Schedule:
    """Return the schedule that a plan says; two entries for one weekday or date are an error."""
    rules = [
        Rule(method_of(entry.ship_method), weekday, minute_of(entry.time))
        for entry in plan.weekly
        for weekday in weekdays_of(entry.weekdays)
    ]
    days = [
        *(Day(method_of(each.ship_method), each.date, None, name_of(each.name)) for each in plan.holidays),
        *(
            Day(method_of(each.ship_method), each.date, minute_of(each.time), name_of(each.name))
            for each in plan.overrides
        ),
    ]
    if len(rules) > RULES_MAX or len(days) > DAYS_MAX:
        raise _wrong("The schedule is too long", f"At most {RULES_MAX} weekly times and {DAYS_MAX} days.")
    _check_once((rule.ship_method, WEEKDAYS[rule.weekday]) for rule in rules)
    _check_once((day.ship_method, day.day.isoformat()) for day in days)
    return Schedule().with_rules(rules).with_days(days)


def _check_once(entries: Iterable[tuple[str, str]]) -> None:
    seen: set[tuple[str, str]] = set()
    for ship_method, when in entries:
        if (plain(ship_method), when) in seen:
            raise _wrong(f"{ship_method or EVERY_OTHER} stands twice for {when}", "Leave one of them out.")
        seen.add((plain(ship_method), when))


def plan_from(schedule: Schedule) -> Plan:
    """Return a schedule as a plan: what :func:`schedule_of` makes the same schedule of."""
    by_time: dict[tuple[str, str], list[int]] = {}
    for rule in schedule.rules:
        by_time.setdefault((rule.ship_method, clock(rule.minute)), []).append(rule.weekday)
    return Plan(
        tuple(
            Weekly(shown_weekdays(weekdays), time, ship_method)
            for (ship_method, time), weekdays in by_time.items()
        ),
        tuple(Holiday(day.day, day.name, day.ship_method) for day in schedule.days if day.minute is None),
        tuple(
            Override(day.day, clock(day.minute), day.name, day.ship_method)
            for day in schedule.days
            if day.minute is not None
        ),
        schedule.revision,
    )


def lines(schedule: Schedule) -> Iterator[str]:
    """Yield a schedule as lines, each of which stands for itself."""
    plan = plan_from(schedule)
    for weekly in plan.weekly:
        yield f"{weekly.ship_method or EVERY_OTHER}: {weekly.weekdays} {weekly.time}"
    for day in schedule.days:
        what = "holiday" if day.minute is None else clock(day.minute)
        yield f"{day.day} {what}: {day.ship_method or EVERY}" + (f" ({day.name})" if day.name else "")


def _wrong(sentence: str, what_to_do: str) -> ProblemError:
    return ProblemError("CUT_OFF_WRONG", f"{sentence}.", what_to_do)
