"""The proof about power cuts, small: it finds nothing in our files and does find what the control loses."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from proofs.proof_powercut import CUTS_EACH, life, run
from support.clocks import CountingIds
from support.proofs_disk import Disk
from support.proofs_work import OutboxWorker, on_disk
from support.proving import Budget
from sync.client.outbox import Outbox


def test_no_cut_loses_anything_and_the_control_does() -> None:
    """Some cuts through both files; without a sync at each commit the same proof finds losses."""
    findings = {finding.metric: finding for finding in run(Budget(seeds=30))}
    assert findings["powercut.runs"].value == 30
    assert findings["powercut.lost"].value == 0, findings["powercut.lost"].detail
    assert findings["powercut.control_lost"].value > 0
    assert findings["powercut.control_blind"].value == 0


def test_a_seed_finds_the_same_again(tmp_path: Path) -> None:
    """What a failing run prints can be seen again."""
    first = life(tmp_path / "a", OutboxWorker, 7, 5, is_control=True)
    assert first == life(tmp_path / "b", OutboxWorker, 7, 5, is_control=True) != []
    assert CUTS_EACH >= 5


@pytest.mark.parametrize("seed", range(3))
def test_a_cut_while_the_outbox_is_made_leaves_one_that_opens(tmp_path: Path, seed: int) -> None:
    """Nothing is promised yet, but the next start must not find damage."""
    chance = random.Random(seed)
    images: list[Path] = []

    def point(_what: str, _file: str) -> None:
        images.append(tmp_path / f"cut-{len(images)}")
        disk.image(images[-1], chance)

    home = tmp_path / "home"
    home.mkdir()
    disk = Disk(point)
    with closing(disk), on_disk(disk, home):
        Outbox.open(home / "outbox.db", CountingIds()).outbox.close()
    assert len(images) > 10
    for image in images:
        opened = Outbox.open(image / "outbox.db", CountingIds(77))
        opened.outbox.close()
        assert opened.salvage is None, opened.salvage
