"""How long a move needs to reach another terminal, over loopback.

Two headless clients on one server with 5,000 orders: from the line that asks one of them for a move to the
line in which the other tells the order changed. In between lie the outbox on disk, the server's
commit, fan-out and the other's cache; painting is not in it (``board.full_repaint_ms_p50`` bounds that).
Floor: the two commits that must reach the disk.
"""

from __future__ import annotations

import time

from bench.floors import sync_ms
from bench.place import opened_place
from bench.shape import report
from support.processes import Process

MOVES = 200
WARM_UP = 10


def main() -> None:
    """Move orders one after the other and watch the other terminal."""
    floor = round(2 * sync_ms(95), 3)
    with opened_place() as place:
        mover = place.start_headless(place.terminal("mover"))
        watcher = place.start_headless(place.terminal("watcher"))
        numbers = _movable(mover, MOVES + WARM_UP)
        samples = [_move(mover, watcher, number) for number in numbers][WARM_UP:]
    report("realtime.move_to_other_client_ms_p95", samples, "ms", percent=95, floor=floor)


def _movable(client: Process, count: int) -> list[str]:
    """Return the numbers of confirmed orders that nothing holds back."""
    client.send_json({"list": {"stage": "confirmed"}})
    rows = client.wait_for_json(lambda line: "list" in line)["list"]["orders"]
    free = [row["number"] for row in rows if not (row["hold"] or row["cancelled"] or row["claimed_by"])]
    assert len(free) >= count, f"only {len(free)} orders can be moved"
    return free[:count]


def _move(mover: Process, watcher: Process, number: str) -> float:
    """Return the time in ms from asking for a move to the news of it at the other terminal."""

    def is_news(line: dict[str, dict[str, object]]) -> bool:
        order = line.get("order", {})
        return order.get("number") == number and order.get("stage") == "picking"

    started_ns = time.monotonic_ns()
    mover.send_json({"move": {"number": number, "to": "picking"}})
    watcher.wait_for_json(is_news)
    return (time.monotonic_ns() - started_ns) / 1e6


if __name__ == "__main__":
    main()
