"""From the columns of a file to rows: one row is one line item with the values of its order beside it.

A CSV row has its values by place, a JSON order by name and its lines in a list; behind this file
both look the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import NamedTuple

from intake.mapping import LINE_FIELDS, Columns, Mapping, as_tuple
from intake.text_files import FIELD_BYTES, clean, shown
from sync.contract.problems import ProblemError

Values = tuple[str, ...]
Refuse = Callable[[int, str], None]


class Row(NamedTuple):
    """One line item as text, the values of ``LINE_FIELDS`` in ``item``.

    ``digest`` is equal for equal rows of one run.
    """

    line: int
    order: Values
    item: Values
    digest: int


class Layout:
    """Which columns a mapping reads, and which of them fill which field.

    A *slot* is one place in the values of an order: one column, or with ``synonyms`` the column of a
    field, whatever the file at hand calls it.
    """

    def __init__(self, mapping: Mapping) -> None:
        """Lay ``mapping`` out."""
        self.mapping = mapping
        self.has_heads = bool(mapping.heads)
        agreeing = [(column,) for column in mapping.agree]
        named = {field: as_tuple(columns) for field, columns in mapping.order.items()}
        if mapping.synonyms:
            self.slots = [*named.values(), *agreeing]
            self.order_fields: dict[str, tuple[int, ...]] = {
                field: (place,) for place, field in enumerate(named)
            }
        else:
            columns = dict.fromkeys(column for each in named.values() for column in each)
            self.slots = list(dict.fromkeys([*((column,) for column in columns), *agreeing]))
            self.order_fields = {
                field: tuple(self.slots.index((column,)) for column in each) for field, each in named.items()
            }
        self.item_columns = [as_tuple(mapping.line.get(field, ())) for field in LINE_FIELDS]
        self.slot_paths = [tuple(map(self._path, slot)) for slot in self.slots]
        self.item_paths = [tuple(map(self._path, columns)) for columns in self.item_columns]
        self.line_paths = [self._path(path) for path in as_tuple(mapping.lines) if path]
        self.names = [slot[0] for slot in self.slots]
        """What the file calls the slots."""
        self.free = frozenset(self.order_fields.get("updated", ()))
        """Slots that may differ inside an order: each row may have been changed at its own time."""

    def _path(self, column: str) -> str:
        """Return where a JSON order has a value, its names as they are compared."""
        return ".".join(map(self.mapping.same, column.split("."))) if self.mapping.synonyms else column

    def order_value(self, values: Values, field: str) -> str:
        """Return the value of an order's field: the first of its columns that is not missing."""
        for place in self.order_fields.get(field, ()):
            if text := clean(values[place]):
                return text
        return ""

    def is_heads(self, header: Iterable[str]) -> bool:
        """Say whether a file with this header holds orders whose lines stand in another file."""
        return self.has_heads and self.mapping.knows(header, self.mapping.heads)

    def field_name(self, field: str) -> str:
        """Return what the file calls an order's field."""
        return " or ".join(self.names[place] for place in self.order_fields[field])

    def understood(self, header: Sequence[str]) -> str:
        """Return which column fills which field, for a person to check what was guessed."""
        same = self.mapping.same
        names = {same(name): name for name in reversed(header)}

        def filled(fields: dict[str, Columns]) -> str:
            found = {
                field: next((names[key] for name in as_tuple(columns) if (key := same(name)) in names), "")
                for field, columns in fields.items()
            }
            return ", ".join(f"{field} = {shown(name)}" for field, name in found.items() if name)

        return f"{filled(self.mapping.order)}; lines: {filled(self.mapping.line)}"

    def quoted(self, header: Sequence[str]) -> frozenset[int]:
        """Return the places in ``header`` that this mapping reads: only these may a sentence quote."""
        wanted = {self.mapping.same(name) for slot in (*self.slots, *self.item_columns) for name in slot}
        return frozenset(place for place, name in enumerate(header) if self.mapping.same(name) in wanted)


class _Header:
    """Where the columns of a mapping stand in one file."""

    def __init__(self, layout: Layout, header: Sequence[str], origin: str) -> None:
        self._layout = layout
        self._names = [layout.mapping.same(name) for name in header]
        self._header = header
        self._origin = origin
        # One place behind the record is always empty: absent columns read from there.
        self._absent = len(header)

    def place(self, column: str) -> int:
        """Return where a column is; behind the record when it is not there."""
        name = self._layout.mapping.same(column)
        if self._names.count(name) > 1:
            raise ProblemError(
                "COLUMN_TWICE",
                f"{self._origin} has two columns called {self._header[self._names.index(name)]}.",
                "Rename one of them: it must be clear which is meant.",
            )
        return self._names.index(name) if name in self._names else self._absent

    def first(self, columns: Iterable[str]) -> int:
        """Return where the first of several columns is that the file has."""
        return next(
            (place for column in columns if (place := self.place(column)) < self._absent), self._absent
        )

    def order_places(self) -> list[int]:
        """Return where the slots of an order are, and give them the names that this file has."""
        places = [self.first(slot) for slot in self._layout.slots]
        for slot, place in enumerate(places):
            if place < self._absent:
                self._layout.names[slot] = self._header[place]
        return places

    def item_places(self) -> list[list[int]]:
        """Return for each field of a line the places whose first value counts."""
        columns = self._layout.item_columns
        if self._layout.mapping.synonyms:
            return [[self.first(names)] for names in columns]
        return [[self.place(name) for name in names] or [self._absent] for names in columns]


