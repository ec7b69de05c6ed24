"""The proof about failing disks, small, and that a lie is caught."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs.proof_diskfault import KINDS, Kind, lying, server, terminal
from support.proofs_work import ServerTemplate

POINTS = (3, 40, 90, 130, 200, 300)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name.replace(" ", "-"))
def test_a_disk_that_fails_loses_nothing_in_silence(tmp_path: Path, kind: Kind) -> None:
    """A terminal and a server, from the first write to the three hundredth."""
    template = ServerTemplate(tmp_path / "template")
    struck = 0
    for number in POINTS:
        for has_struck, sentence in (
            terminal(tmp_path / "try", kind, number),
            server(tmp_path / "try", kind, number, template),
        ):
            assert sentence == "", (kind, number)
            struck += has_struck
    assert struck > len(POINTS)


def test_a_store_that_lies_is_caught(tmp_path: Path) -> None:
    """It says that moves are saved on a disk that takes nothing."""
    assert "was promised and is lost" in lying(tmp_path / "try")
