"""Terminals give a restored server back what it lacks; one that forgets, or a backup that lies, is seen."""

from __future__ import annotations

import pytest

from proofs.proof_restore import DRILLS, HEARTBEAT_S, OPERATIONS, play, play_telling, schedule
from support.proofs_planted import KEPT_FORGOTTEN, SAFE_TOO_EARLY, Plant, planted

pytestmark = pytest.mark.timeout(180)


def test_a_restored_server_gets_everything_back() -> None:
    """Two drills of sixty operations on the same files."""
    played = play(1, drills=2, operations=60)
    assert not played.faults
    assert played.drills == 2
    assert played.saved > 60


@pytest.mark.parametrize("plant", [KEPT_FORGOTTEN, SAFE_TOO_EARLY], ids=lambda plant: plant.name)
def test_what_is_lost_is_seen(plant: Plant) -> None:
    """Terminals that keep nothing, and a backup that calls safe what it does not hold."""
    with planted(plant) as code:
        assert play_telling(1, code, quiet_s=20).faults.lost


def test_a_seed_is_a_schedule() -> None:
    """The same again for the same seed, all kinds of drills among some."""
    drills = [drill for seed in range(20) for drill in schedule(seed, DRILLS)]
    assert drills[:DRILLS] == schedule(0, DRILLS)
    assert {drill.after for drill in drills} == {OPERATIONS}
    ways = {(drill.is_quiet_before, drill.is_quiet_after, drill.is_killed) for drill in drills}
    assert len(ways) == 8
    assert {drill.beat_s for drill in drills} == {0.0, HEARTBEAT_S}
    assert {drill.dead for drill in drills} == {"", "one", "two", "three"}
