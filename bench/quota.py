"""A quarter of a core: a process held to a share of processor time, as a kernel's bandwidth control does.

Control groups cannot be had everywhere a bench runs, so it is done with signals: in each period of
100 ms the process runs until it has used its quota of processor time, then it is stopped until the
period ends. The looks at its clock are a millisecond apart, so it may overrun by about as much.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from typing import Final

PERIOD_S: Final = 0.1
LOOK_S: Final = 0.001
_CLOCK_OF_A_PROCESS: Final = 2
"""The kernel's number for the clock of all threads of a process."""


def hold_to(process: subprocess.Popen[str], share: float) -> None:
    """Let ``process`` have ``share`` of one core until it ends."""
    clock = (~process.pid << 3) | _CLOCK_OF_A_PROCESS
    while process.poll() is None:
        ends = time.monotonic() + PERIOD_S
        begin_s = _used_s(clock)
        is_stopped = False
        while (now := time.monotonic()) < ends:
            used_s = _used_s(clock)
            if used_s is None or begin_s is None:
                break
            if not is_stopped and used_s - begin_s >= share * PERIOD_S:
                os.kill(process.pid, signal.SIGSTOP)
                is_stopped = True
            time.sleep(ends - now if is_stopped else min(LOOK_S, ends - now))
        if is_stopped:
            os.kill(process.pid, signal.SIGCONT)


def _used_s(clock: int) -> float | None:
    """Return the processor time that a process has used, None once it is gone."""
    try:
        return time.clock_gettime(clock)
    except OSError:
        return None
