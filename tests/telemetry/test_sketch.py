"""A sketch answers within 1 %, and merging loses nothing."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.sketch import BINS_AT_MOST, RELATIVE_ACCURACY, Sketch

MAGNITUDES = st.floats(min_value=1e-3, max_value=1e9)
VALUES = st.one_of(MAGNITUDES, MAGNITUDES.map(lambda value: -value), st.just(0.0))
SHARES = st.sampled_from([0.0, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0])


def _exact(values: list[float], share: float) -> float:
    """Return the true value at ``share`` of ``values``."""
    return sorted(values)[math.floor(share * (len(values) - 1))]


@given(values=st.lists(VALUES, min_size=1, max_size=300), share=SHARES)
def test_a_quantile_is_within_one_percent(values: list[float], share: float) -> None:
    """Whatever the values, a quantile is off by at most 1 % of itself."""
    quantile = Sketch(values).quantile(share)
    assert quantile is not None
    exact = _exact(values, share)
    assert abs(quantile - exact) <= RELATIVE_ACCURACY * abs(exact) * (1 + 1e-9)


@given(parts=st.lists(st.lists(VALUES, max_size=60), min_size=1, max_size=6), share=SHARES)
def test_merging_equals_adding_all(parts: list[list[float]], share: float) -> None:
    """Sketches of the parts, merged, answer exactly as one sketch of the whole."""
    merged = Sketch()
    for part in parts:
        merged.merge(Sketch(part))
    whole = Sketch(value for part in parts for value in part)
    assert merged.count == whole.count == sum(map(len, parts))
    assert merged.quantile(share) == whole.quantile(share)


def test_merging_leaves_the_other_alone() -> None:
    """What is added after a merge shows only where it was added."""
    first, second = Sketch(), Sketch([10.0])
    first.merge(second)
    first.add(1_000.0)
    assert (first.count, second.count) == (2, 1)
    assert second.quantile(1.0) == pytest.approx(10.0, rel=RELATIVE_ACCURACY)
    second.add(0.001)
    assert first.quantile(0.0) == pytest.approx(10.0, rel=RELATIVE_ACCURACY)


def test_an_empty_sketch_has_no_quantile() -> None:
    """No values are no answer, not zero."""
    assert Sketch().quantile(0.95) is None
    assert Sketch().count == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_sketch_refuses_what_is_not_a_number(value: float) -> None:
    """One impossible value must not spoil the rest."""
    sketch = Sketch([1.0])
    with pytest.raises(ValueError, match="finite"):
        sketch.add(value)
    assert sketch.count == 1


@pytest.mark.parametrize("share", [-0.1, 1.1, math.nan])
def test_a_share_outside_zero_to_one_is_an_error(share: float) -> None:
    """95 instead of 0.95 is a mistake of the caller, not an empty sketch."""
    with pytest.raises(ValueError, match="between 0 and 1"):
        Sketch([1.0]).quantile(share)


def test_the_bins_are_bounded_and_the_high_end_stays_exact() -> None:
    """Values over 200 powers of ten share bins at the low end; what matters, the high end, holds."""
    sketch = Sketch(10.0**power for power in range(-100, 101))
    assert len(sketch._bins._store.bins) <= BINS_AT_MOST
    assert sketch.count == 201
    assert sketch.quantile(1.0) == pytest.approx(1e100, rel=RELATIVE_ACCURACY)
    assert sketch.quantile(0.95) == pytest.approx(1e90, rel=RELATIVE_ACCURACY)
