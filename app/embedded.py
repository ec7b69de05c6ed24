"""The companion server as a child process, for a board without a server of its own.

The child tells its address and a fresh device token in one line over a pipe, so the secret
touches no file and no command line; it ends when our end of its input closes, however we end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import IO, Final, NamedTuple

from sync.contract.problems import ProblemError

START_S: Final = 30.0
"""How long the server may take to be ready, its first migration included."""
STOP_S: Final = 5.0


class Address(NamedTuple):
    """Where the child listens, and the token that signs this terminal in."""

    url: str
    device_token: str


class EmbeddedServer:
    """One child process. Used from one thread; blocking."""

    def __init__(self, folder: Path, demo_orders: int = 0) -> None:
        """Serve the data in ``folder``, made when missing; an empty board gets ``demo_orders``."""
        self._folder = folder
        self._demo_orders = demo_orders
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int | None:
        """Return the child's process id while there is one."""
        return None if self._process is None else self._process.pid

    def start(self) -> Address:
        """Start the child and wait until it is ready; raises ``ProblemError``."""
        command = [
            sys.executable, "-m", "server.main", "serve", "--embedded", "--data", str(self._folder),
        ]  # fmt: skip
        if self._demo_orders:
            command += ["--demo", str(self._demo_orders)]
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own program, no shell
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        except OSError as error:
            raise _not_started(str(error)) from error
        complaints = _LastLine(self._process.stderr)
        line = _first_line(self._process.stdout)
        if line is None:
            self.stop()
            raise _not_started(complaints.text or "it did not answer in time")
        told = json.loads(line)
        return Address(told["url"], told["device_token"])

    def stop(self) -> None:
        """Let the child end by itself, then make it."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _LastLine:
    """Keeps reading a pipe so that the child never blocks on it; remembers the last line."""

    def __init__(self, pipe: IO[str] | None) -> None:
        self.text = ""
        self._pipe = pipe
        threading.Thread(target=self._read, name="embedded-stderr", daemon=True).start()

    def _read(self) -> None:
        if self._pipe is not None:
            with self._pipe as pipe:
                for line in pipe:
                    self.text = line.strip() or self.text


def _first_line(pipe: IO[str] | None) -> str | None:
    """Return the first line of a pipe, None at its end or after ``START_S``."""
    lines: Queue[str] = Queue()

    def read() -> None:
        if pipe is not None:
            with pipe:
                for line in pipe:
                    lines.put(line)
        lines.put("")

    threading.Thread(target=read, name="embedded-stdout", daemon=True).start()
    try:
        return lines.get(timeout=START_S) or None
    except Empty:
        return None


def _not_started(why: str) -> ProblemError:
    return ProblemError(
        "SERVER_NOT_STARTED",
        f"The server on this computer did not start: {why.rstrip('.')}.",
        "The board shows what it knew last. Restart the program; if this comes back, call IT.",
    )
