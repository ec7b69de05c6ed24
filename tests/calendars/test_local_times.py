"""Local times become instants in one defined way, also in the nights when the clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from calendars.local_times import day_start_ms, instant_ms, shown


def utc(ms: int) -> str:
    """Return an instant in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M")


@pytest.mark.parametrize(
    ("zone", "day", "minute", "instant"),
    [
        # A plain day, then the spring and the autumn night of each zone.
        ("Europe/London", date(2026, 1, 5), 16 * 60, "2026-01-05T16:00"),
        ("Europe/London", date(2026, 7, 6), 16 * 60, "2026-07-06T15:00"),
        ("Europe/London", date(2026, 3, 29), 90, "2026-03-29T01:30"),
        ("Europe/London", date(2026, 10, 25), 90, "2026-10-25T00:30"),
        ("America/New_York", date(2026, 3, 8), 150, "2026-03-08T07:30"),
        ("America/New_York", date(2026, 11, 1), 90, "2026-11-01T05:30"),
        ("Australia/Lord_Howe", date(2026, 10, 4), 135, "2026-10-03T15:45"),
        ("Australia/Lord_Howe", date(2026, 4, 5), 105, "2026-04-04T14:45"),
        ("Asia/Kolkata", date(2028, 2, 29), 0, "2028-02-28T18:30"),
        ("Africa/Cairo", date(2026, 4, 24), 0, "2026-04-23T22:00"),
    ],
)
def test_a_local_time_is_one_instant(zone: str, day: date, minute: int, instant: str) -> None:
    """What does not exist moves on by the gap; of two the first counts."""
    assert utc(instant_ms(day, minute, ZoneInfo(zone))) == instant


@pytest.mark.parametrize(
    ("zone", "now", "days", "start"),
    [
        ("Europe/London", "2026-03-29T12:00", 1, "2026-03-29T00:00"),
        ("Europe/London", "2026-03-30T12:00", 1, "2026-03-29T23:00"),
        ("Europe/London", "2026-03-30T12:00", 2, "2026-03-29T00:00"),
        ("Europe/London", "2026-10-26T12:00", 2, "2026-10-24T23:00"),
        ("America/New_York", "2026-11-24T03:00", 1, "2026-11-23T05:00"),
        # Midnight that does not exist: the day begins at one o'clock.
        ("Africa/Cairo", "2026-04-24T12:00", 1, "2026-04-23T22:00"),
        # Midnight that exists twice: the day begins with the first.
        ("America/Havana", "2026-11-01T12:00", 1, "2026-11-01T04:00"),
    ],
)
def test_the_day_of_a_site_begins_at_its_midnight(zone: str, now: str, days: int, start: str) -> None:
    """Whatever UTC says, and however long the day is."""
    now_ms = round(datetime.fromisoformat(f"{now}+00:00").timestamp() * 1000)
    assert utc(day_start_ms(now_ms, ZoneInfo(zone), days)) == start


def test_an_instant_is_shown_as_the_site_reads_it() -> None:
    """With the weekday and the name of its time."""
    ms = round(datetime(2026, 3, 30, 14, tzinfo=UTC).timestamp() * 1000)
    assert shown(ms, ZoneInfo("Europe/London")) == "Mon 30 Mar 2026 15:00 BST"
