"""Killed programs lose and double nothing, and the proof of that sees programs that do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proofs.proof_kill9 import play, schedule
from support import proofs_planted as plants
from support.proofs_checks import Faults
from support.proofs_planted import Plant, planted

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


@pytest.mark.parametrize(
    ("plant", "of"),
    [
        (plants.OUTBOX_FORGOTTEN, lambda faults: faults.lost),
        (plants.NO_DEDUP, lambda faults: faults.doubled),
    ],
    ids=lambda value: value.name.replace(" ", "-") if isinstance(value, Plant) else "",
)
def test_a_planted_fault_is_seen(plant: Plant, of: Callable[[Faults], list[str]]) -> None:
    """Programs with this fault in them break the promise; ``make verify`` shows it of the slower ones too."""
    with planted(plant) as code:
        assert any(of(play(seed, 6, code, quiet_s=5).faults) for seed in range(1, WORLDS + 1))


@pytest.mark.parametrize("plant", plants.ALL, ids=lambda plant: plant.name.replace(" ", "-"))
def test_every_plant_fits_the_code(plant: Plant) -> None:
    """The words that a plant replaces are in the code, once."""
    with planted(plant) as code:
        assert (code / plant.changes[0].path).is_file()
