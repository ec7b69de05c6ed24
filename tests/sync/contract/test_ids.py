"""Ids sort by the time at which they were made, and say it."""

from __future__ import annotations

import random
import uuid

from support.clocks import FakeClock
from sync.contract.ids import Uuid7Ids, derived


def test_an_id_says_its_time() -> None:
    """48 bits of milliseconds, version 7, and the variant of the standard."""
    clock = FakeClock()
    made = uuid.UUID(Uuid7Ids(clock, random.Random(1)).new())
    assert made.int >> 80 == clock.wall
    assert (made.version, made.variant) == (7, uuid.RFC_4122)


def test_later_ids_sort_behind() -> None:
    """As text too: that is how tables and logs sort them."""
    clock = FakeClock()
    ids = Uuid7Ids(clock, random.Random(1))
    made = []
    for _ in range(50):
        made.append(ids.new())
        clock.advance(1)
    assert made == sorted(made)
    assert len(set(made)) == 50


def test_a_derived_id_is_the_same_each_time() -> None:
    """It is of another version, so that it is never taken for one that a clock made."""
    assert derived("a", "b") == derived("a", "b") != derived("a", "c")
    made = uuid.UUID(derived("a", "b"))
    assert (made.version, made.variant) == (8, uuid.RFC_4122)
