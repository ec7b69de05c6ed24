"""For any chain of operations: a refusal undoes the refused one and what cannot stand without it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from support.drafts import JUDGE, draft
from support.orders import make_order
from sync.client.overlay import Overlay
from sync.client.rebase import not_in_truth, replay
from sync.contract.operations import (
    Assign,
    Cancel,
    Change,
    Move,
    Note,
    Operation,
    Outcome,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Release,
    RequestHandover,
    Ship,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import Order
from sync.contract.stages import STAGES, Stage
from sync.contract.state_machine import Judge, decide

DEVICE = "device-1"
PEOPLE = ("user-1", "user-2")
ORDER = make_order(stage=Stage.CONFIRMED, claimed_by=None, hold=None, cancelled_ms=None)

moves = st.sampled_from(STAGES).map(Move)
changes: st.SearchStrategy[Change] = st.one_of(
    moves,
    moves,
    st.sampled_from(
        (Take(), Unclaim(), RequestHandover(), PutOnHold("other"), Release(), Cancel(), Pack(1), Ship("7"))
    ),
    st.builds(Pick, st.integers(1, 3), st.integers(-1, 2)),
    st.builds(Assign, st.sampled_from(("ana", "ali")), st.just("A."), st.sampled_from(("", "ana"))),
    st.builds(Prioritise, st.integers(0, 3)),
    st.builds(Note, st.text("ab", min_size=1, max_size=3)),
    st.builds(Tag, st.just(("gift",)), st.just(())),
)
steps = st.tuples(changes, st.sampled_from(PEOPLE), st.sampled_from((None, *STAGES)))


def chain(given_steps: Sequence[tuple[Change, str, Stage | None]]) -> list[Operation]:
    """Return operations as the outbox numbers them."""
    return [
        msgspec.structs.replace(
            draft(f"op-{number}", ORDER.id, change, actor_id=actor_id),
            device_id=DEVICE,
            device_seq=number,
            base_stage=base,
        )
        for number, (change, actor_id, base) in enumerate(given_steps, 1)
    ]


def judge_of(operation: Operation) -> Judge:
    """Return by whose rights an operation is judged, here as on the server."""
    return JUDGE._replace(actor_id=operation.actor_id, now_ms=operation.wall_ms)


def decided(order: Order | None, operations: Sequence[Operation]) -> Order | None:
    """Return what a server makes of operations: it refuses what does not fit, and goes on."""
    for operation in operations:
        decision = decide(order, operation, judge_of(operation))
        if decision.outcome is not Outcome.REJECTED and decision.order is not None:
            order = decision.order
    return order


def shown(overlay: Overlay, truth: Order, decided_device_seq: int = 0) -> Order | None:
    """Return the order as a board shows it."""
    fresh = not_in_truth(overlay.of(ORDER.id), DEVICE, decided_device_seq)
    return replay(truth, fresh).order


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, min_size=1, max_size=8), st.data())
def test_without_the_refused_one_is_what_the_state_machine_makes_of_the_rest(
    given_steps: list[tuple[Change, str, Stage | None]], data: st.DataObject
) -> None:
    """Whichever of a chain is refused, and whatever was refused before: exactly the others, judged anew."""
    operations = chain(given_steps)
    overlay = Overlay()
    overlay.saved(operations, JUDGE)
    assert shown(overlay, ORDER) == decided(ORDER, operations)
    rest = operations
    for _ in range(data.draw(st.integers(1, len(operations)))):
        refused = data.draw(st.sampled_from(rest))
        rest = [each for each in rest if each is not refused]
        overlay.drop([refused.op_id])
        assert shown(overlay, ORDER) == decided(ORDER, rest)
        if not rest:
            break


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, min_size=1, max_size=8), st.integers(0, 8), st.sets(st.integers(1, 8)))
def test_what_the_truth_contains_is_not_counted_twice(
    given_steps: list[tuple[Change, str, Stage | None]], count: int, refused: set[int]
) -> None:
    """The server has decided the first few, some of them against us; the board never shows more or less."""
    operations = chain(given_steps)
    overlay = Overlay()
    overlay.saved(operations, JUDGE)
    told = operations[:count]
    taken = [each for each in told if each.device_seq not in refused]
    truth = decided(ORDER, taken)
    assert truth is not None
    overlay.drop([each.op_id for each in told if each.device_seq in refused])
    # The verdicts may be known before or after the page is in the cache: both show the same.
    overlay.settled([each.op_id for each in taken])
    assert shown(overlay, truth, len(told)) == decided(truth, operations[count:])


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, min_size=2, max_size=8), st.data())
def test_what_does_not_need_the_refused_one_stays(
    given_steps: list[tuple[Change, str, Stage | None]], data: st.DataObject
) -> None:
    """What is undone besides is what the state machine refuses on what is left, nothing else."""
    operations = chain(given_steps)
    refused = data.draw(st.sampled_from(operations))
    rest = [each for each in operations if each is not refused]
    overlay = Overlay()
    overlay.saved(rest, JUDGE)
    undone = set(replay(ORDER, overlay.of(ORDER.id)).refused)
    for place, operation in enumerate(rest):
        before = decided(ORDER, rest[:place])
        does_not_fit = decide(before, operation, judge_of(operation)).outcome is Outcome.REJECTED
        assert (operation.op_id in undone) is does_not_fit
