"""Facts: what the hands did is on the order, and where it does not fit the words say what to do."""

from __future__ import annotations

import msgspec
import pytest

from sync.contract.ids import derived
from sync.contract.limits import EXCEPTIONS_MAX
from sync.contract.operations import (
    Change,
    Operation,
    Outcome,
    Pack,
    Pick,
    Reason,
    Ship,
    ShortLine,
    ShortPick,
)
from sync.contract.orders import Address, Claim, Hold, LineItem, Order, OrderException, Picked
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Decision, Judge, decide

NOW = 1_700_000_000_000
ANA = Judge("ana", "Ana", Role.PICKER, NOW)
CUP = LineItem(1, "CUP", "Cup", 3, "A-1")
TRAY = LineItem(2, "", "Tray", 1)
ALL = msgspec.structs.replace(CUP, quantity_picked=3)
HOLD = Hold("incorrect address", "Eva", 1)
ONE = Pick(1, 1, "CUP")


def make_order(stage: Stage = Stage.PICKING, **fields: object) -> Order:
    """Return an order of three cups and a tray."""
    order = Order("o1", "org", "site", "csv", "R1", "1001", stage, 5, 1, 1, 1, lines=(CUP, TRAY))
    return msgspec.structs.replace(order, **fields)


def run(order: Order, change: Change, op_id: str = "op-1") -> Decision:
    """Decide one fact."""
    return decide(order, Operation(op_id, "o1", change), ANA)


def after(order: Order, change: Change, op_id: str = "op-1") -> Order:
    """Return the order with the fact on it."""
    changed = run(order, change, op_id).order
    assert changed is not None
    return changed


def test_picks_add_up_whoever_picked() -> None:
    """Two terminals picked of one line: both count, and too many says what to put back."""
    order = after(after(make_order(), Pick(1, 1, "CUP")), Pick(1, 2, "CUP"))
    assert order.lines[0].quantity_picked == 3
    assert order.exceptions == ()
    over = run(order, Pick(1, 2, "CUP"))
    assert (over.outcome, over.reason) == (Outcome.EXCEPTION, Reason.OVER_PICKED)
    assert over.order is not None
    assert over.order.exceptions[0].sentence == "Too many picked. Put back: 2 × CUP (A-1), picked by Ana 5."


def by(judge: Judge, order: Order, quantity: int) -> Order:
    """Return the order after somebody picked cups, or put them back."""
    changed = decide(order, Operation(f"op-{judge.actor_id}", "o1", Pick(1, quantity, "CUP")), judge).order
    assert changed is not None
    return changed


JOY = ANA._replace(actor_id="joy", actor_name="Joy")


def test_too_many_picks_name_everybody_and_their_counts() -> None:
    """Two picked the same line: each finds their own pieces, whatever arrived first."""
    order = by(JOY, by(ANA, make_order(), 2), 2)
    assert order.lines[0].picked_by == (Picked("ana", "Ana", 2), Picked("joy", "Joy", 2))
    (told,) = order.exceptions
    assert told.sentence == "Too many picked. Put back: 1 × CUP (A-1), picked by Ana 2, Joy 2."
    many = msgspec.structs.replace(
        ALL, picked_by=tuple(Picked(f"u{each}", f"U{each}", 1) for each in range(9)), quantity_picked=9
    )
    assert "U6 1, U7 1, …." in by(ANA, make_order(lines=(many,)), 1).exceptions[0].sentence
    # What was picked before tallies were kept, or came with the order, has nobody's name.
    assert by(ANA, make_order(lines=(ALL,)), 1).exceptions[0].sentence.endswith("(A-1), picked by Ana 1.")


def test_too_many_is_over_when_the_pieces_are_back() -> None:
    """Whoever brings them; until then the words say what is left."""
    over = by(JOY, by(ANA, make_order(), 2), 3)
    less = by(ANA, over, -1)
    assert less.exceptions[0].sentence == "Too many picked. Put back: 1 × CUP (A-1), picked by Ana 1, Joy 3."
    assert less.exceptions[0].op_id == over.exceptions[0].op_id
    assert by(ANA, less, -1).exceptions == ()
    seen = OrderException("PICKED_ON_HOLD", "On hold.", "op-9", 1)
    both = msgspec.structs.replace(over, exceptions=(seen, *over.exceptions))
    assert by(JOY, both, -2).exceptions == (seen,)


