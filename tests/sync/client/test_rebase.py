"""What the board shows is the server's truth and what this terminal has not heard back about."""

from __future__ import annotations

import pytest

from support.drafts import JUDGE, draft
from support.orders import make_order
from sync.client.rebase import Pending, fate_of, not_in_truth, replay
from sync.contract.operations import Move, Operation, Release, Take
from sync.contract.rows import Fate
from sync.contract.stages import Stage

ORDER = make_order(stage=Stage.CONFIRMED, claimed_by=None, hold=None, cancelled_ms=None)


def pending(*operations: Operation, fate: Fate = Fate.PENDING) -> list[Pending]:
    """Return operations as they lie on top of an order."""
    return [Pending(operation, JUDGE, fate) for operation in operations]


def move(op_id: str, to: Stage, base: Stage | None = None) -> Operation:
    """Return a move, with the stage the person saw."""
    operation = draft(op_id, ORDER.id, Move(to))
    return Operation(op_id=op_id, order_id=ORDER.id, change=operation.change, base_stage=base)


def test_without_operations_the_truth_is_shown() -> None:
    """Nothing on top changes nothing."""
    assert replay(ORDER, []) == (ORDER, ())


def test_operations_are_replayed_in_their_order() -> None:
    """Two moves, one after the other, lead to the second stage."""
    shown = replay(ORDER, pending(move("a", Stage.PICKING), move("b", Stage.PICKED)))
    assert shown.order is not None
    assert (shown.order.stage, shown.refused) == (Stage.PICKED, ())


def test_a_refused_operation_is_not_shown_and_is_named() -> None:
    """An operation that does not fit the truth any more leaves the order as the rest makes it."""
    shown = replay(ORDER, pending(draft("a", ORDER.id, Release()), draft("b", ORDER.id, Take())))
    assert shown.order is not None
    assert shown.order.claimed_by is not None
    assert shown.refused == ("a",)


def test_a_rejection_undoes_what_cannot_stand_without_it() -> None:
    """Without the first move the second, which saw its result, is refused too; a claim stays."""
    first = move("a", Stage.PICKING, Stage.CONFIRMED)
    second = move("b", Stage.PICKED, Stage.PICKING)
    claim = draft("c", ORDER.id, Take())
    rest = replay(ORDER, pending(second, claim))
    assert replay(ORDER, pending(first, second, claim)).refused == ()
    assert rest.refused == ("b",)
    assert rest.order is not None
    assert (rest.order.stage, rest.order.claimed_by is not None) == (Stage.CONFIRMED, True)


def test_an_operation_that_changes_nothing_leaves_the_order() -> None:
    """A move to where the order stands is no refusal and no change."""
    assert replay(ORDER, pending(move("a", Stage.CONFIRMED))) == (ORDER, ())


def test_an_unknown_order_stays_unknown() -> None:
    """Operations on an order that is not here show nothing."""
    assert replay(None, pending(move("a", Stage.PICKING))) == (None, ("a",))


@pytest.mark.parametrize(
    ("device_id", "device_seq", "is_replayed"),
    [("mine", 3, False), ("mine", 4, True), ("mine", 0, True), ("former", 3, True)],
)
def test_what_the_cache_contains_is_not_replayed(device_id: str, device_seq: int, is_replayed: bool) -> None:
    """Only numbers of the cache's own device up to its mark are in it; drafts never are."""
    operation = Operation("a", ORDER.id, Take(), device_id, device_seq)
    assert bool(not_in_truth(pending(operation), "mine", 3)) is is_replayed


def test_the_fate_of_an_order_is_the_furthest_behind() -> None:
    """One unsaved operation makes the card unsaved, one undecided makes it unsent."""
    settled = pending(move("a", Stage.PICKING), fate=Fate.SETTLED)
    waiting = pending(move("b", Stage.PICKED))
    saving = pending(move("c", Stage.SHIPPED), fate=Fate.SAVING)
    assert fate_of([]) is Fate.SETTLED
    assert fate_of(settled) is Fate.SETTLED
    assert fate_of([*settled, *waiting]) is Fate.PENDING
    assert fate_of(pending(move("d", Stage.PICKED), fate=Fate.SENT)) is Fate.PENDING
    assert fate_of(pending(move("e", Stage.PICKED), fate=Fate.ACKED)) is Fate.SETTLED
    assert fate_of([*saving, *waiting]) is Fate.SAVING
