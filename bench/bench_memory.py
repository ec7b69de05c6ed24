"""What a terminal holds once it has synced 5,000 orders: private dirty memory, one second quiet.

Each run starts with an empty profile, so the whole snapshot passes through. Floor: an empty Qt window.
"""

from __future__ import annotations

from bench.floors import bare_memory_mb
from bench.place import ORDERS, opened_place
from bench.shape import report

RUNS = 5


def main() -> None:
    """Start fresh terminals one after the other."""
    floor = round(bare_memory_mb(), 1)
    with opened_place() as place:
        reports = [place.start_report(place.terminal(f"memory-{run}")) for run in range(RUNS)]
    assert all(told["orders"] == ORDERS for told in reports), "the snapshot did not arrive whole"
    report("memory.private_dirty_mb", [told["private_dirty_mb"] for told in reports], "MB", floor=floor)


if __name__ == "__main__":
    main()
