"""Start real programs in tests, with a deadline on everything and nothing left running.

``Process`` reads both streams on threads, so a full pipe never blocks the child; ``wait_for_line`` and
``wait_for_json`` look only at lines not yet consumed. ``ProcessRunner`` ends, by their own ids, all that
it started; the fixture ``processes`` in ``tests/conftest.py`` hands one to a test.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, TypeVar

T = TypeVar("T")

BIN = Path(sys.executable).parent
MAX_LINES = 100_000


class Process:
    """One running program of a test, with its lines of output so far."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str], cwd: Path | None) -> None:
        self.command = [str(part) for part in command]
        self._changed = threading.Condition()
        self._lines: list[str] = []
        self._errors: list[str] = []
        self._next = 0
        self._open_streams = 2
        # A session of its own: a signal for the test run does not reach it, and its children end with it.
        self._popen = subprocess.Popen(
            self.command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), name=f"read-{name}", daemon=True)
            for name, stream, lines in (
                ("stdout", self._popen.stdout, self._lines),
                ("stderr", self._popen.stderr, self._errors),
            )
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The process id, also the id of its group."""
        return self._popen.pid

    @property
    def stdout(self) -> str:
        """Everything printed so far."""
        with self._changed:
            return "\n".join(self._lines)

    @property
    def stderr(self) -> str:
        """Everything written to standard error so far."""
        with self._changed:
            return "\n".join(self._errors)

    def is_running(self) -> bool:
        """Return whether the process has not ended."""
        return self._popen.poll() is None

    def send_line(self, line: str) -> None:
        """Write one line to its standard input."""
        assert self._popen.stdin is not None
        self._popen.stdin.write(line + "\n")
        self._popen.stdin.flush()

    def send_json(self, value: object) -> None:
        """Write one JSON line to its standard input."""
        self.send_line(json.dumps(value))

    def close_input(self) -> None:
        """Close its standard input."""
        assert self._popen.stdin is not None
        self._popen.stdin.close()

    def wait_for_line(self, pattern: str, within_s: float = 15.0) -> re.Match[str]:
        """Return the match of the next line of standard output that ``pattern`` is found in."""
        return self._wait_for(lambda line: re.search(pattern, line), f"a line like {pattern!r}", within_s)

    def wait_for_json(
        self, wanted: Callable[[dict[str, Any]], object] = lambda _: True, within_s: float = 15.0
    ) -> dict[str, Any]:
        """Return the next JSON object printed that ``wanted`` is true for; other lines are passed over."""

        def parsed(line: str) -> dict[str, Any] | None:
            try:
                value = json.loads(line)
            except ValueError:
                return None
            return value if isinstance(value, dict) and wanted(value) else None

        return self._wait_for(parsed, "a JSON line that is wanted", within_s)

    def wait(self, within_s: float = 15.0) -> int:
        """Wait for its end and return the exit code; a signal is negative.

        Raises:
            AssertionError: when it is still running at the deadline.
        """
        try:
            code = self._popen.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(self._report(f"did not end within {within_s:g} s")) from None
        for reader in self._readers:
            reader.join(5)
        return code

    def send_signal(self, number: signal.Signals) -> None:
        """Send it one signal, Control-C for example, and wait for nothing."""
        self._popen.send_signal(number)

    def terminate(self, within_s: float = 15.0) -> int:
        """Ask it to end (SIGTERM) and return the exit code."""
        self._popen.terminate()
        return self.wait(within_s)

    def kill(self) -> int:
        """End it without asking (SIGKILL), it alone, and return the exit code."""
        self._popen.kill()
        return self.wait()

    def clean_up(self) -> None:
        """End it and every child that it left, and close its pipes."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait(10)
        for reader in self._readers:
            reader.join(5)
        for stream in (self._popen.stdin, self._popen.stdout, self._popen.stderr):
            if stream is not None:
                _close(stream)

    def _wait_for(self, examine: Callable[[str], T | None], what: str, within_s: float) -> T:
        """Return the first answer other than None of ``examine`` for a line not yet consumed."""
        deadline = time.monotonic() + within_s
        with self._changed:
            while True:
                while self._next < len(self._lines):
                    self._next += 1
                    found = examine(self._lines[self._next - 1])
                    if found is not None:
                        return found
                left = deadline - time.monotonic()
                if left <= 0 or self._open_streams == 0:
                    break
                self._changed.wait(left)
        raise AssertionError(self._report(f"did not print {what} within {within_s:g} s"))

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        """Collect the lines of one stream until it ends."""
        for line in stream:
            with self._changed:
                if len(lines) < MAX_LINES:
                    lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._open_streams -= 1
            self._changed.notify_all()

    def _report(self, problem: str) -> str:
        """Return the words of a failure: what was run, how it stands, the end of what it said."""
        state = "is running" if self.is_running() else f"ended with {self._popen.returncode}"
        out, err = self.stdout[-2000:], self.stderr[-2000:]
        return f"{' '.join(self.command)} {problem}; it {state}.\nstdout:\n{out}\nstderr:\n{err}"


class ProcessRunner:
    """Starts programs and ends what is left of them."""

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self.env = dict(os.environ if env is None else env)
        self._started: list[Process] = []

    def start(
        self, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> Process:
        """Start a program; ``env`` is added to the runner's variables."""
        process = Process(command, {**self.env, **(env or {})}, cwd)
        self._started.append(process)
        return process

    def start_program(
        self, name: str, *arguments: str | Path, env: Mapping[str, str] | None = None
    ) -> Process:
        """Start one of our installed programs, ``fulfillment-kanban`` for example."""
        return self.start(BIN / name, *arguments, env=env)

    def run(
        self, *command: str | Path, within_s: float = 60.0, env: Mapping[str, str] | None = None
    ) -> Process:
        """Run a program to its end without input."""
        process = self.start(*command, env=env)
        process.close_input()
        process.wait(within_s)
        return process

    def clean_up(self) -> None:
        """End everything that was started, the latest first."""
        while self._started:
            self._started.pop().clean_up()


def _close(stream: IO[str]) -> None:
    """Close a pipe whose other end may be gone."""
    with contextlib.suppress(BrokenPipeError):
        stream.close()
