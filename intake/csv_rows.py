"""Rows out of delimited text, read line by line.

A row that is broken is refused and reading goes on in the line after it: an opened quote that
nobody closes must not swallow the rows behind it.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from intake.text_files import FIELD_BYTES, binary_problem, empty_problem, shown
from sync.contract.problems import ProblemError

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

DOS_END: Final = "\x1a"
"""What old programs put behind the last line."""
ENOUGH_ROWS: Final = 20
"""How many rows must be alike before another one is said to be cut."""

Refuse = Callable[[int, str], None]
"""Takes the line of a row that is not used, and why."""


class CsvRows:
    """The header and the records of one delimited text."""

    def __init__(
        self, lines: Iterable[str], origin: str, refuse: Refuse, delimiter: str = "", *, repair: bool = False
    ) -> None:
        """Read the header of ``lines`` (line ends kept); an empty delimiter is found out.

        With ``repair`` a row with too many fields is used when one column can absorb them.
        """
        self._source = iter(lines)
        self._origin = origin
        self._refuse = refuse
        self._is_repairing = repair
        self.repaired = 0
        """How many rows had too many fields and are used."""
        self.quoted: frozenset[int] | None = None
        """Places whose text a refusal may quote; None = all. Payment references are nobody's business."""
        self._ends = _LastFields()
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
                if any(fields):
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
        record, ends = self._record, self._ends
        while True:
            try:
                for fields in self._reader():
                    line, last = self._line, record[-1]
                    length = len(last) if len(record) == 1 else sum(map(len, record))
                    self._line += len(record)
                    record.clear()
                    if len(fields) == width and length < FIELD_BYTES // 4:
                        if last[-1] not in "\r\n" and ends.is_cut(line, fields[-1]):
                            self._refuse_cut(line)
                            continue
                        if len(fields[-1]) != ends.length:
                            ends.note(line, fields[-1])
                        yield line, fields
                    elif fields:
                        yield from self._doubtful(line, fields)
            except csv.Error as error:
                self._skip_line(_words(error))
            else:
                return

    def _doubtful(self, line: int, fields: list[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the record when it can be used after all, else refuse it."""
        fields = self._without_blank_ends(fields)
        place, whole = self._joined(fields)
        if whole and self._is_repairing:
            self.repaired += 1
            fields = whole
        why = self._why_not(fields)
        if not why:
            yield line, fields
            return
        is_quoted = whole and (self.quoted is None or place in self.quoted)
        words = f"“{shown(whole[place])}”" if is_quoted else "one text"
        offer = f"; --repair reads {self.header[place]} as {words}" if whole else ""
        self._refuse(line, why + offer)
        self._note_end(line, why, is_short=len(fields) < len(self.header))

    def _joined(self, fields: list[str]) -> tuple[int, list[str]]:
        """Return the record with its extra fields in the one column that can absorb them, and its place.

        A delimiter inside an unquoted text is followed by a blank; one between two fields is not.
        Only when just the extra fields begin with a blank, side by side, is it clear where they belong.
        """
        extra = len(fields) - len(self.header)
        led = [place for place, text in enumerate(fields) if text[:1] == " "]
        if extra < 1 or len(led) != extra or not led[0] or led[-1] - led[0] != extra - 1:
            return 0, []
        place, end = led[0] - 1, led[-1] + 1
        return place, [*fields[:place], self.delimiter.join(fields[place:end]), *fields[end:]]

    def _without_blank_ends(self, fields: list[str]) -> list[str]:
        """Return the record as wide as the header when they differ only in blank columns at the end."""
        width = len(self.header)
        if not any(map(str.strip, fields[width:])):
            fields = fields[:width]
        if not any(self.header[len(fields) :]):
            fields = fields + [""] * (width - len(fields))
        return fields

    def _refuse_cut(self, line: int) -> None:
        self.cut_off = (line, "the last field is shorter than all others, and the line has no end")
        self._refuse(*self.cut_off)

    @property
    def open_end(self) -> int:
        """The last row when it has no line end though it is whole in width, else 0: it may be cut."""
        return 0 if self.cut_off else self._ends.open_line

    def _why_not(self, fields: list[str]) -> str:
        if len(fields) != len(self.header):
            return f"{len(fields)} fields instead of {len(self.header)}"
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
                self._last = line.rstrip(DOS_END) or self._last
            if line[-1:] == DOS_END:
                line = line.rstrip(DOS_END)
            if not line:
                return
            if "\0" in line:
                raise binary_problem(self._origin)
            self._record.append(line)
            yield line


class _LastFields:
    """Tells a cut last field from a whole one, as far as its neighbours above allow."""

    def __init__(self) -> None:
        self.length = -1
        """How long all last fields are, -1 before the first and when they differ."""
        self._first = 0
        self._is_alike = True
        self._is_ever_blank = False
        self.open_line = 0

    def note(self, line: int, text: str) -> None:
        """Take the last field of a row into account that is not as long as those before."""
        self._is_alike = not self._first
        self._first = self._first or line
        self._is_ever_blank = self._is_ever_blank or not text
        self.length = len(text) if self._is_alike else -1

    def is_cut(self, line: int, text: str) -> bool:
        """Say whether the last field of a row without a line end is cut."""
        self.open_line = line
        if not self._first or line - self._first < ENOUGH_ROWS:
            return False
        return (not text and not self._is_ever_blank) or (self._is_alike and len(text) < self.length)


def _words(error: csv.Error) -> str:
    """Return the reader's complaint in the words of a person who looks at the file."""
    text = str(error)
    if "field larger" in text:
        return f"a field is longer than {FIELD_BYTES // 1024} KB, or a quote is never closed"
    if "unexpected end" in text:
        return "a quote is opened and never closed"
    return "the quotes do not pair up"
