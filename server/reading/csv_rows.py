"""Rows out of delimited text, read line by line.

A row that is broken is refused and reading goes on in the line after it: an opened quote that
nobody closes must not swallow the rows behind it.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from server.reading.text_files import FIELD_BYTES, binary_problem, empty_problem
from sync.contract.problems import ProblemError

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

Refuse = Callable[[int, str], None]
"""Takes the line of a row that is not used, and why."""


class CsvRows:
    """The header and the records of one delimited text."""

    def __init__(self, lines: Iterable[str], origin: str, refuse: Refuse, delimiter: str = "") -> None:
        """Read the header of ``lines`` (line ends kept); an empty delimiter is found out."""
        self._source = iter(lines)
        self._origin = origin
        self._refuse = refuse
        self._again: deque[str] = deque()
        self._record: list[str] = []
        self._line = 1
        self._last = ""
        self.cut_off: tuple[int, str] | None = None
        """Line and reason when the text ends inside a row."""
        self.delimiter = delimiter or self._sniffed()
        self.header = self._read_header()

    def _sniffed(self) -> str:
        """Return the delimiter that cuts the header into the most columns."""
        for line in self._lines():
            if line.lower().startswith("sep=") and len(line.rstrip("\r\n")) == 5:
                self._taken()
                return line[4]
            if line.strip():
                self._again.extend(self._record)
                self._record.clear()
                return max(DELIMITERS, key=line.count)
            self._taken()
        raise empty_problem(self._origin)

    def _read_header(self) -> list[str]:
        try:
            for fields in self._reader():
                self._taken()
                if fields:
                    return [name.strip().lstrip("\ufeff") for name in fields]
        except csv.Error as error:
            raise ProblemError(
                "HEADER_UNREADABLE",
                f"{self._origin} has no header that can be read: {_words(error)}.",
                "The first row must name the columns.",
            ) from error
        raise empty_problem(self._origin)

    def records(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line a row begins in and its fields, as many as the header has."""
        width = len(self.header)
        while True:
            try:
                for fields in self._reader():
                    line, length = self._line, sum(map(len, self._record))
                    self._taken()
                    if len(fields) == width and length < FIELD_BYTES // 4:
                        yield line, fields
                    elif fields and (why := self._why_not(fields, width)):
                        self._refuse(line, why)
                        self._note_end(line, why, is_short=len(fields) < width)
                    elif fields:
                        yield line, fields
            except csv.Error as error:
                self._skip_line(_words(error))
            else:
                return

    def _why_not(self, fields: list[str], width: int) -> str:
        if len(fields) != width:
            return f"{len(fields)} fields instead of {width}"
        if any(len(field.encode("utf-8", "replace")) > FIELD_BYTES for field in fields):
            return f"a field is longer than {FIELD_BYTES // 1024} KB"
        return ""

    def _skip_line(self, why: str) -> None:
        """Refuse the first line of the broken record; its other lines may be rows."""
        rest = self._record[1:]
        del self._record[1:]
        line = self._line
        self._taken()
        self._again.extendleft(reversed(rest))
        self._refuse(line, why)
        self._note_end(line, why, is_short=not rest and "never closed" in why)

    def _note_end(self, line: int, why: str, *, is_short: bool) -> None:
        # A whole file may lack its last line end; a short last row without one was cut.
        if is_short and not self._again and self._last and not self._last.endswith(("\n", "\r")):
            self.cut_off = (line, why)

    def _taken(self) -> None:
        self._line += len(self._record)
        self._record.clear()

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self.delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        while True:
            if self._again:
                line = self._again.popleft()
            else:
                line = next(self._source, "")
                self._last = line or self._last
            if not line:
                return
            if "\0" in line:
                raise binary_problem(self._origin)
            self._record.append(line)
            yield line


def _words(error: csv.Error) -> str:
    """Return the reader's complaint in the words of a person who looks at the file."""
    text = str(error)
    if "field larger" in text:
        return f"a field is longer than {FIELD_BYTES // 1024} KB, or a quote is never closed"
    if "unexpected end" in text:
        return "a quote is opened and never closed"
    return "the quotes do not pair up"
