"""The next cut-off: weekly rules, days that are different, holidays, and clocks that are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars.local_times import instant_ms, local
from calendars.schedule import SEARCH_DAYS, Calendar, Day, Rule, Schedule

VAN = "Royal Mail 24"
WEEKDAYS = tuple(Rule("", weekday, 17 * 60 + 30) for weekday in range(5))
OF_THE_VAN = tuple(Rule(VAN, weekday, 16 * 60) for weekday in range(6))
PLAIN = Schedule().with_rules((*WEEKDAYS, *OF_THE_VAN))
ZONES = ("Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo")


def at(text: str) -> int:
    """Return a UTC time as milliseconds."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


def asked(schedule: Schedule, ship_method: str, arrival: str, zone: str = "Europe/London") -> str:
    """Return the next cut-off in local time after an arrival in UTC, and its rule."""
    ms, rule = Calendar(schedule, ZoneInfo(zone)).next(ship_method, at(arrival))
    return f"{local(ms, ZoneInfo(zone)):%Y-%m-%dT%H:%M} {rule}" if ms is not None else f"none {rule}"


@pytest.mark.parametrize(
    ("ship_method", "arrival", "answer"),
    [
        (VAN, "2026-01-05T15:59", "2026-01-05T16:00 Royal Mail 24, mon 16:00"),
        (VAN, "2026-01-05T16:00", "2026-01-05T16:00 Royal Mail 24, mon 16:00"),
        (VAN, "2026-01-05T16:01", "2026-01-06T16:00 Royal Mail 24, tue 16:00"),
        (VAN, "2026-01-09T17:00", "2026-01-10T16:00 Royal Mail 24, sat 16:00"),
        ("  royal  MAIL 24", "2026-01-10T17:00", "2026-01-12T16:00 Royal Mail 24, mon 16:00"),
        ("Courier", "2026-01-05T17:00", "2026-01-05T17:30 every other, mon 17:30"),
        ("", "2026-01-09T18:00", "2026-01-12T17:30 every other, mon 17:30"),
        # Summer time: the same local time, another instant.
        (VAN, "2026-07-06T14:59", "2026-07-06T16:00 Royal Mail 24, mon 16:00"),
        (VAN, "2026-07-06T15:01", "2026-07-07T16:00 Royal Mail 24, tue 16:00"),
        # The end of a year, and a leap day.
        (VAN, "2026-12-31T16:30", "2027-01-01T16:00 Royal Mail 24, fri 16:00"),
        (VAN, "2028-02-28T16:30", "2028-02-29T16:00 Royal Mail 24, tue 16:00"),
    ],
)
def test_the_week_goes_on(ship_method: str, arrival: str, answer: str) -> None:
    """At or after the arrival; a ship method without rules of its own goes with every other."""
    assert asked(PLAIN, ship_method, arrival) == answer


def test_without_a_rule_there_is_no_cut_off() -> None:
    """Neither without any, nor with those of another ship method, nor when all days are holidays."""
    assert asked(Schedule(), VAN, "2026-01-05T12:00") == "none "
    assert asked(Schedule().with_rules(OF_THE_VAN), "Courier", "2026-01-05T12:00") == "none "
    first = date(2026, 1, 5)
    holidays = [Day("", first + timedelta(days=n), None) for n in range(SEARCH_DAYS + 1)]
    assert asked(PLAIN.with_days(holidays), VAN, "2026-01-05T12:00") == "none "
    assert asked(PLAIN.with_days(holidays[:-1]), VAN, "2026-01-05T12:00").startswith("2026-03-06T16:00")


