"""Orders in one file and their lines in another; rows with unquoted delimiters and their repair."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from intake.mapping import Shelf
from support.imports import Result, import_files, import_text
from support.repository import ROOT

DATA = ROOT.parent / "shared" / "data"
ORDERS, DETAILS = DATA / "northwind_orders.csv", DATA / "northwind_order_details.csv"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the real order files are not in ../shared/data")

HEADS = (
    "orderID,customerID,orderDate,shippedDate,shipVia,shipName,shipAddress,shipCity,shipCountry\n"
    "1,AA,1996-07-04,NULL,3,Ada,Rua do Sol, 67,Porto,Portugal\n"
    "2,BB,1996-07-04,NULL,1,Bo,Main St 4,Bern,Switzerland\n"
)
LINES = "orderID,productID,unitPrice,quantity,discount\n1,11,1,5,0\n2,12,1,6,0\n1,13,1,7,0\n"


def import_both(folder: Path, heads: str, lines: str, **answers: Any) -> Result:  # noqa: ANN401 – of Answers
    """Import two small files, the lines first: the order of the files says nothing."""
    (folder / "lines.csv").write_text(lines, encoding="utf-8")
    (folder / "heads.csv").write_text(heads, encoding="utf-8")
    made = import_files(folder / "lines.csv", folder / "heads.csv", **answers)
    report = made.report
    assert report.rows == report.merged + report.lines + len(report.refused) + report.waiting_lines
    return made


@needs_data
def test_northwind_lists_its_bad_rows() -> None:
    """176 rows with commas in the address are refused, each with its repair; their lines wait."""
    made = import_files(ORDERS, DETAILS)
    report = made.report
    assert (report.rows, report.orders, len(report.refused)) == (830 + 2_155, 654, 176)
    assert all("--repair reads shipAddress as" in reason for _, reason in made.refused)
    assert len(report.waiting) == 176
    assert report.lines + report.waiting_lines == 2_155


@needs_data
@pytest.mark.parametrize("files", [(ORDERS, DETAILS), (DETAILS, ORDERS)], ids=["orders first", "lines first"])
def test_the_repair_recovers_all_of_northwind(files: tuple[Path, Path]) -> None:
    """830 orders and 2,155 lines, as the nested JSON says them."""
    made = import_files(*files, repair=True)
    report = made.report
    assert (report.orders, report.lines, made.refusals, made.held) == (830, 2_155, [], [])
    assert "northwind_orders.csv: 176 rows with too many fields are repaired." in report.notices
    truth = import_files(DATA / "northwind_orders_nested.json")
    orders = {order.number: order for order in made.orders}
    assert len(truth.orders) == 830
    for other in truth.orders:
        order = orders[other.number]
        assert (order.external_ref, order.customer) == (other.external_ref, other.customer)
        assert (order.ship_to.city, order.ship_to.country) == (other.ship_to.city, other.ship_to.country)
        assert (order.stage, order.placed_ms, order.carrier) == (other.stage, other.placed_ms, other.carrier)
        # The two exports list the lines of an order each in its own order.
        assert sorted((line.sku, line.quantity_ordered) for line in order.lines) == sorted(
            (line.sku, line.quantity_ordered) for line in other.lines
        )
        # The JSON lost the comma that the address has in the file.
        assert order.ship_to.street.replace(",", "") == other.ship_to.street.replace(",", "")


def test_a_refused_order_keeps_its_lines_out(tmp_path: Path) -> None:
    """The lines of an order whose row is refused are no order of their own; they are named and counted."""
    made = import_both(tmp_path, HEADS, LINES)
    assert made.refused == [(2, "10 fields instead of 9; --repair reads shipAddress as “Rua do Sol, 67”")]
    assert [tuple(waiting) for waiting in made.report.waiting] == [("1", 2)]
    assert [order.number for order in made.orders] == ["2"]


def test_the_repair_puts_the_fields_back(tmp_path: Path) -> None:
    """The street is whole again and everything behind it in its column."""
    made = import_both(tmp_path, HEADS, LINES, repair=True)
    first = made.orders[0]
    assert (first.ship_to.street, first.ship_to.city) == ("Rua do Sol, 67", "Porto")
    assert (first.carrier, [line.quantity_ordered for line in first.lines]) == ("Federal Shipping", [5, 7])


def test_an_order_without_lines_is_refused(tmp_path: Path) -> None:
    """An order that no line names cannot be picked."""
    made = import_both(tmp_path, HEADS, LINES.replace("2,12,1,6,0\n", ""), repair=True)
    assert made.refused == [(3, "no lines of order 2 in any of the files")]
    assert len(made.orders) == 1


def test_two_rows_of_one_order_must_agree(tmp_path: Path) -> None:
    """An order that stands twice with two cities is held."""
    again = "2,BB,1996-07-04,NULL,1,Bo,Main St 4,Basel,Switzerland\n"
    made = import_both(tmp_path, HEADS + again, LINES, repair=True)
    assert [tuple(held) for held in made.report.held] == [("2", "shipCity: Bern or Basel")]


def test_orders_need_their_reference_too(tmp_path: Path) -> None:
    """A row without an order number is refused in the file of the orders as well."""
    made = import_both(tmp_path, HEADS.replace("2,BB", "NULL,BB"), LINES, repair=True)
    assert made.refused == [(3, "no order number (orderID is blank)")]


@pytest.mark.parametrize(
    "row",
    [
        "A1,S,1,a,b",  # nothing says which delimiter is text
        "A1,S, x,1, y",  # two columns could take them
        " x,A1,S,1",  # nothing stands before it
    ],
)
def test_no_repair_is_offered_in_doubt(tmp_path: Path, row: str) -> None:
    """Where not exactly one column can take the extra fields the row stays refused."""
    made = import_text(tmp_path, f"ref,sku,qty\n{row}\nA2,S,1\n", repair=True)
    ((line, reason),) = made.refused
    assert line == 2
    assert "repair" not in reason


def test_both_halves_are_one_mapping() -> None:
    """The header of either file finds the mapping."""
    shelf = Shelf.shipped()
    for text in (HEADS, LINES):
        assert shelf.detect("csv", text.split("\n")[0].split(","), "x").name == "northwind"


@needs_data
def test_one_half_alone_makes_no_order() -> None:
    """Without the lines every order is refused; without the orders every line waits."""
    assert len(import_files(ORDERS, repair=True).report.refused) == 830
    assert import_files(DETAILS).report.waiting_lines == 2_155
    assert json.loads(json.dumps(import_files(DETAILS).waiting[0])) == ["10248", 3]
