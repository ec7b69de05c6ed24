"""Damaged, odd and half-finished files: each says what is wrong with it, and nothing is lost silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.imports import Result, import_files, import_text
from sync.contract.limits import SERVER_FRAME_BYTES
from sync.contract.problems import Problem, ProblemError

HEAD = "ref,sku,qty,city,date\n"


def problem_of(folder: Path, text: str | bytes, **more: Any) -> Problem:  # noqa: ANN401 – as import_text
    """Return the problem that a file has."""
    with pytest.raises(ProblemError) as caught:
        import_text(folder, text, **more)
    return caught.value.problem


def cities(made: Result) -> list[str]:
    """Return the city of each order."""
    return [order.ship_to.city for order in made.orders]


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "latin-1", "utf-8"])
@pytest.mark.parametrize("written", ["utf-8-sig", "utf-16", "utf-32"])
def test_an_encoding_against_the_mark_is_not_ignored(tmp_path: Path, written: str, encoding: str) -> None:
    """A file says by its mark what it is in; somebody who says otherwise is told, not overruled."""
    data = (HEAD + "1,A,1,Łódź,\n").encode(written)
    if (written, encoding) == ("utf-8-sig", "utf-8"):
        assert cities(import_text(tmp_path, data, encoding=encoding)) == ["Łódź"]
        return
    problem = problem_of(tmp_path, data, encoding=encoding)
    assert problem.code == "ENCODING_MARKED"
    assert encoding in problem.sentence
    assert cities(import_text(tmp_path, data)) == ["Łódź"]


def test_two_bytes_a_character_without_a_mark(tmp_path: Path) -> None:
    """It looks like zeros everywhere: the sentence says what it is and how to read it."""
    data = (HEAD + "1,A,1,Łódź,\n").encode("utf-16-le")
    problem = problem_of(tmp_path, data)
    assert problem.code == "ENCODING_NEEDED"
    assert "utf-16-le" in problem.what_to_do
    assert cities(import_text(tmp_path, data, encoding="utf-16-le")) == ["Łódź"]


@pytest.mark.parametrize(
    ("encoding", "city"),
    [("cp437", "Málaga"), ("cp850", "São Paulo"), ("cp1252", "Köln – Süd"), ("latin-1", "Köln")],
)
def test_old_encodings_are_read_when_they_are_named(tmp_path: Path, encoding: str, city: str) -> None:
    """Nobody guesses: the question shows the word in each of them, the answer is read."""
    data = (HEAD + f"1,A,1,{city},\n").encode(encoding)
    problem = problem_of(tmp_path, data)
    assert problem.code == "ENCODING_NEEDED"
    assert all(name in problem.sentence for name in ("cp1252", "cp850", "cp437", "latin-1"))
    assert cities(import_text(tmp_path, data, encoding=encoding)) == [city]


@pytest.mark.parametrize(
    "text",
    [
        "12-Jan-2024", "12 January 2024", "Jan 12, 2024", "January 12th, 2024", "12.Jan.2024",
        "Fri, 12 Jan 2024 00:00:00 GMT",
        "2024-01-12T00:00:00Z", "2024-01-12T02:00:00+02:00", "2024-01-11 19:00:00 -0500", "20240112",
        "Jan 12, 2024 12:00 AM", "2024/01/12 00:00:00.000",
    ],
)  # fmt: skip
def test_dates_that_say_themselves_what_they_are(tmp_path: Path, text: str) -> None:
    """A month by its name, an offset, digits alone: the same midnight in each of them."""
    made = import_text(tmp_path, HEAD + f'1,A,1,Bath,"{text}"\n')
    assert made.orders[0].placed_ms == 1_705_017_600_000
    assert made.held == []


def test_dates_in_two_orders_of_day_and_month_are_listed(tmp_path: Path) -> None:
    """The style of most values is taken; the row and value that show another one are named."""
    days = ["31/12/2019", "30/12/2019", "12/29/2019", "03/04/2019"]
    rows = "".join(f"{number},A,1,Bath,{day}\n" for number, day in enumerate(days))
    made = import_text(tmp_path, HEAD + rows)
    assert [(held.ref, held.reason) for held in made.held] == [
        ("2", "date: 12/29/2019 is no date in d/m/y (row 4)")
    ]
    (said,) = (notice for notice in made.report.notices if "two styles" in notice)
    assert "first row 4: 12/29/2019" in said
    assert "1 values fit both" in said


def test_a_field_that_is_cut_at_the_very_end(tmp_path: Path) -> None:
    """Where all last fields are alike and the very last one is shorter, without a line end, it was cut."""
    whole = HEAD + "".join(f"{number},A,1,Bath,2024-01-{number:02}\n" for number in range(1, 26))
    for cut in (2, 4, 11):
        problem = problem_of(tmp_path, whole[:-cut])
        assert problem.code == "FILE_TRUNCATED"
        assert "row 26: the last field is shorter" in problem.sentence
        made = import_text(tmp_path, whole[:-cut], accept_truncated=True)
        assert [line for line, _ in made.refused] == [26]
        assert len(made.orders) == 24
    made = import_text(tmp_path, whole[:-1])
    assert len(made.orders) == 25
    assert any("the last row (26) has no line end" in notice for notice in made.report.notices)


def test_a_cut_inside_quotes(tmp_path: Path) -> None:
    """A quote that the end of the file leaves open is a cut as well."""
    assert problem_of(tmp_path, HEAD + '1,A,1,Bath,\n2,A,1,"Ba').code == "FILE_TRUNCATED"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_line_ends_and_delimiters(tmp_path: Path, mark: str, end: str) -> None:
    """Quoted delimiters and line ends are text, whatever parts fields and rows."""
    head = mark.join(["ref", "sku", "qty", "city", "date"])
    rows = [
        head,
        mark.join(["1", "A", "1", f'"Ba{mark}th{end}Spa"', ""]),
        mark.join(["2", "B", "1", "York", ""]),
    ]
    made = import_text(tmp_path, end.join(rows) + end)
    assert [city.split() for city in cities(made)] == [[*f"Ba{mark}th".split(), "Spa"], ["York"]]
    assert made.report.rows == 2


def test_columns_without_a_name_at_the_end_do_not_count(tmp_path: Path) -> None:
    """Spreadsheets leave empty columns behind, in the header, in rows, or in both."""
    for head, row in (
        ("ref,sku,qty,,", "1,A,1,,"),
        ("ref,sku,qty,,", "1,A,1"),
        ("ref,sku,qty", "1,A,1,,"),
        (" ref , sku,qty ", "1,A,1, "),
    ):
        made = import_text(tmp_path, f"{head}\n{row}\n2,B,1\n")
        assert [order.external_ref for order in made.orders] == ["1", "2"], (head, row)
    made = import_text(tmp_path, "ref,sku,qty\n1,A,1,,7\n")
    assert [line for line, _ in made.refused] == [2]


def test_lines_before_the_header_and_the_mark_behind_the_last_row(tmp_path: Path) -> None:
    """Blank rows of a spreadsheet above the header, and the end mark of old programs, are nothing."""
    made = import_text(tmp_path, "\n,,,,\n" + HEAD + "1,A,1,Bath,\n\x1a")
    assert [order.external_ref for order in made.orders] == ["1"]
    assert made.refused == []
    made = import_text(tmp_path, HEAD + "1,A,1,Bath,\x1a")
    assert [order.external_ref for order in made.orders] == ["1"]


def test_damaged_customer_ids_are_not_used(tmp_path: Path) -> None:
    """A column of ids that a spreadsheet damaged is left out and named, whatever it is the id of."""
    text = "order id,sku,qty,customer id\n1,A,1,1.785E+04\n2,A,1,13047\n"
    path = tmp_path / "ids.csv"
    path.write_text(text, encoding="utf-8")
    made = import_files(path)
    assert [order.customer for order in made.orders] == ["", ""]
    assert "Row 2: customer reads 1.785E+04, damaged by Excel. The column is not used." in made.report.notices


def test_rows_of_nothing_but_delimiters_are_named(tmp_path: Path) -> None:
    """They are rows without an order number: counted and listed."""
    made = import_text(tmp_path, HEAD + ",,,,\n1,A,1,Bath,\n,,,,\n")
    assert [line for line, _ in made.refused] == [2, 4]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,000", "quantity 1,000 can be read in two ways: thousands or a fraction"),
        ("1.000", "quantity 1.000 can be read in two ways: thousands or a fraction"),
        ("-3", "quantity -3 is not pickable"),
        ("(3)", "quantity (3) is not pickable"),
        ("0.0", "quantity 0.0 is not pickable"),
        ("2.5", "quantity 2.5 is not a whole number from 1 to 1,000,000"),
    ],
)
def test_why_a_quantity_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """The reason says what is wrong with it."""
    assert import_text(tmp_path, HEAD + f'1,A,"{text}",,\n').refused == [(2, reason)]


def test_no_payment_reference_is_quoted(tmp_path: Path) -> None:
    """Not even where a row is broken just there: no order, reason, notice or offer repeats it."""
    head = "ref,sku,qty,city,Payment Reference\n"
    for row in (
        "1,A,1,Bath,pay_4711, pay_4712",
        '1,A,1,Bath,"pay_4711',
        "1,A,-1,Bath,pay_4711",
        ",A,1,Bath,pay_4711",
        "1,A,1,Bath,pay_4711,pay_4712,pay_4713",
    ):
        made = import_text(tmp_path, f"{head}{row}\n2,A,1,Bath,pay_4714\n")
        assert made.report.refused, row
        assert "pay_" not in repr(made), row


def test_a_cut_payment_reference_is_not_quoted(tmp_path: Path) -> None:
    """Also the question about a cut end does not repeat what no mapping reads."""
    rows = "".join(f"{number},A,1,pay_{number:04}\n" for number in range(40))
    problem = problem_of(tmp_path, ("ref,sku,qty,Payment ID\n" + rows)[:-2])
    assert problem.code == "FILE_TRUNCATED"
    assert "pay_" not in problem.line()


def test_an_order_too_large_for_a_terminal_is_refused(tmp_path: Path) -> None:
    """Longer than half a frame: all of its rows are named, and the orders beside it come in."""
    head = "ref,sku,qty,title\n"
    rows = "".join(f"1,S{number},1,{'x' * 60_000}\n" for number in range(80))
    assert len(rows) > SERVER_FRAME_BYTES // 2
    made = import_text(tmp_path, head + "0,A,1,Mug\n" + rows + "2,A,1,Mug\n")
    assert [order.external_ref for order in made.orders] == ["0", "2"]
    assert {reason for _, reason in made.refused} == {"order 1 is longer than 4 MiB"}
    assert made.report.rows == made.report.lines + len(made.refused) == 82


def test_a_sku_or_a_number_longer_than_a_key_is_refused(tmp_path: Path) -> None:
    """By the preview already; nothing could be found by it, and no person may write such a number."""
    long = "x" * 201
    made = import_text(tmp_path, f"ref,sku,qty,title\n1,{long},1,Mug\n2,A,1,Mug\n{long},A,1,Mug\n")
    assert [order.external_ref for order in made.orders] == ["2"]
    assert sorted(reason for _, reason in made.refused) == [
        "the order number is longer than 200 characters",
        "the sku is longer than 200 characters",
    ]
    head = "external_ref,number,sku,line_name,quantity,status_at,cut_off_at,order_id,quantity_cancelled\n"
    path = tmp_path / "export.csv"
    path.write_text(head + f"1,{long},A,Mug,1,,,,\n2,N-2,A,Mug,1,,,,\n", encoding="utf-8")
    made = import_files(path)
    assert [order.number for order in made.orders] == ["N-2"]
    assert [reason for _, reason in made.refused] == ["the number of order 1 is longer than 200 characters"]


def test_what_json_makes_longer_is_measured_as_it_is_sent(tmp_path: Path) -> None:
    """Characters that become six bytes count as six."""
    rows = "".join(f"1,S{number},1,{chr(1) * 50_000}\n" for number in range(20))
    made = import_text(tmp_path, "ref,sku,qty,title\n" + rows)
    assert len(made.refused) == 20


def test_headings_twice_are_a_question_only_when_they_are_read(tmp_path: Path) -> None:
    """Two columns called qty cannot both be meant; two that nobody reads do not matter."""
    assert problem_of(tmp_path, "ref,sku,qty,qty\n1,A,1,2\n").code == "COLUMN_TWICE"
    assert len(import_text(tmp_path, "ref,sku,qty,x,x\n1,A,1,2,3\n").orders) == 1