@pytest.mark.parametrize(
    ("ship_method", "arrival", "answer"),
    [
        # A holiday of the site, and one day of the van's own on it.
        (VAN, "2026-12-24T17:00", "2026-12-25T10:00 Royal Mail 24, 2026-12-25 10:00"),
        ("Courier", "2026-12-24T17:00", "2026-12-28T17:30 every other, mon 17:30"),
        # A holiday of the van alone.
        (VAN, "2026-12-28T12:00", "2026-12-29T16:00 Royal Mail 24, tue 16:00"),
        ("Courier", "2026-12-28T12:00", "2026-12-28T17:30 every other, mon 17:30"),
        # Another time of the whole site, for those who leave on that day.
        (VAN, "2026-12-24T09:00", "2026-12-24T12:00 every ship method, 2026-12-24 12:00"),
        ("Courier", "2026-12-24T09:00", "2026-12-24T12:00 every ship method, 2026-12-24 12:00"),
        # On a Sunday the van does not leave, the others do.
        (VAN, "2026-12-20T09:00", "2026-12-21T16:00 Royal Mail 24, mon 16:00"),
        ("Courier", "2026-12-20T09:00", "2026-12-20T11:00 every ship method, 2026-12-20 11:00"),
    ],
)
def test_a_day_may_be_different(ship_method: str, arrival: str, answer: str) -> None:
    """Its own day counts before the site's, the site's before the week."""
    days = (
        Day("", date(2026, 12, 25), None, "Christmas Day"),
        Day("royal mail 24", date(2026, 12, 25), 600),
        Day(VAN, date(2026, 12, 28), None),
        Day("", date(2026, 12, 24), 720),
        Day("", date(2026, 12, 20), 660),
    )
    assert asked(PLAIN.with_days(days), ship_method, arrival) == answer.replace(
        "Royal Mail 24, 2026", "royal mail 24, 2026"
    )


@pytest.mark.parametrize(
    ("zone", "minute", "arrival", "local_time", "instant"),
    [
        ("Europe/London", 90, "2026-03-28T12:00", "2026-03-29T02:30", "2026-03-29T01:30"),
        ("Europe/London", 90, "2026-03-29T01:31", "2026-03-30T01:30", "2026-03-30T00:30"),
        ("Europe/London", 90, "2026-10-24T12:00", "2026-10-25T01:30", "2026-10-25T00:30"),
        # The second 01:30 of the night is no cut-off: the first one was it.
        ("Europe/London", 90, "2026-10-25T00:31", "2026-10-26T01:30", "2026-10-26T01:30"),
        ("America/New_York", 150, "2026-03-08T06:00", "2026-03-08T03:30", "2026-03-08T07:30"),
        ("America/New_York", 90, "2026-11-01T05:31", "2026-11-02T01:30", "2026-11-02T06:30"),
        ("Australia/Lord_Howe", 135, "2026-10-03T12:00", "2026-10-04T02:45", "2026-10-03T15:45"),
        ("Australia/Lord_Howe", 105, "2026-04-04T12:00", "2026-04-05T01:45", "2026-04-04T14:45"),
        ("Asia/Kolkata", 960, "2026-03-29T10:31", "2026-03-30T16:00", "2026-03-30T10:30"),
        # The whole of Friday, 30 December 2011 was left out: its cut-off is that of Saturday.
        ("Pacific/Apia", 960, "2011-12-30T03:00", "2011-12-31T16:00", "2011-12-31T02:00"),
    ],
)
def test_nights_in_which_clocks_are_changed(
    zone: str, minute: int, arrival: str, local_time: str, instant: str
) -> None:
    """A time in the gap moves on by the gap; of two the first counts."""
    schedule = Schedule().with_rules(Rule("", weekday, minute) for weekday in range(7))
    ms, _ = Calendar(schedule, ZoneInfo(zone)).next("", at(arrival))
    assert ms == at(instant)
    assert local(ms, ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") == local_time


def test_a_day_that_was_left_out_does_not_hide_an_earlier_cut_off() -> None:
    """Its time moved on to the day after, where that day's own cut-off is earlier."""
    schedule = Schedule().with_rules((Rule("", 4, 18 * 60), Rule("", 5, 12 * 60)))
    ms, rule = Calendar(schedule, ZoneInfo("Pacific/Apia")).next("", at("2011-12-30T11:00"))
    assert (ms, rule) == (at("2011-12-30T22:00"), "every other, sat 12:00")


def test_changes_take_the_place_of_what_was_there() -> None:
    """One time a weekday, one entry a date, whatever the spelling; holidays and times apart when removed."""
    schedule = PLAIN.with_rules([Rule("royal mail 24", 0, 600)]).without_rules(" ROYAL mail 24", [1])
    of_the_van = [rule for rule in schedule.rules if rule.ship_method]
    assert [(rule.weekday, rule.minute) for rule in of_the_van] == [
        (0, 600),
        (2, 960),
        (3, 960),
        (4, 960),
        (5, 960),
    ]
    assert schedule.without_rules(VAN).rules == WEEKDAYS
    day = date(2026, 12, 24)
    other = schedule.with_days([Day("", day, None)]).with_days([Day("", day, 720)])
    assert other.days == (Day("", day, 720),)
    assert other.without_day("", day, is_holiday=True) == other
    assert other.without_day("", day, is_holiday=False).days == ()
    assert PLAIN.ship_methods == (VAN, "")


RULES = st.lists(
    st.builds(Rule, st.sampled_from(["", VAN]), st.integers(0, 6), st.integers(0, 24 * 60 - 1)), max_size=14
)
DATES = st.dates(date(2025, 12, 20), date(2027, 1, 10))
DAYS = st.lists(
    st.builds(Day, st.sampled_from(["", VAN]), DATES, st.none() | st.integers(0, 24 * 60 - 1)), max_size=8
)
SCHEDULES = st.builds(lambda rules, days: Schedule().with_rules(rules).with_days(days), RULES, DAYS)
ARRIVALS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)).map(  # noqa: DTZ001 - made aware here
    lambda moment: round(moment.replace(tzinfo=UTC).timestamp() * 1000)
)
METHODS = st.sampled_from([VAN, "Courier", ""])


