"""The real clock and random source: what the ports are outside of tests."""

from __future__ import annotations

import random
import time
import uuid
from pathlib import Path
from typing import Final

from app.version import VERSION

__all__ = ["VERSION", "SystemClock", "SystemRandom"]

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class SystemClock:
    """This machine's time."""

    def __init__(self) -> None:
        """Find out which boot this is."""
        try:
            self._boot = _BOOT_ID.read_text(encoding="ascii").strip()
        except OSError:
            # Not Linux: monotonic times then compare within one process only.
            self._boot = str(uuid.uuid4())

    def wall_ms(self) -> int:
        """Return milliseconds since 1970 UTC."""
        return time.time_ns() // 1_000_000

    def mono_ms(self) -> int:
        """Return milliseconds of the monotonic clock."""
        return time.monotonic_ns() // 1_000_000

    def boot_id(self) -> str:
        """Return the id of this boot."""
        return self._boot


class SystemRandom(random.SystemRandom):
    """Bits for ids, and fractions for the jitter of the back-off, from the operating system."""
