"""Every reason for closing a link is told with its name, its sentence and what to do."""

from __future__ import annotations

import pytest

from server.kernel.refusals import Refusal
from sync.contract.problems import Problem


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: str(refusal.name))
def test_a_refusal_says_what_is_wrong_and_what_to_do(refusal: Refusal) -> None:
    """Two different sentences, in this order."""
    sentence, what_to_do, code = refusal.value
    assert refusal.problem == Problem(refusal.name, sentence, what_to_do)
    assert refusal.close_code == code
    assert sentence != what_to_do