def csv_rows(
    layout: Layout, header: Sequence[str], records: Iterator[tuple[int, list[str]]], origin: str
) -> Iterator[Row]:
    """Yield the rows of delimited records; a column that is not there is a missing value."""
    file = _Header(layout, header, origin)
    order_of = _getter([[place] for place in file.order_places()])
    item_of = _getter(file.item_places())
    _check_columns(layout, header, origin)
    return _rows(records, order_of, item_of)


def _rows(
    records: Iterator[tuple[int, list[str]]],
    order_of: Callable[[list[str]], Values],
    item_of: Callable[[list[str]], Values],
) -> Iterator[Row]:
    for line, fields in records:
        digest = hash(tuple(fields))
        fields.append("")
        yield Row(line, order_of(fields), item_of(fields), digest)


def _getter(places: list[list[int]]) -> Callable[[list[str]], Values]:
    """Return what takes the values at ``places`` out of a record; of several, the first that is one."""
    if len(places) > 1 and all(len(each) == 1 for each in places):
        return itemgetter(*(place for (place,) in places))
    return lambda fields: tuple([_first_value(fields[place] for place in each) for each in places])


def _first_value(texts: Iterable[str]) -> str:
    first = ""
    for text in texts:
        if clean(text):
            return text
        first = first or text
    return first


def json_rows(layout: Layout, items: Iterator[tuple[int, object]], refuse: Refuse) -> Iterator[Row]:
    """Yield the rows of JSON orders; an order or a line that is no object is refused."""
    for line, item in items:
        try:
            item = _foldable(layout, item)  # noqa: PLW2901 – the same order, its names as they are compared
            values = tuple([_text_of(layout, item, paths) for paths in layout.slot_paths])
            details = _details(layout, item)
        except ValueError as error:
            refuse(line, str(error))
            continue
        if not isinstance(details, list) or not details:
            ref = f" {shown(known)}" if (known := layout.order_value(values, "external_ref")) else ""
            refuse(line, f"order{ref} without lines in {' or '.join(as_tuple(layout.mapping.lines))}")
            continue
        for detail in details:
            try:
                detail = _foldable(layout, detail)  # noqa: PLW2901 – as above
                cells = tuple([_text_of(layout, detail, paths) for paths in layout.item_paths])
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
        inner = item if isinstance(item, dict) else {}
        if len(inner) == 1 and isinstance(order := inner.get("order"), dict):
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


def _check_columns(layout: Layout, header: Sequence[str], origin: str) -> None:
    """Refuse a file that lacks what no order can do without."""
    mapping = layout.mapping
    needed = mapping.needs()[: 1 if layout.is_heads(header) else 2]
    for columns in needed:
        if not mapping.knows(header, [columns]):
            names = columns.split(" | ")
            named = " or ".join(names[:4]) + (" or …" if len(names) > 4 else "")
            raise ProblemError(
                "COLUMN_MISSING",
                f"{origin} has no column {named}, which {mapping.name} needs.",
                "Choose another mapping with --mapping, or export that column too.",
            )


def _foldable(layout: Layout, item: object) -> object:
    """Return a JSON order or line with its names as they are compared, two levels deep."""
    if not layout.mapping.synonyms or not isinstance(item, dict):
        return item
    same = layout.mapping.same
    return {
        same(name): {same(inner): each for inner, each in value.items()} if isinstance(value, dict) else value
        for name, value in item.items()
    }


def _details(layout: Layout, item: object) -> object:
    """Return the list of lines of a JSON order; without one the order itself is a line."""
    is_loose = layout.mapping.synonyms
    for path in layout.line_paths:
        if (found := _at(item, path)) is not None and not (is_loose and not isinstance(found, list)):
            return found
    if is_loose and any(_text_of(layout, item, paths) for paths in layout.item_paths[:3:2]):
        return [item]
    return None if layout.line_paths else [item]


def _text_of(layout: Layout, item: object, paths: Iterable[str]) -> str:
    """Return the first value of several places that is none of the missing ones."""
    is_loose = layout.mapping.synonyms
    return _first_value(_text_at(item, path, is_loose=is_loose) for path in paths)


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


def _text_at(item: object, path: str, *, is_loose: bool = False) -> str:
    """Return the text at ``path``; where names are guessed (``is_loose``) what is no text is missing."""
    if " + " in path:
        parts = (clean(_text_at(item, part)) for part in path.split(" + "))
        return " ".join(part for part in parts if part)
    try:
        value = _at(item, path)
    except ValueError:
        if is_loose:
            return ""
        raise
    if value is None or (is_loose and isinstance(value, dict | list)):
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
