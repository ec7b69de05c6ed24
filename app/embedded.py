"""The companion server as a child process, for a board without a server of its own.

The child tells its address and a fresh device token in one line over a pipe, so the secret
touches no file and no command line; it ends when our end of its input closes, however we end.
"""

from __future__ import annotations

import contextlib
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
DEMO_S: Final = 120.0
STOP_S: Final = 5.0
DEMO_SEED: Final = 1
_SERVER: Final = (sys.executable, "-m", "server.main")


class Address(NamedTuple):
    """Where the child listens, and the token that signs this terminal in."""

    url: str
    device_token: str


class EmbeddedServer:
    """One child process. :meth:`start` blocks; :meth:`stop` may come from another thread meanwhile."""

    def __init__(self, folder: Path, demo_orders: int = 0) -> None:
        """Serve the data in ``folder``, made when missing; a new board gets ``demo_orders`` once."""
        self._folder = folder
        self._demo_orders = demo_orders
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._is_stopped = False

    @property
    def pid(self) -> int | None:
        """Return the child's process id while there is one."""
        process = self._process
        return None if process is None else process.pid

    @property
    def is_running(self) -> bool:
        """Say whether the child is there and has not ended."""
        process = self._process
        return process is not None and process.poll() is None

    def start(self) -> Address:
        """Start the child and wait until it is ready; raises ``ProblemError``."""
        process = self._spawn()
        complaints = _LastLine(process.stderr)
        told = _address(_first_line(process.stdout))
        if told is None:
            self._end(process)
            raise _not_started(complaints.text or "it did not answer in time")
        self._fill()
        return told

    def stop(self) -> None:
        """Let the child end by itself, then make it; nothing starts after that."""
        with self._lock:
            self._is_stopped = True
            process, self._process = self._process, None
        if process is not None:
            self._end(process)

    def _spawn(self) -> subprocess.Popen[str]:
        command = [*_SERVER, "serve", "--embedded", "--data", str(self._folder)]
        with self._lock:
            if self._is_stopped:
                raise _not_started("the program ends")
            if self._process is not None:
                # It died: let go of its pipe and of what the system remembers of it.
                self._end(self._process)
            try:
                # A session of its own: Ctrl+C in the terminal is for us, and we end the child in order.
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    encoding="utf-8",
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                raise _not_started(error.strerror or str(error)) from error
            return self._process

    def _fill(self) -> None:
        """Put the made-up orders on an empty board, once in the life of its data."""
        mark = self._folder / "demo.json"
        if not self._demo_orders or mark.exists():
            return
        # Never among real orders: whoever imported a file first keeps a board without made-up ones.
        is_empty = _has_no_log(self._command("health", "--json"))
        if is_empty:
            self._command("demo", "--orders", str(self._demo_orders), "--seed", str(DEMO_SEED))
        made = {"orders": self._demo_orders if is_empty else 0, "seed": DEMO_SEED}
        with contextlib.suppress(OSError):
            # Without the mark the board is looked at again: it costs a second.
            mark.write_text(json.dumps(made), encoding="utf-8")

    def _command(self, *words: str) -> str:
        """Run a sub-command of the server on the same data; return what it printed."""
        # Also where the environment names a database: what is ours is in our folder.
        where = ("--data", str(self._folder), "--database", "")
        try:
            done = subprocess.run(
                [*_SERVER, *words, *where],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=DEMO_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _no_demo(type(error).__name__) from error
        if done.returncode != 0:
            raise _no_demo((done.stderr.strip().splitlines() or ["no reason was given"])[-1])
        return done.stdout

    def _end(self, process: subprocess.Popen[str]) -> None:
        """End one child: by its input, then by asking, then by force."""
        if process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.close()
        for force in (process.terminate, process.kill):
            try:
                process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                force()
            else:
                return
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


def _first_line(pipe: IO[str] | None) -> str:
    """Return the first line of a pipe, "" at its end or after ``START_S``."""
    lines: Queue[str] = Queue()

    def read() -> None:
        if pipe is not None:
            with pipe:
                for line in pipe:
                    lines.put(line)
        lines.put("")

    threading.Thread(target=read, name="embedded-stdout", daemon=True).start()
    try:
        return lines.get(timeout=START_S)
    except Empty:
        return ""


def _address(line: str) -> Address | None:
    try:
        told = json.loads(line)
        return Address(str(told["url"]), str(told["device_token"]))
    except (ValueError, KeyError, TypeError):
        return None


def _has_no_log(health: str) -> bool:
    """Say whether nothing has ever happened on any board, by the words of ``health --json``."""
    try:
        return all(site["seq"] == 0 for site in json.loads(health)["sites"])
    except (ValueError, KeyError, TypeError):
        return False


def _not_started(why: str) -> ProblemError:
    return ProblemError(
        "SERVER_NOT_STARTED",
        f"The server on this computer did not start: {why.rstrip('.')}.",
        "The board shows what it knew last. Restart the program; if this comes back, call IT.",
    )


def _no_demo(why: str) -> ProblemError:
    return ProblemError(
        "DEMO_NOT_MADE",
        f"The demo orders could not be made: {why.rstrip('.')}.",
        "Restart the program; if this comes back, call IT.",
    )
