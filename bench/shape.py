"""The shape of a measurement: what every file in ``bench/`` prints.

One JSON line per metric: ``{"metric", "value", "unit", "runs", "spread", "floor"}``.

- ``metric`` is the name in ``build/bench.json``, the unit and the statistic last
  (``board.full_repaint_ms_p50``).
- ``value`` is the statistic over all runs, in ``unit``.
- ``spread`` is the distance from the 10th to the 90th percentile of the runs, in ``unit``: a difference
  between two measurements smaller than it means nothing.
- ``floor`` is what no program could beat on this machine, measured or known, in ``unit``; None when unknown.

>>> percentile([1.0, 2.0, 3.0, 4.0], 50)
2.5
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from tools import results


@dataclass(frozen=True)
class Measurement:
    """One metric as measured; see the module for the meaning of its parts."""

    metric: str
    value: float
    unit: str
    runs: int
    spread: float
    floor: float | None = None

    def line(self) -> str:
        """Return the JSON line."""
        return json.dumps(asdict(self))


def percentile(samples: Sequence[float], percent: float) -> float:
    """Return a percentile by linear interpolation between the two nearest samples.

    Raises:
        ValueError: when there are no samples.
    """
    if not samples:
        message = "no samples were measured"
        raise ValueError(message)
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    low, high = math.floor(place), math.ceil(place)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def summarise(
    metric: str, samples: Sequence[float], unit: str, *, percent: float = 50, floor: float | None = None
) -> Measurement:
    """Return the measurement of a metric whose value is a percentile of its samples."""
    spread = percentile(samples, 90) - percentile(samples, 10)
    value = percentile(samples, percent)
    return Measurement(metric, round(value, 4), unit, len(samples), round(spread, 4), floor)


def report(
    metric: str, samples: Sequence[float], unit: str, *, percent: float = 50, floor: float | None = None
) -> None:
    """Print the measurement of a metric whose value is a percentile of its samples."""
    print(summarise(metric, samples, unit, percent=percent, floor=floor).line(), flush=True)


def report_rounds(
    metric: str,
    rounds: Sequence[Sequence[float]],
    unit: str,
    *,
    percent: float = 50,
    floor: float | None = None,
) -> None:
    """Print the measurement of a metric whose value is the median of its rounds' percentiles.

    ``runs`` counts all samples, ``spread`` is that of all of them.
    """
    of_all = summarise(metric, [sample for each in rounds for sample in each], unit)
    value = percentile([percentile(each, percent) for each in rounds], 50)
    told = None if floor is None else round(floor, 4)
    print(replace(of_all, value=round(value, 4), floor=told).line(), flush=True)


def parse(line: str) -> Measurement | None:
    """Return the measurement in a line of output, None when it is not one.

    Raises:
        ValueError: when it names a metric but is not of the shape.
    """
    return results.parse(line, Measurement, "bench/shape.py")
