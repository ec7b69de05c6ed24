"""How the board behaves while other people's updates, whole boards and searches land.

The desktop client as installed over 100,000 orders in its own cache, with its network and database thread; a
pretended server in another process sends what it is told to over a real socket.

- ``board.updates_500_per_s_core_percent``: CPU of the GUI thread, in percent of one core, while 500 orders a
  second are changed by others, each sent as a page of its own, one in ten of them on a card that shows. It
  counts everything that thread does: reading the cache, columns, counts, paint. The floor is the same window
  without updates. ``board.updates_500_per_s_process_percent`` counts all threads: network and database too.
- ``board.snapshot_worst_frame_ms``: a board of 10,000 orders comes again as a whole while a column
  scrolls at 60 Hz; the worst frame, from when it was due until it was painted. The floor is the worst one
  when nothing comes. ``..._100k_...`` is the same with 100,000 orders.
- ``board.filter_*_ms_p95``: from a letter typed into the search until the rows of the first page are there,
  until all columns are filtered, until the filtered board is painted. Every letter of each word counts.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.shape import report, report_rounds
from bench.traffic_server import first_board
from support.processes import Process, ProcessRunner
from sync.client.cache import Cache
from sync.client.profile import open_profile

MANY: Final = 100_000
WHOLE_BOARD: Final = 10_000
RATE: Final = 500
ROUND_S: Final = 4
ROUNDS: Final = 3
SNAPSHOTS: Final = 5
FRAMES: Final = 120
WORDS: Final = ("4012", "blue mug", "ada lind", "oslo", "BLU-660", "kettle", "brandão", "quick")
WITHIN_S: Final = 120.0


class Pair:
    """A pretended server and the terminal that is connected to it."""

    def __init__(self, server: Process, terminal: Process) -> None:
        """Talk to both over their standard streams."""
        self.server = server
        self.terminal = terminal

    def ask(self, question: dict[str, object], key: str) -> dict[str, Any]:
        """Tell the terminal something and return its answer that has ``key``."""
        self.terminal.send_json(question)
        return self.terminal.wait_for_json(lambda line: key in line, within_s=WITHIN_S)

    def mark(self) -> dict[str, Any]:
        """Return what the terminal has used so far."""
        return self.ask({"mark": True}, "cursor")

    def prepare(self, count: int) -> int:
        """Have ``count`` updates ready; return where the log then ends."""
        shown = self.ask({"shown": True}, "shown")["shown"]
        self.server.send_json({"prepare": count, "shown": shown})
        return int(self.server.wait_for_json(lambda line: "seq" in line, within_s=WITHIN_S)["seq"])


def main() -> None:
    """Measure everything at one terminal with many orders, whole boards at one with fewer as well."""
    with opened_pair(MANY) as pair:
        updates(pair)
        searches(pair)
        whole_boards(pair, "board.snapshot_100k_worst_frame_ms", rounds=1)
    with opened_pair(WHOLE_BOARD) as pair:
        whole_boards(pair, "board.snapshot_worst_frame_ms", rounds=SNAPSHOTS)


@contextlib.contextmanager
def opened_pair(orders: int) -> Iterator[Pair]:
    """Start a server and a terminal that is live on its board, for the length of the block."""
    now_ms = time.time_ns() // 1_000_000
    runner = ProcessRunner()
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as folder:
        profile = open_profile(Path(folder) / "profile")
        with contextlib.closing(Cache.open(profile.cache).cache) as cache:
            first_board(orders, now_ms).snapshot_into(cache)
        try:
            server = runner.start(sys.executable, "-m", "bench.traffic_server", str(orders), str(now_ms))
            port = server.wait_for_json(lambda line: "port" in line, within_s=WITHIN_S)["port"]
            words = ("--sync-port", str(port), "--profile", profile.folder)
            terminal = runner.start(sys.executable, "-m", "bench.traffic_terminal", *words)
            terminal.wait_for_json(lambda line: "live" in line, within_s=60)
            time.sleep(2)
            yield Pair(server, terminal)
        finally:
            runner.clean_up()


def updates(pair: Pair) -> None:
    """Measure rounds of updates, and before them rounds of nothing."""
    # The first change on a board makes its index.
    _used(pair, RATE)
    idle = [_used(pair) for _ in range(ROUNDS)]
    busy = [_used(pair, RATE) for _ in range(ROUNDS)]
    for metric, key in (("core", "gui_s"), ("process", "process_s")):
        floor = round(sorted(each[key] for each in idle)[ROUNDS // 2], 3)
        name = f"board.updates_500_per_s_{metric}_percent"
        report(name, [each[key] for each in busy], "%", floor=floor)
    report("board.updates_500_per_s_paints_per_s", [each["paints"] for each in busy], "1/s")


def _used(pair: Pair, rate: int = 0) -> dict[str, float]:
    """Return what one round takes, in percent of a core (paints: a second)."""
    seq = pair.prepare(rate * ROUND_S)
    before = pair.mark()
    if rate:
        pair.server.send_json({"send": rate})
    time.sleep(ROUND_S)
    after = pair.mark()
    while after["cursor"] < seq:
        time.sleep(0.05)
        after = pair.mark()
    wall_s = after["wall_s"] - before["wall_s"]
    found = {key: 100 * (after[key] - before[key]) / wall_s for key in ("gui_s", "process_s")}
    return found | {"paints": (after["paints"] - before["paints"]) / wall_s}


def searches(pair: Pair) -> None:
    """Measure every letter of some searches."""
    rounds = [
        [letter for text in WORDS for letter in pair.ask({"type": text}, "typed")["typed"]]
        for _ in range(ROUNDS)
    ]
    for place, what in enumerate(("first_page", "all_ids", "painted")):
        times = [[letter[place] for letter in each] for each in rounds]
        report_rounds(f"board.filter_{what}_ms_p95", times, "ms", percent=95)
        report_rounds(f"board.filter_{what}_ms_p50", times, "ms")


def whole_boards(pair: Pair, metric: str, rounds: int) -> None:
    """Measure frames while a whole board lands."""
    quiet = pair.ask({"scroll": FRAMES * rounds, "after_snapshot": False}, "frames")["frames"]
    landing = []
    for _ in range(rounds):
        pair.terminal.send_json({"scroll": FRAMES // 2, "after_snapshot": True})
        pair.server.send_json({"snapshot": True})
        told = pair.terminal.wait_for_json(lambda line: "frames" in line, within_s=WITHIN_S)
        landing.append(told["frames"])
    report_rounds(metric, landing, "ms", percent=100, floor=round(max(quiet), 3))
    report_rounds(metric.replace("worst_frame_ms", "frame_ms_p50"), landing, "ms")


if __name__ == "__main__":
    main()
