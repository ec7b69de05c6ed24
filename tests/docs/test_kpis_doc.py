"""docs/kpis.md says of every KPI what the catalogue says."""

from __future__ import annotations

from pathlib import Path

import pytest

from telemetry.assessment import Direction, Kpi, Unit
from telemetry.kpis import KILOBYTE, KPI_BY_KEY, KPIS, MEGABYTE

PAGE = Path(__file__).parents[2] / "docs" / "kpis.md"


def _rows() -> dict[str, list[str]]:
    """Return the cells of every table row of the page that begins with a key in backticks."""
    rows = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            rows[cells[0].strip("`")] = cells
    return rows


def _for_people(value: float, unit: Unit) -> str:
    """Write ``value`` as a person would: 1500 ms are 1.5 s, 50000000 B are 50 MB."""
    if unit is Unit.MILLISECONDS:
        return f"{value / 1_000:g} s" if value >= 1_000 else f"{value:g} ms"
    if unit is Unit.BYTES:
        return f"{value / MEGABYTE:g} MB" if value >= MEGABYTE else f"{value / KILOBYTE:g} KB"
    return f"{value:g} {unit}"


@pytest.mark.parametrize("kpi", [kpi for kpi in KPIS if kpi.bounds], ids=lambda kpi: kpi.key)
def test_a_row_has_the_figures_of_the_catalogue(kpi: Kpi) -> None:
    """Direction, target, warning, critical, aggregation and samples stand in the KPI's own row."""
    assert kpi.bounds is not None
    _, what, better, *figures = _rows()[kpi.key]
    assert what.startswith(f"{kpi.name}: ")
    assert better == ("lower" if kpi.direction is Direction.LOWER else "higher")
    bounds = (kpi.bounds.target, kpi.bounds.warning, kpi.bounds.critical)
    expected = [_for_people(value, kpi.unit) for value in bounds]
    assert figures == [*expected, kpi.aggregation.value, str(kpi.min_samples)]


def test_the_features_have_their_targets() -> None:
    """Each feature of ``feature_usage`` has a row with what is counted and its target."""
    rows = _rows()
    assert "feature_usage" in rows
    for feature in KPI_BY_KEY["feature_usage"].features:
        assert rows[feature.key][1:] == [feature.description, f"{feature.target:g} %"]


def test_the_page_invents_no_kpi() -> None:
    """A key of the page that the catalogue does not know would be a promise nobody keeps."""
    known = set(KPI_BY_KEY) | {feature.key for feature in KPI_BY_KEY["feature_usage"].features}
    assert set(_rows()) == known
