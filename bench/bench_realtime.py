"""How long a move needs to be seen on another terminal, over loopback.

Two desktop clients on one server: from the drop on one board to the end of the paint that shows the card
in its new column on the other. In between lie the outbox on disk, the server's commit, fan-out, the
other's cache and its paint. One card goes back and forth between the tops of two columns, so that it is
always in sight. Floor: the two commits that must reach the disk.
"""

from __future__ import annotations

import sys

from bench.floors import sync_ms
from bench.place import Place, opened_place
from bench.shape import report
from support.processes import Process

MOVES = 200
WARM_UP = 10
ORDERS = 500


def main() -> None:
    """Move one card back and forth and watch the other terminal."""
    floor = round(2 * sync_ms(95), 3)
    with opened_place(ORDERS) as place:
        mover = _start(place, "mover")
        watcher = _start(place, "watcher")
        goals = ["picking", "confirmed"] * ((MOVES + WARM_UP) // 2)
        samples = [_move(mover, watcher, goal) for goal in goals][WARM_UP:]
    report("realtime.move_to_other_client_ms_p95", samples, "ms", percent=95, floor=floor)


def _start(place: Place, name: str) -> Process:
    """Start a client and wait until its board is painted with orders of the server."""
    process = place.runner.start(sys.executable, "-m", "bench.board_terminal", *place.terminal(name))
    process.wait_for_json(lambda line: "painted" in line, within_s=60)
    return process


def _move(mover: Process, watcher: Process, goal: str) -> float:
    """Return the time in ms from the drop to the paint at the other terminal."""
    mover.send_json({"drop": goal})
    dropped = mover.wait_for_json(lambda line: "dropped" in line)
    number = dropped["dropped"]
    painted = watcher.wait_for_json(lambda line: line.get("painted") == number and line["stage"] == goal)
    return float(painted["at_ns"] - dropped["at_ns"]) / 1e6


if __name__ == "__main__":
    main()
