"""A distribution in little space whose percentiles can be merged.

A thin coat over ddsketch: 1 % relative accuracy, at most 2,048 bins a sign. Two sketches merged answer
as one that saw all values; averaging two p95 does not (it was 19 % off over 200 clients). ddsketch
is imported with the first sketch, which keeps it out of the start of the client.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

RELATIVE_ACCURACY: Final = 0.01
"""How far a quantile may be from the true value, as a share of that value."""

BINS_AT_MOST: Final = 2_048
"""Bins per sign. At 1 % they span 17 powers of ten before the lowest values share a bin."""


class Sketch:
    """A mergeable distribution of finite numbers.

    Example::

        sketch = Sketch([1.2, 1.4, 9.0])
        sketch.quantile(0.5)  # 1.4, give or take 1 %
    """

    __slots__ = ("_bins",)

    def __init__(self, values: Iterable[float] = ()) -> None:
        """Make a sketch of ``values``."""
        from ddsketch import LogCollapsingLowestDenseDDSketch

        self._bins = LogCollapsingLowestDenseDDSketch(RELATIVE_ACCURACY, BINS_AT_MOST)
        for value in values:
            self.add(value)

    def add(self, value: float) -> None:
        """Add one value; raises ValueError when it is not a finite number."""
        if not math.isfinite(value):
            message = f"a sketch takes finite numbers, not {value}"
            raise ValueError(message)
        self._bins.add(value)

    def merge(self, other: Sketch) -> None:
        """Add everything that ``other`` holds; ``other`` stays as it is."""
        self._bins.merge(other._bins)

    def quantile(self, share: float) -> float | None:
        """Return the value that ``share`` (0 to 1) of the values do not exceed, None when empty.

        Within 1 % of the value at place ``floor(share * (count - 1))`` of the sorted values. Raises
        ValueError for a share outside 0 to 1.
        """
        if not 0 <= share <= 1:
            message = f"a share is between 0 and 1, not {share}"
            raise ValueError(message)
        value = self._bins.get_quantile_value(share)
        return None if value is None else float(value)

    @property
    def count(self) -> int:
        """How many values were added, here and in everything merged in."""
        return int(self._bins.count)
