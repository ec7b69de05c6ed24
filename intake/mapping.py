"""Mappings: which column of a file fills which field of an order. They are data (TOML), not code.

The files of this folder ship; ``--mapping my.toml`` reads one of your own. ``docs/import.md``
explains every key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Final, Literal

import msgspec

from intake.text_files import shown
from sync.contract.orders import Address
from sync.contract.problems import ProblemError, UsageError

ORDER_FIELDS: Final = (
    *("external_ref", "number", "placed", "shipped", "cut_off", "ship_method", "carrier", "customer"),
    *("status", "payment", "cancelled", "updated", "note", "tags", *Address.__struct_fields__),
)
"""What a mapping may fill on an order and its address."""

STATES: Final = ("confirmed", "picking", "shipped", "cancelled", "hold", "skipped")
"""What the values of ``status`` and ``payment`` may mean; what is skipped is no order yet."""

LINE_FIELDS: Final = ("sku", "name", "quantity", "location", "price")
"""What a mapping may fill on a line item; the price is only looked at: zero for nobody corrects the stock."""

Columns = str | tuple[str, ...]
"""One column, or several of which the first that is not blank counts."""

SOURCE_WORDS: Final = "at most 64 letters, digits and . _ : -, and not manual"
"""What a source may be called."""

_SOURCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_NOT_WORD: Final = re.compile(r"[^0-9a-z]+")


def folded(name: str) -> str:
    """Return a heading as synonyms are compared: without case, blanks and marks."""
    return _NOT_WORD.sub("", name.casefold())


def as_tuple(columns: Columns) -> tuple[str, ...]:
    """Return the columns of a field, also of one with a single column."""
    return (columns,) if isinstance(columns, str) else columns


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of file. ``source`` and the order's reference make an order unique for ever."""

    name: str
    title: str
    source: str
    format: Literal["csv", "json"]
    detect: tuple[str, ...]
    """A file with all of these columns is this one; ``A | B`` is either. Empty = only when it is named."""
    order: dict[str, Columns]
    line: dict[str, Columns]
    lines: Columns = ""
    """JSON only: where the list of lines stands inside an order."""
    heads: tuple[str, ...] = ()
    """CSV only: a header with all of these is a file of orders whose lines stand in another file."""
    agree: tuple[str, ...] = ()
    """Columns that must be equal inside one order although no field takes them."""
    dates: Literal["", "d/m/y", "m/d/y", "y/m/d"] = ""
    """How dates are written; empty = decided for each column from all its values."""
    zone: Literal["", "UTC"] = ""
    """Where dates without an offset are; empty = in the site's time."""
    values: dict[str, dict[str, str]] = {}
    """Field -> value of the file -> value of the order."""
    service_skus: tuple[str, ...] = ()
    """Lines with one of these (``gift_*``: that begin so) are on the order but nobody picks them."""
    reversals: tuple[str, ...] = ()
    """A reference that begins so takes an order back: its rows are refused."""
    continues: bool = False
    """CSV only: a row without a reference continues the order above it."""
    synonyms: bool = False
    """The columns of a field are names of one thing: compared without case, blanks and marks, and the
    first one that the file has is taken for all of its rows."""
    fallback: bool = False
    """Tried on files that no other mapping knows; it fits when what an order needs is there."""
    pieces: int = 0
    """How many pieces a row is in a file that has no column for the quantity; 0 = such a file is refused."""
    cut_off_tags: bool = False
    """The date inside a tag, if there is one, is the cut-off."""

    def same(self, name: str) -> str:
        """Return a column's name as it is compared with the names of this mapping."""
        return folded(name) if self.synonyms else name

    def knows(self, columns: Iterable[str], wanted: Iterable[str]) -> bool:
        """Say whether a file with ``columns`` has all that is ``wanted`` (``A | B`` is either)."""
        present = {self.same(name) for name in columns}
        return all(any(self.same(name) in present for name in either.split(" | ")) for either in wanted)

    def fits(self, columns: Iterable[str]) -> bool:
        """Say whether a file with ``columns`` has what this mapping needs, lines in a list included."""
        present = {self.same(name) for name in columns}
        ref, line = self.needs()
        lines = " | ".join(as_tuple(self.lines)) if self.lines else line
        return self.knows(present, [ref]) and (self.knows(present, [line]) or self.knows(present, [lines]))

    def needs(self) -> list[str]:
        """Return what a file of this mapping cannot do without, each as ``A | B``."""
        line = self.line["sku" if self.pieces and "sku" in self.line else "quantity"]
        return [" | ".join(as_tuple(self.order["external_ref"])), " | ".join(as_tuple(line))]


