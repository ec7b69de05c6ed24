"""Killed programs lose and double nothing, and the proof of that sees programs that do."""

from __future__ import annotations

import pytest

from proofs.proof_kill9 import play, schedule
from support.proofs_planted import NO_DEDUP, planted

pytestmark = pytest.mark.timeout(120)
WORLDS = 6


def test_the_schedule_is_the_seeds() -> None:
    """The same seed kills the same programs after the same times, as often as was asked for."""
    assert schedule(7) == schedule(7) != schedule(8)
    for seed in range(20):
        kills = schedule(seed)
        assert sum(1 + (kill.again_s is not None) for kill in kills) == 10
        servers = [kill for kill in kills if kill.victim == "server"]
        assert sum(1 + (kill.again_s is not None) for kill in servers) == 5


def test_killed_programs_lose_nothing() -> None:
    """One small world: what was saved is in the log exactly once, all boards agree."""
    played = play(1, kills=6)
    assert not played.faults
    assert (played.client_kills, played.server_kills) == (3, 3)
    assert played.saved > 20


def test_a_server_that_decides_twice_is_seen() -> None:
    """Without the look at what was decided before, moves are in the log twice."""
    with planted(NO_DEDUP) as code:
        assert any(play(seed, code=code, quiet_s=5).faults.doubled for seed in range(1, WORLDS + 1))
