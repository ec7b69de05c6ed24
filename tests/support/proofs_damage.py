"""What disks, copies and people do to files: bytes cut off, zeroed, flipped, swapped, whole files gone."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

PAGE_BYTES: Final = 4096
_HEADER_BYTES: Final = 100

Damage = Callable[[Path, random.Random], str]
"""Damages one file and says how, in words that do it again."""


def _cut_off(path: Path, chance: random.Random) -> str:
    size = path.stat().st_size
    kept = chance.choice((0, chance.randrange(size), chance.randrange(size) // PAGE_BYTES * PAGE_BYTES))
    with path.open("r+b") as file:
        file.truncate(kept)
    return f"cut off after {kept} of {size} bytes"


def _zeroed(path: Path, chance: random.Random) -> str:
    data = bytearray(path.read_bytes())
    step = chance.choice((512, PAGE_BYTES))
    places = [chance.randrange(len(data)) // step * step for _ in range(chance.choice((1, 1, 2, 5, 40)))]
    for place in places:
        end = min(place + step, len(data))
        data[place:end] = bytes(end - place)
    path.write_bytes(data)
    return f"{step} bytes zeroed at {places[:6]}"


def _flipped(path: Path, chance: random.Random) -> str:
    data = bytearray(path.read_bytes())
    # Half of the flips hit the beginning, where the header and the schema are.
    area = len(data) if chance.random() < 0.7 else min(len(data), 2 * PAGE_BYTES)
    places = [chance.randrange(area) for _ in range(chance.choice((1, 1, 1, 2, 8, 100)))]
    for place in places:
        data[place] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    return f"bits flipped at {places[:6]}"


def _garbled(path: Path, chance: random.Random) -> str:
    data = bytearray(path.read_bytes())
    place = chance.randrange(len(data)) // 512 * 512
    end = min(place + chance.choice((512, PAGE_BYTES)), len(data))
    data[place:end] = chance.randbytes(end - place)
    path.write_bytes(data)
    return f"noise from {place} to {end}"


def _another_header(path: Path, chance: random.Random) -> str:
    data = bytearray(path.read_bytes())
    size = chance.choice((16, 32, _HEADER_BYTES))
    header = chance.choice((chance.randbytes(size), b"%PDF-1.7 another program's file".ljust(size, b"\n")))
    data[: min(size, len(data))] = header[: len(data)]
    path.write_bytes(data)
    return f"another header of {size} bytes"


def _gone(path: Path, _chance: random.Random) -> str:
    path.unlink()
    return "removed"


def _swapped_pages(path: Path, chance: random.Random) -> str:
    data = bytearray(path.read_bytes())
    pages = len(data) // PAGE_BYTES
    if pages < 3:
        return _zeroed(path, chance)
    one, other = (chance.randrange(1, pages) * PAGE_BYTES for _ in range(2))
    here, there = data[one : one + PAGE_BYTES], data[other : other + PAGE_BYTES]
    data[one : one + PAGE_BYTES], data[other : other + PAGE_BYTES] = there, here
    path.write_bytes(data)
    return f"pages at {one} and {other} swapped"


KINDS: Final[tuple[Damage, ...]] = (
    _cut_off,
    _zeroed,
    _flipped,
    _flipped,
    _garbled,
    _another_header,
    _swapped_pages,
    _gone,
)


def damage(path: Path, chance: random.Random) -> str:
    """Damage the database at ``path`` or the log beside it; return how."""
    files = [each for each in (path, path.with_name(f"{path.name}-wal")) if each.exists()]
    hit = [chance.choice(files)]
    if chance.random() < 0.1:
        hit = files
    hit = [file for file in hit if file.stat().st_size]
    return ", ".join(f"{file.name}: {chance.choice(KINDS)(file, chance)}" for file in hit)


# ---------------------------------------------------------------- what is still there


def record(values: tuple[object, ...]) -> bytes:
    """Return the bytes in which SQLite stores a row, from its published format."""
    kinds, contents = b"", b""
    for value in values:
        kind, content = _stored(value)
        kinds += _varint(kind)
        contents += content
    size = len(kinds) + 1
    return (_varint(size) if size < 128 else _varint(size + 1)) + kinds + contents


def is_there(row: bytes, before: list[bytes], after: list[bytes]) -> bool:
    """Say whether a file still has a whole record where it was, also one that covers several pages."""
    return any(
        all(_still(piece, was, now) for piece in _pieces(row)) for was, now in zip(before, after, strict=True)
    )


def _still(piece: bytes, was: bytes, now: bytes) -> bool:
    place = was.find(piece)
    while place >= 0:
        if now[place : place + len(piece)] == piece:
            return True
        place = was.find(piece, place + 1)
    return False


def _pieces(row: bytes) -> Iterator[bytes]:
    """Split a record as a table's page with what runs over: 4,092 bytes on each page after the first."""
    room, least, more = PAGE_BYTES - 35, (PAGE_BYTES - 12) * 32 // 255 - 23, PAGE_BYTES - 4
    if len(row) <= room:
        yield row
        return
    local = least + (len(row) - least) % more
    local = local if local <= room else least
    yield row[:local]
    for start in range(local, len(row), more):
        yield row[start : start + more]


def _stored(value: object) -> tuple[int, bytes]:
    if value is None:
        return 0, b""
    if isinstance(value, str):
        text = value.encode()
        return 13 + 2 * len(text), text
    if isinstance(value, bytes):
        return 12 + 2 * len(value), value
    assert isinstance(value, int)
    if value in {0, 1}:
        return 8 + value, b""
    sizes = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 6), (6, 8))
    kind, size = next(
        (kind, size) for kind, size in sizes if -(1 << 8 * size - 1) <= value < 1 << 8 * size - 1
    )
    return kind, value.to_bytes(size, "big", signed=True)


def _varint(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))
