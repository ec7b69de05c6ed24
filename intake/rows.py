"""What a row is worth: whose order it belongs to, its line item, and why it is refused. Pure.

Beside single rows this watches the columns: how their dates are written, and whether a spreadsheet
damaged their ids.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from intake.dates import DateColumn
from intake.mapper import Layout, Row, Values
from intake.text_files import MISSING, clean, shown

PIECES: Final = 1_000_000
"""Most pieces on one line."""
REFERENCE_CHARACTERS: Final = 200
DATE_FIELDS: Final = ("placed", "shipped", "cut_off", "cancelled", "updated")
ID_FIELDS: Final = ("number", "customer", "postcode", "phone")
"""Order fields beside the reference that a spreadsheet damages; a customer may be known by an id."""

_DAMAGED: Final = re.compile(r"[0-9]([.,][0-9]+)?[Ee]\+[0-9]+")
# 2.000 is two here and two thousand there: three zeros are not read.
_WHOLE: Final = re.compile(r"[+]?([0-9]{1,9})([.,](00?|0000+))?")
_THOUSANDS: Final = re.compile(r"[0-9]{1,3}([.,][0-9]{3})+")
_ZERO: Final = re.compile(r"0+([.,]0*)?")
_REMEMBERED: Final = 4_096


class Item(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One line item as it was read."""

    sku: str
    name: str
    quantity: int
    location: str


class Taken(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One row as it is kept until all rows of its order are there.

    ``values`` is None when they are those of the row before of the same order; ``item`` is None for a
    row of an order alone, and where only the line is refused.
    """

    ref: str
    file: int
    line: int
    values: Values | None
    item: Item | None
    digest: int
    is_head: bool = False


class Damage(NamedTuple):
    """Where a spreadsheet first damaged an id of a column, and how it reads."""

    line: int
    text: str


def is_damaged(text: str) -> bool:
    """Say whether a spreadsheet turned an id into a number (5.27763E+12)."""
    return "+" in text and _DAMAGED.fullmatch(text) is not None


class RowChecker:
    """Checks the rows of one kind of file, also of several files of it."""

    def __init__(self, layout: Layout) -> None:
        """Read rows as ``layout`` says."""
        self.layout = layout
        self.damaged: dict[str, Damage] = {}
        """Columns with a damaged id: they are not used."""
        self.dates = {
            name: DateColumn(layout.field_name(name)) for name in DATE_FIELDS if name in layout.order_fields
        }
        self._dates = [(column, layout.order_fields[name]) for name, column in self.dates.items()]
        mapping = layout.mapping
        self._reversals = tuple(each.rstrip("*") for each in mapping.reversals)
        self._ids = [(name, place) for name in ID_FIELDS for place in layout.order_fields.get(name, ())]
        self._quantities: dict[str, int | str] = {}
        self._file = 0
        self._pieces = 0
        self._is_heads = False
        self._above = ""
        self._last: tuple[str, Values] | None = None

    def begin(self, file: int, header: list[str] | None = None) -> bool:
        """Go on with another file, with its columns if it has a header; return whether rows are pieces."""
        mapping = self.layout.mapping
        quantity = [" | ".join(self.layout.item_columns[2])]
        self._file = file
        self._pieces = mapping.pieces if header is not None and not mapping.knows(header, quantity) else 0
        self._is_heads = header is not None and self.layout.is_heads(header)
        for name, column in self.dates.items():
            column.name = self.layout.field_name(name)
        self.forget()
        return bool(self._pieces) and not self._is_heads

    def forget(self) -> None:
        """Forget the order above: a row that is refused may have begun another one."""
        self._above = ""
        self._last = None

    def check(self, row: Row) -> tuple[Taken | None, str]:
        """Return what is kept of a row, and why its line is refused ("" when it is not)."""
        ref = self.layout.order_value(row.order, "external_ref")
        is_next = not ref and self.layout.mapping.continues
        if is_next:
            ref = self._above
        if why := self._why_not(ref, is_next=is_next):
            self.forget()
            return None, why
        self._above = ref
        values: Values | None = row.order
        if self._last == (ref, values):
            values = None
        else:
            self._last = (ref, row.order)
            self._look_at(row)
        if self._is_heads:
            return Taken(ref, self._file, row.line, values, None, row.digest, True), ""
        item = self._item(row)
        if isinstance(item, str):
            # The row may be the only one that names the customer.
            return Taken(ref, self._file, row.line, values, None, row.digest), item
        return Taken(ref, self._file, row.line, values, item, row.digest), ""

    def _item(self, row: Row) -> Item | str:
        """Return the line item of a row, or why it has none."""
        sku, name, count, location, price = [
            "" if (text := each.strip()) in MISSING else text for each in row.item
        ]
        quantity = self._quantities.get(count)
        if quantity is None:
            quantity = _pieces(count) if count or not self._pieces else self._pieces
            if len(self._quantities) < _REMEMBERED:
                self._quantities[count] = quantity
        if isinstance(quantity, str):
            return quantity
        if price and _ZERO.fullmatch(price) and not self.layout.order_value(row.order, "customer"):
            return f"price {shown(price)} and no customer: a correction of the stock"
        if len(sku) > REFERENCE_CHARACTERS:
            return f"the sku is longer than {REFERENCE_CHARACTERS} characters"
        if "+" in sku and is_damaged(sku):
            self.damaged.setdefault("sku", Damage(row.line, sku))
        return Item(sku, name, quantity, location)

    def _look_at(self, row: Row) -> None:
        """Take the values of an order into account for what is decided by whole columns."""
        for name, place in self._ids:
            if "+" in row.order[place] and is_damaged(text := clean(row.order[place])):
                self.damaged.setdefault(name, Damage(row.line, text))
        for column, places in self._dates:
            text = row.order[places[0]]
            if len(places) > 1:
                text = next((each for place in places if (each := clean(row.order[place]))), "")
            column.add(text, row.line)

    def _why_not(self, ref: str, *, is_next: bool) -> str:
        if not ref:
            if is_next:
                return "no order number, and the order above it is not known"
            return f"no order number ({self.layout.field_name('external_ref')} is blank)"
        if "+" in ref and is_damaged(ref):
            return f"order number reads {ref}, damaged by Excel"
        if len(ref) > REFERENCE_CHARACTERS:
            return f"the order number is longer than {REFERENCE_CHARACTERS} characters"
        if self._reversals and ref.startswith(self._reversals):
            return f"order {shown(ref)} takes another one back: nothing to pick"
        return ""


def _pieces(text: str) -> int | str:
    """Return the quantity, or why it is none."""
    found = _WHOLE.fullmatch(text)
    if found and 0 < int(found[1]) <= PIECES:
        return int(found[1])
    if not text:
        return "no quantity"
    if text.startswith(("-", "(", "−")) or (found and not int(found[1])):
        return f"quantity {shown(text)} is not pickable"
    if _THOUSANDS.fullmatch(text):
        return f"quantity {shown(text)} can be read in two ways: thousands or a fraction"
    return f"quantity {shown(text)} is not a whole number from 1 to {PIECES:,}"
