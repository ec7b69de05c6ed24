"""Every planted fault fits the code and has a proof that must see it; a fault that nobody sees is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs import proof_planted
from proofs.proof_planted import CONTROLS, Control
from support.proofs_planted import ALL, Change, Plant, planted
from support.proving import Budget


@pytest.mark.parametrize("plant", ALL, ids=lambda plant: plant.name.replace(" ", "-"))
def test_every_plant_fits_the_code(plant: Plant) -> None:
    """The words that a plant replaces are in the code, once; the copy is another program."""
    with planted(plant) as code:
        for change in plant.changes:
            assert change.instead in (code / change.path).read_text(encoding="utf-8")


def test_every_plant_has_a_control() -> None:
    """No fault is planted in vain, and each proof with processes has one."""
    assert {control.plant for control in CONTROLS} == set(ALL)
    assert {control.proof for control in CONTROLS} == {
        "kill9",
        "offline_kill",
        "faultproxy",
        "fuzz",
        "restore",
    }


def test_a_plant_whose_words_are_gone_is_told() -> None:
    """Then the code has changed, and the control would prove nothing."""
    with (
        pytest.raises(AssertionError, match="0 times"),
        planted(Plant("x", (Change("sync/client/link.py", "no such", ""),))),
    ):
        pass


def test_a_fault_that_nobody_sees_is_a_broken_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each control is tried as often as it may be; what is never seen is named."""
    tried: list[int] = []

    def late(seed: int, code: Path) -> object:
        tried.append(seed)
        return seed == 4

    blind = Control(ALL[0], "kill9", lambda _seed, _code: False, 2)
    monkeypatch.setattr(proof_planted, "CONTROLS", (Control(ALL[1], "kill9", late, 5), blind))
    total, unseen = proof_planted.run(Budget(seeds=200, first=3))
    assert tried == [3, 4]
    assert (total.value, unseen.value, unseen.is_good) == (2, 1, False)
    assert unseen.detail == f"kill9: {ALL[0].name}"
