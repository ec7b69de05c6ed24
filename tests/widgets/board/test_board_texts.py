"""The words and times of a card: rounding, limits, the site's zone, the worst exception first."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from support.card_rows import MINUTE_MS, NOW_MS, card_row
from sync.contract.stages import STAGES, Stage
from widgets.board.texts import (
    BandKind,
    Urgency,
    after_dot,
    avatar_index,
    band_of,
    clock_text,
    count_text,
    empty_text,
    initials,
    left_text,
    moment_text,
    stage_name,
    stage_title,
    time_text,
    urgency,
)

HOUR_MS = 60 * MINUTE_MS


@pytest.mark.parametrize(
    ("left_ms", "text"),
    [
        (42 * MINUTE_MS, "42 min"),
        (42 * MINUTE_MS + 59_999, "42 min"),
        (59_999, "0 min"),
        (0, "0 min"),
        (-1, "1 min late"),
        (-4 * MINUTE_MS, "4 min late"),
        (-3 * MINUTE_MS - 1, "4 min late"),
        (3 * HOUR_MS - 1, "179 min"),
        (3 * HOUR_MS, "13:24"),
        (6 * HOUR_MS, "16:24"),
        (-3 * HOUR_MS, "Late, 07:24"),
        (20 * HOUR_MS, "Wed 06:24"),
        (-6 * 24 * HOUR_MS, "Late, Wed 10:24"),
        (7 * 24 * HOUR_MS, "24 Mar"),
        (400 * 24 * HOUR_MS, "21 Apr 2027"),
    ],
)
def test_time_is_one_word_group(left_ms: int, text: str) -> None:
    """Time left is rounded down, lateness up; above three hours the clock speaks."""
    assert time_text(NOW_MS + left_ms, NOW_MS, UTC) == text


def test_no_cut_off_has_no_time() -> None:
    """An order without a cut-off says nothing about time."""
    assert time_text(None, NOW_MS, UTC) == ""


def test_times_are_the_sites() -> None:
    """The same instant reads differently at sites in different zones, also across a day."""
    instant = int(datetime(2026, 7, 1, 22, 30, tzinfo=UTC).timestamp() * 1000)
    assert clock_text(instant, ZoneInfo("Europe/London")) == "23:30"
    assert clock_text(instant, ZoneInfo("Europe/Helsinki")) == "01:30"
    assert moment_text(instant, instant - HOUR_MS, ZoneInfo("Europe/Helsinki")) == "01:30"
    assert moment_text(instant, instant - 3 * HOUR_MS, ZoneInfo("Europe/Helsinki")) == "Thu 01:30"


@pytest.mark.parametrize(
    ("left_ms", "text"),
    [
        (12 * MINUTE_MS, "12 min left"),
        (-1, "1 min late"),
        (5 * HOUR_MS, ""),
        (-5 * HOUR_MS, "late"),
    ],
)
def test_group_headers_tell_minutes_only_when_near(left_ms: int, text: str) -> None:
    """Far cut-offs are told by their clock time alone."""
    assert left_text(NOW_MS + left_ms, NOW_MS) == text


@pytest.mark.parametrize(
    ("lines", "picked", "left_s", "state"),
    [
        (4, 0, 180, Urgency.NONE),
        (4, 0, 179, Urgency.AT_RISK),
        (4, 2, 90, Urgency.NONE),
        (4, 4, 1, Urgency.NONE),
        (4, 4, -1, Urgency.LATE),
        (4, 0, 0, Urgency.AT_RISK),
    ],
)
def test_risk_is_worked_out_from_the_work_left(lines: int, picked: int, left_s: int, state: Urgency) -> None:
    """At risk means: less time than lines left at 45 seconds each."""
    row = card_row(1, lines_total=lines, lines_picked=picked, cut_off_ms=NOW_MS + left_s * 1000)
    assert urgency(row, NOW_MS, 45.0) is state


@pytest.mark.parametrize(
    "changes",
    [{"stage": Stage.SHIPPED}, {"is_cancelled": True}, {"hold_reason": "x"}, {"cut_off_ms": None}],
)
def test_what_cannot_be_hurried_is_never_at_risk(changes: dict[str, object]) -> None:
    """Shipped, cancelled and held orders, and those without a cut-off, show no urgency."""
    row = card_row(1, **({"cut_off_ms": NOW_MS - MINUTE_MS} | changes))
    assert urgency(row, NOW_MS, 45.0) is Urgency.NONE


def test_counts() -> None:
    """Pieces before picking, progress after it began; one is singular."""
    assert count_text(card_row(1, lines_total=6, pieces=18)) == "6 lines · 18 pcs"
    assert count_text(card_row(1, lines_total=1, pieces=1)) == "1 line · 1 pc"
    assert count_text(card_row(1, lines_total=8, lines_picked=5)) == "5/8 lines"
    assert count_text(card_row(1, stage=Stage.PICKING, lines_total=1)) == "0/1 line"


def test_the_worst_exception_has_the_band() -> None:
    """Cancelled before disagreement before hold before short; the others are counted."""
    everything = card_row(
        1, is_cancelled=True, exception="Two moves disagree", hold_reason="x", lines_short=1, lines_picked=4
    )
    band = band_of(everything, NOW_MS, UTC)
    assert band is not None
    assert (band.kind, band.text, band.more) == (BandKind.CANCELLED, "Cancelled: put 4 lines back", 3)
    assert band_of(card_row(1), NOW_MS, UTC) is None


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"is_cancelled": True}, "Cancelled: nothing to put back"),
        ({"is_cancelled": True, "lines_picked": 1}, "Cancelled: put 1 line back"),
        ({"exception": "Two moves disagree"}, "Two moves disagree"),
        ({"hold_reason": "Address needs checking"}, "Address needs checking"),
        ({"hold_reason": "Payment", "hold_until_ms": NOW_MS + 96 * MINUTE_MS}, "Payment, until 12:00"),
        ({"lines_short": 4, "backorder_number": "70011-B"}, "Short 4, rest in #70011-B"),
        ({"lines_short": 1}, "Short 1 line"),
    ],
)
def test_bands_are_words(changes: dict[str, object], text: str) -> None:
    """Each exception says what it is and what to do."""
    band = band_of(card_row(1, **changes), NOW_MS, UTC)
    assert band is not None
    assert band.text == text


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Bea F.", "BF"),
        ("Cher", "C"),
        ("Ana Maria da Silva", "AS"),
        ("", "?"),
        ("  ", "?"),
        ("élodie b", "ÉB"),
    ],
)
def test_initials(name: str, letters: str) -> None:
    """First and last word, upper case."""
    assert initials(name) == letters


def test_a_person_has_one_colour_everywhere() -> None:
    """The colour follows from the person's id alone."""
    assert avatar_index("u-bea", 6) == avatar_index("u-bea", 6)
    assert {avatar_index(f"u-{one}", 6) for one in range(50)} == set(range(6))


def test_every_stage_has_its_words() -> None:
    """Titles, names in sentences and the words of an empty column."""
    assert [stage_title(stage) for stage in STAGES] == ["Confirmed", "Picking", "Picked", "Shipped today"]
    assert [stage_name(stage) for stage in STAGES] == ["Confirmed", "Picking", "Picked", "Shipped"]
    assert all(all(empty_text(stage)) for stage in STAGES)


@pytest.mark.parametrize("at_ms", [-(1 << 53) + 1, 253_402_300_800_000, (1 << 53) - 1])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/Adak"])
def test_a_time_beyond_the_calendar_is_drawn(at_ms: int, zone: str) -> None:
    """Somebody typed microseconds: the card says something, and the board goes on."""
    assert moment_text(at_ms, NOW_MS, ZoneInfo(zone)).endswith(("1969", "1970", "9998", "9999"))


def test_the_dot_stands_before_the_city() -> None:
    """Also before a city that is written the other way round, which would take the dot along."""
    assert after_dot("Porto") == " · Porto"
    assert after_dot("ירושלים") == "\u200e · ירושלים"
