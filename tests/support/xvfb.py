"""A real X server without a screen, for tests of the mouse, windows and focus."""

from __future__ import annotations

import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

SIZE = "1920x1080x24"


@contextmanager
def running_xvfb(size: str = SIZE, within_s: float = 15.0, frames: str = "") -> Iterator[str]:
    """Run an X server on a display number that it chooses; yield the name for DISPLAY, ``:7`` for example.

    In the folder ``frames``, if there is one, it keeps its picture as a file.

    Raises:
        AssertionError: when it is not installed or not ready before the deadline.
    """
    program = shutil.which("Xvfb")
    assert program is not None, "Xvfb is not installed: packaging/system-packages.txt, section tests"
    read_end, write_end = os.pipe()
    command = [program, "-displayfd", str(write_end), "-screen", "0", size, "-nolisten", "tcp", "-noreset"]
    command += ["-fbdir", frames] if frames else []
    server = subprocess.Popen(
        command, pass_fds=(write_end,), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        yield f":{_read_number(read_end, within_s)}"
    finally:
        os.close(read_end)
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)


def _read_number(read_end: int, within_s: float) -> int:
    """Return the display number that the server writes once it accepts clients."""
    deadline = time.monotonic() + within_s
    text = b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([read_end], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(read_end, 64) if ready else b""
        assert chunk, f"Xvfb was not ready within {within_s:g} s"
        text += chunk
    return int(text)
