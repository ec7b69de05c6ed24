"""Dates: the style is decided for a whole column from all its values, never for one value.

``03/04/19`` alone says nothing; a column that also holds ``31/12/19`` does. A month by its name and eight
digits (``20190403``) leave nothing to decide.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from intake.text_files import clean, shown
from sync.contract.problems import ProblemError

STYLES: Final = ("y/m/d", "d/m/y", "m/d/y")
"""The order of year, month and day; they may be parted by ``/``, ``-`` or ``.``."""

_MONTHS: Final = {
    name: number
    for number, names in enumerate(
        [
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ],
        start=1,
    )
    for name in names.split()
}
_DAY: Final = re.compile(
    r"(?P<a>[0-9]{1,4})(?P<mark>[-/.])(?P<b>[0-9]{1,2})(?P=mark)(?P<c>[0-9]{1,4})"
    r"|(?P<digits>(?:19|20|21)[0-9]{6})(?![0-9])"
    r"|(?:[A-Za-z]{3,9},? +)??"
    r"(?:(?P<day>[0-9]{1,2})(?:st|[nr]d|th)?[-/. ] ?(?P<month>[A-Za-z]{3,9})\.?,?[-/. ] ?"
    r"|(?P<month_first>[A-Za-z]{3,9})\.?[-/. ] ?(?P<day_second>[0-9]{1,2})(?:st|[nr]d|th)?,?[-/. ] ?)"
    r"(?P<year>[0-9]{4}|[0-9]{2})(?![0-9])"
)
_TIME: Final = re.compile(
    r"(?:(?:T|,? +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)? ?([AaPp])?(?(4)\.?[Mm]\.?)"
    r" ?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?)?"
)
REMEMBERED: Final = 8_192
_Day = tuple[int, int, int]


@lru_cache(maxsize=8_192)
def parse(text: str, style: str, zone: tzinfo, *, is_end: bool = False) -> int | None:
    """Return the instant of ``text`` in milliseconds, None when it is no date in ``style``.

    Without an offset it is the time in ``zone``; without a time it is the day's first moment, with
    ``is_end`` its last minute.
    """
    found = _DAY.match(text)
    day = _readings(found[0])[STYLES.index(style)] if found else None
    time = _TIME.fullmatch(text, found.end()) if found else None
    if day is None or time is None:
        return None
    hour, minute, second = (int(part or 0) for part in time.groups()[:3])
    if half := time[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "Pp" else 0)
    elif is_end and time[1] is None:
        hour, minute = 23, 59
    try:
        moment = datetime(*day, hour, minute, second, tzinfo=_offset(time[5]) or zone)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=8_192)
def _readings(text: str) -> tuple[_Day | None, ...]:
    """Return the day that ``text`` is in each of the styles."""
    found = _DAY.fullmatch(text)
    if not found:
        return (None,) * len(STYLES)
    if found["digits"]:
        digits = found["digits"]
        return (_real_day(int(digits[:4]), int(digits[4:6]), int(digits[6:])),) * len(STYLES)
    if found["year"]:
        month = _MONTHS.get((found["month"] or found["month_first"]).lower(), 0)
        day = int(found["day"] or found["day_second"])
        return (_real_day(_year(found["year"]), month, day),) * len(STYLES)
    return tuple(_in_style(found.group("a", "b", "c"), style) for style in STYLES)


def _in_style(numbers: tuple[str | None, ...], style: str) -> _Day | None:
    parts = {name: number or "" for name, number in zip(style[::2], numbers, strict=True)}
    is_short_first = style[0] == "y" and len(parts["y"]) != 4
    if is_short_first or len(parts["m"]) > 2 or len(parts["d"]) > 2:
        return None
    return _real_day(_year(parts["y"]), int(parts["m"]), int(parts["d"]))


def _real_day(year: int | None, month: int, day: int) -> _Day | None:
    try:
        datetime(year or 0, month, day, tzinfo=UTC)
    except ValueError:
        return None
    return year or 0, month, day


def _year(text: str) -> int | None:
    """Return the year; two digits are 1970 to 2069, and they never come first."""
    if len(text) == 2:
        return int(text) + (1900 if int(text) >= 70 else 2000)
    year = int(text)
    return year if len(text) == 4 and 1900 <= year < 2200 else None


def _offset(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text[0] not in "+-":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))


class DateColumn:
    """Gathers what one column's values allow and then decides its style."""

    def __init__(self, name: str) -> None:
        """Start with no values of the column ``name``."""
        self.name = name
        self._values: dict[str, list[int]] = {}
        """Values that were not looked at yet: the row each first stood in, and how often it was there."""
        self._counts: dict[tuple[str, ...], int] = {}
        self._first: dict[tuple[str, ...], tuple[int, str]] = {}
        self._example = ""

    def add(self, text: str, row: int = 0) -> None:
        """Take one value into account; ``row`` says where it stands."""
        value = self._values.get(text)
        if value is not None:
            value[1] += 1
            return
        if len(self._values) >= REMEMBERED:
            self._look()
        self._values[text] = [row, 1]

    def _look(self) -> None:
        """Find the styles that the values fit."""
        for value, (row, count) in self._values.items():
            text = shown(clean(value))
            found = _DAY.match(text)
            days = _readings(found[0] if found else "")
            styles = tuple(style for style, day in zip(STYLES, days, strict=True) if day)
            # 05/05/19 is the same day in both: no reason to ask.
            if not self._example and len({day for day in days if day}) > 1:
                self._example = text
            if text:
                self._first.setdefault(styles, (row, text))
                self._counts[styles] = self._counts.get(styles, 0) + count
        self._values.clear()

    def style(self) -> str:
        """Return the style that most values can be read in; raises the question when two can."""
        self._look()
        scores = {
            style: sum(count for styles, count in self._counts.items() if style in styles) for style in STYLES
        }
        best = max(scores.values())
        first, *others = (style for style in STYLES if scores[style] == best)
        if others and self._example:
            raise ProblemError(
                "DATES_AMBIGUOUS",
                f"The dates in {self.name} can be read in two ways, for instance {self._example}. "
                "Nothing has been written.",
                f"Say which it is: {' or '.join(f'--date-format {style}' for style in (first, *others))}.",
            )
        return first

    def mixture(self, style: str) -> str:
        """Return what is to be said about values that only fit another style, "" when there are none."""
        # Only what fits not this style counts: 2019-07-31 beside 31/07/2019, or 12/31/19 beside 31/12/19.
        self._look()
        others = [styles for styles in self._counts if styles and style not in styles]
        if not others:
            return ""
        row, text = self._first[max(others, key=lambda styles: self._counts[styles])]
        doubtful = sum(count for styles, count in self._counts.items() if style in styles and len(styles) > 1)
        also = f" {doubtful:,} values fit both." if self._example and doubtful else ""
        return (
            f"{self.name} holds two styles of dates: it is read as {style}, and "
            f"{sum(self._counts[styles] for styles in others):,} values have another one, "
            f"first row {row}: {text}. Their orders are held.{also}"
        )
