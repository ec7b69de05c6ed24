"""The rules of the importer, each with a file of a few rows. No database."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.imports import import_files, import_text, shop_shelf
from sync.contract.orders import HoldReason
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

HEAD = "ref,number,date,shipped,company,name,city,postcode,note,segment,sku,title,qty\n"


def row(
    ref: str = "A1",
    qty: str = "1",
    *,
    sku: str = "S1",
    date: str = "2025-12-31",
    shipped: str = "",
    city: str = "Bath",
    **more: str,
) -> str:
    """Return one row of the shop."""
    cells = [ref, more.get("number", ""), date, shipped, more.get("company", ""), more.get("name", "Ada")]
    cells += [city, more.get("postcode", ""), more.get("note", ""), more.get("segment", ""), sku, "Mug", qty]
    return ",".join(cells) + "\n"


def code_of(folder: Path, text: str | bytes, **more: Any) -> str:  # noqa: ANN401 – as import_text
    """Return the code of the problem that a file has."""
    with pytest.raises(ProblemError) as caught:
        import_text(folder, text, **more)
    assert caught.value.problem.what_to_do
    return caught.value.problem.code


def test_text_stays_text(tmp_path: Path) -> None:
    """Leading zeros, long digits and blanks inside survive in every column."""
    made = import_text(
        tmp_path, HEAD + row("00012", sku="007", postcode="01307", city="A\u00a0B", number="0")
    )
    (order,) = made.orders
    assert (order.external_ref, order.number) == ("00012", "0")
    assert (order.lines[0].sku, order.ship_to.postcode, order.ship_to.city) == ("007", "01307", "A\u00a0B")


def test_rows_of_one_order_may_stand_anywhere(tmp_path: Path) -> None:
    """Shuffled rows are one order, its lines in the order of the file."""
    made = import_text(tmp_path, HEAD + row("A", sku="1") + row("B", sku="2") + row("A", sku="3"))
    assert [(order.external_ref, [line.sku for line in order.lines]) for order in made.orders] == [
        ("A", ["1", "3"]),
        ("B", ["2"]),
    ]
    assert [line.position for line in made.orders[0].lines] == [1, 2]


def test_the_first_value_that_is_not_missing_wins(tmp_path: Path) -> None:
    """A value may stand on any row of the order; NULL, NA, N/A and blanks are no values."""
    rows = (
        row("A", city="NULL", name="") + row("A", city="Bath", name="N/A") + row("A", city="NA", name="Ada")
    )
    made = import_text(tmp_path, HEAD + rows)
    (order,) = made.orders
    assert (order.ship_to.city, order.customer, order.hold) == ("Bath", "Ada", None)


def test_the_first_of_several_columns_counts(tmp_path: Path) -> None:
    """A field with two columns takes the first that has a value."""
    made = import_text(tmp_path, HEAD + row("A", company="Moss Ltd", name="Ada") + row("B", name="Bo"))
    assert [order.customer for order in made.orders] == ["Moss Ltd", "Bo"]


def test_disagreement_holds_the_order(tmp_path: Path) -> None:
    """Two values inside one order: it comes in on hold with both named; also of a column no field takes."""
    rows = row("A", city="Bath") + row("A", city="York") + row("B", segment="x") + row("B", segment="y")
    made = import_text(tmp_path, HEAD + rows + row("C"))
    assert [(held.ref, held.reason) for held in made.report.held] == [
        ("A", "city: Bath or York"),
        ("B", "segment: x or y"),
    ]
    first, second, third = made.orders
    assert first.hold is not None
    assert (first.hold.reason, first.hold.note) == (HoldReason.NEEDS_REVIEW, "city: Bath or York")
    assert second.hold is not None
    assert third.hold is None
    assert made.report.orders == 3


def test_a_blank_reference_is_refused(tmp_path: Path) -> None:
    """Rows without a reference are listed with their line and never become one order."""
    made = import_text(tmp_path, HEAD + row("") + row("A") + row("NULL") + row("\u00a0") + row("#N/A"))
    assert [line for line, _ in made.refused] == [2, 4, 5, 6]
    assert all("blank" in reason for _, reason in made.refused)
    assert len(made.orders) == 1


def test_a_damaged_reference_is_refused(tmp_path: Path) -> None:
    """What a spreadsheet made of an order number is no order number."""
    made = import_text(tmp_path, HEAD + row("5.27763E+12") + row("A"))
    assert made.refused == [(2, "order number reads 5.27763E+12, damaged by Excel")]


def test_a_damaged_column_is_not_used(tmp_path: Path) -> None:
    """One damaged sku or postcode: the whole column is left empty, and it is said."""
    made = import_text(tmp_path, HEAD + row("A", sku="4E+11", postcode="9.1E+5") + row("B", postcode="77"))
    assert [(order.lines[0].sku, order.ship_to.postcode) for order in made.orders] == [("", ""), ("", "")]
    said = [notice for notice in made.report.notices if "damaged by Excel" in notice]
    assert sorted(notice.split(",")[0] for notice in said) == [
        "Row 2: postcode reads 9.1E+5",
        "Row 2: sku reads 4E+11",
    ]


@pytest.mark.parametrize(
    "text", ["0", "-3", "", "2.5", "1.000", "many", "99999999999", "1e3", "٣", "1 000 001"]
)
def test_a_quantity_that_is_no_number_of_pieces_is_refused(tmp_path: Path, text: str) -> None:
    """Zero, reversals, fractions, thousands that may be decimals and words are not pickable."""
    made = import_text(tmp_path, HEAD + row("A", text) + row("A", "2"))
    assert [line for line, _ in made.refused] == [2]
    assert [line.quantity_ordered for line in made.orders[0].lines] == [2]


@pytest.mark.parametrize(
    ("text", "pieces"), [("7", 7), (" 7 ", 7), ("7.0", 7), ("07", 7), ("1000000", 1_000_000)]
)
def test_quantities_are_pieces(tmp_path: Path, text: str, pieces: int) -> None:
    """Whole numbers are read however they are written."""
    assert import_text(tmp_path, HEAD + row("A", text)).orders[0].lines[0].quantity_ordered == pieces


def test_service_lines_are_not_picked(tmp_path: Path) -> None:
    """Postage stays on the order, and nobody has to pick it."""
    made = import_text(tmp_path, HEAD + row("A", sku="POSTAGE") + row("A", sku="S2"))
    assert [line.requires_picking for line in made.orders[0].lines] == [False, True]


def test_duplicates_are_reported_not_merged(tmp_path: Path) -> None:
    """The same sku twice is two lines; the very same row too, and it is said."""
    made = import_text(tmp_path, HEAD + row("A", "1") + row("A", "2") + row("A", "1"))
    assert [line.quantity_ordered for line in made.orders[0].lines] == [1, 2, 1]
    assert made.report.notices[-1] == "1 rows are exact duplicates, kept as lines: row 4 (order A)."


def test_the_wrong_number_of_fields_is_refused(tmp_path: Path) -> None:
    """A row with an unquoted comma is refused with its line; the rows after it are read."""
    made = import_text(tmp_path, HEAD + row("A", city="Bath, Avon") + "A,1\n" + row("B"))
    offer = "--repair reads city as “Bath, Avon”"
    assert made.refused == [(2, f"14 fields instead of 13; {offer}"), (3, "2 fields instead of 13")]
    assert [order.external_ref for order in made.orders] == ["B"]


def test_an_open_quote_swallows_nothing(tmp_path: Path) -> None:
    """A quote that is never closed costs its own line only."""
    made = import_text(
        tmp_path, HEAD + row('"A') + row("B") + row("C", note='"two\nlines, ""quoted"""') + row("D")
    )
    assert [line for line, _ in made.refused] == [2]
    assert [order.external_ref for order in made.orders] == ["B", "C", "D"]
    assert made.orders[1].note == 'two\nlines, "quoted"'
    assert made.report.rows == 4


