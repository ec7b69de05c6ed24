"""Demo orders: seeded, and on the floor's clock."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import pytest

from intake.demo_orders import DemoPlan, demo_orders
from intake.demo_words import CARRIERS
from sync.contract.orders import Order
from sync.contract.stages import STAGES, Stage

NOW_MS = 1_767_182_400_000
"""2025-12-31T12:00Z."""
HOUR_MS = 3_600_000


def orders(count: int = 400, seed: int = 1, now_ms: int = NOW_MS) -> list[Order]:
    """Return demo orders of a site in London."""
    return list(demo_orders(DemoPlan(count, seed, now_ms, ZoneInfo("Europe/London"))))


def test_the_same_seed_gives_the_same_orders() -> None:
    """A demo is repeatable; another seed is another demo; fewer are the first of more."""
    assert orders() == orders()
    assert orders(seed=2) != orders()
    assert orders(50) == orders(400)[:50]


def test_a_demo_shows_what_a_floor_has() -> None:
    """All stages, holds, claims, notes, tags, express, cancelled and orders without a cut-off occur."""
    made = orders()
    assert set(Counter(order.stage for order in made)) == set(STAGES)
    for what in ("hold", "claimed_by", "note", "tags", "priority", "cancelled_ms"):
        assert any(getattr(order, what) for order in made), what
    assert any(order.cut_off_ms is None for order in made)
    assert len({order.external_ref for order in made}) == len(made)
    assert len({order.ship_to.country for order in made}) > 10


@pytest.mark.parametrize("hours", range(0, 24, 3))
def test_cut_offs_lie_around_now(hours: int) -> None:
    """At any time of the day some orders are late, some leave within hours and some later."""
    now_ms = NOW_MS + hours * HOUR_MS + 60_000  # not the very minute of a collection
    left_h = [
        (order.cut_off_ms - now_ms) / HOUR_MS
        for order in orders(now_ms=now_ms)
        if order.is_open and order.cut_off_ms
    ]
    assert min(left_h) < 0
    assert any(0 < left < 8 for left in left_h)
    assert max(left_h) > 3


def test_collections_have_fixed_times_of_the_day() -> None:
    """A carrier collects at its own time at the site, every day."""
    times = {(name, at) for name, at in CARRIERS}
    for order in orders():
        if order.cut_off_ms is not None:
            seconds = order.cut_off_ms // 1000 % 86_400  # London keeps UTC in winter
            assert (order.carrier, f"{seconds // 3600:02}:{seconds % 3600 // 60:02}") in times


def test_no_order_comes_from_the_future() -> None:
    """Placed before it came to its stage, and both before now; picked pieces fit the stage."""
    for order in orders():
        assert order.placed_ms <= order.stage_ms <= NOW_MS
        if order.stage in {Stage.PICKED, Stage.SHIPPED}:
            assert all(line.quantity_picked == line.quantity_ordered for line in order.lines)


@pytest.mark.parametrize("minutes", [0, 1, 60, 479, 1439])
def test_what_was_finished_was_finished_today(minutes: int) -> None:
    """Also right after midnight: everything of a demo stays on the board until the day is over."""
    midnight = NOW_MS - 12 * HOUR_MS
    made = orders(now_ms=midnight + minutes * 60_000)
    assert all(order.stage_ms >= midnight for order in made if order.stage is Stage.SHIPPED)
    assert all(order.cancelled_ms >= midnight for order in made if order.cancelled_ms is not None)
