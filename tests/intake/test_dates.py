"""Dates as exports write them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from intake import dates
from intake.dates import DateColumn, parse
from sync.contract.problems import ProblemError

LONDON = ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("text", "style", "expected"),
    [
        ("1996-07-04 00:00:00.000", "y/m/d", "1996-07-03T23:00:00Z"),
        ("2024-03-01T10:00:00-0500", "y/m/d", "2024-03-01T15:00:00Z"),
        ("2024-03-01 10:00:00 +05:30", "y/m/d", "2024-03-01T04:30:00Z"),
        ("2024-03-01T10:00:00Z", "y/m/d", "2024-03-01T10:00:00Z"),
        ("31.12.24", "d/m/y", "2024-12-31T00:00:00Z"),
        ("31/12/70", "d/m/y", "1970-12-30T23:00:00Z"),
        ("12/31/2024 1:05 PM", "m/d/y", "2024-12-31T13:05:00Z"),
        ("12/31/2024, 12:05 am", "m/d/y", "2024-12-31T00:05:00Z"),
        ("2024/1/9", "y/m/d", "2024-01-09T00:00:00Z"),
    ],
)
def test_dates_are_read(text: str, style: str, expected: str) -> None:
    """Each form is its instant; without an offset in the zone that is given."""
    moment = parse(text, style, LONDON)
    assert moment is not None
    assert datetime.fromtimestamp(moment / 1000, UTC).isoformat().replace("+00:00", "Z") == expected


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("31/12/24", "m/d/y"),
        ("31/12/24", "y/m/d"),
        ("2024-12-31", "d/m/y"),
        ("2023-02-29", "y/m/d"),
        ("0001-01-01", "y/m/d"),
        ("2024-01-01 24:00", "y/m/d"),
        ("2024-01-01 13:00 PM", "y/m/d"),
        ("2024-01-01 10:00 +99:00", "y/m/d"),
        ("٢٠٢٤-01-01", "y/m/d"),
        ("yesterday", "y/m/d"),
        ("45000", "y/m/d"),
        ("", "y/m/d"),
    ],
)
def test_what_is_no_date_is_none(text: str, style: str) -> None:
    """Another style, a day that never was, words and spreadsheet numbers are not dates."""
    assert parse(text, style, LONDON) is None


@pytest.mark.parametrize(
    ("values", "style"),
    [
        (["03/04/19", "31/12/19"], "d/m/y"),
        (["03/04/19", "12/31/19"], "m/d/y"),
        (["2019-04-03"], "y/m/d"),
        (["05/05/19", "06/06/19"], "d/m/y"),
        (["31/12/19", "31/12/19", "12/31/19"], "d/m/y"),
        ([], "y/m/d"),
    ],
)
def test_a_column_decides_its_style(values: list[str], style: str) -> None:
    """All values together leave one style, or the one that most have."""
    column = DateColumn("Date")
    for value in values:
        column.add(value)
    assert column.style() == style


def test_a_column_of_many_values_needs_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values are looked at in portions, and the first row of each style is still known."""
    monkeypatch.setattr(dates, "REMEMBERED", 2)
    column = DateColumn("Date")
    for row, text in enumerate(["31/12/19", "30/12/19", "31/12/19", "12/31/19", "04/03/19", "28/02/19"]):
        column.add(text, row)
    assert column.style() == "d/m/y"
    assert "1 values have another one, first row 3: 12/31/19" in column.mixture("d/m/y")


def test_an_ambiguous_column_is_a_question() -> None:
    """The question names the column, a value and both answers."""
    column = DateColumn("Order Date")
    column.add("03/04/19")
    with pytest.raises(ProblemError) as caught:
        column.style()
    line = caught.value.problem.line()
    assert all(word in line for word in ("Order Date", "03/04/19", "--date-format d/m/y", "m/d/y"))