def test_dates_are_decided_by_the_column(tmp_path: Path) -> None:
    """One value that can only be day first decides for all; without a zone it is the site's time."""
    made = import_text(tmp_path, HEAD + row("A", date="03/07/19") + row("B", date="31/12/19"))
    assert made.orders[0].placed_ms == 1_562_108_400_000  # 2019-07-02T23:00Z is midnight of July 3 in London
    assert made.orders[1].placed_ms == 1_577_750_400_000


def test_ambiguous_dates_are_asked_for(tmp_path: Path) -> None:
    """Nothing decides: the import stops with the question, and the answer goes on."""
    text = HEAD + row("A", date="03/07/2019")
    assert code_of(tmp_path, text) == "DATES_AMBIGUOUS"
    made = import_text(tmp_path, text, date_style="m/d/y")
    assert made.orders[0].placed_ms == 1_551_916_800_000
    assert import_text(tmp_path, HEAD + row("A", date="05/05/2019")).orders[0].placed_ms == 1_557_010_800_000


def test_two_styles_in_one_column_are_listed(tmp_path: Path) -> None:
    """The style of most values counts; an order with another one is held."""
    rows = (
        row("A", date="2019-07-31")
        + row("B", date="2019-07-01")
        + row("C", date="31/07/2019")
        + row("D", date="?")
    )
    made = import_text(tmp_path, HEAD + rows)
    assert [held.ref for held in made.report.held] == ["C", "D"]
    assert "31/07/2019 is no date in y/m/d" in made.held[0].reason
    assert made.orders[2].placed_ms == 0
    (said,) = (notice for notice in made.report.notices if "two styles" in notice)
    assert "first row 4: 31/07/2019" in said


