"""What a source may still change on an order, and what of that somebody has to be told."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.contract.limits import EXCEPTIONS_MAX
from sync.contract.operations import Import, Operation, Outcome, Reason, ShortLine, ShortPick
from sync.contract.orders import Address, Claim, Hold, LineItem, Order, OrderException, OrderPatch, Picked
from sync.contract.permissions import Role
from sync.contract.revisions import HOLDER, revised
from sync.contract.stages import Stage
from sync.contract.state_machine import Decision, Judge, decide

NOW = 1_700_000_000_000
SYSTEM = Judge("", "System", Role.SYSTEM, NOW)
CUP = LineItem(1, "CUP", "Cup", 3, "A-1")
TRAY = LineItem(2, "TRAY", "Tray", 1, "B-2")


def make_order(stage: Stage = Stage.CONFIRMED, **fields: object) -> Order:
    """Return an order at ``stage``."""
    order = Order("o1", "org", "site", "shop", "R1", "1001", stage, 1, 1, 1, 1, lines=(CUP, TRAY))
    return msgspec.structs.replace(order, **fields)


def hear(order: Order | None, judge: Judge = SYSTEM, **patch: object) -> Decision:
    """Decide what a source changed."""
    return decide(
        order, Operation("op1", "o1", Import(patch=msgspec.structs.replace(OrderPatch(), **patch))), judge
    )


def alarms(order: Order) -> list[str]:
    """Return the codes of the exceptions."""
    return [exception.code for exception in order.exceptions]


def test_what_nobody_has_begun_is_simply_corrected() -> None:
    """Lines, address, words and times are the source's until somebody picks."""
    patch: dict[str, object] = {
        "lines": (msgspec.structs.replace(CUP, quantity_ordered=5),),
        "ship_to": Address(city="Bath"),
        "note": "ring",
        "cut_off_ms": 9,
        "priority": 1,
        "placed_ms": 2,
    }
    outcome, reason, after = hear(make_order(), SYSTEM, **patch)[:3]
    assert (outcome, reason) == (Outcome.MERGED, Reason.NONE)
    expected = make_order(revision=2, updated_ms=NOW, updated_by="System")
    assert after == msgspec.structs.replace(expected, **patch)


def test_nothing_new_is_a_noop() -> None:
    """An empty patch, and one that says what is so already."""
    assert hear(make_order()) == Decision(Outcome.NOOP, Reason.NONE, None)
    assert hear(make_order(note="x"), note="x").outcome is Outcome.NOOP


@pytest.mark.parametrize(
    "order",
    [
        make_order(Stage.SHIPPED),
        make_order(cancelled_ms=5),
        make_order(deleted_ms=5),
        make_order(retired_ms=5),
    ],
    ids=["shipped", "cancelled", "deleted", "retired"],
)
def test_what_is_finished_is_left_alone(order: Order) -> None:
    """A source that speaks of a finished order speaks of its own books."""
    assert hear(order, note="x", lines=(), stage=Stage.CONFIRMED).outcome is Outcome.NOOP


def test_an_order_that_is_not_here_is_unknown() -> None:
    """A patch needs something to change, and the right to."""
    assert hear(None, note="x").reason is Reason.UNKNOWN_ORDER
    assert hear(make_order(), Judge("a", "Ana", Role.PICKER, NOW), note="x").reason is Reason.FORBIDDEN


@pytest.mark.parametrize(
    "begun",
    [
        make_order(Stage.PICKING),
        make_order(Stage.PICKED),
        make_order(claimed_by=Claim("a", "Ana", 1)),
        make_order(lines=(msgspec.structs.replace(CUP, quantity_picked=1), TRAY)),
    ],
    ids=["picking", "picked", "claimed", "one picked"],
)
def test_lines_changed_under_somebodys_hands_open_an_exception(begun: Order) -> None:
    """They are taken, the picks stay, a line that is gone stays cancelled, and the words say what."""
    picked = begun.lines[0].quantity_picked
    new = (
        LineItem(1, "MUG", "Mug", 4),
        msgspec.structs.replace(CUP, position=2, quantity_ordered=5, location=""),
    )
    outcome, reason, after = hear(begun, lines=new)[:3]
    assert (outcome, reason) == (Outcome.EXCEPTION, Reason.LINES_CHANGED)
    assert after is not None
    assert after.lines == (
        LineItem(1, "MUG", "Mug", 4),
        LineItem(2, "CUP", "Cup", 5, "A-1", picked),
        LineItem(3, "TRAY", "Tray", 1, "B-2", quantity_cancelled=1),
    )
    assert after.exceptions == (
        OrderException(
            "LINES_CHANGED",
            "Lines changed: MUG added (4), CUP 3 → 5, TRAY removed. Picking had begun.",
            "op1",
            NOW,
        ),
    )


