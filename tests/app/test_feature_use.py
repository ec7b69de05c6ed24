"""Which variant of a feature was used is counted where it is used."""

from __future__ import annotations

from app.feature_use import BULK, FILTERS, FeatureUse
from support.client_bench import ClientBench
from sync.contract.flags import DefaultFlags
from sync.contract.stages import Stage
from telemetry.recorder import MemoryRecorder


def test_a_use_is_counted_under_its_variant() -> None:
    """The specification's features are on; one that is off counts nothing."""
    recorder = MemoryRecorder()
    FeatureUse(DefaultFlags(), recorder).used(BULK)
    FeatureUse(DefaultFlags({}), recorder).used(FILTERS)
    assert recorder.total("feature.bulk-operations.standard") == 1
    assert recorder.total("feature.enhanced-filters.") == 0


def test_a_bulk_move_and_a_search_are_uses(bench: ClientBench) -> None:
    """One order moved is no bulk operation."""
    bench.client.controller.on_move_requested(bench.first(Stage.CONFIRMED), Stage.PICKING)
    assert bench.client.recorder.total("feature.bulk-operations.standard") == 0
    bench.client.controller.on_move_requested(bench.first(Stage.CONFIRMED, 2), Stage.PICKING)
    assert bench.client.recorder.total("feature.bulk-operations.standard") == 1
    bench.client.on_search_changed("a")
    assert bench.client.recorder.total("feature.enhanced-filters.control") == 1