def test_shipped_orders_are_shipped_unless_all_are_open(tmp_path: Path) -> None:
    """A date of shipping that has passed means shipped; with as_open everything is confirmed."""
    text = (
        HEAD
        + row("A", shipped="2025-12-30 08:00:00Z")
        + row("B", shipped="2026-02-13")
        + row("C", shipped="NULL")
    )
    shipped, later, unshipped = import_text(tmp_path, text).orders
    assert (shipped.stage, shipped.stage_ms) == (Stage.SHIPPED, 1_767_081_600_000)
    assert later.stage is unshipped.stage is Stage.CONFIRMED
    assert {order.stage for order in import_text(tmp_path, text, as_open=True).orders} == {Stage.CONFIRMED}


def test_the_delimiter_is_found_and_said(tmp_path: Path) -> None:
    """Semicolons, tabs and bars are found in the header; a spreadsheet's own mark is obeyed."""
    for delimiter, name in ((";", "semicolon"), ("\t", "tab"), ("|", "bar")):
        made = import_text(tmp_path, (HEAD + row()).replace(",", delimiter))
        assert f"parted by {name}" in made.report.notices[0]
        assert len(made.orders) == 1
    assert len(import_text(tmp_path, "sep=#\r\n" + (HEAD + row()).replace(",", "#")).orders) == 1
    assert len(import_text(tmp_path, (HEAD + row()).replace(",", "~"), delimiter="~").orders) == 1


def test_byte_order_marks_and_line_ends(tmp_path: Path) -> None:
    """UTF-8 and UTF-16 with a mark, Unix, Windows and old Mac line ends, blank lines: all the same."""
    text = HEAD + "\n" + row("A", city="Łódź") + row("B")
    for data in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.replace("\n", "\r\n").encode(),
        text.replace("\n", "\r").encode(),
    ):
        made = import_text(tmp_path, data)
        assert [order.ship_to.city for order in made.orders] == ["Łódź", "Bath"]


