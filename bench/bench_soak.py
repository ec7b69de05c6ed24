"""Whether a terminal that works all day grows: 200 equal rounds after a warm-up, on a board of 5,000 orders.

``bench/soak_terminal.py`` says what a round is. ``soak.leak_kb_per_cycle`` is the upper bound (95 %, one-
sided) of the slope of private dirty memory over the rounds: a program that does not grow has a bound just
above zero, as far above as its memory goes up and down by itself. ``soak.object_growth`` is how many more
objects Python has in the last twenty rounds than in the first twenty, by their medians.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from statistics import fmean, median
from typing import Final

from bench.place import opened_place
from bench.shape import Measurement

WARM_UP: Final = 60
ROUNDS: Final = 200
ENDS: Final = 20
ONE_SIDED_95: Final = 1.653
"""Student's t for 198 degrees of freedom."""
DEADLINE_S: Final = 600


def main() -> None:
    """Let one client go round, and look at what it held."""
    with opened_place() as place:
        words = ("-m", "bench.soak_terminal", "--rounds", str(WARM_UP + ROUNDS), *place.terminal("soak"))
        process = place.runner.start(sys.executable, *words)
        process.close_input()
        told = [
            process.wait_for_json(lambda line: "round" in line, within_s=60) for _ in range(WARM_UP + ROUNDS)
        ]
        process.wait(60)
    kib = [float(line["private_dirty_kb"]) for line in told[WARM_UP:]]
    objects = [int(line["objects"]) for line in told[WARM_UP:]]
    slope, error = slope_of(kib)
    bound = slope + ONE_SIDED_95 * error
    grown = median(objects[-ENDS:]) - median(objects[:ENDS])
    print(Measurement("soak.leak_kb_per_cycle", round(bound, 2), "kB", ROUNDS, round(error, 3), 0.0).line())
    print(Measurement("soak.object_growth", grown, "objects", ROUNDS, spread_of(objects), 0.0).line())


def slope_of(values: Sequence[float]) -> tuple[float, float]:
    """Return the slope per place of the straight line nearest to ``values``, and its standard error.

    >>> slope_of([1.0, 3.0, 5.0, 7.0])
    (2.0, 0.0)
    """
    places = range(len(values))
    middle, mean = fmean(places), fmean(values)
    square = sum((place - middle) ** 2 for place in places)
    slope = (
        sum((place - middle) * (value - mean) for place, value in zip(places, values, strict=True)) / square
    )
    rest = sum(
        (value - mean - slope * (place - middle)) ** 2 for place, value in zip(places, values, strict=True)
    )
    return slope, math.sqrt(rest / (len(values) - 2) / square)


def spread_of(values: Sequence[int]) -> float:
    """Return how far the values lie apart."""
    return float(max(values) - min(values))


if __name__ == "__main__":
    main()
