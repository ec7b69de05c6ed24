"""Items out of a JSON array (or of objects one after the other), decoded one at a time.

Numbers stay the text that was written: an order number or postcode never becomes a number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, TextIO

from intake.text_files import binary_problem, empty_problem
from sync.contract.problems import ProblemError

CHUNK_CHARACTERS: Final = 256 * 1024
ITEM_CHARACTERS: Final = 8 * 1024 * 1024
"""Longest order in a JSON file."""
_WRAPPER: Final = re.compile(r'\{[ \t\r\n]*"orders"[ \t\r\n]*:[ \t\r\n]*(?=\[)')


class JsonItems:
    """The items of one JSON text and the lines they begin in."""

    def __init__(self, text: TextIO, origin: str) -> None:
        """Read ``text``, which the caller closes."""
        self._text = text
        self._origin = origin
        self._decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str, strict=False)
        self._buffer = ""
        self._place = 0
        self._line = 1
        self._is_ended = False
        self.cut_off: tuple[int, str] | None = None
        """Line and reason when the text ends before the JSON does."""

    def items(self) -> Iterator[tuple[int, object]]:
        """Yield the line an item begins in and the item."""
        mark = self._next_mark()
        if mark not in {"[", "{"}:
            raise self._broken("it begins with neither [ nor {") if mark else empty_problem(self._origin)
        is_wrapped = mark == "{" and self._unwrap()
        mark = "[" if is_wrapped else mark
        is_array = mark == "["
        self._place += is_array
        while (mark := self._next_mark()) and not (is_array and mark == "]"):
            line = self._line
            item = self._decoded()
            if self.cut_off:
                return
            yield line, item
            mark = self._next_mark()
            if is_array and mark == ",":
                self._place += 1
            elif is_array and mark not in {"]", ""}:
                raise self._broken("a comma is missing between two orders")
        if is_array and not mark:
            self.cut_off = (self._line, "the list of orders is not closed")
        elif is_array:
            self._place += 1
            if is_wrapped:
                self._close_wrapper()
            elif self._next_mark():
                raise self._broken("something follows the list of orders")

    def _unwrap(self) -> bool:
        """Go to the list inside ``{"orders": [ … ]}``: it is read order by order as well."""
        while len(self._buffer) - self._place < 64 and self._read_more():
            pass
        found = _WRAPPER.match(self._buffer, self._place)
        if found:
            self._line += self._buffer.count("\n", self._place, found.end())
            self._place = found.end()
        return found is not None

    def _close_wrapper(self) -> None:
        """Read to the end of the object around the list; what else it holds is not ours."""
        mark = self._next_mark()
        if mark not in {",", "}"}:
            if mark:
                raise self._broken("something follows the list of orders")
            self.cut_off = (self._line, "the object around the list of orders is not closed")
            return
        # The rest of the object is an object itself.
        self._buffer = "{" + self._buffer[self._place + (mark == ",") :]
        self._place = 0
        self._decoded()
        if not self.cut_off and self._next_mark():
            raise self._broken("something follows the list of orders")

    def _next_mark(self) -> str:
        """Go to the next character that is not blank and return it; "" at the end."""
        while True:
            length = len(self._buffer)
            place = self._place
            while place < length and self._buffer[place] in " \t\r\n\ufeff":
                place += 1
            self._line += self._buffer.count("\n", self._place, place)
            self._place = place
            if place < length or not self._read_more():
                return self._buffer[place : place + 1]

    def _decoded(self) -> object:
        while True:
            try:
                item, end = self._decoder.raw_decode(self._buffer, self._place)
            except json.JSONDecodeError as error:
                if len(self._buffer) - self._place > ITEM_CHARACTERS:
                    raise self._broken("an order is too long or not JSON") from error
                if self._read_more():
                    continue
                if self._buffer.rstrip()[-1:] not in {"]", "}"} or error.pos >= len(self._buffer.rstrip()):
                    self.cut_off = (self._line, "the last order is not closed")
                    return None
                raise self._broken(error.msg, error.pos) from error
            except RecursionError as error:
                raise self._broken("it is nested too deeply") from error
            # A bare number may go on in the next chunk.
            if end < len(self._buffer) or not self._read_more():
                self._line += self._buffer.count("\n", self._place, end)
                self._place = end
                return item

    def _read_more(self) -> bool:
        """Read on, dropping what is behind; each time twice as much while one item fills the buffer."""
        if self._is_ended:
            return False
        rest = self._buffer[self._place :]
        chunk = self._text.read(max(CHUNK_CHARACTERS, len(rest)))
        if "\0" in chunk:
            raise binary_problem(self._origin)
        self._is_ended = not chunk
        self._buffer = rest + chunk
        self._place = 0
        return bool(chunk)

    def _broken(self, why: str, place: int | None = None) -> ProblemError:
        line = self._line + (self._buffer.count("\n", self._place, place) if place is not None else 0)
        return ProblemError(
            "JSON_UNREADABLE",
            f"{self._origin} is not JSON that can be read: {why} (line {line}). Nothing has been written.",
            "Export it again.",
        )