def load(text: bytes, origin: str) -> Mapping:
    """Return the mapping written in ``text``; ``origin`` names it in the problem."""
    try:
        mapping = msgspec.toml.decode(text, type=Mapping)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable(origin, str(error)) from error
    for kind, given, known in (
        ("order", mapping.order, ORDER_FIELDS),
        ("line", mapping.line, LINE_FIELDS),
    ):
        if unknown := [field for field in given if field not in known]:
            raise _unreadable(origin, f"[{kind}] has no field {unknown[0]}; it has {', '.join(known)}")
    words = {word for field in ("status", "payment") for word in mapping.values.get(field, {}).values()}
    if unknown := sorted(words.difference(STATES)):
        raise _unreadable(origin, f"an order cannot be {unknown[0]}; it can be {', '.join(STATES)}")
    if "external_ref" not in mapping.order or "quantity" not in mapping.line:
        raise _unreadable(origin, "it must name [order] external_ref and [line] quantity")
    if not is_source(mapping.source):
        raise _unreadable(origin, f"the source {shown(mapping.source)} is no name; it is {SOURCE_WORDS}")
    return mapping


def is_source(name: str) -> bool:
    """Say whether orders may come from ``name``: what people type in is nobody else's."""
    return _SOURCE.fullmatch(name) is not None and name != "manual"


def _unreadable(origin: str, why: str) -> ProblemError:
    return ProblemError(
        "MAPPING_UNREADABLE",
        f"The mapping {origin} cannot be used: {why}.",
        "See docs/import.md for its keys.",
    )


class Shelf:
    """The mappings that an import may choose from."""

    def __init__(self, mappings: Iterable[Mapping]) -> None:
        """Offer ``mappings``; one that comes later replaces an earlier one of the same name."""
        self._mappings = {mapping.name: mapping for mapping in mappings}

    @classmethod
    def shipped(cls) -> Shelf:
        """Return the mappings of this package."""
        folder = resources.files(__package__).joinpath("mappings")
        files = [folder.joinpath(name) for name in sorted(item.name for item in folder.iterdir())]
        return cls(load(item.read_bytes(), item.name) for item in files if item.name.endswith(".toml"))

    @property
    def names(self) -> list[str]:
        """The names, sorted."""
        return sorted(self._mappings)

    def choose(self, name: str) -> Mapping:
        """Return the mapping called ``name``, or the one in the file ``name`` (``*.toml``)."""
        if name.endswith(".toml"):
            try:
                return load(Path(name).read_bytes(), name)
            except OSError as error:
                raise UsageError(
                    "MAPPING_UNKNOWN",
                    f"The mapping file {name} cannot be read: {error.strerror}.",
                    "Check its path.",
                ) from error
        if name not in self._mappings:
            raise UsageError(
                "MAPPING_UNKNOWN",
                f"There is no mapping called {name}.",
                f"Known: {', '.join(self.names)}; or name a .toml file of your own.",
            )
        return self._mappings[name]

    def detect(self, format_: str, columns: Sequence[str], origin: str) -> Mapping:
        """Return the mapping whose columns are all there; the one with the most of them wins."""
        fitting = [
            (len(known), mapping)
            for mapping in self._mappings.values()
            for known in (mapping.detect, mapping.heads)
            if mapping.format == format_ and known and mapping.knows(columns, known)
        ] or [
            (0, mapping)
            for mapping in self._mappings.values()
            if mapping.format == format_ and mapping.fallback and mapping.fits(columns)
        ]
        if not fitting:
            named = ", ".join(map(shown, columns[:6])) + (", …" if len(columns) > 6 else "")
            raise ProblemError(
                "MAPPING_NEEDED",
                f"{origin} is no file that a mapping knows. Its columns: {named or 'none'}.",
                f"Name a mapping with --mapping ({', '.join(self.names)}, or a .toml file of your own; see "
                "docs/import.md). Nothing has been written.",
            )
        return max(fitting, key=lambda fit: fit[0])[1]
