"""``make test``: everything under tests/, headless, on two processes.

Arguments are pytest's: ``make test ARGS="tests/guards -k layers"``. Given any, it runs in one process,
because starting a second one costs more than a few files take.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKERS = "2"
# No screen; and the programs that tests start are compiled once, not at every start.
LEFT_OUT = {"DISPLAY", "PYTHONDONTWRITEBYTECODE", "WAYLAND_DISPLAY"}


def command(arguments: list[str]) -> list[str]:
    """Return the pytest command line; a worker that is done takes over from one that is not."""
    parallel = [] if arguments else ["-n", WORKERS, "--dist", "worksteal"]
    return [sys.executable, "-m", "pytest", *parallel, *arguments]


def environment(given: dict[str, str]) -> dict[str, str]:
    """Return the variables for a run without a screen, a person's settings or a person's keyring."""
    chosen = {name: value for name, value in given.items() if name not in LEFT_OUT}
    chosen["QT_QPA_PLATFORM"] = "offscreen"
    chosen.setdefault("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    chosen.setdefault("LC_ALL", "C.UTF-8")
    return chosen


def main() -> None:
    """Become pytest."""
    os.chdir(ROOT)
    os.execve(sys.executable, command(sys.argv[1:]), environment(dict(os.environ)))  # noqa: S606 - that is the point


if __name__ == "__main__":
    main()
