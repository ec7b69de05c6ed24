"""Probes of this process: the memory it costs, and how long ago it was created.

The memory probe takes 1 to 2 ms and belongs on a background thread. The age probe takes microseconds
and belongs at the first paint; it needs nothing but one small file.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final, NamedTuple

_STAT: Final = Path("/proc/self/stat")
_SMAPS_ROLLUP: Final = Path("/proc/self/smaps_rollup")

_STARTTIME: Final = 19
"""Place of ``starttime`` in ``stat``, counted from the field after the name of the program."""


class MemorySample(NamedTuple):
    """One reading of this process's memory, all in bytes.

    ``private_dirty_bytes`` is what cannot be shared nor dropped, ``uss_bytes`` what would be free if the
    process ended, ``rss_bytes`` everything resident, ``swap_bytes`` what was pushed out.
    """

    private_dirty_bytes: int
    uss_bytes: int
    rss_bytes: int
    swap_bytes: int

    @property
    def cost_bytes(self) -> int:
        """What this user costs the machine: private dirty and swapped; the KPI ``memory_usage``."""
        return self.private_dirty_bytes + self.swap_bytes


def memory_sample() -> MemorySample:
    """Read this process's memory.

    Linux says everything in ``smaps_rollup``. A system without that file has no closer figure than USS,
    which then stands in the place of private dirty.
    """
    return _rolled_up(_SMAPS_ROLLUP) or _asked_of_psutil()


def process_age_seconds() -> float | None:
    """Return how many seconds ago the kernel created this process, or None where it does not say.

    Counted from the creation, before the interpreter and any import ran. The kernel notes the
    creation in ticks of 10 ms, rounded down, so the answer may be up to 10 ms too high, never too low.
    """
    return _age_seconds(_STAT)


def process_created_monotonic() -> float | None:
    """Return the creation of this process as an instant of ``time.monotonic()``, or None.

    For marks that are taken later: ``time.monotonic() - process_created_monotonic()``.
    """
    age = process_age_seconds()
    return None if age is None else time.monotonic() - age


def _age_seconds(stat: Path) -> float | None:
    """Work out the age from the file ``stat`` of a process, None when it cannot be read."""
    try:
        text = stat.read_text(encoding="utf-8", errors="replace")
        # The name in brackets may hold blanks and brackets itself: count from its last bracket.
        ticks = int(text.rpartition(")")[2].split()[_STARTTIME])
        # Creation is counted on the clock that also runs while the machine is suspended.
        since_boot = time.clock_gettime(time.CLOCK_BOOTTIME)
        return since_boot - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, IndexError, ValueError):
        return None


def _rolled_up(smaps_rollup: Path) -> MemorySample | None:
    """Read the sums (in KiB) out of ``smaps_rollup``; None where one of them is missing."""
    try:
        lines = smaps_rollup.read_text(encoding="ascii").splitlines()
        told = dict(line.split(":", 1) for line in lines[1:])
        kib = {name: int(value.removesuffix("kB")) for name, value in told.items()}
        private_dirty, clean = kib["Private_Dirty"], kib["Private_Clean"]
        # Pages of a hugetlbfs, where somebody uses them, are private too and in no other sum.
        uss = private_dirty + clean + kib.get("Private_Hugetlb", 0)
        return MemorySample(private_dirty * 1024, uss * 1024, kib["Rss"] * 1024, kib["Swap"] * 1024)
    except (OSError, ValueError, KeyError):
        return None


def _asked_of_psutil() -> MemorySample:
    # Imported only where it is needed: it costs 0.8 MB of what is measured here.
    import psutil

    full = psutil.Process().memory_full_info()
    return MemorySample(full.uss, full.uss, full.rss, getattr(full, "swap", 0))
