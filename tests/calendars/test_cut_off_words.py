"""What people write about cut-offs is read in one way, written in the same, and refused with a reason."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendars import words
from calendars.schedule import Day, Rule, Schedule
from calendars.words import (
    date_of,
    json_plan,
    lines,
    method_of,
    minute_of,
    plan_from,
    schedule_of,
    shown_weekdays,
    toml_plan,
    weekdays_of,
)
from sync.contract.problems import ProblemError


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("mon-fri", (0, 1, 2, 3, 4)),
        ("Sat", (5,)),
        ("mon, wed ,fri", (0, 2, 4)),
        ("mon-thu,sat", (0, 1, 2, 3, 5)),
        ("sat-mon", (0, 5, 6)),
        ("sun-sun", (6,)),
    ],
)
def test_weekdays(text: str, weekdays: tuple[int, ...]) -> None:
    """Single ones, runs, over the week's end, in any case."""
    assert weekdays_of(text) == weekdays


@pytest.mark.parametrize(
    "text", ["", "mon-", "-fri", "monday", "fr", "mon;tue", "1-5", "mon-fri-sun", "mon,,tue"]
)
def test_no_weekdays(text: str) -> None:
    """Anything else is refused with what to write."""
    with pytest.raises(ProblemError, match="are no weekdays"):
        weekdays_of(text)


@given(st.sets(st.integers(0, 6), min_size=1))
def test_weekdays_are_shown_as_they_are_read(weekdays: set[int]) -> None:
    """There and back."""
    assert weekdays_of(shown_weekdays(weekdays)) == tuple(sorted(weekdays))


def test_times_dates_and_names() -> None:
    """A time of day, an ISO date, one line of text."""
    assert (minute_of("00:00"), minute_of("9:05"), minute_of(" 23:59 ")) == (0, 545, 1439)
    assert date_of("2028-02-29") == date(2028, 2, 29)
    assert method_of("  Royal \t Mail  24 ") == "Royal Mail 24"
    for text in ("24:00", "16", "16:60", "4 pm", "١٦:٠٠", "16:00:00", ""):
        with pytest.raises(ProblemError, match="is no time of day"):
            minute_of(text)
    for text in ("2026-02-29", "24.12.2026", ""):
        with pytest.raises(ProblemError, match="is no date"):
            date_of(text)
    for text in ("x" * 201, "a\x00b"):
        with pytest.raises(ProblemError, match="is no ship method"):
            method_of(text)


TOML = """
[[weekly]]
ship_method = "Royal Mail 24"
weekdays = "mon-fri"
time = "16:00"

[[weekly]]
weekdays = "sat"
time = "9:30"

[[holidays]]
date = 2026-12-25
name = "Christmas Day"

[[overrides]]
date = 2026-12-24
time = "12:00"
ship_method = "Royal Mail 24"
"""
SCHEDULE = Schedule(
    (Rule("", 5, 570), *(Rule("Royal Mail 24", weekday, 960) for weekday in range(5))),
    (Day("", date(2026, 12, 25), None, "Christmas Day"), Day("Royal Mail 24", date(2026, 12, 24), 720)),
)


def test_a_whole_schedule_as_toml_and_json() -> None:
    """The same plan in both, and lines that people read."""
    assert schedule_of(toml_plan(TOML)) == SCHEDULE
    body = (
        b'{"weekly":[{"weekdays":"mon-fri","time":"16:00","ship_method":"Royal Mail 24"},'
        b'{"weekdays":"sat","time":"09:30"}],"holidays":[{"date":"2026-12-25","name":"Christmas Day"}],'
        b'"overrides":[{"date":"2026-12-24","time":"12:00","ship_method":"Royal Mail 24"}]}'
    )
    assert schedule_of(json_plan(body)) == SCHEDULE
    assert list(lines(SCHEDULE)) == [
        "every other: sat 09:30",
        "Royal Mail 24: mon-fri 16:00",
        "2026-12-25 holiday: every ship method (Christmas Day)",
        "2026-12-24 12:00: Royal Mail 24",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[[weekly", "This is no schedule"),
        ("weekly = " + "[" * 5_000, "This is no schedule"),
        ("weekly = 1", "Expected `array`, got `int`"),
        ("[[weekly]]\nweekdays = 'mon'", "missing required field `time`"),
        ("[[holiday]]\ndate = 2026-12-25", "unknown field `holiday`"),
        ("[[holidays]]\ndate = 'soon'", "This is no schedule"),
        (
            "[[weekly]]\nweekdays = 'mon-wed'\ntime = '1:00'\n[[weekly]]\nweekdays = 'wed'\ntime = '2:00'",
            "twice for wed",
        ),
        (
            "[[holidays]]\ndate = 2026-12-25\n[[overrides]]\ndate = 2026-12-25\ntime = '1:00'",
            "twice for 2026-12-25",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, sentence: str) -> None:
    """In one sentence, by name."""
    with pytest.raises(ProblemError, match=sentence) as caught:
        schedule_of(toml_plan(text))
    assert caught.value.problem.code == "CUT_OFF_WRONG"


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"weekly": null}', b'{"other": []}', b"[" * 5_000])
def test_what_is_wrong_with_a_request_is_said(body: bytes) -> None:
    """Never a traceback."""
    with pytest.raises(ProblemError, match="This is no schedule"):
        json_plan(body)


def test_a_schedule_has_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """More is a mistake."""
    monkeypatch.setattr(words, "RULES_MAX", 5)
    with pytest.raises(ProblemError, match="too long"):
        schedule_of(toml_plan(TOML))


NAMES = st.sampled_from(["", "Royal Mail 24", "Courier", "X"])
MINUTES = st.integers(0, 24 * 60 - 1)


@given(
    st.lists(st.builds(Rule, NAMES, st.integers(0, 6), MINUTES)),
    st.lists(st.builds(Day, NAMES, st.dates(), st.none() | MINUTES, st.sampled_from(["", "Christmas Day"]))),
)
def test_a_plan_says_all_of_a_schedule(rules: list[Rule], days: list[Day]) -> None:
    """What was read can be sent back and is the same."""
    schedule = Schedule().with_rules(rules).with_days(days)
    assert schedule_of(plan_from(schedule)) == schedule
