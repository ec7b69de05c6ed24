"""Frames that make no sense, made of frames that do, by a seed: for whoever reads what strangers say."""

from __future__ import annotations

import copy
import json
import random
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import zstandard

TEXT: Final = 1
BINARY: Final = 2
_BOMB: Final = zstandard.ZstdCompressor(level=3).compress(bytes(64 * 1024 * 1024))
_ODD_VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**53,
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    -0.5,
    "",
    "\x00",
    "\ud800",
    "é" * 40_000,
    "x" * 70_000,
    "SO-1'; --",
    "../../etc",
    [],
    {},
    [[]],
    {"type": "auth"},
    [None] * 500,
    {"": {"": {"": ""}}},
)
_ODD_FIELDS: Final = ("type", "", "__class__", "operations", "order", "\x00", "seq")


class Frame:
    """One frame as it goes onto the wire: a kind for the record, and bytes of a WebSocket, or of none."""

    def __init__(self, kind: str, payload: bytes, opcode: int = TEXT, raw: bytes | None = None) -> None:
        """Carry ``payload`` in a frame of ``opcode``; or ``raw``, which stands for itself."""
        self.kind = kind
        self.payload = payload
        self.opcode = opcode
        self.raw = raw

    def wire(self, chance: random.Random, *, is_masked: bool) -> bytes:
        """Return the bytes; a client masks, a server does not."""
        return self.raw if self.raw is not None else framed(self.opcode, self.payload, chance, is_masked)