def test_who_puts_back_more_than_they_have_takes_nobodys_pieces_first() -> None:
    """Then those of whoever began last; the tallies never say more than is picked."""
    order = by(JOY, by(ANA, make_order(lines=(msgspec.structs.replace(CUP, quantity_picked=1),)), 1), 1)
    assert by(ANA, order, -2).lines[0].picked_by == (Picked("joy", "Joy", 1),)
    assert by(ANA, order, -3).lines[0].picked_by == ()
    bo = ANA._replace(actor_id="bo", actor_name="Bo")
    assert by(bo, order, -2).lines[0].picked_by == (Picked("ana", "Ana", 1),)


def test_a_line_is_found_where_its_source_moved_it() -> None:
    """By its place while that is the same product, else by the product, else it is said."""
    moved = make_order(
        lines=(msgspec.structs.replace(TRAY, position=1), msgspec.structs.replace(CUP, position=2))
    )
    assert after(moved, Pick(1, 2, "CUP")).lines[1].quantity_picked == 2
    assert after(moved, Pick(1, 1, "Tray")).lines[0].quantity_picked == 1
    assert after(moved, Pick(2, 1)).lines[1].quantity_picked == 1
    lost = after(moved, Pick(9, 1))
    assert lost.exceptions[0].sentence == "1 × line 9 picked; the order has no such line. Put it back."
    assert lost.lines == moved.lines


def test_the_same_product_on_two_lines_is_the_line_that_was_meant() -> None:
    """The place tells them apart."""
    twice = make_order(lines=(CUP, msgspec.structs.replace(CUP, position=2)))
    assert [line.quantity_picked for line in after(twice, Pick(2, 1, "CUP")).lines] == [0, 1]


def test_the_first_pick_begins_picking() -> None:
    """The order is the picker's then, unless somebody holds it already; a put-back begins nothing."""
    begun = after(make_order(Stage.CONFIRMED), Pick(1, 1, "CUP"))
    assert (begun.stage, begun.stage_by, begun.stage_ms) == (Stage.PICKING, "ana", NOW)
    assert begun.claimed_by == Claim("ana", "Ana", NOW)
    joys = make_order(Stage.CONFIRMED, claimed_by=Claim("joy", "Joy", 1))
    assert after(joys, Pick(1, 1, "CUP")).claimed_by == Claim("joy", "Joy", 1)
    picked = msgspec.structs.replace(CUP, quantity_picked=2)
    back = after(make_order(Stage.CONFIRMED, lines=(picked,)), Pick(1, -1, "CUP"))
    assert (back.stage, back.claimed_by) == (Stage.CONFIRMED, None)


def test_more_than_was_picked_is_not_put_back() -> None:
    """Below nothing there is nothing; then it is no news."""
    picked = make_order(lines=(msgspec.structs.replace(CUP, quantity_picked=1),))
    assert after(picked, Pick(1, -5, "CUP")).lines[0].quantity_picked == 0
    assert run(make_order(), Pick(1, -5, "CUP")).outcome is Outcome.NOOP


def test_picked_for_a_cancelled_order_says_what_goes_back_where() -> None:
    """One disagreement that tells the whole state, however many picks come late."""
    cancelled = make_order(cancelled_ms=9)
    first = after(cancelled, Pick(1, 2, "CUP"), "op-1")
    second = after(first, Pick(2, 1, "Tray"), "op-2")
    assert [(each.code, each.sentence, each.op_id) for each in second.exceptions] == [
        ("PICKED_AFTER_CANCEL", "Cancelled. Put back: 2 × CUP (A-1), 1 × Tray.", "op-2")
    ]


def test_every_piece_of_no_line_stays_told() -> None:
    """The order has no line that would show it: a second such piece does not hide the first."""
    order = after(after(make_order(), Pick(77, 2, "MUG"), "op-1"), Pick(78, 3, "PAN"), "op-2")
    assert [(each.sentence, each.op_id) for each in order.exceptions] == [
        ("2 × MUG picked; the order has no such line. Put it back.", "op-1"),
        ("3 × PAN picked; the order has no such line. Put it back.", "op-2"),
    ]
    short = after(make_order(), ShortPick((ShortLine(7, 1, "MUG"), ShortLine(8, 2, "PAN")), "damaged"))
    assert [each.sentence for each in short.exceptions] == [
        "1 × MUG, 2 × PAN are short; the order has no such lines."
    ]


def test_many_unknown_lines_of_one_short_pick_push_no_exception_out() -> None:
    """They are one exception, so the number of open ones does not run over."""
    old = after(make_order(), Pick(77, 2, "MUG"), "op-0")
    lines = tuple(ShortLine(n, 1, f"S{n}") for n in range(1, EXCEPTIONS_MAX + 10))
    short = after(old, ShortPick(lines, "damaged"))
    assert [each.op_id for each in short.exceptions] == ["op-0", "op-1"]


