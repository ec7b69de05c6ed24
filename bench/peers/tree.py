"""All processes of one program: what they hold, what they used, and their end.

A browser is a dozen processes, some of which leave their parent; those are found by the folder of the
profile, which stands in their command line.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

import psutil

PRIVATE = re.compile(r"^(?:Private_Dirty|Swap): +(\d+) kB", re.MULTILINE)


class ProcessTree:
    """The processes below ``root``, and those elsewhere whose command line names ``mark``."""

    def __init__(self, root: int, mark: str = "") -> None:
        self._root = root
        self._mark = mark

    def processes(self) -> list[psutil.Process]:
        """Return those that live now."""
        found: dict[int, psutil.Process] = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            root = psutil.Process(self._root)
            found = {each.pid: each for each in (root, *root.children(recursive=True))}
        for each in psutil.process_iter() if self._mark else ():
            with contextlib.suppress(psutil.Error):
                if any(self._mark in word for word in each.cmdline()) and each.pid != os.getpid():
                    found[each.pid] = each
        return list(found.values())

    def private_dirty_mb(self) -> float:
        """Return the private dirty and swapped megabytes of all processes together."""
        return sum(private_kb(each.pid) for each in self.processes()) * 1024 / 1_000_000

    def cpu_ms(self) -> float:
        """Return the processor time of all processes that live, their threads and ended children included."""
        total = 0.0
        for each in self.processes():
            with contextlib.suppress(psutil.Error):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total * 1000

    def end(self, within_s: float = 10.0) -> None:
        """Ask all to end, the first of them first, and make those end that do not."""
        processes = self.processes()
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self._root).terminate()
        _, alive = psutil.wait_procs(processes, within_s)
        for each in {*alive, *self.processes()}:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()


def private_kb(pid: int) -> int:
    """Return the private dirty and swapped kilobytes of one process; 0 when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return sum(int(found) for found in PRIVATE.findall(text))
