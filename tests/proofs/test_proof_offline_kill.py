"""Moves made in an outage outlive the terminal that made them; a terminal that forgets is seen."""

from __future__ import annotations

import pytest

from proofs.proof_offline_kill import play
from support.proofs_planted import OUTBOX_FORGOTTEN, planted

pytestmark = pytest.mark.timeout(120)


def test_moves_of_an_outage_arrive() -> None:
    """Thirty moves, two kills: all are in the log once."""
    played = play(1, moves=30)
    assert not played.faults
    assert played.saved == 30


def test_a_terminal_that_forgets_is_seen() -> None:
    """With an outbox that begins empty, moves are missing."""
    with planted(OUTBOX_FORGOTTEN) as code:
        assert play(1, moves=10, code=code, quiet_s=5).faults.lost
