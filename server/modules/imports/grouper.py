"""From rows to orders: rows of one reference belong together wherever they stand in the file.

The first value that is not missing wins; another one is remembered as a disagreement, and a person
looks at the order before it is picked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from server.reading.mapper import Layout, Row, Values, clean
from server.reading.text_files import shown

ORDER_LINES: Final = 10_000
"""Most lines of one order."""
PIECES: Final = 1_000_000
"""Most pieces on one line."""
REFERENCE_CHARACTERS: Final = 200

_DAMAGED: Final = re.compile(r"[0-9]([.,][0-9]+)?[Ee]\+[0-9]+")
# 2.000 is two here and two thousand there: three zeros are not read.
_WHOLE: Final = re.compile(r"[+]?([0-9]{1,9})([.,](00?|0000+))?")


class Item(NamedTuple):
    """One line item as it was read."""

    line: int
    sku: str
    name: str
    quantity: int
    location: str
    digest: int


class Refusal(NamedTuple):
    """A row that is not used, where it begins and why."""

    file: str
    line: int
    reason: str


class Waiting(NamedTuple):
    """Lines whose order is not there: its row is refused, or stands in a file that was not named."""

    ref: str
    lines: int


@dataclass(slots=True)
class Group:
    """The rows of one order."""

    ref: str
    line: int
    values: Values
    items: list[Item] = field(default_factory=list)
    disagreements: dict[str, list[str]] = field(default_factory=dict)
    is_too_long: bool = False


def is_damaged(text: str) -> bool:
    """Say whether a spreadsheet turned an id into a number (5.27763E+12)."""
    return "+" in text and _DAMAGED.fullmatch(text) is not None


class Grouper:
    """Gathers the rows of one kind of file, also of several files of it."""

    def __init__(self, layout: Layout) -> None:
        """Group by the reference that ``layout`` names."""
        self.layout = layout
        self.groups: dict[str, Group] = {}
        self.damaged: dict[str, tuple[int, str]] = {}
        """Columns with an id that a spreadsheet damaged: where first, and how it reads."""
        self.waiting: list[Waiting] = []
        self._heads: dict[str, list[tuple[str, int]]] = {}

    def add(self, row: Row) -> str:
        """Take a row in; return why it is refused, "" when it is not."""
        ref = self.layout.order_value(row.order, "external_ref")
        if why := self._why_not(ref):
            return why
        sku, name, count, location = self.layout.item_values(row.item)
        quantity = _pieces(count)
        if isinstance(quantity, str):
            return quantity
        if is_damaged(sku):
            self.damaged.setdefault("sku", (row.line, sku))
        group = self.groups.get(ref)
        if group is None:
            group = self.groups[ref] = Group(ref, row.line, row.order)
        elif len(group.items) >= ORDER_LINES:
            group.is_too_long = True
            return f"order {shown(ref)} has more than {ORDER_LINES:,} lines"
        elif group.values != row.order:
            self._join(group, row.order)
        group.items.append(Item(row.line, sku, name, quantity, location, row.digest))
        return ""

    def add_head(self, row: Row, file: str) -> str:
        """Take an order in whose lines stand in another file; return why it is refused, or ""."""
        ref = self.layout.order_value(row.order, "external_ref")
        if why := self._why_not(ref):
            return why
        group = self.groups.setdefault(ref, Group(ref, row.line, row.order))
        if group.values != row.order:
            self._join(group, row.order)
        self._heads.setdefault(ref, []).append((file, row.line))
        return ""

    def settle(self) -> Iterator[Refusal]:
        """Take out what lacks its other half: yields orders without lines, keeps lines without orders."""
        if not self.layout.has_heads:
            return
        for ref, group in list(self.groups.items()):
            if ref not in self._heads:
                self.waiting.append(Waiting(ref, len(self.groups.pop(ref).items)))
            elif not group.items:
                del self.groups[ref]
                for file, line in self._heads.pop(ref):
                    yield Refusal(file, line, f"no lines of order {shown(ref)} in any of the files")

    @property
    def merged(self) -> int:
        """How many rows are orders that found their lines."""
        return sum(map(len, self._heads.values()))

    def _why_not(self, ref: str) -> str:
        if not ref:
            return f"no order number ({self.layout.field_name('external_ref')} is blank)"
        if is_damaged(ref):
            return f"order number reads {ref}, damaged by Excel"
        if len(ref) > REFERENCE_CHARACTERS:
            return f"the order number is longer than {REFERENCE_CHARACTERS} characters"
        return ""

    def _join(self, group: Group, values: Values) -> None:
        joined = list(group.values)
        for place, (ours, theirs) in enumerate(zip(group.values, values, strict=True)):
            if ours == theirs or not (new := clean(theirs)):
                continue
            old = clean(ours)
            if not old:
                joined[place] = theirs
            elif old != new:
                known = group.disagreements.setdefault(self.layout.order_columns[place], [old])
                if new not in known and len(known) < 5:
                    known.append(new)
        group.values = tuple(joined)

    def duplicates(self) -> Iterator[tuple[Group, Item]]:
        """Yield the items of which the very same row stands in the file before."""
        for group in self.groups.values():
            if len(group.items) > 1:
                seen: set[int] = set()
                for item in group.items:
                    if item.digest in seen:
                        yield group, item
                    seen.add(item.digest)


def _pieces(text: str) -> int | str:
    """Return the quantity, or why it is none."""
    found = _WHOLE.fullmatch(text)
    if found and 0 < int(found[1]) <= PIECES:
        return int(found[1])
    if not text:
        return "no quantity"
    if text.startswith("-") or (found and not int(found[1])):
        return f"quantity {shown(text)} is not pickable"
    return f"quantity {shown(text)} is not a whole number from 1 to {PIECES:,}"