def test_an_encoding_is_asked_for_with_samples(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 stop the import; the doubtful word is shown in four encodings, its row not."""
    data = (HEAD + row("A", city="Münster", note="secret")).encode("cp1252")
    with pytest.raises(ProblemError) as caught:
        import_text(tmp_path, data)
    problem = caught.value.problem
    assert problem.code == "ENCODING_NEEDED"
    assert "“Münster” in cp1252" in problem.sentence
    assert "cp437" in problem.sentence
    assert "secret" not in problem.sentence
    assert problem.what_to_do.endswith("--encoding cp1252.")
    with pytest.raises(ProblemError) as caught:
        import_text(tmp_path, (HEAD + row("A", city="Zürich")).encode("cp437"))
    assert caught.value.problem.what_to_do.endswith("--encoding cp850.")
    assert import_text(tmp_path, data, encoding="cp1252").orders[0].ship_to.city == "Münster"
    assert code_of(tmp_path, data, encoding="ascii") == "ENCODING_WRONG"
    assert code_of(tmp_path, data, encoding="klingon") == "ENCODING_UNKNOWN"


def test_a_cut_off_end_is_asked_about(tmp_path: Path) -> None:
    """A short last row without a line end stops the import; confirmed, it is refused and listed."""
    for cut in ("B,1,2025", 'B,1,"2025-'):
        text = HEAD + row("A") + cut
        assert code_of(tmp_path, text) == "FILE_TRUNCATED"
        made = import_text(tmp_path, text, accept_truncated=True)
        assert [line for line, _ in made.refused] == [3]
        assert len(made.orders) == 1
    assert code_of(tmp_path, (HEAD + row("A", city="Łódź")).encode()[:-20][:-1] + b"\xc5") == "FILE_TRUNCATED"


def test_a_whole_last_row_needs_no_line_end(tmp_path: Path) -> None:
    """Many exports end without a line end; that alone says nothing."""
    assert len(import_text(tmp_path, (HEAD + row("A")).rstrip("\n")).orders) == 1


def test_columns_that_no_mapping_names_are_never_kept(tmp_path: Path) -> None:
    """Payment references do not reach the orders, the report or its reasons."""
    head = HEAD.replace("\n", ",payment reference\n")
    lines = (row("A") + row("", "1") + row("B", "-1")).replace("\n", ",pay_4711\n")
    made = import_text(tmp_path, head + lines + "short,pay_4711\n")
    assert len(made.refused) == 3
    assert "4711" not in repr(made.orders) + repr(made.report)


def test_limits_hold(tmp_path: Path) -> None:
    """A field over 64 KB, too many lines and an endless reference are refused, not kept."""
    made = import_text(
        tmp_path, HEAD + row("A", note="x" * 70_000) + row("A", note="y" * 200_000) + row("B" * 201)
    )
    assert [line for line, _ in made.refused] == [2, 3, 4]
    made = import_text(tmp_path, HEAD + row("A") * 10_002)
    assert len(made.refused) == 2
    assert [(held.ref, held.reason) for held in made.report.held] == [("A", "it has too many lines")]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"\n \n", "FILE_EMPTY"),
        (HEAD.encode(), "FILE_EMPTY"),
        (b"[]", "FILE_EMPTY"),
        (b"\x89PNG\0\0\0", "FILE_BINARY"),
        (HEAD.encode() + b"A,\0" * 9000, "FILE_BINARY"),
        (b"PK\x03\x04 sheet", "FILE_BINARY"),
        (b"a,b,c\n1,2,3\n", "MAPPING_NEEDED"),
        (b'{"a": 1}', "MAPPING_NEEDED"),
        (b'"a,b,c\n', "HEADER_UNREADABLE"),
        (b"[", "FILE_TRUNCATED"),
        (b'[{"id": "1", "lines": [', "FILE_TRUNCATED"),
        (b'[{"id": 1, "lines": []} {}]', "JSON_UNREADABLE"),
        (b'[{"id" 1}]', "JSON_UNREADABLE"),
        (b'[{"id": 1, "lines": [{"qty": 1}]}] []', "JSON_UNREADABLE"),
        (b"[" * 100_000, "JSON_UNREADABLE"),
        (b"ref,ref,sku,qty\n1,2,3,4\n", "COLUMN_TWICE"),
    ],
)
def test_what_is_no_order_file_is_said(tmp_path: Path, data: bytes, code: str) -> None:
    """Each kind of wrong file has its own sentence."""
    assert code_of(tmp_path, data) == code


def test_folders_and_absent_files_are_said(tmp_path: Path) -> None:
    """A folder and a name without a file each have their sentence."""
    for path, code in ((tmp_path, "FILE_IS_FOLDER"), (tmp_path / "none.csv", "FILE_UNKNOWN")):
        with pytest.raises(ProblemError) as caught:
            import_files(path, shelf=shop_shelf())
        assert caught.value.problem.code == code


def test_json_numbers_stay_what_was_written(tmp_path: Path) -> None:
    """An order number or postcode in a JSON file is text, whatever its length."""
    to, lines = '{"zip": 1e5, "name": null}', '[{"sku": 7, "qty": 2.0}]'
    text = f'[{{"id": 100000000000000000000001, "to": {to}, "lines": {lines}}}]'
    (order,) = import_text(tmp_path, text, "orders.json").orders
    assert (order.external_ref, order.ship_to.postcode) == ("100000000000000000000001", "1e5")
    assert (order.lines[0].sku, order.lines[0].quantity_ordered, order.customer) == ("7", 2, "")


def test_json_orders_that_are_none_are_refused(tmp_path: Path) -> None:
    """Each broken order or line is refused with its line; the rest is read."""
    text = """[
{"id": 1, "lines": [{"sku": "a", "qty": 1}]},
7,
{"id": 2, "lines": []},
{"id": [3], "lines": [{"qty": 1}]},
{"id": 4, "lines": [8, {"sku": "\\ud800", "qty": 1}, {"sku": "b", "qty": 1}]}
]"""
    made = import_text(tmp_path, text, "orders.json")
    assert [line for line, _ in made.refused] == [3, 4, 5, 6, 6]
    assert [order.external_ref for order in made.orders] == ["1", "4"]
    assert made.report.rows == made.report.lines + len(made.refused)


def test_json_objects_may_follow_each_other(tmp_path: Path) -> None:
    """One order a line, without a list around them, is read too; so is a cut-off end when confirmed."""
    order = '{"id": %d, "lines": [{"sku": "a", "qty": 1}]}\n'
    assert len(import_text(tmp_path, order % 1 + order % 2).orders) == 2
    made = import_text(tmp_path, "[" + order % 1 + "," + (order % 2)[:20], accept_truncated=True)
    assert (len(made.orders), len(made.refused)) == (1, 1)


def test_files_of_one_kind_are_read_together(tmp_path: Path) -> None:
    """Rows of one order may stand in two files; a refusal says in which file it is."""
    first, second = tmp_path / "one.csv", tmp_path / "two.csv"
    first.write_text(HEAD + row("A") + row(""))
    second.write_text(HEAD + row("A") + row("B"))
    made = import_files(first, second, shelf=shop_shelf())
    assert [len(order.lines) for order in made.orders] == [2, 1]
    assert made.refusals[0].file == "one.csv"
