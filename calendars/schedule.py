"""The schedule of a site, and the next cut-off of a ship method after a moment. Pure.

A weekly rule says until when an order must be ready on a weekday. A day says what is different on one date:
another time, or none at all (a holiday). Both are of one ship method, or of none: a rule without ship method
is for every ship method that has no rules of its own, a day without ship method for all of them.

What counts for a ship method on a date, the first of these:

1. its own day;
2. the day of the whole site; another time counts where the ship method leaves on that weekday, and for those
   without rules of their own on any weekday;
3. its own weekly rules, else those for every other ship method.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta, tzinfo
from typing import Final, NamedTuple

from calendars.local_times import instant_ms, local

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEARCH_DAYS: Final = 60
"""How far ahead a cut-off is looked for: who leaves less often than that has none."""
EVERY_OTHER: Final = "every other"
EVERY: Final = "every ship method"


class Rule(NamedTuple):
    """On this weekday (0: Monday) orders must be ready ``minute`` minutes after midnight."""

    ship_method: str
    weekday: int
    minute: int


class Day(NamedTuple):
    """What is different on one date; without ``minute`` it is a holiday."""

    ship_method: str
    day: date
    minute: int | None
    name: str = ""


class Schedule(NamedTuple):
    """All that is kept of one site, and how often it was changed (0: there has never been any)."""

    rules: tuple[Rule, ...] = ()
    days: tuple[Day, ...] = ()
    revision: int = 0

    def with_rules(self, rules: Iterable[Rule]) -> Schedule:
        """Return the schedule with these rules, each in place of what there is for its weekday."""
        kept = {(plain(rule.ship_method), rule.weekday): rule for rule in self.rules}
        kept |= {(plain(rule.ship_method), rule.weekday): rule for rule in rules}
        return self._replace(rules=tuple(kept[key] for key in sorted(kept)))

    def with_days(self, days: Iterable[Day]) -> Schedule:
        """Return the schedule with these days, each in place of what there is for its date."""
        kept = {(plain(day.ship_method), day.day): day for day in self.days}
        kept |= {(plain(day.ship_method), day.day): day for day in days}
        return self._replace(days=tuple(kept[key] for key in sorted(kept)))

    def without_rules(self, ship_method: str, weekdays: Iterable[int] = range(7)) -> Schedule:
        """Return the schedule without the rules of a ship method on these weekdays."""
        gone = {(plain(ship_method), weekday) for weekday in weekdays}
        kept = tuple(rule for rule in self.rules if (plain(rule.ship_method), rule.weekday) not in gone)
        return self._replace(rules=kept)

    def without_day(self, ship_method: str, day: date, *, is_holiday: bool) -> Schedule:
        """Return the schedule without a holiday, or without the other time of a day."""
        gone = (plain(ship_method), day, is_holiday)
        kept = (
            each for each in self.days if (plain(each.ship_method), each.day, each.minute is None) != gone
        )
        return self._replace(days=tuple(kept))

    @property
    def ship_methods(self) -> tuple[str, ...]:
        """The ship methods that are named, those without a name last."""
        names = (*(day.ship_method for day in self.days), *(rule.ship_method for rule in self.rules))
        named = {plain(name): name for name in names}
        return tuple(named[key] for key in sorted(named, key=lambda key: (not key, key)))


def plain(ship_method: str) -> str:
    """Return a ship method as it is compared: sources differ in blanks and capitals."""
    return " ".join(ship_method.split()).casefold()


def clock(minute: int) -> str:
    """Return a time of day as people write it."""
    return f"{minute // 60:02}:{minute % 60:02}"


class _Times(NamedTuple):
    """The times of one ship method (or of every other one)."""

    name: str
    weekly: dict[int, int]
    days: dict[date, Day]


class _Span(NamedTuple):
    """An answer, and from which moment on it is one (it ends with the cut-off itself)."""

    since_ms: int
    cut_off_ms: int
    rule: str


class Calendar:
    """A schedule in the time zone of its site; the same question again is answered from memory."""

    def __init__(self, schedule: Schedule, zone: tzinfo) -> None:
        """Answer from ``schedule``."""
        self.schedule = schedule
        self.zone = zone
        self._times: dict[str, _Times] = {"": _Times("", {}, {})}
        for rule in schedule.rules:
            self._of(rule.ship_method).weekly[rule.weekday] = rule.minute
        for day in schedule.days:
            self._of(day.ship_method).days[day.day] = day
        self._known: dict[str, _Span] = {}

    def _of(self, ship_method: str) -> _Times:
        return self._times.setdefault(plain(ship_method), _Times(ship_method, {}, {}))

    def next(self, ship_method: str, arrival_ms: int) -> tuple[int | None, str]:
        """Return the next cut-off at or after an arrival and the rule it follows; (None, "") without one."""
        key = plain(ship_method)
        key = key if key in self._times else ""
        known = self._known.get(key)
        if known is None or not known.since_ms <= arrival_ms <= known.cut_off_ms:
            known = self._search(key, arrival_ms)
            if known is None:
                return None, ""
            self._known[key] = known
        return known.cut_off_ms, known.rule

    def _search(self, key: str, arrival_ms: int) -> _Span | None:
        # A day before, because a time in a gap moves on, even over midnight.
        first = local(arrival_ms, self.zone).date() - timedelta(days=1)
        found: _Span | None = None
        for ahead in range(SEARCH_DAYS + 2):
            day = first + timedelta(days=ahead)
            answer = self._on(key, day)
            cut_off_ms = instant_ms(day, answer[0], self.zone) if answer else -1
            if answer and cut_off_ms >= arrival_ms and (found is None or cut_off_ms < found.cut_off_ms):
                found = _Span(arrival_ms, cut_off_ms, answer[1])
            elif found is not None:
                # The day after is looked at too: where a whole day was left out, its times moved on.
                break
        return found

    def _on(self, key: str, day: date) -> tuple[int, str] | None:
        """Return the time of day on a date, and the name of what says so; None on a day without one."""
        own, all_of_them = self._times[key], self._times[""]
        is_own = bool(key and own.weekly)
        weekly = own.weekly if is_own else all_of_them.weekly
        dated = own.days.get(day)
        if dated is None:
            dated = all_of_them.days.get(day)
            if dated is not None and is_own and day.weekday() not in weekly:
                return None
        if dated is not None:
            if dated.minute is None:
                return None
            return dated.minute, f"{dated.ship_method or EVERY}, {day} {clock(dated.minute)}"
        minute = weekly.get(day.weekday())
        if minute is None:
            return None
        name = own.name if is_own else EVERY_OTHER
        return minute, f"{name}, {WEEKDAYS[day.weekday()]} {clock(minute)}"
