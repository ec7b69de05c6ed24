"""What an import did or would do: every row of every file is accounted for. Pure.

The lists may be as long as the files, so whoever reads large files brings lists that are not in memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol, TypeVar

from intake.grouping import Group
from intake.order_maker import OrderMaker
from intake.text_files import shown

NAMED_AT_MOST: Final = 5

Entry = TypeVar("Entry")


class Entries(Protocol[Entry]):
    """What a report lists; a ``list`` is one."""

    def append(self, entry: Entry, /) -> None:
        """Add an entry at the end."""
        ...

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Entry]: ...


class Refusal(NamedTuple):
    """A row that is not used, where it begins and why."""

    file: str
    line: int
    reason: str


class Waiting(NamedTuple):
    """Lines whose order is not there: its row is refused, or stands in a file that was not named."""

    ref: str
    lines: int


class Held(NamedTuple):
    """An order that came in on hold, or one that changed under somebody's hands, and why."""

    ref: str
    reason: str


@dataclass(slots=True)
class Report:
    """The figures and lists of one import, for people and programs.

    Always: ``rows == merged + lines + len(refused) + waiting_lines``, and once the board was asked
    ``orders == new + already_here + updated + not_taken``.
    """

    rows: int = 0
    orders: int = 0
    lines: int = 0
    refused: Entries[Refusal] = field(default_factory=list)
    held: Entries[Held] = field(default_factory=list)
    merged: int = 0
    """Rows that are an order whose lines stand in another file."""
    waiting: Entries[Waiting] = field(default_factory=list)
    waiting_lines: int = 0
    """Rows that are lines whose order is not there."""
    notices: list[str] = field(default_factory=list)
    applied: bool = False
    new: int = 0
    already_here: int = 0
    updated: int = 0
    """Orders that their source changed since, those with an alarm among them."""
    alarmed: Entries[Held] = field(default_factory=list)
    not_taken: Entries[Held] = field(default_factory=list)
    """Orders that the board refused."""
    files: list[str] = field(default_factory=list)
    duplicates: int = 0
    _duplicated: list[str] = field(default_factory=list)

    def refuse(self, file: int, line: int, why: str) -> None:
        """List a row that is not used."""
        self.refused.append(Refusal(self.files[file], line, why))

    def settle(self, group: Group, maker: OrderMaker) -> bool:
        """Account for the rows of an order; return whether they are one that comes in."""
        if maker.layout.has_heads and not group.heads:
            if group.lines:
                self.waiting.append(Waiting(group.ref, len(group.lines)))
                self.waiting_lines += len(group.lines)
            return False
        why = (
            maker.refusal(group)
            if group.lines
            else f"no lines of order {shown(group.ref)} in any of the files"
        )
        if why:
            for file, line in [*group.heads, *((each.file, each.line) for each in group.lines)]:
                self.refuse(file, line, why)
            return False
        self.orders += 1
        self.lines += len(group.lines)
        self.merged += len(group.heads)
        if reason := maker.waits(group):
            self.held.append(Held(group.ref, reason))
        self.duplicates += len(group.duplicates)
        if len(self._duplicated) < NAMED_AT_MOST:
            self._duplicated += [f"row {line} (order {shown(group.ref)})" for line in group.duplicates]
        return True

    def finish(self) -> None:
        """Say what only shows when all orders are known."""
        if self.duplicates:
            named = ", ".join(self._duplicated[:NAMED_AT_MOST])
            named += ", …" if self.duplicates > NAMED_AT_MOST else ""
            self.notices.append(f"{self.duplicates:,} rows are exact duplicates, kept as lines: {named}.")
