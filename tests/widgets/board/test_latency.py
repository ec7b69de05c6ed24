"""Delays that a program cannot see of itself: the event's way in, the pixels' way out."""

from __future__ import annotations

from time import perf_counter

import pytest

from support.board_bench import MakeBoard
from support.card_rows import card_row
from sync.contract.stages import Stage
from widgets.board import drag_painter
from widgets.board.latency import EventClock, ScreenDelay


def test_event_clocks_follow_clocks_that_drift_apart() -> None:
    """After ten hours of a window system whose clock is 20 ppm slow, no event seems late for it."""
    clock = EventClock()
    late_ms = [clock.delay_ms(round(at * (1 - 20e-6)), float(at)) for at in range(1_000, 36_000_000, 60_000)]
    assert max(late_ms) < 2


def test_event_clocks_still_see_a_queue_after_a_pause() -> None:
    """An event of a minute later that waited 50 ms is told as nearly that."""
    clock = EventClock()
    clock.delay_ms(1_000, 1_000.0)
    assert 45 < clock.delay_ms(61_000, 61_050.0) <= 50


def test_screen_delays_are_from_the_end_of_the_paint_to_the_answer() -> None:
    """A paint that ended 8 ms ago when its pixels have arrived is 8 ms from the screen, and so are seven."""
    delay = ScreenDelay()
    assert delay.ms == 0
    delay.measure(lambda: perf_counter() - 0.008, lambda: None)
    assert 8 <= delay.ms < 20


def test_boards_add_the_way_to_the_screen_to_each_drag(make_board: MakeBoard) -> None:
    """What was measured while nobody waited is part of the reported figure."""
    bench = make_board([card_row(1), card_row(2)])
    bench.board.get_ready_for_drags()
    assert bench.board.screen_delay.ms > 0
    bench.board.screen_delay.ms = 1_000.0
    bench.board.lift(1, (40, 90), perf_counter())
    bench.settle()
    assert 1_000 < bench.recorder.samples("drag_latency")[-1] < 2_000
    bench.board.cancel_drag()


def test_the_first_lift_makes_nothing_that_a_pause_could_have_made(
    make_board: MakeBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index of places is asked for, and the shadow drawn, before anybody lifts."""
    bench = make_board([card_row(1), card_row(2)])
    asked: list[int] = []
    place = bench.source.place

    def place_asked(local_id: int) -> tuple[Stage, int] | None:
        asked.append(local_id)
        return place(local_id)

    monkeypatch.setattr(bench.source, "place", place_asked)
    bench.board.get_ready_for_drags()
    assert asked
    shadows: list[object] = []
    monkeypatch.setattr(drag_painter, "_shadow", lambda *given: shadows.append(given))
    bench.board.lift(1, (40, 90))
    bench.settle()
    assert shadows == []
    bench.board.cancel_drag()
