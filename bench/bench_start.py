"""How long a terminal needs to start: from spawn to cached cards painted, and to an event served.

The installed client, offscreen, with a profile that has synced 5,000 orders; the client says both times
itself (``--report-start``), counted from the creation of its process. Floor: an empty Qt window.
"""

from __future__ import annotations

from bench.floors import bare_start_ms
from bench.place import ORDERS, opened_place
from bench.shape import report

RUNS = 11


def main() -> None:
    """Fill the cache with one start, then measure."""
    floor = round(bare_start_ms(), 1)
    with opened_place() as place:
        terminal = place.terminal("start")
        place.start_report(terminal)
        reports = [place.start_report(terminal) for _ in range(RUNS)]
    assert all(told["orders"] == ORDERS for told in reports), "the cache did not hold the whole board"
    report("start.first_paint_ms_p50", [told["first_paint_ms"] for told in reports], "ms", floor=floor)
    report("start.interactive_ms_p50", [told["interactive_ms"] for told in reports], "ms", floor=floor)


if __name__ == "__main__":
    main()
