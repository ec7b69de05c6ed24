"""Waiting for a connection that is being made."""

from __future__ import annotations

import asyncio

import pytest

from sync.client.patience import TRIES_S, opened

NEVER_S = 3_600.0


class Door:
    """Answers from the ``answers_at``-th knock on; before that it says nothing."""

    def __init__(self, answers_at: int) -> None:
        self.knocks = 0
        self._answers_at = answers_at

    async def knock(self) -> str:
        """Wait for the answer."""
        self.knocks += 1
        if self.knocks < self._answers_at:
            await asyncio.sleep(NEVER_S)
        return "open"


@pytest.mark.parametrize("answers_at", [1, 2, 3])
def test_who_is_not_answered_knocks_again(answers_at: int) -> None:
    """Half a connection is given up for a new one, without anybody's help."""
    door = Door(answers_at)
    assert asyncio.run(opened(door.knock, (0.01, 0.01, NEVER_S))) == "open"
    assert door.knocks == answers_at


def test_the_end_of_all_patience_is_an_error() -> None:
    """The link is down then, and the next try waits as after any failure."""
    door = Door(9)
    with pytest.raises(TimeoutError):
        asyncio.run(opened(door.knock, (0.01, 0.01, 0.01)))
    assert door.knocks == 3


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError("the answer of somebody below")])
def test_an_answer_that_is_no_is_not_asked_for_again(error: OSError) -> None:
    """Who says no says no again: that is for the back-off to judge."""
    knocks: list[int] = []

    async def refuse() -> None:
        knocks.append(1)
        raise error

    with pytest.raises(type(error)):
        asyncio.run(opened(refuse))
    assert len(knocks) == 1


def test_the_first_try_leaves_room_to_catch_up() -> None:
    """Two seconds after a network works again nobody may be behind; each try is longer than the last."""
    assert TRIES_S[0] < 2
    assert sorted(TRIES_S) == list(TRIES_S)
