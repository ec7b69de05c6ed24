"""One request's orders: JSON in memory, read by the rules that files are read by. Pure, no file, no store.

Example::

    read = read_orders(body, Shelf.shipped().choose("shopify-json"), Wish(zone, now_ms))
    for arrival in read.arrivals: ...
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final, NamedTuple

from intake.arrival import Arrival
from intake.grouping import grouped
from intake.json_items import JsonItems
from intake.mapper import Layout, Row, json_rows, unwrapped
from intake.mapping import Mapping
from intake.order_maker import OrderMaker, Wish
from intake.report import Held, Refusal, Report
from intake.rows import RowChecker, Taken
from intake.text_files import truncated_problem
from sync.contract.problems import ProblemError

MARK: Final = b"\xef\xbb\xbf"


class Read(NamedTuple):
    """What a request says: the orders, what of it is not used, and which orders are on hold."""

    arrivals: list[Arrival]
    refused: list[Refusal]
    held: list[Held]


def read_orders(body: bytes, mapping: Mapping, wish: Wish, origin: str = "The request") -> Read:
    """Read the orders in ``body`` as the JSON ``mapping`` says.

    Raises:
        ProblemError: when it is not JSON with orders; nothing of it can be used then.
    """
    source = JsonItems(io.StringIO(_text(body, origin)), origin)
    report = Report(files=[origin])
    checker = RowChecker(Layout(mapping))
    checker.begin(0)

    def refuse(line: int, why: str) -> None:
        report.rows += 1
        report.refuse(0, line, why)

    rows = json_rows(checker.layout, unwrapped(source.items()), refuse)
    places: dict[str, int] = {}
    taken = sorted(_taken(rows, checker, report), key=lambda row: places.setdefault(row.ref, len(places)))
    if source.cut_off:
        raise truncated_problem(origin, f"row {source.cut_off[0]}: {source.cut_off[1]}")
    maker = OrderMaker(checker, wish)
    groups = grouped(taken, checker.layout, report.refuse)
    arrivals = [maker.arrival(group) for group in groups if report.settle(group, maker)]
    return Read(arrivals, list(report.refused), list(report.held))


def _taken(rows: Iterator[Row], checker: RowChecker, report: Report) -> Iterator[Taken]:
    for row in rows:
        report.rows += 1
        taken, why = checker.check(row)
        if why:
            report.refuse(0, row.line, why)
        if taken is not None:
            yield taken


def _text(body: bytes, origin: str) -> str:
    try:
        return body.removeprefix(MARK).decode()
    except UnicodeDecodeError as error:
        raise ProblemError(
            "ENCODING_NEEDED", f"{origin} is not in UTF-8.", "Send JSON in UTF-8. Nothing has been written."
        ) from error