def test_long_lists_are_cut() -> None:
    """A sentence names eight lines."""
    lines = tuple(LineItem(n, f"S{n}", "x", 1, quantity_picked=1) for n in range(1, 12))
    order = after(make_order(cancelled_ms=1, lines=lines), Pick(1, 1, "S1"))
    assert order.exceptions[0].sentence.endswith("1 × S8, ….")


def test_disagreements_of_one_order_are_bounded() -> None:
    """The oldest gives way."""
    old = tuple(OrderException(f"C{n}", "x", f"op-{n}", n) for n in range(EXCEPTIONS_MAX))
    order = after(make_order(exceptions=old), Pick(9, 1))
    assert len(order.exceptions) == EXCEPTIONS_MAX
    assert order.exceptions[0].code == "C1"


def test_a_short_rest_becomes_a_backorder() -> None:
    """With a reason: the lines give it up, and one new order that waits holds it."""
    order = make_order(
        ship_to=Address(city="Bath"),
        customer="Ann",
        priority=1,
        tags=("gift",),
        ship_method="van",
        note="ring",
    )
    short = ShortPick((ShortLine(1, 2, "CUP"), ShortLine(2, 1, "Tray")), "out of stock", "shelf empty")
    decision = run(order, short)
    assert decision.order is not None
    assert [line.quantity_short for line in decision.order.lines] == [2, 1]
    assert [line.quantity_open for line in decision.order.lines] == [1, 0]
    assert decision.order.backorders == 1
    made = decision.made
    assert made is not None
    assert (made.id, made.number, made.backorder_of) == (derived("op-1", "backorder"), "1001-B1", "o1")
    assert made.hold == Hold("inventory out of stock", "Ana", NOW, "shelf empty")
    assert [(line.position, line.sku, line.quantity_ordered, line.quantity_short) for line in made.lines] == [
        (1, "CUP", 2, 0),
        (2, "", 1, 0),
    ]
    assert (made.customer, made.ship_to.city, made.priority, made.tags) == ("Ann", "Bath", 1, ("gift",))
    assert (made.stage, made.placed_ms, made.source, made.external_ref) == (
        Stage.CONFIRMED,
        5,
        "backorder",
        "",
    )
    assert (made.stage_ms, made.created_ms, made.updated_ms, made.organization_id, made.site_id) == (
        *(NOW, NOW, NOW),
        *("org", "site"),
    )


def test_a_backorder_begins_with_nothing_picked_or_given_up() -> None:
    """Whatever became of the line before: the missing pieces are ordered, no more and no less."""
    line = msgspec.structs.replace(CUP, quantity_ordered=9, quantity_picked=2, quantity_cancelled=1)
    made = run(make_order(lines=(line,)), ShortPick((ShortLine(1, 3, "CUP"),), "gone")).made
    assert made is not None
    assert made.lines == (msgspec.structs.replace(CUP, quantity_ordered=3),)


def test_a_short_line_is_found_where_its_source_moved_it() -> None:
    """As with a pick: by the product where the place holds another one."""
    moved = make_order(
        lines=(msgspec.structs.replace(TRAY, position=1), msgspec.structs.replace(CUP, position=2))
    )
    short = after(moved, ShortPick((ShortLine(1, 1, "CUP"),), "gone"))
    assert [line.quantity_short for line in short.lines] == [0, 1]


def test_a_second_short_pick_makes_a_second_backorder() -> None:
    """Each with its own number."""
    once = after(make_order(), ShortPick((ShortLine(1, 1, "CUP"),), "damaged"))
    again = run(once, ShortPick((ShortLine(1, 1, "CUP"),), "damaged"), "op-2")
    assert again.made is not None
    assert again.made.number == "1001-B2"


def test_no_more_is_short_than_is_open() -> None:
    """Somebody found and picked the rest meanwhile: then nothing is short, and nothing is made."""
    found = make_order(lines=(msgspec.structs.replace(CUP, quantity_picked=2), TRAY))
    decision = run(found, ShortPick((ShortLine(1, 3, "CUP"),), "gone"))
    assert decision.made is not None
    assert decision.made.lines[0].quantity_ordered == 1
    whole = make_order(lines=(msgspec.structs.replace(CUP, quantity_picked=3), TRAY))
    assert run(whole, ShortPick((ShortLine(1, 3, "CUP"),), "gone")) == Decision(
        Outcome.NOOP, Reason.NONE, None
    )


