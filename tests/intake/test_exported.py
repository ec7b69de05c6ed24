"""What an export writes is whole, and nothing in it is taken for a formula."""

from __future__ import annotations

import csv
import io
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intake.exported import (
    BOM,
    COLUMNS,
    TEXT_COLUMNS,
    CsvFile,
    ExportedOrder,
    JsonFile,
    as_exported,
    harmless,
)
from support.orders import make_order
from sync.contract.orders import Address, Hold, LineItem, Order

TRIGGERS = "=+-@＝＋－＠"
LINE_ENDS = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
HOSTILE = st.text(st.sampled_from("=+-@\t\r\n '\"a1,;\u00a0\u200b\ufeff＝\x00\u2028"), max_size=12)
TEXTS = st.one_of(HOSTILE, st.text(st.characters(exclude_categories=["Cs"]), max_size=12))


def is_formula(cell: str) -> bool:
    """Say whether any spreadsheet could run a cell: by its first line or, pasted anew, by any other."""
    blanks = " \t\x00\u00a0\u200b\ufeff\x7f"
    lines = LINE_ENDS.split(cell)
    return any(line.lstrip().lstrip(blanks).lstrip()[:1] in tuple(TRIGGERS) for line in lines if line.strip())


def rows(data: bytes) -> list[dict[str, str]]:
    """Read a CSV back."""
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def written(*orders: Order) -> list[dict[str, str]]:
    """Write orders as CSV and read them back."""
    kind = CsvFile(has_bom=False)
    return rows(kind.head() + kind.part(orders, is_first=True) + kind.tail())


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""),
        ("plain", "plain"),
        ("a=b+c-d@e", "a=b+c-d@e"),
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@home", "'@home"),
        ("  =1", "'  =1"),
        ("\u00a0=1", "'\u00a0=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("＝1", "'＝1"),
        ("\ttab", "'\ttab"),
        ("\rreturn", "'\rreturn"),
        ("\nfeed", "'\nfeed"),
        ("two\nlines", "two\nlines"),
        ("two\n=lines", "two\n'=lines"),
        ("two\r\n  @lines", "two\r\n'  @lines"),
        ("a\n\n\n=b", "a\n\n\n'=b"),
    ],
)
def test_formulas_are_made_harmless(text: str, shown: str) -> None:
    """A ' in front of what a spreadsheet would run, in any line, and nothing else."""
    assert harmless(text) == shown


@given(TEXTS)
def test_no_text_begins_like_a_formula(text: str) -> None:
    """Whatever it is; and what was written can be read out of it."""
    shown = harmless(text)
    assert not is_formula(shown)
    assert shown[:1] not in tuple("\t\r\n")
    if "'" not in text:
        assert shown.replace("'", "") == text


@given(TEXTS, TEXTS, TEXTS, st.integers(-5, 5))
def test_no_exported_cell_begins_like_a_formula(one: str, two: str, three: str, number: int) -> None:
    """In any column of text, through the quoting and back; numbers stay numbers."""
    line = LineItem(1, one, two, 2, three, quantity_picked=number)
    order = make_order(
        1,
        id=three,
        number=one,
        external_ref=two,
        source=three,
        customer=one,
        note=two,
        tags=(three, one),
        carrier=two,
        ship_method=three,
        tracking_number=one,
        ship_to=Address(one, two, three, one, two, three, one, two),
        hold=Hold(one, two, 1, three),
        lines=(line,),
    )
    (row,) = written(order)
    assert not [name for name in TEXT_COLUMNS if is_formula(row[name])]
    assert not [name for name in TEXT_COLUMNS if row[name][:1] in tuple("\t\r\n")]
    assert row["quantity_picked"] == str(number)
    assert row["placed_at"].startswith("20")


def test_every_column_that_is_no_text_is_ours() -> None:
    """Numbers, times and our own words; everything else has to be in the list of texts."""
    assert set(COLUMNS) - TEXT_COLUMNS == {
        *("status", "status_at", "placed_at", "cut_off_at", "priority", "cancelled_at", "created_at"),
        *("updated_at", "retired_at", "line", "quantity", "requires_picking"),
        *("quantity_picked", "quantity_cancelled", "quantity_short"),
    }


def test_an_order_has_a_row_for_each_line() -> None:
    """Its own fields stand in every one; an order without lines has one."""
    lines = (LineItem(1, "A", "Jug", 2, "A-03"), LineItem(2, "B", "Mug", 1, requires_picking=False))
    first, second = written(make_order(1, number="SO-1", lines=lines))
    assert (first["number"], first["line"], first["sku"], first["quantity"]) == ("SO-1", "1", "A", "2")
    assert (second["number"], second["line"], second["line_name"]) == ("SO-1", "2", "Mug")
    assert second["requires_picking"] == "False"
    (bare,) = written(make_order(2, number="SO-2", lines=()))
    assert (bare["number"], bare["line"], bare["sku"], bare["quantity"]) == ("SO-2", "", "", "")


def test_a_byte_order_mark_is_written_when_it_is_wanted() -> None:
    """Once, at the start."""
    assert CsvFile(has_bom=True).head().startswith(BOM + b"external_ref,")
    assert CsvFile(has_bom=False).head().startswith(b"external_ref,")


def test_times_that_no_calendar_reaches_are_empty() -> None:
    """A terminal's clock may say anything; an export goes on."""
    (row,) = written(make_order(1, placed_ms=1 << 52, cut_off_ms=-5, lines=()))
    assert (row["placed_at"], row["cut_off_at"]) == ("", "")


@pytest.mark.parametrize("parts", [(), (3,), (2, 1), (1, 1, 1)])
def test_json_is_whole_in_any_parts(parts: tuple[int, ...]) -> None:
    """However many pages it was written in."""
    kind = JsonFile()
    orders = [make_order(place) for place in range(sum(parts))]
    data, start = kind.head(), 0
    for size in parts:
        data += kind.part(orders[start : start + size], is_first=start == 0)
        start += size
    data += kind.tail()
    read = msgspec.json.decode(data, type=dict[str, list[ExportedOrder]])
    assert read == {"orders": [as_exported(order) for order in orders]}
