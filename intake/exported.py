"""Orders as exports write them: JSON in the words of the plain order, CSV with one row a line item. Pure.

A spreadsheet runs what begins with ``= + - @``. So a text that would begin so, in its first line or in any
other, gets a ' in front; also behind blanks, which spreadsheets skip. Numbers and times are left as they
are: they come from us.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from intake.moments import moment_text
from sync.contract.orders import Address, Hold, LineItem, Order

TEXT_COLUMNS: Final = frozenset(
    {
        *("external_ref", "source", "number", "ship_method", "carrier", "customer", "ship_name", "company"),
        *("street", "city", "region", "postcode", "country", "phone", "note", "tags", "hold_reason"),
        *("hold_note", "tracking_number", "claimed_by", "sku", "line_name", "location", "order_id"),
    }
)
"""The columns whose cells are somebody's text; a terminal chooses the id of an order that it makes."""
_ENDS: Final = "\n\r\v\f\x1c-\x1e\x85\u2028\u2029"
_BLANKS: Final = (
    "[^\\S" + _ENDS + "]|[\x00-\x08\x0e-\x1b\x1f\x7f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]"
)
_RUN: Final = frozenset("=+-@＝＋－＠")
_STARTS: Final = re.compile(f"(^|[{_ENDS}])(?=(?:{_BLANKS})*[=+\\-@＝＋－＠])")
_BEGINS_BLANK: Final = re.compile("^(?=[\t\r\n])")
BOM: Final = b"\xef\xbb\xbf"


class ExportedHold(msgspec.Struct, frozen=True):
    """Why an order waits, until when, and who said so."""

    reason: str
    note: str
    until: str
    by: str
    at: str


class ExportedLine(msgspec.Struct, frozen=True):
    """One line item."""

    sku: str
    name: str
    quantity: int
    location: str
    requires_picking: bool
    quantity_picked: int
    quantity_cancelled: int
    quantity_short: int


class ExportedOrder(msgspec.Struct, frozen=True):
    """One order as an export in JSON holds it; times are UTC, empty when there is none."""

    external_ref: str
    source: str
    number: str
    status: str
    status_at: str
    placed_at: str
    cut_off_at: str
    ship_method: str
    carrier: str
    priority: int
    customer: str
    ship_to: Address
    note: str
    tags: tuple[str, ...]
    hold: ExportedHold | None
    cancelled: bool
    cancelled_at: str
    tracking_number: str
    claimed_by: str
    lines: tuple[ExportedLine, ...]
    order_id: str
    created_at: str
    updated_at: str
    retired_at: str


def as_exported(order: Order) -> ExportedOrder:
    """Return an order in the words of the outside world."""
    return ExportedOrder(
        order.external_ref,
        order.source,
        order.number,
        order.stage.value,
        moment_text(order.stage_ms),
        moment_text(order.placed_ms),
        moment_text(order.cut_off_ms),
        order.ship_method,
        order.carrier,
        order.priority,
        order.customer,
        order.ship_to,
        order.note,
        order.tags,
        None if order.hold is None else _hold(order.hold),
        order.cancelled_ms is not None,
        moment_text(order.cancelled_ms),
        order.tracking_number,
        order.claimed_by.name if order.claimed_by else "",
        tuple(_line(line) for line in order.lines),
        order.id,
        moment_text(order.created_ms),
        moment_text(order.updated_ms),
        moment_text(order.retired_ms),
    )


def _hold(hold: Hold) -> ExportedHold:
    until, since = moment_text(hold.until_ms), moment_text(hold.at_ms)
    return ExportedHold(hold.reason, hold.note, until, hold.by, since)


def _line(line: LineItem) -> ExportedLine:
    return ExportedLine(
        line.sku,
        line.name,
        line.quantity_ordered,
        line.location,
        line.requires_picking,
        line.quantity_picked,
        line.quantity_cancelled,
        line.quantity_short,
    )