def test_what_was_not_found_is_not_ordered_again() -> None:
    """A backorder holds it already: a line that forgot it would send the same goods twice."""
    short = Operation("op0", "o1", ShortPick((ShortLine(1, 2, "CUP"),), "none on the shelf"))
    decision = decide(make_order(), short, Judge("user-1", "Ana", Role.PICKER, NOW))
    assert decision.order is not None
    assert decision.made is not None
    assert not any(line.quantity_picked for line in decision.order.lines)
    heard = hear(decision.order, lines=(msgspec.structs.replace(CUP, quantity_ordered=4), TRAY))
    assert heard.order is not None
    assert [line.quantity_short for line in heard.order.lines] == [2, 0]
    assert [line.quantity_open for line in heard.order.lines] == [2, 1]
    assert (heard.outcome, heard.reason) == (Outcome.EXCEPTION, Reason.LINES_CHANGED)


def test_what_a_source_says_again_and_again_is_bounded() -> None:
    """The oldest disagreement gives way."""
    old = tuple(OrderException("LINES_CHANGED", "x", f"op-{n}", n) for n in range(EXCEPTIONS_MAX))
    after = hear(make_order(Stage.PICKING, exceptions=old), lines=(CUP,))[2]
    assert after is not None
    assert [each.op_id for each in after.exceptions] == [*(each.op_id for each in old[1:]), "op1"]


def test_lines_that_only_look_new_are_no_alarm() -> None:
    """Another place on the shelf is no reason to stop a picker."""
    moved = (msgspec.structs.replace(CUP, location="C-9"), TRAY)
    outcome, _, after = hear(make_order(Stage.PICKING), lines=moved)[:3]
    assert outcome is Outcome.MERGED
    assert after is not None
    assert (after.lines, after.exceptions) == (moved, ())


def test_a_line_that_comes_back_is_told() -> None:
    """Somebody may have put its items back on the shelf already."""
    _, _, without = hear(make_order(Stage.PICKING), lines=(CUP,))[:3]
    assert without is not None
    outcome, _, after = hear(without, lines=(CUP, TRAY))[:3]
    assert outcome is Outcome.EXCEPTION
    assert after is not None
    assert after.lines == (CUP, TRAY)
    assert after.exceptions[-1].sentence == "Lines changed: TRAY back again (1). Picking had begun."


def test_many_changes_are_named_at_most() -> None:
    """The sentence stays one that fits on a card."""
    new = tuple(LineItem(place, f"N{place}", "", 1) for place in range(1, 9))
    _, _, after = hear(make_order(Stage.PICKING), lines=new)[:3]
    assert after is not None
    assert after.exceptions[0].sentence.endswith("N5 added (1), …. Picking had begun.")


def test_the_same_product_twice_keeps_both_picks() -> None:
    """The first of the new lines is the first of the old; a line without a code goes by its name."""
    lines = (
        LineItem(1, "CUP", "Cup", 2, quantity_picked=2, picked_by=(Picked("ana", "Ana", 2),)),
        LineItem(2, "CUP", "Cup", 2, quantity_picked=1),
        LineItem(3, "", "Card", 1, quantity_picked=1),
    )
    new = tuple(
        msgspec.structs.replace(line, quantity_picked=0, quantity_ordered=3, picked_by=()) for line in lines
    )
    _, _, after = hear(make_order(Stage.PICKING, lines=lines), lines=new)[:3]
    assert after is not None
    assert [line.quantity_picked for line in after.lines] == [2, 1, 1]
    assert after.lines[0].picked_by == lines[0].picked_by