def test_a_short_line_that_is_not_there_is_said() -> None:
    """Alone it makes no backorder; beside others they still become one."""
    alone = run(make_order(), ShortPick((ShortLine(9, 1),), "gone"))
    assert (alone.outcome, alone.reason, alone.made) == (Outcome.EXCEPTION, Reason.LINE_UNKNOWN, None)
    assert alone.order is not None
    assert alone.order.exceptions[0].sentence == "1 × line 9 is short; the order has no such line."
    both = run(make_order(), ShortPick((ShortLine(9, 1, "JUG"), ShortLine(2, 1, "Tray")), "gone"))
    assert (both.outcome, both.made is None) == (Outcome.EXCEPTION, False)


def test_packing_finishes_picking() -> None:
    """Who, when and into how many parcels; the same again is no news, another number corrects it."""
    packed = after(make_order(Stage.CONFIRMED, handover=Claim("joy", "Joy", 1)), Pack(2))
    assert (packed.stage, packed.packed, packed.parcels) == (Stage.PICKED, Claim("ana", "Ana", NOW), 2)
    assert packed.handover is None
    assert run(packed, Pack(2)).outcome is Outcome.NOOP
    assert after(packed, Pack(3)).parcels == 3
    unpacked = after(packed, Pack(0))
    assert (unpacked.packed, unpacked.parcels, unpacked.stage) == (None, 0, Stage.PICKED)
    shipped = after(make_order(Stage.SHIPPED), Pack(1))
    assert shipped.stage is Stage.SHIPPED


@pytest.mark.parametrize(
    ("fields", "change", "sentence"),
    [
        ({"hold": HOLD}, ONE, "On hold (incorrect address). Keep it, do not pack it."),
        ({"stage": Stage.SHIPPED}, ONE, "Picked after the order was shipped. Call a supervisor."),
        ({"cancelled_ms": 1, "lines": (ALL,)}, Pack(1), "Cancelled. Unpack and put back: 3 × CUP (A-1)."),
        ({"hold": HOLD}, Pack(1), "On hold (incorrect address). Do not hand it over."),
        ({"cancelled_ms": 1}, Ship("T"), "Shipped although cancelled. Call the carrier back."),
        ({"hold": HOLD}, Ship("T"), "Shipped while on hold (incorrect address). Call the carrier back."),
        ({}, Ship("T"), "Shipped before picking was finished. Check what was sent."),
    ],
)
def test_what_no_longer_fits_tells_the_hands_what_to_do(
    fields: dict[str, object], change: Change, sentence: str
) -> None:
    """The newest disagreement is the sentence on the card."""
    order = msgspec.structs.replace(make_order(), **fields)
    assert after(order, change).exceptions[-1].sentence == sentence


def test_shipping_is_recorded_with_the_number_on_the_label() -> None:
    """Also where it should not have been, because the parcel is gone."""
    shipped = after(make_order(Stage.PICKED, carrier="Van", handover=Claim("joy", "Joy", 1)), Ship("T-1"))
    assert (shipped.stage, shipped.tracking_number, shipped.carrier) == (Stage.SHIPPED, "T-1", "Van")
    assert (shipped.exceptions, shipped.handover) == ((), None)
    late = after(make_order(cancelled_ms=3), Ship("T-1"))
    assert (late.stage, late.cancelled_ms) == (Stage.SHIPPED, 3)


def test_a_fact_brings_an_order_back_onto_the_board() -> None:
    """An offline terminal picked for what was shipped and retired days ago: somebody has to see it."""
    retired = make_order(Stage.SHIPPED, retired_ms=7)
    back = after(retired, Pick(1, 1, "CUP"))
    assert (back.retired_ms, back.is_on_board) == (None, True)


def test_what_nobody_has_seen_does_not_leave_the_board() -> None:
    """A finished order with a disagreement of the hall stays until it is acknowledged or resolved."""
    from sync.contract.operations import Acknowledge, Resolve, Retire

    system = Judge("", "System", Role.SYSTEM, NOW)
    order = after(make_order(cancelled_ms=3), Pick(1, 1, "CUP"))
    retire = Operation("op-9", "o1", Retire())
    assert decide(order, retire, system).reason is Reason.STILL_OPEN
    for change in (Acknowledge("op-1"), Resolve("op-1", "returned")):
        assert decide(after(order, change, "op-2"), retire, system).outcome is Outcome.APPLIED
