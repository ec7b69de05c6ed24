"""The process runner: lines, deadlines, ends."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from support.processes import ProcessRunner
from support.waiting import eventually

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
FOREVER = "import signal; print('up', flush=True); signal.pause()"


def test_lines_are_waited_for_in_order(processes: ProcessRunner) -> None:
    """A line already consumed is not found again, text and JSON lines mix."""
    echo = processes.start(sys.executable, "-c", ECHO)
    echo.send_line("first 1")
    echo.send_json({"kind": "second"})
    echo.send_line("first 2")
    assert echo.wait_for_line(r"first (\d)").group(1) == "1"
    assert echo.wait_for_json(lambda value: value["kind"] == "second") == {"kind": "second"}
    assert echo.wait_for_line(r"first (\d)").group(1) == "2"
    echo.close_input()
    assert echo.wait() == 0


def test_a_line_that_never_comes_fails_with_what_was_said(processes: ProcessRunner) -> None:
    """The failure names the wish and shows both streams."""
    process = processes.start(sys.executable, "-c", "import sys; print('out'); sys.exit('sad')")
    with pytest.raises(AssertionError, match=r"(?s)a line like 'glad'.*stdout:\nout.*stderr:\nsad"):
        process.wait_for_line("glad")


def test_a_deadline_passes(processes: ProcessRunner) -> None:
    """A process that does not end in time fails the wait, and is still there to be ended."""
    process = processes.start(sys.executable, "-c", FOREVER)
    process.wait_for_line("up")
    with pytest.raises(AssertionError, match="did not end within"):
        process.wait(within_s=0.05)
    assert process.terminate() == -signal.SIGTERM


def test_kill_is_sudden(processes: ProcessRunner) -> None:
    """``kill`` is SIGKILL."""
    process = processes.start(sys.executable, "-c", FOREVER)
    assert process.kill() == -signal.SIGKILL


def test_grandchildren_end_with_the_test() -> None:
    """Cleaning up ends what the program itself started and left behind."""
    runner = ProcessRunner()
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {FOREVER!r}])\n"
        "print(child.pid, flush=True)\n"
    )
    parent = runner.start(sys.executable, "-c", script)
    pid = int(parent.wait_for_line(r"^\d+$").group())
    runner.clean_up()
    eventually(lambda: not _is_alive(pid), what=f"the end of process {pid}")


def _is_alive(pid: int) -> bool:
    """Return whether a process runs; one that ended and was not yet collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:  # noqa: PTH123 - not a file but a question
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
