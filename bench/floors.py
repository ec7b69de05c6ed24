"""What no program could beat on this machine, measured in the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.cold import forget_files
from bench.shape import percentile

BARE_WINDOW = Path(__file__).with_name("bare_window.py")


def bare_start_ms(runs: int = 3) -> float:
    """Return the median time from spawn to an empty Qt window painted, in ms."""
    samples = []
    for _ in range(runs):
        started_ns = time.monotonic_ns()
        samples.append((_bare_window()["painted_ns"] - started_ns) / 1e6)
    return percentile(samples, 50)


def cold_bare_start_ms(runs: int = 3) -> float:
    """Return the same with nothing of the interpreter and of Qt in the system's memory, in ms."""
    samples = []
    for _ in range(runs):
        forget_files()
        samples.append(bare_start_ms(1))
    return percentile(samples, 50)


def bare_memory_mb() -> float:
    """Return the private dirty memory of a process that shows an empty Qt window, in MB."""
    return float(_bare_window()["private_dirty_mb"])


def sync_ms(percent: float, runs: int = 200) -> float:
    """Return a percentile of the time that the disk of temporary files needs for one commit, in ms."""
    samples = []
    with tempfile.TemporaryFile() as file:
        for _ in range(runs):
            started_ns = time.monotonic_ns()
            file.write(b"x" * 512)
            file.flush()
            os.fdatasync(file.fileno())
            samples.append((time.monotonic_ns() - started_ns) / 1e6)
    return percentile(samples, percent)


def _bare_window() -> dict[str, Any]:
    """Run the empty window and return its report."""
    done = subprocess.run([sys.executable, BARE_WINDOW], capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report