def framed(opcode: int, payload: bytes, chance: random.Random, is_masked: bool, first: int = 0x80) -> bytes:
    """Return a WebSocket frame; ``first`` holds the bits beside the opcode."""
    size = len(payload)
    flag = 0x80 if is_masked else 0
    if size < 126:
        head = struct.pack("!BB", first | opcode, flag | size)
    elif size < 1 << 16:
        head = struct.pack("!BBH", first | opcode, flag | 126, size)
    else:
        head = struct.pack("!BBQ", first | opcode, flag | 127, size)
    if not is_masked:
        return head + payload
    mask = chance.randbytes(4)
    whole = int.from_bytes(mask * (size // 4 + 1), "big") >> (8 * (4 - size % 4))
    masked = (int.from_bytes(payload, "big") ^ whole).to_bytes(size, "big") if size else b""
    return head + mask + masked


class Nonsense:
    """Gives frames, one after the other; the same seed gives the same ones."""

    def __init__(self, seed: str, sensible: Callable[[], Sequence[str]]) -> None:
        """Make nonsense of what ``sensible`` gives each time: messages as JSON text."""
        self._chance = random.Random(f"nonsense {seed}")
        self._sensible = sensible
        self._kinds: list[Callable[[], Frame]] = [
            self._junk,
            self._flipped,
            self._cut,
            self._deep,
            self._long,
            self._bomb,
            self._packed_badly,
            *[self._odd_value] * 3,
            *[self._odd_of_its_kind] * 6,
            *[self._odd_field] * 2,
            self._glued,
            *[self._broken_framing] * 2,
        ]

    def next(self) -> Frame:
        """Return the next frame."""
        return self._chance.choice(self._kinds)()

    def _some(self) -> str:
        return self._chance.choice(self._sensible())

    def _junk(self) -> Frame:
        size = self._chance.choice((0, 1, 2, 10, 200, 5_000))
        opcode = self._chance.choice((TEXT, BINARY))
        letters = self._chance.choice((bytes(range(256)), b'{}[]",:0e-\\untrfals', b" \t\n"))
        return Frame("junk", bytes(self._chance.choices(letters, k=size)), opcode)

    def _flipped(self) -> Frame:
        data = bytearray(self._some().encode())
        for _ in range(self._chance.randint(1, 8)):
            data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        return self._packed(Frame("flipped bits", bytes(data)))

    def _cut(self) -> Frame:
        data = self._some().encode()
        return self._packed(Frame("cut off", data[: self._chance.randrange(len(data))]))

    def _deep(self) -> Frame:
        depth = self._chance.choice((17, 100, 1_000, 8_000, 30_000))
        opening, closing = self._chance.choice((("[", "]"), ('{"a":', "}")))
        inner = opening * depth + ("1" + closing * depth if self._chance.random() < 0.7 else "")
        text = self._some()
        whole = text[:-1] + f',"extra":{inner}}}' if self._chance.random() < 0.5 else inner
        return self._packed(Frame("deep", whole.encode()))

    def _long(self) -> Frame:
        size = self._chance.choice((65_537, 100_000, 300_000))
        data = self._some()[:-1].encode() + b',"extra":"' + b"x" * size + b'"}'
        return self._packed(Frame("long", data))

    def _bomb(self) -> Frame:
        return Frame("bomb", _BOMB, BINARY)

    def _packed_badly(self) -> Frame:
        data = bytearray(zstandard.compress(self._some().encode()))
        how = self._chance.randrange(4)
        if how == 0:
            del data[self._chance.randrange(len(data)) :]
        elif how == 1:
            data[self._chance.randrange(len(data))] ^= 1 << self._chance.randrange(8)
        elif how == 2:
            # A header that promises a terabyte.
            data[4:5] = b"\xe0"
            data[5:5] = struct.pack("<Q", 1 << 40)
        else:
            data += self._chance.randbytes(20)
        return Frame("badly packed", bytes(data), BINARY)

    def _odd_value(self) -> Frame:
        """Put a value where another kind of value belongs, or one that is too large or too strange."""
        tree = json.loads(self._some())
        for _ in range(self._chance.choice((1, 1, 1, 2, 5))):
            holder, key = self._place(tree)
            holder[key] = copy.deepcopy(self._chance.choice(_ODD_VALUES))
        return self._packed(Frame("odd value", _encoded(tree)))

    def _odd_of_its_kind(self) -> Frame:
        """Put an odd text where a text belongs, and an odd number in the place of a number."""
        tree = json.loads(self._some())
        for _ in range(self._chance.choice((1, 1, 2))):
            places = [(holder, key) for holder, key in _places(tree) if key != "type"]
            if places:
                holder, key = self._chance.choice(places)
                alike = [value for value in _ODD_VALUES if type(value) is type(holder[key])]
                holder[key] = copy.deepcopy(self._chance.choice(alike or [holder[key]]))
        return self._packed(Frame("odd of its kind", _encoded(tree)))

    def _odd_field(self) -> Frame:
        """Leave a field out, add one, or rename one."""
        tree = json.loads(self._some())
        holder, key = self._place(tree)
        if isinstance(holder, dict):
            value = holder.pop(key) if self._chance.random() < 0.7 else holder[key]
            if self._chance.random() < 0.6:
                holder[self._chance.choice(_ODD_FIELDS)] = value
        return self._packed(Frame("odd field", _encoded(tree)))

    def _glued(self) -> Frame:
        return self._packed(Frame("glued", (self._some() + self._some()).encode()))

    def _broken_framing(self) -> Frame:
        """Bytes that are no frame of a WebSocket, or one that is not allowed."""
        chance = self._chance
        text = self._some().encode()[:100]
        raws = (
            framed(chance.choice((3, 4, 7, 11, 15)), text, chance, is_masked=True),
            framed(TEXT, text, chance, is_masked=True, first=0x80 | chance.choice((0x10, 0x20, 0x40, 0x70))),
            framed(0, text, chance, is_masked=True),
            framed(9, bytes(200), chance, is_masked=True),
            framed(
                8, chance.choice((b"\x00", b"\x03\xe7", b"\x00\x00", b"\xff\xff\xff")), chance, is_masked=True
            ),
            framed(TEXT, b"\xff\xfe\xc3\x28", chance, is_masked=True),
            struct.pack("!BBQ", 0x81, 0xFF, 1 << 63) + b"mask",
            struct.pack("!BBQ", 0x82, 0xFF, (1 << 40)) + b"mask" + text,
            framed(TEXT, text, chance, is_masked=False),
            framed(TEXT, text, chance, is_masked=True, first=0) * 3,
            chance.randbytes(chance.randint(1, 60)),
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        )
        return Frame("broken framing", b"", raw=chance.choice(raws))

    def _packed(self, frame: Frame) -> Frame:
        """Compress one frame in five."""
        if self._chance.random() < 0.2:
            return Frame(f"{frame.kind}, packed", zstandard.compress(frame.payload), BINARY)
        return frame

    def _place(self, tree: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a place in any JSON
        """Return a place in a tree: whose part it is, and under which key."""
        return self._chance.choice(list(_places(tree)))


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:  # noqa: ANN401 - a place in any JSON
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in list(pairs):
        yield tree, key
        yield from _places(value)


def _encoded(tree: object) -> bytes:
    return json.dumps(tree).encode("utf-8", "surrogatepass")
