"""The words and times of a card: pure, the site's time zone passed in.

Whole minutes are rounded down for time left and up for late; above three hours the clock speaks.
"""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from enum import StrEnum
from typing import Final, NamedTuple

from PySide6.QtCore import QLocale

from sync.contract.rows import CardRow
from sync.contract.stages import Stage
from widgets.words import counted, translate

RELATIVE_MS: Final = 3 * 3_600_000
"""Under three hours a time is told in minutes."""

LATEST_MS: Final = 253_370_764_800_000
"""The year 9999 begins: what every zone's calendar can show. A terminal may say any number."""

_RIGHT_TO_LEFT: Final = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_MINUTE_MS: Final = 60_000
_CONTEXT: Final = "Card"


class Urgency(StrEnum):
    """What the time of an order asks of people."""

    NONE = "none"
    AT_RISK = "at_risk"
    LATE = "late"


class BandKind(StrEnum):
    """What stands in the band of a card; the order is the order of severity."""

    CANCELLED = "cancelled"
    CONFLICT = "conflict"
    HOLD = "hold"
    SHORT = "short"


class Band(NamedTuple):
    """The one exceptional thing about an order, in words, and how many more there are."""

    kind: BandKind
    text: str
    more: int


def local_time(at_ms: int, zone: tzinfo) -> datetime:
    """Return an instant as the site's wall time; beyond the calendar it is the calendar's end."""
    return datetime.fromtimestamp(min(max(at_ms, 0), LATEST_MS) / 1000, zone)


def clock_text(at_ms: int, zone: tzinfo) -> str:
    """Return "13:12"."""
    return _clock(local_time(at_ms, zone))


def _clock(at: datetime) -> str:
    """Return "13:12"; ``strftime`` takes thirty times as long, and a card is drawn within 50 us."""
    return f"{at.hour:02}:{at.minute:02}"


def moment_text(at_ms: int, now_ms: int, zone: tzinfo) -> str:
    """Return "16:30" today, "Tue 09:00" within six days, "3 Nov" else, with the year if it differs."""
    at, now = local_time(at_ms, zone), local_time(now_ms, zone)
    days = abs((at.date() - now.date()).days)
    if days == 0:
        return _clock(at)
    locale = QLocale()
    short = QLocale.FormatType.ShortFormat
    if days < 7:
        return f"{locale.dayName(at.isoweekday(), short)} {_clock(at)}"
    day = f"{at.day} {locale.monthName(at.month, short)}"
    return day if at.year == now.year else f"{day} {at.year}"


def minutes_left(at_ms: int, now_ms: int) -> int:
    """Return whole minutes until ``at_ms``, rounded down; negative when late, rounded away from 0."""
    return (at_ms - now_ms) // _MINUTE_MS


def time_text(cut_off_ms: int | None, now_ms: int, zone: tzinfo) -> str:
    """Return the one word group for the time of an open order: "42 min", "4 min late", "16:30"."""
    if cut_off_ms is None:
        return ""
    left_ms = cut_off_ms - now_ms
    if abs(left_ms) >= RELATIVE_MS:
        moment = moment_text(cut_off_ms, now_ms, zone)
        return moment if left_ms > 0 else translate(_CONTEXT, "Late, {moment}", moment=moment)
    minutes = minutes_left(cut_off_ms, now_ms)
    if minutes < 0:
        return counted(_CONTEXT, "{n} min late", "{n} min late", -minutes)
    return counted(_CONTEXT, "{n} min", "{n} min", minutes)


def left_text(cut_off_ms: int, now_ms: int) -> str:
    """Return what a group header says of its cut-off: "42 min left", "4 min late", or nothing."""
    if abs(cut_off_ms - now_ms) >= RELATIVE_MS:
        return "" if cut_off_ms > now_ms else translate(_CONTEXT, "late")
    minutes = minutes_left(cut_off_ms, now_ms)
    if minutes < 0:
        return counted(_CONTEXT, "{n} min late", "{n} min late", -minutes)
    return counted(_CONTEXT, "{n} min left", "{n} min left", minutes)


def urgency(row: CardRow, now_ms: int, seconds_per_line: float) -> Urgency:
    """Say whether an order is late, or will be: time left < lines left x seconds per line."""
    if row.cut_off_ms is None or row.stage is Stage.SHIPPED or row.is_cancelled or row.hold_reason:
        return Urgency.NONE
    left_ms = row.cut_off_ms - now_ms
    if left_ms < 0:
        return Urgency.LATE
    work_ms = max(0, row.lines_total - row.lines_picked) * seconds_per_line * 1000
    return Urgency.AT_RISK if left_ms < work_ms else Urgency.NONE


