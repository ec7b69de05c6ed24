"""From files to rows that are kept: a file that cannot be read to its end changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from intake.csv_rows import DELIMITERS, CsvRows
from intake.json_items import JsonItems
from intake.mapper import Layout, Row, columns_of, csv_rows, json_rows, unwrapped
from intake.mapping import SOURCE_WORDS, Mapping, Shelf, is_source
from intake.report import Report
from intake.rows import RowChecker
from intake.spill import Spill, SpilledRows
from intake.text_files import empty_problem, encoding_problem, open_text, truncated_problem
from sync.contract.problems import ProblemError, UsageError

ROWS: Final = 1_000_000
"""Most rows of one import."""
PROGRESS_ROWS: Final = 5_000

Progress = Callable[[str, float, int], None]
"""Takes what is being done, how much of it is behind (0 to 1), and of how many rows or orders."""


class Answers(NamedTuple):
    """What a person has said about the files, so that nothing needs to be asked."""

    mapping: str = ""
    encoding: str = ""
    delimiter: str = ""
    accept_truncated: bool = False
    repair: bool = False
    date_style: str = ""
    as_open: bool = False
    cut_off_tags: bool = False
    service_skus: frozenset[str] = frozenset()
    source: str = ""

    def checked(self) -> Answers:
        """Return the answers as a reader takes them; raises UsageError for what nothing can be read with."""
        delimiter = {"\\t": "\t", "tab": "\t"}.get(self.delimiter, self.delimiter)
        if len(delimiter) > 1 or delimiter in {'"', "\r", "\n", "\0"}:
            raise UsageError("DELIMITER_WRONG", "--delimiter takes one character.", "A tab is written tab.")
        if self.source and not is_source(self.source):
            raise UsageError("SOURCE_WRONG", "--source takes a short name.", f"Use {SOURCE_WORDS}.")
        return self._replace(delimiter=delimiter)


class _Opened(NamedTuple):
    """One file, open: its rows as its mapping reads them, and what they are read from."""

    checker: RowChecker
    kind: int
    rows: Iterator[Row]
    source: CsvRows | JsonItems


class Reader:
    """Reads files: rows into ``kept``, what is to be said about them into ``report``."""

    def __init__(
        self, shelf: Shelf, answers: Answers, spill: Spill, report: Report, progress: Progress
    ) -> None:
        """Choose mappings from ``shelf`` where ``answers`` name none."""
        self._shelf = shelf
        self._answers = answers
        self._progress = progress
        self._report = report
        self._bytes = 1
        self.kept = SpilledRows(spill)
        self.checkers: list[RowChecker] = []
        """One for each kind of file."""

    def read(self, path: Path) -> None:
        """Read one file to its end; raises ProblemError when it cannot be used."""
        try:
            with open_text(path, self._answers.encoding) as text:
                self._bytes = max(1, path.stat().st_size)
                self._take_in(path, text)
        except UnicodeError as error:
            raise encoding_problem(path, self._answers.encoding) from error
        except OSError as error:
            raise ProblemError(
                "FILE_UNREADABLE", f"{path} cannot be read: {error.strerror}.", "Nothing has been written."
            ) from error

    def _take_in(self, path: Path, text: TextIO) -> None:
        start = text.read(4096).lstrip("\ufeff \t\r\n")
        text.seek(0)
        self._report.files.append(path.name)
        rows_before = self._report.rows
        is_json = start[:1] in {"[", "{"}
        opened = self._open_json(path, text) if is_json else self._open_csv(path, text)
        self._keep(opened, path, text)
        source = opened.source
        if source.cut_off and isinstance(source, JsonItems):
            self._refuser(path, text)(*source.cut_off)
        if source.cut_off and not self._answers.accept_truncated:
            raise _cut_off(path, source)
        if isinstance(source, CsvRows):
            self._say_end(path, source)
        if self._report.rows == rows_before:
            raise empty_problem(str(path))

    def _keep(self, opened: _Opened, path: Path, text: TextIO) -> None:
        """Check all rows of a file and keep them."""
        kind, check, keep = opened.kind, opened.checker.check, self.kept.add
        report = self._report
        for row in opened.rows:
            report.rows += 1
            if report.rows % PROGRESS_ROWS == 0 or report.rows > ROWS:
                self._count(path, text)
            taken, why = check(row)
            if why:
                report.refuse(len(report.files) - 1, row.line, why)
            if taken is not None:
                keep(kind, taken)

    def _open_csv(self, path: Path, text: TextIO) -> _Opened:
        answers = self._answers
        refuse = self._refuser(path, text)
        source = CsvRows(text, str(path), refuse, answers.delimiter, repair=answers.repair)
        mapping = self._mapping("csv", source.header, path)
        delimiter = DELIMITERS.get(source.delimiter, source.delimiter)
        self._say(path, f"read as {mapping.title}, fields parted by {delimiter}")
        kind, checker = self._checker(mapping)
        rows = csv_rows(checker.layout, source.header, source.records(), str(path))
        source.quoted = checker.layout.quoted(source.header)
        if mapping.fallback:
            self._say(path, checker.layout.understood(source.header))
        if checker.begin(len(self._report.files) - 1, source.header):
            self._say(path, f"no column for the quantity, so each row is {mapping.pieces} piece")
        return _Opened(checker, kind, rows, source)

    def _open_json(self, path: Path, text: TextIO) -> _Opened:
        source = JsonItems(text, str(path))
        items = unwrapped(source.items())
        first = list(itertools.islice(items, 1))
        if not first:
            raise _cut_off(path, source) if source.cut_off else empty_problem(str(path))
        mapping = self._mapping("json", columns_of(first[0][1]), path)
        self._say(path, f"read as {mapping.title}")
        kind, checker = self._checker(mapping)
        rows = json_rows(checker.layout, itertools.chain(first, items), self._refuser(path, text))
        checker.begin(len(self._report.files) - 1)
        return _Opened(checker, kind, rows, source)

    def _checker(self, mapping: Mapping) -> tuple[int, RowChecker]:
        names = [checker.layout.mapping.name for checker in self.checkers]
        if mapping.name not in names:
            self.checkers.append(RowChecker(Layout(mapping)))
            return len(names), self.checkers[-1]
        return names.index(mapping.name), self.checkers[names.index(mapping.name)]

    def _say(self, path: Path, what: str) -> None:
        self._report.notices.append(f"{path.name}: {what}.")

    def _say_end(self, path: Path, source: CsvRows) -> None:
        if source.repaired:
            self._say(path, f"{source.repaired:,} rows with too many fields are repaired")
        if source.open_end:
            self._say(
                path,
                f"the last row ({source.open_end}) has no line end: if the file was cut there, look at it",
            )

    def _mapping(self, format_: str, columns: Sequence[str], path: Path) -> Mapping:
        if not self._answers.mapping:
            return self._shelf.detect(format_, columns, str(path))
        mapping = self._shelf.choose(self._answers.mapping)
        if mapping.format != format_:
            raise ProblemError(
                "MAPPING_WRONG",
                f"{path} is {format_.upper()}; the mapping {mapping.name} reads {mapping.format.upper()}.",
                "Name another mapping, or none: it is found by the columns.",
            )
        return mapping

    def _refuser(self, path: Path, text: TextIO) -> Callable[[int, str], None]:
        file = len(self._report.files) - 1

        def refuse(line: int, why: str) -> None:
            self._report.rows += 1
            self._count(path, text)
            for checker in self.checkers:
                checker.forget()
            self._report.refuse(file, line, why)

        return refuse

    def _count(self, path: Path, text: TextIO) -> None:
        report = self._report
        if report.rows % PROGRESS_ROWS == 0:
            self._progress(f"Reading {path.name}", text.buffer.tell() / self._bytes, report.rows)
        if report.rows > ROWS:
            raise ProblemError(
                "FILE_TOO_LARGE",
                f"There are more than {ROWS:,} rows. Nothing has been written.",
                "Export in parts; rows of one order must stay in one command.",
            )


def _cut_off(path: Path, source: CsvRows | JsonItems) -> ProblemError:
    line, why = source.cut_off or (0, "")
    return truncated_problem(str(path), f"row {line}: {why}")
