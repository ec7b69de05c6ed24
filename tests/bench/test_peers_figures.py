"""Ratios are ours beside the best of the others, never beside a worse one."""

from __future__ import annotations

import pytest

from bench.peers.figures import OURS, Asked, figures, ratios
from bench.peers.questions import Answers

MANY, FEW = 100_000, 1_000


def answers(milliseconds: float, megabytes: float) -> Answers:
    """Return answers that are the same every time."""
    each = [milliseconds] * 3
    return Answers(open_ms=each, click_ms=each, lift_ms=each, move_cpu_ms=each, memory_mb=[megabytes])


def found(answered: dict[Asked, Answers]) -> dict[str, float]:
    """Return the ratios by name."""
    return {each.metric: each.value for each in ratios(answered, MANY, FEW)}


def test_the_best_of_each_question_counts() -> None:
    """One board may hold less and another open sooner: ours is compared with the better each time."""
    told = found(
        {
            Asked(OURS, MANY): answers(10, 40),
            Asked("virtual", MANY): answers(100, 200),
            Asked("pragmatic", MANY): answers(50, 400),
        }
    )
    assert told["peers.memory_ratio"] == pytest.approx(0.2)
    assert told["peers.drag_start_ratio"] == pytest.approx(0.2)
    assert told["peers.cold_open_ratio"] == pytest.approx(0.2)
    assert told["peers.move_cpu_ratio"] == pytest.approx(0.2)


def test_boards_with_fewer_orders_are_a_comparison_of_their_own() -> None:
    """A board with 1,000 orders does not pass for one that bears 100,000."""
    told = found(
        {
            Asked(OURS, MANY): answers(10, 40),
            Asked("virtual", MANY): answers(100, 200),
            Asked("dnd-kit", FEW): answers(20, 80),
        }
    )
    assert told["peers.memory_ratio"] == pytest.approx(0.2)
    assert told["peers.memory_ratio_to_1k"] == pytest.approx(0.5)


def test_what_was_not_measured_is_no_ratio() -> None:
    """A board that failed half-way leaves out what it did not answer; without ours there is nothing."""
    assert found({Asked("virtual", MANY): answers(1, 1)}) == {}
    half = {Asked(OURS, MANY): answers(10, 40), Asked("virtual", MANY): Answers(open_ms=[100])}
    assert found(half) == {"peers.cold_open_ratio": pytest.approx(0.1)}


def test_everybody_has_figures_of_his_own() -> None:
    """Names are flat, units are last, and a question that was not asked has no line."""
    lines = list(figures({Asked("dnd-kit", FEW): Answers(open_ms=[3, 1, 2], memory_mb=[80])}))
    assert [(line.metric, line.value, line.unit, line.runs) for line in lines] == [
        ("peers.dnd_kit_1k.cold_open_ms", 2, "ms", 3),
        ("peers.dnd_kit_1k.memory_mb", 80, "MB", 1),
    ]
