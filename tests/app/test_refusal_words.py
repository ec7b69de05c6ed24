"""The words for what was not accepted: in the window and in ``headless``."""

from __future__ import annotations

from datetime import UTC

import pytest

from app.headless_lines import refused
from app.refusal_words import refusal_sentence
from sync.contract.operations import Reason


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason])
def test_every_reason_has_words_of_its_own(reason: Reason) -> None:
    """Nobody is left with "it was not changed" when the program knows why; the code stays out of it."""
    shown = refusal_sentence("SO-1", reason, UTC)
    assert shown != refusal_sentence("SO-1", Reason.NONE, UTC)
    said = refused("SO-1", reason)
    assert said.sentence != refused("SO-1", Reason.NONE).sentence
    assert said.code == reason
    for sentence in (shown, said.sentence):
        assert "SO-1" in sentence
        assert reason.value not in sentence
