"""The board with 100,000 orders in the product's own cache: every kind of frame, beside its floor.

The floor is what this machine needs to fill the frame and to draw one opaque picture and five cached
texts per visible card, measured between the rounds of the same run: no painted board can do less. All
three densities are measured and the worst is reported. The screen is a real X server without a monitor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.quota import hold_to
from bench.warehouse import fill_cache, warehouse_orders
from support.hard_orders import hard_orders
from support.xvfb import running_xvfb

LOW_POWER_SHARE = 0.25


def main() -> None:
    """Make the caches and measure each kind in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as name:
        folder = Path(name)
        fill_cache(folder / "cache.db", warehouse_orders())
        fill_cache(folder / "hard.db", hard_orders())
        _finish(_start("offscreen", folder))
        _finish(_start("hard", folder))
        with running_xvfb() as display:
            _finish(_start("screen", folder, DISPLAY=display, QT_QPA_PLATFORM="xcb"))
        held = _start("low-power", folder)
        try:
            hold_to(held, LOW_POWER_SHARE)
        finally:
            _finish(held)


def _start(kind: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """Start the process that measures ``kind``; it prints to our standard output."""
    command = [sys.executable, "-m", "bench.board_paints", kind, str(folder)]
    return subprocess.Popen(command, env=os.environ | variables, text=True)


def _finish(process: subprocess.Popen[str]) -> None:
    """Wait for a process that measures; without its figures there is no result."""
    if process.wait() != 0:
        message = f"{process.args!r} exited with {process.returncode}"
        raise SystemExit(message)


if __name__ == "__main__":
    main()
