"""How long a terminal needs to start: from spawn to cached cards painted, and to an event served.

The installed client, offscreen, with a profile that has synced 100,000 orders; the client says both times
itself (``--report-start``), counted from the creation of its process. The cold start is measured apart:
before each one the system is told to forget what it has read of the interpreter, the libraries and the
profile; the server is stopped then, so that nothing else keeps these files in use. Floor: an empty Qt
window.
"""

from __future__ import annotations

from bench.cold import forget_files
from bench.floors import bare_start_ms, cold_bare_start_ms
from bench.place import opened_place
from bench.shape import report

ORDERS = 100_000
RUNS = 11
COLD_RUNS = 5


def main() -> None:
    """Fill the cache with one start, then measure."""
    floor, cold_floor = round(bare_start_ms(), 1), round(cold_bare_start_ms(), 1)
    with opened_place(ORDERS) as place:
        terminal = place.terminal("start")
        place.start_report(terminal)
        warm = [place.start_report(terminal) for _ in range(RUNS)]
        place.server.stop()
        cold = []
        for _ in range(COLD_RUNS):
            forget_files(place.folder)
            cold.append(place.start_report(terminal))
    assert all(told["orders"] == ORDERS for told in warm + cold), "the cache did not hold the whole board"
    report("start.first_paint_ms_p50", [told["first_paint_ms"] for told in warm], "ms", floor=floor)
    report("start.interactive_ms_p50", [told["interactive_ms"] for told in warm], "ms", floor=floor)
    report("start.cold_first_paint_ms_p50", [told["first_paint_ms"] for told in cold], "ms", floor=cold_floor)


if __name__ == "__main__":
    main()
