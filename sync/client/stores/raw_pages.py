"""Rows out of the bytes of a database that SQLite no longer opens, or that it no longer reads as a whole.

A row is recognised by a value in it that nothing else looks like; what SQLite wrote before that value says
how the row is made up. So neither the file's head nor the pages above it nor the rest of its page matter.
Rows that run over onto further pages are followed there. Nothing here can be trusted: whoever uses a row has
a checksum in it. The format: https://sqlite.org/fileformat2.html
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import Final

PAGE_BYTES: Final = 4096
_LOG_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_MOST_BYTES: Final = 1 << 20
_LONGEST_HEAD: Final = 40
_LEAST_LOCAL: Final = (PAGE_BYTES - 12) * 32 // 255 - 23
_MOST_LOCAL: Final = PAGE_BYTES - 35
_INTEGER_BYTES: Final = (0, 1, 2, 3, 4, 6, 8, 0, 0, 0)

Row = list[object]
"""The values as they are stored (None for a key that is the row's number)."""


def raw_rows(
    database: bytes, log: bytes, start: re.Pattern[bytes], is_wanted: Callable[[bytes], bool]
) -> Iterator[Row]:
    """Yield rows in the file and in every frame of its log, the newest first.

    ``start`` matches the beginning of a value in the row; its first group is also the text that the row
    stores directly before that value. Only rows whose text ``is_wanted`` are taken apart.
    """
    pages = _Pages(database, log)
    for place in range(len(pages.images) - 1, -1, -1):
        for match in start.finditer(pages.images[place]):
            if is_wanted(match.group(1)):
                row = _row_around(pages, place, match.start(), len(match.group(1)))
                if row:
                    yield row


class _Pages:
    """All images of pages, those of the file first, then the log's in their order."""

    def __init__(self, database: bytes, log: bytes) -> None:
        self.images: list[bytes] = []
        self._places: dict[int, list[int]] = {}
        self._ends: list[int] = []
        """The last image that was written in the same transaction, for each."""
        for number, start in enumerate(range(0, len(database), PAGE_BYTES), 1):
            self._add(number, database[start : start + PAGE_BYTES])
        self._end_transaction()
        frame = _FRAME_HEADER + PAGE_BYTES
        for start in range(_LOG_HEADER, len(log) - _FRAME_HEADER, frame):
            number, size_after = struct.unpack_from(">II", log, start)
            self._add(number, log[start + _FRAME_HEADER : start + frame])
            if size_after:
                self._end_transaction()
        self._end_transaction()

    def _add(self, number: int, image: bytes) -> None:
        self._places.setdefault(number, []).append(len(self.images))
        self.images.append(image)

    def _end_transaction(self) -> None:
        self._ends += [len(self.images) - 1] * (len(self.images) - len(self._ends))

    def at(self, number: int, place: int) -> bytes:
        """Return the page ``number`` as it was when the transaction of the image at ``place`` was over."""
        places = self._places.get(number, [])
        before = bisect_right(places, self._ends[place])
        return self.images[places[max(0, before - 1)]] if places else b""


def _row_around(pages: _Pages, place: int, at: int, text_size: int) -> Row:
    """Return the row that has a value ``at`` this place of an image, empty when there is none.

    A row's head begins with its own length and says how long each value is, so going back there is one
    place from which both the value and the text before it lie where they do.
    """
    page = pages.images[place]
    end = at - text_size
    for start in range(end - 3, max(-1, end - _LONGEST_HEAD), -1):
        head = page[start]
        if not 3 <= head <= end - start:
            continue
        try:
            kinds = list(_varints(page[start + 1 : start + head]))
            sizes = [_size(kind) for kind in kinds]
            value = next(value for value in range(len(kinds)) if start + head + sum(sizes[:value]) == at)
            size = head + sum(sizes)
            if kinds[value - 1] == 13 + 2 * text_size and size <= _MOST_BYTES:
                return list(_values(_payload(pages, place, start, size), head, kinds))
        except (struct.error, IndexError, ValueError, StopIteration):
            continue
    return []


def _payload(pages: _Pages, place: int, start: int, size: int) -> bytes:
    page = pages.images[place]
    local = size
    if size > _MOST_LOCAL:
        local = _LEAST_LOCAL + (size - _LEAST_LOCAL) % (PAGE_BYTES - 4)
        local = _LEAST_LOCAL if local > _MOST_LOCAL else local
    parts = [page[start : start + local]]
    missing = size - local
    (following,) = struct.unpack_from(">I", page, start + local) if missing else (0,)
    while missing > 0:
        image = pages.at(following, place)
        parts.append(image[4 : 4 + missing])
        missing -= PAGE_BYTES - 4
        (following,) = struct.unpack_from(">I", image)
    return b"".join(parts)


def _values(payload: bytes, at: int, kinds: list[int]) -> Iterator[object]:
    for kind in kinds:
        data = payload[at : at + _size(kind)]
        at += len(data)
        if kind >= 12:
            yield data.decode() if kind % 2 else data
        elif kind in {8, 9}:
            yield kind - 8
        else:
            yield int.from_bytes(data, "big", signed=True) if kind else None


def _size(kind: int) -> int:
    """Return how many bytes a value takes; raises ``IndexError`` for a kind that there is not."""
    return (kind - 12) // 2 if kind >= 12 else _INTEGER_BYTES[kind]


def _varints(data: bytes) -> Iterator[int]:
    """Yield numbers of seven bits a byte, the last byte of each without the eighth."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            yield number
            number = 0
