"""``fulfillment-kanban headless``: the engine of the board without a window, JSON lines in and out.

For tests, load runs, scripts and IT; ``docs/headless.md`` describes every line. Exit codes: 0 after
``quit`` or the end of the input, 1 for a failure, 2 for what was typed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final, NamedTuple

from app.device_token import FILE_NAME, read_device_token
from app.headless_floor import HeadlessFloor, Place
from app.headless_lines import LINE_BYTES, line_of
from app.keyring_store import KeyringSecrets
from app.logs import start_log
from app.settings import Settings
from app.slim_imports import load_seldom_used_late
from app.system import SystemClock, SystemRandom
from app.version import VERSION
from sync.client.board_view import BoardView
from sync.client.engine import Engine
from sync.client.news import News
from sync.client.profile import Profile, open_profile
from sync.client.remote_engine import RemoteEngine
from sync.client.session import MemorySecrets, Session
from sync.contract.ids import Uuid7Ids
from sync.contract.problems import ProblemError, UsageError
from telemetry.recorder import NullRecorder

_HELP: Final = "the board without a window: JSON lines in and out"
_DESCRIPTION: Final = (
    "The engine of the board without a window: requests as JSON lines in, what happens as JSON lines out. "
    "docs/headless.md describes every line. Exit codes: 0 after quit or the end of the input, 1 for a "
    "failure, 2 for what was typed."
)
_CHUNK: Final = 64 * 1024
SETTLE_S: Final = 10.0
"""Requests wait so long at most for the connection to be known."""
INTERRUPTED: Final = 130


class _Line(NamedTuple):
    text: str


class _End(NamedTuple):
    """The input is over; or somebody wants the program to end now, whatever waits."""

    is_now: bool = False


_Event = News | _Line | _End


class _OutputRefusedError(Exception):
    """Standard output takes no lines: a full disk, for example."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command."""
    parser = subparsers.add_parser("headless", help=_HELP, description=_DESCRIPTION)
    # What stands before the sub-command counts too; defaults of its own would overwrite that.
    add_options(parser, missing=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def add_options(parser: argparse.ArgumentParser, missing: str | None = None) -> None:
    """Add the options of ``headless``; ``missing`` is the value of one that was not typed."""
    parser.add_argument(
        "--profile", type=Path, metavar="DIR", default=missing, help="folder of this terminal's data"
    )
    parser.add_argument(
        "--server", metavar="URL", default=missing, help="address of the server, like http://host:8440"
    )
    parser.add_argument(
        "--device-token-file",
        metavar="FILE",
        default=missing,
        help=f"the device's token as JSON; default: {FILE_NAME} in the profile",
    )
    parser.add_argument(
        "--linger", type=float, default=5.0, metavar="SECONDS", help="how long the end waits for unsent moves"
    )


def run(args: argparse.Namespace, stdin: IO[bytes] | None = None, stdout: IO[str] | None = None) -> int:
    """Run the sub-command; a problem is one line of JSON and one for people, never a traceback."""
    output = stdout or sys.stdout
    # Started with a stream closed (``<&-``, ``>&-``), there is none: no input, and nobody to tell.
    lines = stdin or (sys.stdin.buffer if sys.stdin is not None else io.BytesIO())

    def say(line: str) -> None:
        if output is not None:
            try:
                output.write(line + "\n")
                output.flush()
            except BrokenPipeError:
                raise
            except OSError as error:
                raise _OutputRefusedError(error.strerror or str(error)) from error

    try:
        return _run(args, lines, say)
    except _OutputRefusedError as error:
        # What is left in the buffer would be tried again at the end, and complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(f"The answers cannot be written: {error}. Make room there. [OUTPUT_REFUSED]\n")
        return 1
    except ProblemError as error:
        problem = error.problem
        fields = {"code": problem.code, "sentence": problem.sentence, "what_to_do": problem.what_to_do}
        say(line_of("problem", fields))
        sys.stderr.write(problem.line() + "\n")
        return 2 if isinstance(error, UsageError) else 1
    except BrokenPipeError:
        # Whoever read our lines went away; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def main(words: Sequence[str] | None = None) -> int:
    """Run as a program of its own: ``python -m app.headless``."""
    parser = argparse.ArgumentParser(prog="fulfillment-kanban headless", description=_DESCRIPTION)
    add_options(parser)
    return run(parser.parse_args(words))


# ---------------------------------------------------------------- composition


def _run(args: argparse.Namespace, stdin: IO[bytes], say: Callable[[str], None]) -> int:
    from app.command_line import profile_folder, read_settings

    folder = profile_folder(args)
    settings = read_settings(args, folder).settings
    token = read_device_token(settings.device_token_file, folder)
    server = settings.server_url or token.server
    profile = open_profile(folder)
    with contextlib.ExitStack() as ends:
        lock = profile.lock()
        if lock is not None:
            ends.callback(lock.release)
        log = _log(profile, settings, is_attached=lock is None)
        ends.callback(log.close)
        ends.callback(logging.getLogger().removeHandler, log)
        clock = SystemClock()
        ids = Uuid7Ids(clock, SystemRandom())
        events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        engine: Engine | RemoteEngine
        if lock is None:
            engine = RemoteEngine(profile.socket, events.put)
        else:
            session = _session(profile, server, token.token, use_keyring=settings.use_keyring)
            engine = Engine(
                profile,
                session,
                events.put,
                clock=clock,
                ids=ids,
                random=SystemRandom(),
                recorder=NullRecorder(),
                version=VERSION,
            )
        view = BoardView(profile.cache)
        ends.callback(engine.stop)
        ends.callback(view.close)
        place = Place(str(profile.folder), server, lock is None, VERSION)
        floor = HeadlessFloor(view, engine, clock, ids, place, say)
        view.reload()
        engine.start()
        threading.Thread(target=_read_lines, args=(stdin, events), name="stdin", daemon=True).start()
        with _ended_by_signals(events):
            return _Run(floor, engine, events, args.linger).run()


def _session(profile: Profile, server: str, token: str, *, use_keyring: bool) -> Session:
    if not server:
        raise UsageError(
            "SERVER_MISSING",
            "No server was named, and no other program uses this profile.",
            "Give its address with --server.",
        )
    load_seldom_used_late()
    secrets = KeyringSecrets() if use_keyring else MemorySecrets()
    return Session(server, secrets, device_token=token, profile=str(profile.folder))


def _log(profile: Profile, settings: Settings, *, is_attached: bool) -> logging.Handler:
    """Return where records go: the profile's log, whose only writer is the profile's engine."""
    handler = None if is_attached else start_log(profile.logs, settings.log_level, settings.log_bytes)
    if handler is None:
        handler = logging.NullHandler()
        logging.getLogger().addHandler(handler)
    return handler


def _read_lines(stdin: IO[bytes], events: queue.SimpleQueue[_Event]) -> None:
    """Pass the input on, line by line, until its end."""
    with contextlib.suppress(OSError, ValueError):
        for line in _lines(stdin):
            text = line.decode(errors="replace").strip()
            if text:
                events.put(_Line(text))
    events.put(_End())


def _lines(stdin: IO[bytes]) -> Iterator[bytes]:
    """Return the lines; of one that is too long, a beginning that is longer than a line may be."""
    # Not through stdin's buffer: this thread may wait for input while the program ends, and the
    # interpreter aborts when it then finds the buffer's lock taken.
    raw = getattr(stdin, "raw", stdin)
    rest = b""
    while data := raw.read(_CHUNK):
        *lines, rest = (rest + data).split(b"\n")
        yield from (line[: LINE_BYTES + 1] for line in lines)
        rest = rest[: LINE_BYTES + 1]
    yield rest


@contextlib.contextmanager
def _ended_by_signals(events: queue.SimpleQueue[_Event]) -> Iterator[None]:
    """Take SIGTERM for the end of the input; only where signals arrive at all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda _number, _frame: events.put(_End(is_now=True)))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


class _Run:
    """From the first event to the last."""

    def __init__(
        self,
        floor: HeadlessFloor,
        engine: Engine | RemoteEngine,
        events: queue.SimpleQueue[_Event],
        linger_s: float,
    ) -> None:
        self._floor = floor
        self._engine = engine
        self._events = events
        self._linger_s = linger_s
        self._settle_until = time.monotonic() + SETTLE_S
        self._waiting: deque[_Line | _End] = deque()

    def run(self) -> int:
        """Return the exit code."""
        code = 0
        try:
            self._work()
            self._linger()
        except KeyboardInterrupt:
            code = INTERRUPTED
        self._take_all()
        # A reader of the cache closes before its writer does.
        self._floor.close_view()
        self._engine.stop()
        self._take_all()
        return code or int(self._floor.has_failed)

    def _work(self) -> None:
        floor = self._floor
        while not (floor.is_quitting or floor.is_stopped):
            is_waiting = not (floor.is_settled or self._has_waited())
            event = self._next(self._settle_until if is_waiting else None)
            if isinstance(event, _End) and event.is_now:
                floor.is_quitting = True
            elif isinstance(event, _Line | _End):
                self._waiting.append(event)
            elif event is not None:
                floor.on_news(event)
            while self._waiting and (floor.is_settled or self._has_waited()) and not floor.is_quitting:
                self._take_input(self._waiting.popleft())

    def _has_waited(self) -> bool:
        return time.monotonic() >= self._settle_until

    def _take_input(self, event: _Line | _End) -> None:
        if isinstance(event, _Line):
            self._floor.on_line(event.text)
        else:
            self._floor.is_quitting = True

    def _linger(self) -> None:
        """Give what was asked for a last chance to be decided while the link is up."""
        until = time.monotonic() + self._linger_s
        while self._floor.has_unsent and not self._floor.is_stopped and time.monotonic() < until:
            event = self._next(until)
            if event is not None and not isinstance(event, _Line | _End):
                self._floor.on_news(event)

    def _next(self, until: float | None) -> _Event | None:
        timeout = None if until is None else max(0.0, until - time.monotonic())
        try:
            return self._events.get(timeout=timeout)
        except queue.Empty:
            return None

    def _take_all(self) -> None:
        """Take the news that are there already."""
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._events.get_nowait()
                if not isinstance(event, _Line | _End):
                    self._floor.on_news(event)


if __name__ == "__main__":
    sys.exit(main())
