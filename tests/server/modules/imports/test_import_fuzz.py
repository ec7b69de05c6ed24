"""Whatever bytes come in: a sentence or a report, and every row is accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.imports import Result, import_files, import_text
from sync.contract.orders import canonical_bytes, order_from_bytes
from sync.contract.problems import ProblemError

CELLS = st.sampled_from(
    [
        "",
        "A",
        "B",
        "NULL",
        "1",
        "-1",
        "1E+9",
        "12/31/19",
        "31/12/2019",
        '"',
        '"x"',
        "ü",
        "\u00a0",
        " x",
        "x\0",
        "a\nb",
        "😀",
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["sku", "qty", "id"]), inner),
    max_leaves=8,
)
QUIET = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def attempt(folder: Path, data: bytes, **answers: Any) -> Result | None:  # noqa: ANN401 – of Answers
    """Import ``data``; a problem is fine, any other error fails the test."""
    try:
        made = import_text(folder, data, **answers)
    except ProblemError:
        return None
    accounted(made)
    return made


def accounted(made: Result) -> None:
    """Check that every row is somewhere, and that the orders are what the figures say."""
    report = made.report
    assert report.rows == report.merged + report.lines + len(report.refused) + report.waiting_lines
    assert report.waiting_lines == sum(waiting.lines for waiting in report.waiting)
    assert {held.ref for held in report.held} == {
        order.external_ref for order in made.orders if order.hold is not None
    }
    assert report.orders == len(made.orders)
    assert report.lines == sum(len(order.lines) for order in made.orders)
    assert all(order_from_bytes(canonical_bytes(order)) == order for order in made.orders)


@QUIET
@given(st.binary(max_size=300))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    """Bytes that are nothing are said to be nothing."""
    attempt(tmp_path, data)


@QUIET
@given(st.binary(max_size=200), st.sampled_from(["", "cp1252", "latin-1", "cp437", "utf-16", "utf-7", "hex"]))
def test_any_bytes_behind_a_header(tmp_path: Path, data: bytes, encoding: str) -> None:
    """Rows of any bytes in any encoding never end in anything but a report or a sentence."""
    attempt(tmp_path, b"ref,sku,qty,date\n" + data, encoding=encoding, accept_truncated=True)


@QUIET
@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=5), min_size=1, max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_any_cells(tmp_path: Path, rows: list[list[str]], delimiter: str, end: str, encoding: str) -> None:
    """Rows of awkward cells: each is imported or refused, none is lost."""
    text = end.join(delimiter.join(row) for row in [["ref", "sku", "qty", "date"], *rows])
    data = text.encode(encoding, "replace")
    attempt(tmp_path, data, date_style="d/m/y", accept_truncated=True)
    attempt(tmp_path, data, date_style="d/m/y", accept_truncated=True, repair=True)


@QUIET
@given(st.lists(VALUES, max_size=5), st.integers(0, 400))
def test_any_json(tmp_path: Path, lines: list[object], cut: int) -> None:
    """Orders with any values, whole and cut anywhere."""
    orders = [{"id": "1", "lines": lines}, {"id": lines, "lines": [{"qty": 1}]}]
    data = json.dumps(orders).encode()
    attempt(tmp_path, data)
    attempt(tmp_path, data[:cut], accept_truncated=True)


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_cut_file_never_loses_a_row_silently(tmp_path: Path, cut: int) -> None:
    """However many bytes are missing at the end, the rows before are there and the cut row is named."""
    whole = b"ref,sku,qty,date\n" + b"".join(b"R%d,S,1,2019-01-31\n" % number for number in range(5))
    made = attempt(tmp_path, whole[:-cut], accept_truncated=True)
    assert made is not None
    assert made.report.rows == whole[:-cut].rstrip(b"\n").count(b"\n")


HEADINGS = st.sampled_from(
    [
        "order id",
        "Order ID",
        "InvoiceNo",
        "Qty",
        "quantity",
        "SKU",
        "status",
        "date",
        "tags",
        "city",
        "updated at",
        "",
        "x",
    ]
)


@QUIET
@given(
    st.lists(HEADINGS, min_size=1, max_size=7),
    st.lists(
        st.lists(CELLS | st.sampled_from(["shipped", "draft", "POST"]), min_size=1, max_size=7), max_size=12
    ),
    st.sampled_from(",;\t|"),
    st.booleans(),
)
def test_any_headings(
    tmp_path: Path, headings: list[str], rows: list[list[str]], delimiter: str, is_open: bool
) -> None:
    """Whatever the columns are called: orders, a question, or a sentence; never a lost row."""
    text = "\n".join(delimiter.join(row) for row in [["order id", "qty", *headings], *rows])
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode("utf-8", "replace"))
    try:
        made = import_files(
            path,
            date_style="d/m/y",
            accept_truncated=True,
            as_open=is_open,
            cut_off_tags=True,
            repair=is_open,
        )
    except ProblemError:
        return
    accounted(made)


@QUIET
@given(
    st.lists(st.tuples(st.sampled_from(["1", "2", "3", "", "1E+9"]), CELLS), max_size=8),
    st.lists(st.tuples(st.sampled_from(["1", "2", "4", "NULL"]), CELLS), max_size=8),
    st.booleans(),
)
def test_any_two_files(
    tmp_path: Path, heads: list[tuple[str, str]], lines: list[tuple[str, str]], is_reversed: bool
) -> None:
    """Orders in one file, lines in another, in either order: merged, waiting, refused or a line."""
    first, second = tmp_path / "heads.csv", tmp_path / "lines.csv"
    first.write_text(
        "orderID,customerID,orderDate,shipVia,shipName,shipAddress,shipCity\n9,A,2024-01-31,1,Ada,,Bath\n"
        + "".join(f"{ref},A,2024-01-31,1,{cell},Street,Bath\n" for ref, cell in heads),
        encoding="utf-8",
    )
    second.write_text(
        "orderID,productID,unitPrice,quantity,discount\n9,1,1,1,0\n"
        + "".join(f"{ref},7,1,{cell},0\n" for ref, cell in lines),
        encoding="utf-8",
    )
    paths = [second, first] if is_reversed else [first, second]
    try:
        made = import_files(*paths, accept_truncated=True)
    except ProblemError:
        return
    accounted(made)
    assert made.report.merged >= 1


@QUIET
@given(st.lists(st.tuples(st.sampled_from(["so_1", "so_2", "", " "]), CELLS, CELLS), min_size=1, max_size=12))
def test_any_rows_that_continue(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    """A row without a number goes to the order above it or is refused, never to another one."""
    path = tmp_path / "odoo.csv"
    text = "".join(f"{ref},{state},Mug,{count}\n" for ref, state, count in rows)
    path.write_text(f"id,state,order_line/name,order_line/product_uom_qty\n{text}", encoding="utf-8")
    try:
        made = import_files(path, accept_truncated=True)
    except ProblemError:
        return
    accounted(made)
    assert {order.external_ref for order in made.orders} <= {"so_1", "so_2"}
