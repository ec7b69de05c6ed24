"""How fast a device may hand operations in."""

from __future__ import annotations

from server.kernel.pace import Pace

NOW_MS = 1_000_000


def test_a_burst_comes_in_at_once_and_no_more() -> None:
    """200 operations, then none at the same moment."""
    pace = Pace(50, 200)
    assert pace.let_in("a", 150, NOW_MS) == 150
    assert pace.let_in("a", 150, NOW_MS) == 50
    assert pace.let_in("a", 1, NOW_MS) == 0


def test_time_lets_in_at_the_steady_pace() -> None:
    """One every 20 ms, and never more than a burst, however long the device rested."""
    pace = Pace(50, 200)
    pace.let_in("a", 200, NOW_MS)
    assert pace.let_in("a", 9, NOW_MS + 19) == 0
    assert pace.let_in("a", 9, NOW_MS + 100) == 5
    assert pace.let_in("a", 900, NOW_MS + 60_000) == 200


def test_devices_do_not_wait_for_each_other() -> None:
    """Each has its own burst."""
    pace = Pace(50, 200)
    pace.let_in("a", 200, NOW_MS)
    assert pace.let_in("b", 10, NOW_MS) == 10


def test_only_who_may_do_everything_again_is_forgotten() -> None:
    """A device cannot get a new burst by coming again."""
    pace = Pace(50, 200)
    pace.let_in("a", 200, NOW_MS)
    pace.let_in("b", 1, NOW_MS)
    pace.forget(NOW_MS + 20)
    assert pace._rested_ms == {"a": NOW_MS + 4_000}
    assert pace.let_in("a", 200, NOW_MS + 20) == 1
    pace.forget(NOW_MS + 10_000)
    assert pace._rested_ms == {}
