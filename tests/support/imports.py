"""Small files to import, and an import without a database."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from intake.arrival import Arrival
from intake.mapping import Shelf, load
from intake.reader import Answers
from intake.report import Held, Refusal, Report, Waiting
from intake.spill import Spill
from server.importing.importer import Importer
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
    """What an import came to, its lists in memory."""

    report: Report
    arrivals: list[Arrival]

    @property
    def orders(self) -> list[Order]:
        """The orders, without when their source said so."""
        return [arrival.order for arrival in self.arrivals]

    @property
    def refusals(self) -> list[Refusal]:
        """The refused rows."""
        return list(self.report.refused)

    @property
    def held(self) -> list[Held]:
        """The orders on hold."""
        return list(self.report.held)

    @property
    def waiting(self) -> list[Waiting]:
        """The lines whose order is not there."""
        return list(self.report.waiting)

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
    with Spill() as spill:
        importer = Importer(spill, Answers(as_open=as_open, date_style=date_style, **answers), shelf=shelf)
        importer.read(paths)
        makers = importer.makers(ZoneInfo("Europe/London"), NOW_MS)
        arrivals = [
            maker.arrival(group)
            for kind, maker in enumerate(makers)
            for group in importer.orders(kind, maker)
        ]
        report = importer.report
        report.finish()
        for name in ("refused", "held", "waiting"):
            setattr(report, name, list(getattr(report, name)))
        return Result(report, arrivals)


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