def harmless(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula.

    >>> harmless("=1+1"), harmless(" +1"), harmless("a-1")
    ("'=1+1", "' +1", 'a-1')
    """
    if text.isprintable():
        # One line, and no blanks but those that strip: nearly every text, and ten times as fast.
        return f"'{text}" if text.lstrip()[:1] in _RUN else text
    return _BEGINS_BLANK.sub("'", _STARTS.sub(r"\1'", text))


class CsvFile:
    """Orders as a CSV file: UTF-8, comma, CRLF; an order stands in as many rows as it has line items."""

    suffix: Final = "csv"
    media_type: Final = "text/csv; charset=utf-8"

    def __init__(self, *, has_bom: bool) -> None:
        """Begin with a byte order mark, which some spreadsheets need to see UTF-8, or without."""
        self._has_bom = has_bom

    def head(self) -> bytes:
        """Return the beginning of the file."""
        return (BOM if self._has_bom else b"") + _csv([COLUMNS])

    def part(self, orders: Iterable[Order], is_first: bool) -> bytes:
        """Return the rows of some orders."""
        return _csv(row for order in orders for row in _rows(order))

    def tail(self) -> bytes:
        """Return the end of the file."""
        return b""


class JsonFile:
    """Orders as one JSON object ``{"orders": […]}``, an order on a line."""

    suffix: Final = "json"
    media_type: Final = "application/json"

    def head(self) -> bytes:
        """Return the beginning of the file."""
        return b'{"orders": ['

    def part(self, orders: Iterable[Order], is_first: bool) -> bytes:
        """Return some orders; the first ones have none before them."""
        encoded = [msgspec.json.encode(as_exported(order)) for order in orders]
        lead = b"\n" if is_first else b",\n"
        return lead + b",\n".join(encoded) if encoded else b""

    def tail(self) -> bytes:
        """Return the end of the file."""
        return b"\n]}\n"


ExportFile = CsvFile | JsonFile
FORMATS: Final = ("csv", "json")


def export_file(kind: str, *, has_bom: bool) -> ExportFile:
    """Return what writes a file of this kind."""
    return JsonFile() if kind == "json" else CsvFile(has_bom=has_bom)


def _csv(rows: Iterable[Iterable[object]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _rows(order: Order) -> Iterator[list[object]]:
    head = _head(as_exported(order))
    for line in order.lines:
        yield [
            *head,
            line.position,
            harmless(line.sku),
            harmless(line.name),
            line.quantity_ordered,
            harmless(line.location),
            line.requires_picking,
            line.quantity_picked,
            line.quantity_cancelled,
            line.quantity_short,
        ]
    if not order.lines:
        yield [*head, *("" for _ in _LINE_COLUMNS)]


def _head(order: ExportedOrder) -> list[object]:
    """Return the cells that are the same in every row of an order."""
    ship_to, hold = order.ship_to, order.hold
    cells: dict[str, object] = {
        **{name: getattr(order, name) for name in _ORDER_COLUMNS if hasattr(order, name)},
        **{name: getattr(ship_to, name) for name in Address.__struct_fields__},
        "ship_name": ship_to.name,
        "tags": ", ".join(order.tags),
        "hold_reason": hold.reason if hold else "",
        "hold_note": hold.note if hold else "",
    }
    return [harmless(str(cells[name])) if name in TEXT_COLUMNS else cells[name] for name in _ORDER_COLUMNS]


_ORDER_COLUMNS: Final = (
    *("external_ref", "source", "number", "status", "status_at", "placed_at", "cut_off_at", "ship_method"),
    *("carrier", "priority", "customer", "ship_name", "company", "street", "city", "region", "postcode"),
    *("country", "phone", "note", "tags", "hold_reason", "hold_note", "cancelled_at", "tracking_number"),
    *("claimed_by", "created_at", "updated_at", "retired_at", "order_id"),
)
_LINE_COLUMNS: Final = (
    *("line", "sku", "line_name", "quantity", "location", "requires_picking", "quantity_picked"),
    *("quantity_cancelled", "quantity_short"),
)
COLUMNS: Final = (*_ORDER_COLUMNS, *_LINE_COLUMNS)
"""The columns of the CSV, in their order."""
