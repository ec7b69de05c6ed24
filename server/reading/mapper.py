"""From the columns of a file to rows: one row is one line item with the values of its order beside it.

A CSV row has its values by place, a JSON order by name and its lines in a list; behind this file
both look the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from server.reading.mapping import LINE_FIELDS, Columns, Mapping
from server.reading.text_files import FIELD_BYTES
from sync.contract.problems import ProblemError

MISSING: Final = frozenset({"", "NULL", "NA", "N/A"})
"""What means "no value"."""

Values = tuple[str, ...]
Refuse = Callable[[int, str], None]


class Row(NamedTuple):
    """One line item as text. ``digest`` is equal for equal rows of one run."""

    line: int
    order: Values
    item: Values
    digest: int


class Layout:
    """Which columns a mapping reads, each once, and which of them fill which field."""

    def __init__(self, mapping: Mapping) -> None:
        """Lay ``mapping`` out."""
        self.mapping = mapping
        self.has_heads = bool(mapping.heads)
        self.order_columns = _distinct([*mapping.order.values(), *mapping.agree])
        self.item_columns = _distinct(mapping.line.values())
        self.order_fields = {
            field: tuple(self.order_columns.index(column) for column in _as_tuple(columns))
            for field, columns in mapping.order.items()
        }
        self._item_places = [
            tuple(self.item_columns.index(column) for column in _as_tuple(mapping.line.get(field, ())))
            for field in LINE_FIELDS
        ]

    def order_value(self, values: Values, field: str) -> str:
        """Return the value of an order's field: the first of its columns that is not missing."""
        return next(
            (text for place in self.order_fields.get(field, ()) if (text := clean(values[place]))), ""
        )

    def item_values(self, values: Values) -> Values:
        """Return sku, name, quantity and location out of the values of the item columns."""
        return tuple(
            next((text for place in places if (text := clean(values[place]))), "")
            for places in self._item_places
        )

    def is_heads(self, header: Iterable[str]) -> bool:
        """Say whether a file with this header holds orders whose lines stand in another file."""
        return self.has_heads and set(header).issuperset(self.mapping.heads)

    def field_name(self, field: str) -> str:
        """Return what the file calls an order's field."""
        return " or ".join(_as_tuple(self.mapping.order[field]))


def clean(text: str) -> str:
    """Return the value without blanks around it, empty when it means "no value"."""
    text = text.strip()
    return "" if text in MISSING else text


def _as_tuple(columns: Columns) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns


def _distinct(columns: Iterable[Columns]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column for each in columns for column in _as_tuple(each)))


def csv_rows(
    layout: Layout, header: Sequence[str], records: Iterator[tuple[int, list[str]]], origin: str
) -> Iterator[Row]:
    """Yield the rows of delimited records; a column that is not there is a missing value."""
    places = {name: place for place, name in reversed(list(enumerate(header)))}
    wanted = {*layout.order_columns, *layout.item_columns}
    if doubled := sorted(name for name in wanted if header.count(name) > 1):
        raise ProblemError(
            "COLUMN_TWICE",
            f"{origin} has two columns called {doubled[0]}.",
            "Rename one of them: it must be clear which is meant.",
        )
    _check_columns(layout, set(header), origin)
    # One place behind the record is always empty: absent columns read from there.
    order_places = [places.get(name, len(header)) for name in layout.order_columns]
    item_places = [places.get(name, len(header)) for name in layout.item_columns]
    for line, fields in records:
        digest = hash(tuple(fields))
        fields.append("")
        yield Row(
            line,
            tuple([fields[at] for at in order_places]),
            tuple([fields[at] for at in item_places]),
            digest,
        )


def json_rows(layout: Layout, items: Iterator[tuple[int, object]], refuse: Refuse) -> Iterator[Row]:
    """Yield the rows of JSON orders; an order or a line that is no object is refused."""
    for line, item in items:
        try:
            values = tuple(_text_at(item, column) for column in layout.order_columns)
            details = _at(item, layout.mapping.lines) if layout.mapping.lines else [item]
        except ValueError as error:
            refuse(line, str(error))
            continue
        if not isinstance(details, list) or not details:
            refuse(line, f"an order without lines in {layout.mapping.lines}")
            continue
        for detail in details:
            try:
                cells = tuple(_text_at(detail, column) for column in layout.item_columns)
                row = Row(line, values, cells, hash((values, repr(detail))))
            except ValueError as error:
                refuse(line, str(error))
            except RecursionError:
                refuse(line, "a line is nested too deeply")
            else:
                yield row


def unwrapped(items: Iterable[tuple[int, object]]) -> Iterator[tuple[int, object]]:
    """Yield the orders out of ``{"order": …}`` and ``{"orders": [ … ]}``, all others as they are."""
    for line, item in items:
        inner = item if isinstance(item, dict) and len(item) == 1 else {}
        if isinstance(order := inner.get("order"), dict):
            yield line, order
        elif isinstance(orders := inner.get("orders"), list):
            yield from ((line, order) for order in orders)
        else:
            yield line, item


def columns_of(item: object, prefix: str = "") -> list[str]:
    """Return the names of a JSON order's values as a mapping writes them (``shipTo.city``)."""
    if not isinstance(item, dict):
        return []
    names: list[str] = []
    for name, value in item.items():
        names.append(f"{prefix}{name}")
        if isinstance(value, dict) and not prefix.count("."):
            names += columns_of(value, f"{prefix}{name}.")
    return names


def _check_columns(layout: Layout, present: set[str], origin: str) -> None:
    """Refuse a file that lacks what no order can do without."""
    mapping = layout.mapping
    needed = [mapping.order["external_ref"]]
    if not layout.is_heads(present):
        needed.append(mapping.line["quantity"])
    for columns in needed:
        if present.isdisjoint(_as_tuple(columns)):
            raise ProblemError(
                "COLUMN_MISSING",
                f"{origin} has no column {' or '.join(_as_tuple(columns))}, which {mapping.name} needs.",
                "Choose another mapping with --mapping, or export that column too.",
            )


def _at(item: object, path: str) -> object:
    for name in path.split("."):
        if isinstance(item, list) and name.isdecimal():
            item = dict(enumerate(item)).get(int(name))
        elif isinstance(item, dict):
            item = item.get(name)
        else:
            raise ValueError("not an object with named values")
        if item is None:
            return None
    return item


def _text_at(item: object, path: str) -> str:
    if " + " in path:
        parts = (clean(_text_at(item, part)) for part in path.split(" + "))
        return " ".join(part for part in parts if part)
    value = _at(item, path)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        raise ValueError(f"{path} is not a single value")  # noqa: TRY004 – as above
    try:
        size = len(value.encode())
    except UnicodeEncodeError as error:
        raise ValueError(f"{path} holds half a character") from error
    if "\0" in value or size > FIELD_BYTES:
        raise ValueError(f"{path} holds a zero character or is longer than {FIELD_BYTES // 1024} KB")
    return value
