"""How fast files come onto the board, and how much memory that takes: the installed command as a process.

- ``import.rows_per_second``: the preview of a generated file of 1,000,000 rows (read, group, plan), from the
  start of the program to its end; ``…shuffled_rows_per_second`` with the rows in any order. Floor: the
  standard library's csv.reader over the same file, also in a process of its own.
- ``import.peak_mb``: the most resident memory of these runs and of one whose million rows are all refused
  and listed with ``--json``. Floor: that of the process with the csv.reader.
- ``import.apply_orders_per_second``: with ``--apply``, into a new data folder.
- ``import.superstore_seconds``: the real file of 10,194 lines, ``--as-open --apply``.
"""

from __future__ import annotations

import csv
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.shape import percentile, report
from support.processes import BIN, ProcessRunner
from support.real_server import PROGRAM, RealServer

FILE = Path(__file__).resolve().parents[2] / "shared" / "data" / "superstore_orders.csv"
ROWS = 1_000_000
APPLIED_ROWS = 100_000
RUNS = 3
HEAD = (
    "Order ID,Order Date,Ship Date,Ship Mode,Customer ID,Customer Name,City,State/Province,Postal Code,"
    "Country/Region,Product ID,Product Name,Quantity,Sales"
)
MODES = ("First Class", "Standard Class")
CITIES = ("Bath", "York", "Porto", "Köln")
READ = """
import csv, re, sys
rows = sum(1 for _ in csv.reader(open(sys.argv[1], encoding="utf-8", newline="")))
print(re.search("VmHWM: *([0-9]+)", open("/proc/self/status").read().replace("\\t", " "))[1])
"""


class Run(NamedTuple):
    """What one process took."""

    seconds: float
    peak_mb: float


def main() -> None:
    """Generate the files, and import them into new folders."""
    assert FILE.is_file(), "the order files are not beside this checkout, in ../shared/data"
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as name:
        folder = Path(name)
        server = RealServer(ProcessRunner(), folder)
        server.set_up()
        # What we once held counts as a started process's own peak, until its program begins.
        generator = multiprocessing.get_context("spawn").Process(target=_generate, args=(folder,))
        generator.start()
        generator.join()
        _preview(server, folder)
        _apply(folder, folder / "few.csv")
    floor = round(percentile([_read_s() for _ in range(RUNS)], 50), 3)
    report("import.superstore_seconds", [_superstore_s() for _ in range(RUNS)], "s", floor=floor)


def _generate(folder: Path) -> None:
    """Write the files."""
    rows = _rows(ROWS)
    _write(folder / "sorted.csv", rows)
    _write(folder / "few.csv", rows[:APPLIED_ROWS])
    _write(folder / "refused.csv", [f",{row.split(',', 1)[1]}" for row in rows])
    random.Random("shuffle").shuffle(rows)
    _write(folder / "shuffled.csv", rows)


def _preview(server: RealServer, folder: Path) -> None:
    peaks: list[float] = []
    floors = [_run([sys.executable, "-c", READ, folder / "sorted.csv"]) for _ in range(RUNS)]
    fastest = round(ROWS / percentile([floor.seconds for floor in floors], 50))
    for metric, name in (
        ("import.rows_per_second", "sorted.csv"),
        ("import.shuffled_rows_per_second", "shuffled.csv"),
    ):
        runs = [_import(server, folder / name) for _ in range(RUNS)]
        peaks += [run.peak_mb for run in runs]
        report(metric, [ROWS / run.seconds for run in runs], "1/s", floor=fastest)
    peaks.append(_import(server, folder / "refused.csv", "--json").peak_mb)
    smallest = round(_read_mb(folder / "sorted.csv"), 1)
    report("import.peak_mb", peaks, "MB", percent=100, floor=smallest)


def _apply(folder: Path, path: Path) -> None:
    orders = len({row.split(",", 1)[0] for row in path.read_text(encoding="utf-8").splitlines()[1:]})
    rates = []
    for run in range(RUNS):
        server = RealServer(ProcessRunner(), folder / f"apply-{run}")
        server.set_up()
        rates.append(orders / _import(server, path, "--as-open", "--apply").seconds)
    report("import.apply_orders_per_second", rates, "1/s")


def _import(server: RealServer, path: Path, *words: str) -> Run:
    """Run one import."""
    return _run([BIN / PROGRAM, "import", path, "--data", server.data, *words])


def _run(command: list[str | Path]) -> Run:
    """Run a program to its end; its answer goes nowhere."""
    started_ns = time.monotonic_ns()
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = (time.monotonic_ns() - started_ns) / 1e9
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    return Run(seconds, usage.ru_maxrss / 1024)


def _rows(count: int) -> list[str]:
    """Return made-up rows of a sales export, the same every time: 2.2 lines an order."""
    rng = random.Random("import")
    rows: list[str] = []
    order = 0
    while len(rows) < count:
        order += 1
        day = f"{order % 28 + 1:02}/{order % 12 + 1:02}"
        mode, city = rng.choice(MODES), rng.choice(CITIES)
        person = order % 5_000
        head = (
            f"CA-{order:07},{day}/23,{day}/24,{mode},C-{person},Customer {person},{city},State,{person:05},UK"
        )
        rows += [
            f'{head},SKU-{rng.randrange(20_000):05},"Product ""{order % 777}"" of the range",'
            f"{rng.randint(1, 9)},{rng.random() * 100:.2f}"
            for _ in range(rng.choice((1, 1, 2, 3, 4)))
        ]
    return rows[:count]


def _write(path: Path, rows: list[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(HEAD + "\r\n")
        file.writelines(f"{row}\r\n" for row in rows)


def _read_mb(path: Path) -> float:
    """Return the most memory that reading alone takes."""
    return int(subprocess.check_output([sys.executable, "-c", READ, str(path)])) / 1024


def _read_s() -> float:
    """Return the seconds that reading alone takes."""
    started_ns = time.monotonic_ns()
    with FILE.open(encoding="utf-8-sig", errors="replace", newline="") as lines:
        assert sum(1 for _ in csv.reader(lines)) > 10_000
    return (time.monotonic_ns() - started_ns) / 1e9


def _superstore_s() -> float:
    """Return the seconds that one import of the real file takes."""
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as folder:
        server = RealServer(ProcessRunner(), Path(folder))
        server.set_up()
        return _import(server, FILE, "--as-open", "--apply").seconds


if __name__ == "__main__":
    main()