def count_text(row: CardRow) -> str:
    """Return "6 lines · 18 pcs" before picking, "5/8 lines" after it began."""
    if row.stage is Stage.CONFIRMED and row.lines_picked == 0:
        lines = counted(_CONTEXT, "{n} line", "{n} lines", row.lines_total)
        pieces = counted(_CONTEXT, "{n} pc", "{n} pcs", row.pieces)
        return f"{lines} · {pieces}"
    return counted(
        _CONTEXT, "{picked}/{n} line", "{picked}/{n} lines", row.lines_total, picked=row.lines_picked
    )


def band_of(row: CardRow, now_ms: int, zone: tzinfo) -> Band | None:
    """Return the worst exception of an order and how many others it has, None when there is none."""
    if not (row.is_cancelled or row.exception or row.hold_reason or row.lines_short):
        return None
    found: list[tuple[BandKind, str]] = []
    if row.is_cancelled:
        found.append((BandKind.CANCELLED, _cancelled_text(row)))
    if row.exception:
        found.append((BandKind.CONFLICT, row.exception))
    if row.hold_reason:
        found.append((BandKind.HOLD, _hold_text(row, now_ms, zone)))
    if row.lines_short:
        found.append((BandKind.SHORT, _short_text(row)))
    kind, text = found[0]
    return Band(kind, text, len(found) - 1)


def _cancelled_text(row: CardRow) -> str:
    """Say what the hands have to do about a cancelled order."""
    if row.lines_picked == 0:
        return translate(_CONTEXT, "Cancelled: nothing to put back")
    return counted(
        _CONTEXT, "Cancelled: put {n} line back", "Cancelled: put {n} lines back", row.lines_picked
    )


def _hold_text(row: CardRow, now_ms: int, zone: tzinfo) -> str:
    """Return the reason of a hold and when it ends."""
    if row.hold_until_ms is None:
        return row.hold_reason
    until = moment_text(row.hold_until_ms, now_ms, zone)
    return translate(_CONTEXT, "{reason}, until {until}", reason=row.hold_reason, until=until)


def _short_text(row: CardRow) -> str:
    """Say how many lines are short and where the rest went."""
    if row.backorder_number:
        return translate(
            _CONTEXT, "Short {n}, rest in #{number}", n=row.lines_short, number=row.backorder_number
        )
    return counted(_CONTEXT, "Short {n} line", "Short {n} lines", row.lines_short)


def initials(name: str) -> str:
    """Return up to two initials of a person's name, "?" for an empty one."""
    words = [word for word in name.replace(".", " ").split() if word]
    if not words:
        return "?"
    letters = words[0][0] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


def avatar_index(person_id: str, count: int) -> int:
    """Return which of ``count`` avatar colours a person has: the same on every terminal."""
    return sum(person_id.encode()) % count


def after_dot(city: str) -> str:
    """Return " · Porto"; before a city that is written from right to left the dot keeps its side."""
    return f"\u200e · {city}" if _RIGHT_TO_LEFT.search(city) else f" · {city}"


def stage_name(stage: Stage) -> str:
    """Return what a stage is called in sentences."""
    names = {
        Stage.CONFIRMED: translate("Board", "Confirmed"),
        Stage.PICKING: translate("Board", "Picking"),
        Stage.PICKED: translate("Board", "Picked"),
        Stage.SHIPPED: translate("Board", "Shipped"),
    }
    return names[stage]


def stage_title(stage: Stage) -> str:
    """Return the title of a column: the last one holds what left today, until the server retires it."""
    return translate("Board", "Shipped today") if stage is Stage.SHIPPED else stage_name(stage)


def empty_text(stage: Stage) -> tuple[str, str, str]:
    """Return (icon, heading, sentence) of an empty column."""
    texts = {
        Stage.CONFIRMED: (
            "inbox",
            translate("Board", "Nothing waits"),
            translate("Board", "New orders appear here as they come in."),
        ),
        Stage.PICKING: (
            "package-check",
            translate("Board", "Nobody is picking"),
            translate("Board", "Drag an order here to start it, or press ] on a card."),
        ),
        Stage.PICKED: (
            "package-check",
            translate("Board", "Nothing to pack"),
            translate("Board", "Picked orders wait here for packing."),
        ),
        Stage.SHIPPED: (
            "truck",
            translate("Board", "Nothing shipped yet"),
            translate("Board", "What leaves today is listed here."),
        ),
    }
    return texts[stage]
