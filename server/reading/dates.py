"""Dates: the style is decided for a whole column from all its values, never for one value.

``03/04/19`` alone says nothing; a column that also holds ``31/12/19`` does.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

from sync.contract.problems import ProblemError

STYLES: Final = ("y/m/d", "d/m/y", "m/d/y")
"""The order of year, month and day; they may be parted by ``/``, ``-`` or ``.``."""

_FORM: Final = re.compile(
    r"([0-9]{1,4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,4})"
    r"(?:(?:[T ]|, ?)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)? ?([AaPp][Mm])?"
    r" ?(Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?)?"
)


@lru_cache(maxsize=65_536)
def parse(text: str, style: str, zone: tzinfo) -> int | None:
    """Return the instant of ``text`` in milliseconds, None when it is no date in ``style``.

    Without a time it is the day's first moment, without an offset it is the time in ``zone``.
    """
    found = _FORM.fullmatch(text)
    if not found:
        return None
    parts = dict(zip(style[::2], found.groups()[:3], strict=True))
    year = _year(parts["y"])
    is_short_first = style[0] == "y" and len(parts["y"]) != 4
    if year is None or is_short_first or len(parts["m"]) > 2 or len(parts["d"]) > 2:
        return None
    hour, minute, second = (int(part or 0) for part in found.groups()[3:6])
    if half := found[7]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    try:
        moment = datetime(
            year, int(parts["m"]), int(parts["d"]), hour, minute, second, tzinfo=_offset(found[8]) or zone
        )
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


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
        self._fitting: dict[frozenset[str], int] = {}
        self._example = ""
        self._seen: dict[str, frozenset[str]] = {}

    def add(self, text: str) -> None:
        """Take one value into account."""
        styles = self._seen.get(text)
        if styles is None:
            readings = {style: parse(text, style, UTC) for style in STYLES}
            styles = frozenset(style for style, moment in readings.items() if moment is not None)
            # 05/05/19 is the same day in both: no reason to ask.
            if len({readings[style] for style in styles}) > 1:
                self._example = text
            if len(self._seen) < 100_000:
                self._seen[text] = styles
        self._fitting[styles] = self._fitting.get(styles, 0) + 1

    def style(self) -> str:
        """Return the style that most values can be read in; raises the question when two can."""
        scores = {
            style: sum(count for styles, count in self._fitting.items() if style in styles)
            for style in STYLES
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
