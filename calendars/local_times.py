"""Local times of a site as instants, also in the nights when its clocks are changed. Pure.

A local time that does not exist (a spring night) is the moment as far after the change as it should have
been: 01:30 in London on 29 March 2026 is 02:30. One that exists twice (an autumn night) is the first.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo


def instant_ms(day: date, minute: int, zone: tzinfo) -> int:
    """Return when it is ``minute`` minutes past midnight of ``day`` on the site's clocks."""
    # fold is 0: the first of two, and in a gap the offset from before it, which leads past the gap.
    wall = datetime.combine(day, time(*divmod(minute, 60)), tzinfo=zone)
    return round(wall.timestamp() * 1000)


def wall_ms(wall: datetime, zone: tzinfo) -> int:
    """Return the instant of a written time: on the site's clocks unless it names an offset of its own."""
    return round((wall if wall.tzinfo else wall.replace(tzinfo=zone)).timestamp() * 1000)


def local(ms: int, zone: tzinfo) -> datetime:
    """Return what the site's clocks show at an instant."""
    return datetime.fromtimestamp(ms / 1000, zone)


def day_start_ms(now_ms: int, zone: tzinfo, days: int = 1) -> int:
    """Return when the last ``days`` days of the site began: 1 is today, 2 begins yesterday."""
    return instant_ms(local(now_ms, zone).date() - timedelta(days=days - 1), 0, zone)


def shown(ms: int, zone: tzinfo) -> str:
    """Return an instant as people of the site read it: ``Thu 24 Dec 2026 12:00 GMT``."""
    return local(ms, zone).strftime("%a %d %b %Y %H:%M %Z")
