"""The catalogue holds the specification's figures, and every boundary falls to the side it says."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from telemetry.assessment import (
    BandSemantics,
    Bounds,
    Direction,
    Feature,
    Kpi,
    State,
    Unit,
    assess,
    assess_feature,
)
from telemetry.kpis import KPI_BY_KEY, KPIS

SPECIFICATION = Path(__file__).parents[3] / "shared" / "spec" / "fulfillment-kanban-monitoring.md"

GOOD, FAIR, WARN, BAD = State.ON_TARGET, State.ACCEPTABLE, State.WARNING, State.CRITICAL

LOWER_IS_BETTER = [
    # key, target, warning, critical, in the unit of the catalogue
    ("page_load_time", 1_000, 2_000, 5_000),
    ("time_to_interactive", 2_000, 3_000, 7_000),
    ("first_contentful_paint", 800, 1_500, 3_000),
    ("render_time", 16, 32, 100),
    ("drag_latency", 50, 100, 300),
    ("api_response_time", 200, 500, 2_000),
    ("query_execution_time", 100, 300, 1_000),
    ("realtime_latency", 1_000, 3_000, 10_000),
    ("memory_usage", 50_000_000, 100_000_000, 200_000_000),
    ("bundle_size", 500_000, 750_000, 1_000_000),
    ("error_rate", 0.5, 2.0, 5.0),
]
HIGHER_IS_BETTER = [
    ("connection_uptime", 99.9, 99.5, 99.0),
    ("daily_active_users", 80, 60, 40),
    ("orders_per_hour", 50, 25, 0),
    ("real_time_events", 100, 50, 10),
    ("user_presence", 3, 2, 1),
]


def _boundaries(rows: list[tuple[str, float, float, float]], worse: float) -> list[tuple[str, float, State]]:
    """Return every boundary of ``rows``: just better, exactly on it, just worse (towards ``worse``)."""
    cases: list[tuple[str, float, State]] = []
    for key, target, warning, critical in rows:
        cases += [
            (key, math.nextafter(target, -worse), GOOD),
            (key, target, FAIR),
            (key, math.nextafter(warning, -worse), FAIR),
            (key, warning, FAIR),
            (key, math.nextafter(warning, worse), WARN),
            (key, critical, WARN),
            (key, math.nextafter(critical, worse), BAD),
        ]
    return cases


BOUNDARIES = _boundaries(LOWER_IS_BETTER, math.inf) + _boundaries(HIGHER_IS_BETTER, -math.inf)

FEATURES = [("drag_drop", 70), ("real_time", 60), ("filters", 50), ("bulk_ops", 30)]


@pytest.mark.parametrize(("key", "value", "state"), BOUNDARIES)
def test_every_boundary_is_strict(key: str, value: float, state: State) -> None:
    """A target is only met beyond it; warning and critical begin only beyond their bounds."""
    assert assess(KPI_BY_KEY[key], value, samples=1_000) is state


def test_the_boundary_tables_cover_the_whole_catalogue() -> None:
    """A KPI that is in the catalogue but in no table of this file would be untested."""
    tabled = [key for key, *_ in LOWER_IS_BETTER + HIGHER_IS_BETTER]
    assert sorted([*tabled, "feature_usage"]) == sorted(kpi.key for kpi in KPIS)
    assert len(KPIS) == len(KPI_BY_KEY) == 17


@pytest.mark.parametrize(("key", "target"), FEATURES)
def test_a_feature_has_a_target_and_no_warning(key: str, target: float) -> None:
    """A share over the target is on target; anything else is acceptable, even nobody at all."""
    feature = next(one for one in KPI_BY_KEY["feature_usage"].features if one.key == key)
    assert assess_feature(feature, math.nextafter(target, math.inf), users=10) is GOOD
    assert assess_feature(feature, target, users=10) is FAIR
    assert assess_feature(feature, 0.0, users=10) is FAIR


@pytest.mark.parametrize(("share", "users"), [(None, 10), (math.nan, 10), (90.0, 0)])
def test_a_feature_without_users_is_no_data(share: float | None, users: int) -> None:
    """A share of nobody is no data."""
    assert assess_feature(Feature("filters", 50, "used a filter"), share, users) is State.NO_DATA


def test_feature_usage_as_a_whole_is_not_assessed() -> None:
    """One state for four features would hide three of them, so asking for it is an error."""
    with pytest.raises(ValueError, match="assess its features"):
        assess(KPI_BY_KEY["feature_usage"], 75.0, samples=10)


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS if kpi.bounds], ids=lambda kpi: kpi.key)
@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_a_number_is_no_data(kpi: Kpi, value: float | None) -> None:
    """A missing or impossible value is never shown as on target, nor as anything else."""
    assert assess(kpi, value, samples=1_000) is State.NO_DATA


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS if kpi.bounds], ids=lambda kpi: kpi.key)
def test_too_few_samples_are_no_data(kpi: Kpi) -> None:
    """One sample fewer than the KPI asks for is no data; exactly as many are enough."""
    assert kpi.bounds is not None
    assert assess(kpi, kpi.bounds.target, kpi.min_samples - 1) is State.NO_DATA
    assert assess(kpi, kpi.bounds.target, kpi.min_samples) is State.ACCEPTABLE


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS if kpi.bounds], ids=lambda kpi: kpi.key)
def test_bounds_lie_in_the_direction_of_the_kpi(kpi: Kpi) -> None:
    """From target over warning to critical it only gets worse."""
    assert kpi.bounds is not None
    figures = [kpi.bounds.target, kpi.bounds.warning, kpi.bounds.critical]
    assert figures == sorted(figures, reverse=kpi.direction is Direction.HIGHER)
    assert len(set(figures)) == 3


def test_only_the_business_block_needs_another_reading_of_the_signs() -> None:
    """The KPIs whose signs in the specification do not point away from the target say so."""
    read_as_bounds = {kpi.key for kpi in KPIS if kpi.band_semantics is BandSemantics.BOUNDS}
    assert read_as_bounds == {"orders_per_hour", "error_rate", "real_time_events", "user_presence"}
    assert KPI_BY_KEY["feature_usage"].band_semantics is BandSemantics.TARGETS_ONLY


@pytest.mark.parametrize("kpi", KPIS, ids=lambda kpi: kpi.key)
def test_every_kpi_has_words_for_a_person(kpi: Kpi) -> None:
    """A KPI without a name, a description or a place of measurement cannot be shown."""
    assert kpi.name
    assert kpi.description
    assert kpi.measured_where.partition(":")[0] in {"client", "server", "release"}


# What the specification calls them.
_SPECIFICATION_NAMES = {
    "pageLoadTime": "page_load_time",
    "timeToInteractive": "time_to_interactive",
    "firstContentfulPaint": "first_contentful_paint",
    "renderTime": "render_time",
    "dragLatency": "drag_latency",
    "apiResponseTime": "api_response_time",
    "queryExecutionTime": "query_execution_time",
    "realtimeLatency": "realtime_latency",
    "connectionUptime": "connection_uptime",
    "memoryUsage": "memory_usage",
    "bundleSize": "bundle_size",
    "dailyActiveUsers": "daily_active_users",
    "ordersPerHour": "orders_per_hour",
    "errorRate": "error_rate",
    "realTimeEvents": "real_time_events",
    "userPresence": "user_presence",
}

_UNIT_FACTORS = {
    ("ms", Unit.MILLISECONDS): 1,
    ("s", Unit.MILLISECONDS): 1_000,
    ("KB", Unit.BYTES): 1_000,
    ("MB", Unit.BYTES): 1_000_000,
    ("%", Unit.PERCENT): 1,
    ("/day", Unit.PER_DAY): 1,
    ("", Unit.PEOPLE): 1,
}


def _specification_bounds(text: str) -> dict[str, Bounds]:
    """Read the bounds of every KPI of the specification, in the units of the catalogue."""
    block = re.compile(
        r"(\w+): \{\s*target: '[<>+ ]*([\d.]+)([^']*)',"
        r"\s*warning: '[<>+ ]*([\d.]+)([^']*)',\s*critical: '[<>+ ]*([\d.]+)([^']*)'"
    )
    bounds = {}
    for name, *figures in block.findall(text):
        key = _SPECIFICATION_NAMES[name]
        unit = KPI_BY_KEY[key].unit
        pairs = zip(figures[::2], figures[1::2], strict=True)
        bounds[key] = Bounds(*(float(number) * _UNIT_FACTORS[word, unit] for number, word in pairs))
    return bounds


@pytest.mark.skipif(not SPECIFICATION.is_file(), reason="the specification is not beside this checkout")
def test_the_catalogue_equals_the_specification() -> None:
    """Every figure that the specification writes is the figure of the catalogue."""
    read = _specification_bounds(SPECIFICATION.read_text(encoding="utf-8"))
    assert read == {kpi.key: kpi.bounds for kpi in KPIS if kpi.bounds}


@pytest.mark.skipif(not SPECIFICATION.is_file(), reason="the specification is not beside this checkout")
def test_the_features_equal_the_specification() -> None:
    """The four features and their targets are those that the specification writes."""
    text = SPECIFICATION.read_text(encoding="utf-8")
    block = text.partition("featureUsage: {")[2].partition("}")[0]
    read = [
        (re.sub(r"([A-Z])", r"_\1", name).lower(), float(target))
        for name, target in re.findall(r"(\w+): '> (\d+)%'", block)
    ]
    assert read == [(one.key, one.target) for one in KPI_BY_KEY["feature_usage"].features]