@pytest.mark.parametrize(("stage", "expected"), [(Stage.CONFIRMED, []), (Stage.PICKED, ["ADDRESS_CHANGED"])])
def test_an_address_that_changes_on_the_packing_bench_is_an_alarm(stage: Stage, expected: list[str]) -> None:
    """Before that the label is not printed."""
    _, _, after = hear(make_order(stage), ship_to=Address(city="Bath"))[:3]
    assert after is not None
    assert (after.ship_to.city, alarms(after)) == ("Bath", expected)


@pytest.mark.parametrize(
    ("order", "goal", "expected"),
    [
        (make_order(), Stage.SHIPPED, Stage.SHIPPED),
        (make_order(Stage.PICKING), Stage.CONFIRMED, Stage.PICKING),
        (make_order(stage_by="ana"), Stage.SHIPPED, Stage.CONFIRMED),
        (make_order(claimed_by=Claim("a", "Ana", 1)), Stage.SHIPPED, Stage.CONFIRMED),
    ],
    ids=["forward", "backward", "chosen", "claimed"],
)
def test_a_source_moves_forward_what_nobody_chose(order: Order, goal: Stage, expected: Stage) -> None:
    """Never backwards, never out of a column that a person chose."""
    _, _, after = hear(order, stage=goal, note="x")[:3]
    assert after is not None
    assert (after.stage, after.stage_ms) == (expected, NOW if order.stage is not expected else 1)


def test_the_source_says_when_it_shipped() -> None:
    """Its own time of shipping counts."""
    _, _, after = hear(make_order(), stage=Stage.SHIPPED, stage_ms=7)[:3]
    assert after is not None
    assert after.stage_ms == 7


@pytest.mark.parametrize(
    ("now", "new", "expected"),
    [
        (None, Hold("other", HOLDER, 5), Hold("other", HOLDER, 5)),
        (Hold("other", HOLDER, 5), None, None),
        (Hold("other", "Ana", 5), None, Hold("other", "Ana", 5)),
        (Hold("other", "Ana", 5), Hold("other", HOLDER, 6), Hold("other", "Ana", 5)),
    ],
    ids=["put on", "released", "a person's stays", "a person's is not replaced"],
)
def test_a_source_releases_only_its_own_hold(
    now: Hold | None, new: Hold | None, expected: Hold | None
) -> None:
    """What a person holds, a person releases."""
    _, _, after = hear(make_order(hold=now), hold=new, note="x")[:3]
    assert after is not None
    assert after.hold == expected


@pytest.mark.parametrize(("stage", "expected"), [(Stage.CONFIRMED, []), (Stage.PICKING, ["CANCELLED"])])
def test_a_cancelled_order_is_cancelled_here(stage: Stage, expected: list[str]) -> None:
    """With an alarm when somebody has begun; the hold is over with it."""
    _, _, after = hear(make_order(stage, hold=Hold("other", HOLDER, 1)), cancelled_ms=0)[:3]
    assert after is not None
    assert (after.cancelled_ms, after.hold, alarms(after)) == (NOW, None, expected)
    _, _, after = hear(make_order(stage), cancelled_ms=5)[:3]
    assert after is not None
    assert after.cancelled_ms == 5


def test_taking_a_cancellation_back_is_no_change() -> None:
    """Never backwards."""
    assert hear(make_order(), cancelled_ms=None).outcome is Outcome.NOOP


_LINES = st.lists(
    st.builds(LineItem, st.just(1), st.sampled_from("ABC"), st.just("x"), st.integers(1, 4)), max_size=5
).map(tuple)


@given(old=_LINES, new=_LINES, picked=st.integers(0, 3))
def test_no_pick_is_ever_lost(old: tuple[LineItem, ...], new: tuple[LineItem, ...], picked: int) -> None:
    """What was picked before is on some line of the same product afterwards; positions stay dense."""
    old = tuple(msgspec.structs.replace(line, quantity_picked=picked) for line in old)
    after, _ = revised(make_order(Stage.PICKING, lines=old), OrderPatch(lines=new), "op", NOW)

    def picks(lines: tuple[LineItem, ...]) -> dict[str, int]:
        return {sku: sum(line.quantity_picked for line in lines if line.sku == sku) for sku in "ABC"}

    assert picks(after.lines) == picks(old)
    assert [line.position for line in after.lines] == list(range(1, len(after.lines) + 1))
