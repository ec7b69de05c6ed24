"""Small files to import, and an import without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from server.modules.imports.plan import Plan, Report, Wish
from server.modules.imports.reader import Answers, Reader
from server.reading.mapping import Shelf, load
from sync.contract.orders import Order

NOW_MS = 1_767_182_400_000
"""2025-12-31T12:00Z."""

SHOP = b"""
name = "shop"
title = "Shop export"
source = "shop"
format = "csv"
detect = ["ref", "sku", "qty"]
agree = ["segment"]
service_skus = ["POSTAGE"]
[order]
external_ref = "ref"
number = "number"
placed = "date"
shipped = "shipped"
customer = ["company", "name"]
city = "city"
postcode = "postcode"
note = "note"
[line]
sku = "sku"
name = "title"
quantity = "qty"
"""

SHOP_JSON = b"""
name = "shop-json"
title = "Shop orders"
source = "shop"
format = "json"
detect = ["id", "lines"]
lines = "lines"
[order]
external_ref = "id"
customer = "to.name"
postcode = "to.zip"
[line]
sku = "sku"
quantity = "qty"
"""


class Result(NamedTuple):
    """What an import came to."""

    report: Report
    plans: list[Plan]
    orders: list[Order]

    @property
    def refused(self) -> list[tuple[int, str]]:
        """Lines and reasons of the refused rows."""
        return [(refusal.line, refusal.reason) for refusal in self.report.refused]


def shop_shelf() -> Shelf:
    """Return the mappings of the small files."""
    return Shelf([load(SHOP, "shop"), load(SHOP_JSON, "shop-json")])


def import_files(
    *paths: Path,
    shelf: Shelf | None = None,
    as_open: bool = False,
    date_style: str = "",
    **answers: Any,  # noqa: ANN401 – the fields of Answers
) -> Result:
    """Read files and make their plans and orders, as the command does before it writes."""
    reader = Reader(shelf or Shelf.shipped(), Answers(**answers), lambda _path, _done: None)
    for path in paths:
        reader.read(path)
    plans = reader.plans(Wish(ZoneInfo("Europe/London"), NOW_MS, as_open, date_style))
    return Result(reader.report, plans, [order for plan in plans for order in plan.orders()])


def import_text(
    folder: Path,
    text: str | bytes,
    name: str = "orders.csv",
    **more: Any,  # noqa: ANN401 – what import_files takes
) -> Result:
    """Write a small file of the shop and import it."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_files(path, shelf=shop_shelf(), **more)
