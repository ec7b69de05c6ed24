"""``make bench [ONLY=board]``: run the files ``bench/bench_*.py`` and merge what they print.

``build/bench.json`` is flat, ``{"metric": number}``; ``build/bench-details.json`` holds whole measurements
by metric. A file that fails is named and the others still run; the exit code is then 1. ``ONLY`` keeps
what was measured before by the other files.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from bench.shape import Measurement, parse
from tools import results

ROOT = Path(__file__).resolve().parent.parent
DEADLINE_S = 900


class BenchError(Exception):
    """Why a file's measurements cannot be used, as a sentence."""


def bench_files(folder: Path, only: str | None) -> list[Path]:
    """Return the files to run, ``bench_board.py`` alone for ``board``.

    Raises:
        BenchError: when there is no file of that name.
    """
    files = sorted(folder.glob("bench_*.py"))
    chosen = [path for path in files if only in {None, "", _name(path)}]
    if not chosen:
        names = ", ".join(_name(path) for path in files) or "none yet"
        message = f"There is no bench {only!r}; there are: {names}."
        raise BenchError(message)
    return chosen


def measure(path: Path, deadline_s: float = DEADLINE_S) -> list[Measurement]:
    """Run one file and return what it measured.

    Raises:
        BenchError: when it fails, hangs, prints nothing, or prints something of another shape.
    """
    try:
        done = subprocess.run(
            [sys.executable, str(path)],
            cwd=path.parent.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=deadline_s,
        )
    except subprocess.TimeoutExpired:
        message = f"was not done within {deadline_s:g} s"
        raise BenchError(message) from None
    if done.returncode != 0:
        last_words = "\n".join(f"    {line}" for line in done.stderr.splitlines()[-5:])
        message = f"exited with {done.returncode}:\n{last_words}"
        raise BenchError(message)
    try:
        found = [measurement for line in done.stdout.splitlines() if (measurement := parse(line))]
    except ValueError as error:
        raise BenchError(str(error)) from error
    if not found:
        message = "printed no measurement"
        raise BenchError(message)
    return found


def run_all(files: Iterable[Path]) -> tuple[dict[str, Measurement], list[str]]:
    """Run files one after the other; return the measurements by metric and the sentences of failures."""
    measured: dict[str, Measurement] = {}
    failures: list[str] = []
    for path in files:
        started = time.monotonic()
        try:
            found = measure(path)
        except BenchError as error:
            failures.append(f"{path.name} {error}")
            continue
        for measurement in found:
            if measurement.metric in measured:
                failures.append(f"{path.name} measures {measurement.metric}, which another file did already")
                continue
            measured[measurement.metric] = measurement
            print(row(measurement), flush=True)
        print(f"{path.name}: {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)
    return measured, failures


def merge(build: Path, measured: dict[str, Measurement], keep: bool) -> None:
    """Write both result files, with the older measurements of other metrics when ``keep``.

    What proofs found (it has a ``detail``) and what other programs were measured at stays in any case:
    ``make verify`` and ``make bench-peers`` write into the same files.
    """
    results.merge(
        build, measured, lambda older: keep or "detail" in older or older["metric"].startswith("peers.")
    )


def _environment() -> dict[str, str]:
    """Return the variables of a measurement: no screen, no person's keyring; ``support`` of the tests.

    An installed program is compiled once, so nothing may keep Python from writing that down.
    """
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": str(ROOT / "tests"),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "QT_QPA_PLATFORM": "offscreen",
    }


def _name(path: Path) -> str:
    """Return the name that ONLY takes."""
    return path.stem.removeprefix("bench_")


def row(measurement: Measurement) -> str:
    """Return the line that a person reads."""
    floor = "" if measurement.floor is None else f"   floor {measurement.floor:g}"
    return (
        f"{measurement.metric:<44} {measurement.value:>10g} {measurement.unit:<6}"
        f" ±{measurement.spread:<8g} {measurement.runs:>5} runs{floor}"
    )


def main() -> int:
    """Run the benches named on the command line, all of them without a name."""
    only = sys.argv[1] if len(sys.argv) > 1 else None
    try:
        files = bench_files(ROOT / "bench", only)
    except BenchError as error:
        print(error, file=sys.stderr)
        return 2
    measured, failures = run_all(files)
    merge(ROOT / "build", measured, keep=only is not None)
    for failure in failures:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
