"""From rows to orders: rows of one reference belong together wherever they stood in the file. Pure.

The first value that is not missing wins; another one is remembered as a disagreement, and a person
looks at the order before it is picked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from intake.mapper import Layout, Values
from intake.rows import Item, Taken
from intake.text_files import clean, shown

ORDER_LINES: Final = 10_000
"""Most lines of one order."""
ORDER_CHARACTERS: Final = 4 * 1024 * 1024
"""No order has more text: it would be longer than a terminal may be sent at once."""

Refuse = Callable[[int, int, str], None]
"""Takes the file and the line of a row that is not used, and why."""


class Line(NamedTuple):
    """A line item and where it stands."""

    file: int
    line: int
    item: Item


@dataclass(slots=True)
class Group:
    """The rows of one order."""

    ref: str
    line: int
    values: Values
    lines: list[Line] = field(default_factory=list)
    heads: list[tuple[int, int]] = field(default_factory=list)
    """File and line of the rows that are the order and nothing else."""
    disagreements: dict[str, list[str]] = field(default_factory=dict)
    duplicates: list[int] = field(default_factory=list)
    """Lines of rows of which the very same stood before."""
    characters: int = 0
    is_too_long: bool = False

    @property
    def is_too_large(self) -> bool:
        """Say whether the order holds more text than any order may."""
        return self.characters > ORDER_CHARACTERS


def grouped(rows: Iterable[Taken], layout: Layout, refuse: Refuse) -> Iterator[Group]:
    """Yield the orders of rows that are sorted by their reference; one order is in memory at a time."""
    group: Group | None = None
    digests: set[int] = set()
    before: Values | None = None
    for row in rows:
        if group is None or row.ref != group.ref:
            if group is not None:
                yield group
            assert row.values is not None, "the first row of an order has its values"
            group = Group(row.ref, row.line, row.values)
            digests.clear()
        elif row.values is not None and row.values != before:
            _join(group, row.values, layout)
        before = before if row.values is None else row.values
        if row.is_head:
            group.heads.append((row.file, row.line))
        elif row.item is not None:
            _take(group, row, row.item, digests, refuse)
    if group is not None:
        yield group


def _take(group: Group, row: Taken, item: Item, digests: set[int], refuse: Refuse) -> None:
    if len(group.lines) >= ORDER_LINES:
        group.is_too_long = True
        refuse(row.file, row.line, f"order {shown(group.ref)} has more than {ORDER_LINES:,} lines")
        return
    if row.digest in digests:
        group.duplicates.append(row.line)
    digests.add(row.digest)
    group.characters += len(item.sku) + len(item.name) + len(item.location)
    # Of an order that cannot come in only the rows are needed, to name them.
    is_large = group.characters > ORDER_CHARACTERS
    group.lines.append(Line(row.file, row.line, _NOTHING if is_large else item))


_NOTHING: Final = Item("", "", 1, "")


def _join(group: Group, values: Values, layout: Layout) -> None:
    """Fill what is missing in an order from another of its rows, and remember where they disagree."""
    joined = list(group.values)
    for place, (ours, theirs) in enumerate(zip(group.values, values, strict=True)):
        if ours == theirs or not (new := clean(theirs)):
            continue
        old = clean(ours)
        if not old:
            joined[place] = theirs
        elif old != new and place not in layout.free:
            known = group.disagreements.setdefault(layout.names[place], [old])
            if new not in known and len(known) < 5:
                known.append(new)
    group.values = tuple(joined)
