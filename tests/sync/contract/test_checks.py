"""What a client may ask: just what fits is taken, one more is not."""

from __future__ import annotations

from sync.contract.checks import are_usable_ranges
from sync.contract.limits import COMPARE_RANGES


def ranges(count: int) -> list[tuple[str, str]]:
    """Return so many ranges, one behind the other."""
    return [(f"{place:03}", f"{place + 1:03}") for place in range(count)]


def test_so_many_ranges_are_taken_and_no_more() -> None:
    """A question has an end."""
    assert are_usable_ranges(ranges(COMPARE_RANGES))
    assert not are_usable_ranges(ranges(COMPARE_RANGES + 1))
    assert not are_usable_ranges([])
