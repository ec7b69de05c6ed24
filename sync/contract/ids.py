"""UUIDv7 out of a clock and an injected source of random bits: ids that sort by time.

Layout (RFC 9562): 48 bits of Unix milliseconds, version 7, 12 random bits, variant, 62 random bits.
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from sync.contract.ports import Clock


class RandomBits(Protocol):
    """The one method of ``random.Random`` that ids need."""

    def getrandbits(self, k: int, /) -> int:
        """Return ``k`` random bits as an integer."""
        ...


class Uuid7Ids:
    """Makes ids; never two equal ones in a row, also when the clock stands still."""

    def __init__(self, clock: Clock, random: RandomBits) -> None:
        """Take the time from ``clock`` and the rest from ``random``."""
        self._clock = clock
        self._random = random

    def new(self) -> str:
        """Return a new id as 36 characters."""
        stamp = (self._clock.wall_ms() & ((1 << 48) - 1)) << 80
        version = (7 << 76) | (self._random.getrandbits(12) << 64)
        variant = (0b10 << 62) | self._random.getrandbits(62)
        return _written(stamp | version | variant)


def derived(of: str, what: str) -> str:
    """Return an id (UUIDv8) that follows from another: made twice, it is the same."""
    digest = int.from_bytes(hashlib.blake2b(f"{of}:{what}".encode(), digest_size=16).digest(), "big")
    kept = digest & ~(0xF << 76) & ~(0b11 << 62)
    return _written(kept | (8 << 76) | (0b10 << 62))


def _written(number: int) -> str:
    """Return an id as it is written; every operation has some, and ``uuid.UUID`` takes twice the time."""
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
