"""The programs that are measured: a web board in Chromium, and ours, each in a kiosk on the same screen."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

from bench.peers.tree import ProcessTree
from support.processes import BIN, ProcessRunner

CLIENT = "fulfillment-kanban"
BROWSERS = ("/usr/lib/chromium/chromium", "chromium")
"""Debian's own file first: the script around it costs a start some milliseconds."""

FLAGS = (
    "--kiosk",
    "--window-position=0,0",
    "--window-size=1920,1080",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--password-store=basic",
    # No bar about a missing sandbox, which would cover the board when root runs this.
    "--test-type",
)


class Program(Protocol):
    """A board that can be started again and again on data that it has seen before."""

    name: str

    def running(self) -> contextlib.AbstractContextManager[ProcessTree]:
        """Start it, as a click on its icon does, and end it with the block."""
        ...


def find_browser() -> str | None:
    """Return the program file of Chromium, None when it is not installed."""
    return next((found for each in BROWSERS if (found := shutil.which(each))), None)


class WebBoard:
    """A page in Chromium with a profile of its own, which keeps scripts and font for the next start."""

    def __init__(self, name: str, browser: str, address: str, profile: Path, display: str) -> None:
        self.name = name
        self._browser = browser
        self._address = address
        self._profile = profile
        self._env = {"DISPLAY": display, "HOME": str(profile), "LC_ALL": "C.UTF-8"}

    def at(self, address: str) -> WebBoard:
        """Return the same browser that begins at another address."""
        return WebBoard(self.name, self._browser, address, self._profile, self._env["DISPLAY"])

    @contextlib.contextmanager
    def running(self) -> Iterator[ProcessTree]:
        """Start the browser with the page."""
        sandbox = ("--no-sandbox",) if os.geteuid() == 0 else ()
        words = (*FLAGS, *sandbox, f"--user-data-dir={self._profile}", f"--app={self._address}")
        with _running((self._browser, *words), self._env, str(self._profile)) as tree:
            yield tree


class OurBoard:
    """The installed client on a profile that holds the orders."""

    name = "ours"

    def __init__(self, terminal: list[str | Path], display: str) -> None:
        self._terminal = terminal
        self._env = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}

    @contextlib.contextmanager
    def running(self) -> Iterator[ProcessTree]:
        """Start the client; its server runs all the time, as the web boards' does."""
        command = (str(BIN / CLIENT), "--kiosk", "--theme", "light", *map(str, self._terminal))
        with _running(command, self._env) as tree:
            yield tree


@contextlib.contextmanager
def _running(command: tuple[str, ...], env: Mapping[str, str], mark: str = "") -> Iterator[ProcessTree]:
    """Start a program, and end all its processes with the block."""
    runner = ProcessRunner()
    process = runner.start(*command, env=env)
    tree = ProcessTree(process.pid, mark)
    try:
        yield tree
    finally:
        tree.end()
        runner.clean_up()