@given(SCHEDULES, st.sampled_from(ZONES), METHODS, st.lists(ARRIVALS, min_size=2, max_size=6))
def test_whatever_the_schedule_cut_offs_only_go_forward(
    schedule: Schedule, zone: str, ship_method: str, arrivals: list[int]
) -> None:
    """Never before the arrival, never earlier for who comes later, the same whoever asked before."""
    calendar = Calendar(schedule, ZoneInfo(zone))
    before = 0
    for arrival in sorted(arrivals):
        cut_off_ms, rule = calendar.next(ship_method, arrival)
        assert calendar.next(ship_method, arrival) == (cut_off_ms, rule)
        assert Calendar(schedule, ZoneInfo(zone)).next(ship_method, arrival) == (cut_off_ms, rule)
        assert (cut_off_ms is None) == (not rule)
        if cut_off_ms is None:
            continue
        assert cut_off_ms >= max(arrival, before)
        before = cut_off_ms
        # Asked at the cut-off itself the answer is the same one.
        assert calendar.next(ship_method, cut_off_ms)[0] == cut_off_ms


@given(SCHEDULES, st.sampled_from(ZONES), METHODS, ARRIVALS)
def test_on_the_sites_clocks_it_is_the_time_of_the_rule(
    schedule: Schedule, zone_name: str, ship_method: str, arrival: int
) -> None:
    """Except in a gap, where the clocks show a later time."""
    zone = ZoneInfo(zone_name)
    cut_off_ms, rule = Calendar(schedule, zone).next(ship_method, arrival)
    if cut_off_ms is None:
        return
    wall = local(cut_off_ms, zone)
    said = rule[-5:]
    minute = int(said[:2]) * 60 + int(said[3:])
    if wall.strftime("%H:%M") != said:
        # A gap: no instant of that day shows the time of the rule.
        day = wall.date()
        assert local(instant_ms(day, minute, zone), zone) == wall
        assert wall.hour * 60 + wall.minute - minute in {30, 60}
