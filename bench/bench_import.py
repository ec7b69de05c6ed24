"""How long the real file of 10,194 lines takes onto the board: ``import … --as-open --apply``.

The installed command, from its start to its end, into a new data folder each time. Floor: reading the
file with the standard library's csv module.
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

from bench.shape import percentile, report
from support.processes import ProcessRunner
from support.real_server import RealServer

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "superstore_orders.csv"
RUNS = 3


def main() -> None:
    """Import the file into new folders."""
    assert FILE.is_file(), "the order files are not beside this checkout, in ../shared/data"
    floor = round(percentile([_read_s() for _ in range(RUNS)], 50), 3)
    report("import.superstore_seconds", [_import_s() for _ in range(RUNS)], "s", floor=floor)


def _read_s() -> float:
    """Return the seconds that reading alone takes."""
    started_ns = time.monotonic_ns()
    with FILE.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        assert sum(1 for _ in csv.reader(lines)) > 10_000
    return (time.monotonic_ns() - started_ns) / 1e9


def _import_s() -> float:
    """Return the seconds that one import takes."""
    runner = ProcessRunner()
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as folder:
        server = RealServer(runner, Path(folder))
        try:
            server.set_up()
            started_ns = time.monotonic_ns()
            server.command("import", FILE, "--as-open", "--apply", within_s=300)
            return (time.monotonic_ns() - started_ns) / 1e9
        finally:
            runner.clean_up()


if __name__ == "__main__":
    main()
