"""What a terminal costs with 100,000 orders, sync running, from the virtual environment.

Private dirty memory of the client's process in MB of 1,000,000 bytes, one second after it is live and its
board is quiet. Two starts are told apart: at the *first* one the whole snapshot passes through the program,
a *later* one finds the board in its cache. ``memory.private_dirty_mb_100k`` is the first start, the worse
of the two, because a terminal that was set up today runs on like that all day.
``memory.later_start_mb_100k`` is what every other day looks like. Growth is the larger of the two
differences to a board of 1,000 orders. Floor: an empty Qt window of the same size.
"""

from __future__ import annotations

from typing import NamedTuple

from bench.floors import bare_memory_mb
from bench.place import opened_place
from bench.shape import percentile, report

FEW, MANY = 1_000, 100_000
RUNS = 5


class Starts(NamedTuple):
    """MB of each first start and of each later start of as many terminals."""

    first: list[float]
    later: list[float]


def main() -> None:
    """Start fresh terminals one after the other, each of them twice."""
    floor = round(bare_memory_mb() * 1024 * 1024 / 1_000_000, 1)
    few, many = measured(FEW), measured(MANY)
    growth = [many_mb - percentile(few.first, 50) for many_mb in many.first]
    later_growth = [many_mb - percentile(few.later, 50) for many_mb in many.later]
    report("memory.private_dirty_mb_100k", many.first, "MB", floor=floor)
    report("memory.later_start_mb_100k", many.later, "MB", floor=floor)
    report("memory.private_dirty_mb_1k", few.first, "MB", floor=floor)
    worse = max(growth, later_growth, key=lambda samples: percentile(samples, 50))
    report("memory.growth_1k_to_100k_mb", worse, "MB", floor=0.0)


def measured(orders: int) -> Starts:
    """Return what terminals of a board with so many orders hold."""
    starts = Starts([], [])
    with opened_place(orders) as place:
        for run in range(RUNS):
            terminal = place.terminal(f"memory-{run}")
            for samples in starts:
                told = place.start_report(terminal)
                assert (told["orders"], told["state"]) == (orders, "live"), told
                samples.append(float(told["private_dirty_mb"]))
    return starts


if __name__ == "__main__":
    main()
