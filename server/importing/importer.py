"""An import from its files to the board: read all, decide, and only then write or compare.

Memory stays small whatever the files hold: rows and lists lie in a :class:`Spill`, orders are made one at
a time. Written is in batches; an import that stops between two of them is simply done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from intake.grouping import Group, grouped
from intake.mapping import Shelf
from intake.order_maker import OrderMaker, Wish
from intake.reader import Answers, Progress, Reader
from intake.report import Held, Refusal, Report, Waiting
from intake.spill import Spill, SpilledList
from server.arrivals import AT_ONCE, Arrivals, Fate
from server.database import Database
from server.kernel.records import SiteRow
from server.sources import digest
from sync.contract.orders import order_from_bytes
from sync.contract.ports import Clock, Ids

CHUNK_CHARACTERS: Final = 4 * 1024 * 1024
"""Most text of orders that are in memory together."""


class Board(NamedTuple):
    """Where the orders go."""

    database: Database
    site: SiteRow
    clock: Clock
    ids: Ids


def silent(_what: str, _part: float, _count: int) -> None:
    """Say nothing about how far the import is."""


class Importer:
    """One import; ``report`` says at any time how far it is."""

    def __init__(
        self, spill: Spill, answers: Answers, progress: Progress = silent, shelf: Shelf | None = None
    ) -> None:
        """Keep what is large in ``spill``."""
        self.report = Report(
            refused=SpilledList(spill, "refused", Refusal, by="file, line"),
            held=SpilledList(spill, "held", Held),
            waiting=SpilledList(spill, "waiting", Waiting),
            alarmed=SpilledList(spill, "alarmed", Held),
            not_taken=SpilledList(spill, "not_taken", Held),
        )
        self.is_writing = False
        self._answers = answers
        self._progress = progress
        self._reader = Reader(shelf or Shelf.shipped(), answers, spill, self.report, progress)

    def read(self, paths: Sequence[Path]) -> None:
        """Read all files to their ends; raises ProblemError when one of them cannot be used."""
        for path in paths:
            self._reader.read(path)

    def makers(self, zone: ZoneInfo, now_ms: int) -> list[OrderMaker]:
        """Return who makes the orders of each kind of file; raises the questions of whole columns."""
        decided = {name: getattr(self._answers, name) for name in Wish._fields[2:]}
        wish = Wish(zone, now_ms, **decided)
        makers = [OrderMaker(checker, wish) for checker in self._reader.checkers]
        for maker in makers:
            self.report.notices += maker.notices()
        return makers

    def orders(self, kind: int, maker: OrderMaker) -> Iterator[Group]:
        """Yield the orders of one kind of file that come in, and account for all rows of it."""
        report = self.report
        for group in grouped(self._reader.kept.of(kind), maker.layout, report.refuse):
            if report.settle(group, maker):
                yield group

    def take(self, board: Board, *, is_real: bool) -> Report:
        """Put the orders on the board when it ``is_real``, else say what that would do."""
        makers = self.makers(ZoneInfo(board.site.time_zone), board.clock.wall_ms())
        arrivals = Arrivals(board.database.store, board.ids)
        batch_id = board.ids.new()
        self.is_writing = is_real
        for kind, maker in enumerate(makers):
            for chunk in _chunks(self.orders(kind, maker)):
                if is_real:
                    self._write(board, arrivals, batch_id, maker, chunk)
                else:
                    self._compare(board, maker, chunk)
                self._tell_progress(is_real=is_real)
        self.report.finish()
        self.report.applied = is_real
        return self.report

    def _write(
        self, board: Board, arrivals: Arrivals, batch_id: str, maker: OrderMaker, chunk: Sequence[Group]
    ) -> None:
        report = self.report
        taken = arrivals.take(board.site.key, map(maker.arrival, chunk), batch_id)
        for group, arrived in zip(chunk, taken, strict=True):
            if arrived.fate is Fate.CREATED:
                report.new += 1
            elif arrived.fate is Fate.UNCHANGED:
                report.already_here += 1
            elif arrived.fate is Fate.REFUSED:
                report.not_taken.append(Held(group.ref, arrived.why))
            else:
                report.updated += 1
            if arrived.fate is Fate.ALARMED:
                report.alarmed.append(Held(group.ref, _alarm(board, arrived.order_id)))

    def _compare(self, board: Board, maker: OrderMaker, chunk: Sequence[Group]) -> None:
        """Count what writing would do, as far as it shows beforehand; most orders need not be made."""
        refs = [group.ref for group in chunk]
        said = board.database.store.said(board.site.key, maker.source, refs)
        for group in chunk:
            known = said.get(group.ref)
            if known is None:
                self.report.new += 1
            elif known[1] == digest(maker.arrival(group).order):
                self.report.already_here += 1
            else:
                self.report.updated += 1

    def _tell_progress(self, *, is_real: bool) -> None:
        report = self.report
        behind = report.lines + report.merged + report.waiting_lines + len(report.refused)
        what = "Writing" if is_real else "Comparing"
        self._progress(what, behind / max(1, report.rows), report.orders)


def _chunks(groups: Iterable[Group]) -> Iterator[list[Group]]:
    """Yield orders in lists that are written at once, neither too many nor too much text."""
    chunk: list[Group] = []
    characters = 0
    for group in groups:
        chunk.append(group)
        characters += group.characters
        if len(chunk) >= AT_ONCE or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def _alarm(board: Board, order_id: str) -> str:
    """Return what an order that changed under somebody's hands says about it."""
    body = board.database.reader.order(board.site.key, order_id)
    exceptions = order_from_bytes(body).exceptions if body else ()
    return exceptions[-1].sentence if exceptions else "It changed after work on it began."
