"""From files to a plan. Reads everything first: a file that cannot be read to its end changes nothing."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from server.modules.imports.grouper import Grouper, Refusal
from server.modules.imports.plan import Plan, Report, Wish
from server.reading.csv_rows import DELIMITERS, CsvRows
from server.reading.json_items import JsonItems
from server.reading.mapper import Layout, Row, columns_of, csv_rows, json_rows, unwrapped
from server.reading.mapping import Mapping, Shelf
from server.reading.text_files import empty_problem, encoding_problem, open_text, truncated_problem
from sync.contract.problems import ProblemError

ROWS: Final = 1_000_000
"""Most rows of one import."""
PROGRESS_ROWS: Final = 2_000

Progress = Callable[[Path, int], None]
"""Takes the file being read and how many bytes of it are behind."""


class Answers(NamedTuple):
    """What a person has said about the files, so that nothing needs to be asked."""

    mapping: str = ""
    encoding: str = ""
    delimiter: str = ""
    accept_truncated: bool = False
    repair: bool = False


class Reader:
    """Reads files into one report and the plans of their kinds."""

    def __init__(self, shelf: Shelf, answers: Answers, progress: Progress) -> None:
        """Choose mappings from ``shelf`` where ``answers`` name none."""
        self._shelf = shelf
        self._answers = answers
        self._progress = progress
        self._groupers: dict[str, Grouper] = {}
        self.report = Report()

    def read(self, path: Path) -> None:
        """Read one file to its end; raises ProblemError when it cannot be used."""
        try:
            with open_text(path, self._answers.encoding) as text:
                self._take_in(path, text)
        except UnicodeError as error:
            raise encoding_problem(path, self._answers.encoding) from error
        except OSError as error:
            raise ProblemError(
                "FILE_UNREADABLE", f"{path} cannot be read: {error.strerror}.", "Nothing has been written."
            ) from error

    def plans(self, wish: Wish) -> list[Plan]:
        """Return the plans of all that was read, and complete the report with them."""
        for grouper in self._groupers.values():
            self.report.refused += grouper.settle()
        plans = [Plan(grouper, wish) for grouper in self._groupers.values()]
        for plan in plans:
            plan.tell(self.report)
        self.report.refused.sort(key=lambda refusal: (refusal.file, refusal.line))
        return plans

    def _take_in(self, path: Path, text: TextIO) -> None:
        start = text.read(4096).lstrip("\ufeff \t\r\n")
        text.seek(0)
        rows_before = self.report.rows
        open_rows = self._open_json if start[:1] in {"[", "{"} else self._open_csv
        mapping, rows, source = open_rows(path, text)
        grouper = self._groupers.setdefault(mapping.name, Grouper(Layout(mapping)))
        is_heads = isinstance(source, CsvRows) and grouper.layout.is_heads(source.header)
        for row in rows:
            self._count(path, text)
            if why := grouper.add_head(row, path.name) if is_heads else grouper.add(row):
                self._refuse(path, row.line, why)
        if isinstance(source, CsvRows) and source.repaired:
            self._say(path, f"{source.repaired:,} rows with too many fields are repaired")
        if source.cut_off and isinstance(source, JsonItems):
            self._refuser(path, text)(*source.cut_off)
        if source.cut_off and not self._answers.accept_truncated:
            raise self._cut_off(path, source)
        if self.report.rows == rows_before:
            raise empty_problem(str(path))

    def _cut_off(self, path: Path, source: CsvRows | JsonItems) -> ProblemError:
        line, why = source.cut_off or (0, "")
        return truncated_problem(str(path), f"row {line}: {why}")

    def _open_csv(self, path: Path, text: TextIO) -> tuple[Mapping, Iterator[Row], CsvRows]:
        answers = self._answers
        refuse = self._refuser(path, text)
        source = CsvRows(text, str(path), refuse, answers.delimiter, repair=answers.repair)
        mapping = self._mapping("csv", source.header, path)
        delimiter = DELIMITERS.get(source.delimiter, source.delimiter)
        self._say(path, f"read as {mapping.title}, fields parted by {delimiter}")
        return mapping, csv_rows(Layout(mapping), source.header, source.records(), str(path)), source

    def _open_json(self, path: Path, text: TextIO) -> tuple[Mapping, Iterator[Row], JsonItems]:
        source = JsonItems(text, str(path))
        items = unwrapped(source.items())
        first = list(itertools.islice(items, 1))
        if not first:
            raise self._cut_off(path, source) if source.cut_off else empty_problem(str(path))
        mapping = self._mapping("json", columns_of(first[0][1]), path)
        self._say(path, f"read as {mapping.title}")
        rows = json_rows(Layout(mapping), itertools.chain(first, items), self._refuser(path, text))
        return mapping, rows, source

    def _say(self, path: Path, what: str) -> None:
        self.report.notices.append(f"{path.name}: {what}.")

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
        def refuse(line: int, why: str) -> None:
            self._count(path, text)
            self._refuse(path, line, why)

        return refuse

    def _refuse(self, path: Path, line: int, why: str) -> None:
        self.report.refused.append(Refusal(path.name, line, why))

    def _count(self, path: Path, text: TextIO) -> None:
        self.report.rows += 1
        if self.report.rows > ROWS:
            raise ProblemError(
                "FILE_TOO_LARGE",
                f"There are more than {ROWS:,} rows. Nothing has been written.",
                "Export in parts; rows of one order must stay in one command.",
            )
        if self.report.rows % PROGRESS_ROWS == 0:
            self._progress(path, text.buffer.tell())
