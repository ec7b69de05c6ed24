"""Intents: hand-over, assignment, notes, tags, edits and what becomes of exceptions."""

from __future__ import annotations

import msgspec

from sync.contract.limits import NOTE_BYTES, TAGS_MAX
from sync.contract.operations import (
    Acknowledge,
    Assign,
    Change,
    Edit,
    Move,
    Note,
    Operation,
    Outcome,
    Prioritise,
    Reason,
    RequestHandover,
    Resolve,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import Address, Claim, LineItem, Order, OrderException, OrderPatch, lines_crc
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Decision, Judge, decide

NOW = 1_700_000_000_000
ANA = Judge("ana", "Ana", Role.PICKER, NOW)
JOY = Judge("joy", "Joy", Role.PICKER, NOW)
BOSS = Judge("boss", "Boss", Role.SUPERVISOR, NOW)
CUP = LineItem(1, "CUP", "Cup", 3, "A-1")


def make_order(stage: Stage = Stage.PICKING, **fields: object) -> Order:
    """Return an order that Joy holds."""
    order = Order("o1", "org", "site", "csv", "R1", "1001", stage, 1, 1, 1, 1, lines=(CUP,))
    return msgspec.structs.replace(order, **{"claimed_by": Claim("joy", "Joy", 1), **fields})


def run(order: Order, change: Change, judge: Judge = ANA, **fields: object) -> Decision:
    """Decide one intent."""
    return decide(order, msgspec.structs.replace(Operation("op-1", "o1", change), **fields), judge)


def after(order: Order, change: Change, judge: Judge = ANA) -> Order:
    """Return the order with the intent on it."""
    changed = run(order, change, judge).order
    assert changed is not None
    return changed


def test_an_order_is_handed_to_who_asked_for_it() -> None:
    """Ana asks, Joy lets go, Ana holds it from then on."""
    asked = after(make_order(), RequestHandover())
    assert asked.handover == Claim("ana", "Ana", NOW)
    assert run(asked, RequestHandover()).outcome is Outcome.NOOP
    assert run(asked, RequestHandover(), BOSS).reason is Reason.ALREADY_REQUESTED
    handed = after(asked, Unclaim(), JOY)
    assert (handed.claimed_by, handed.handover) == (Claim("ana", "Ana", NOW), None)


def test_asking_can_be_taken_back() -> None:
    """By who asked; of others there is nothing to take back, and nobody asks himself."""
    asked = after(make_order(), RequestHandover())
    assert after(asked, RequestHandover(withdrawn=True)).handover is None
    assert run(asked, RequestHandover(withdrawn=True), BOSS).outcome is Outcome.NOOP
    assert run(make_order(), RequestHandover(), JOY).outcome is Outcome.NOOP


def test_nobody_helps_himself_to_the_order_of_another() -> None:
    """Only its holder or a supervisor lets an order go."""
    asked = after(make_order(), RequestHandover())
    assert run(asked, Unclaim()).reason is Reason.ALREADY_CLAIMED
    assert after(asked, Unclaim(), BOSS).claimed_by == Claim("ana", "Ana", NOW)
    assert after(make_order(), Unclaim(), BOSS).claimed_by is None


def test_a_wish_ends_with_picking() -> None:
    """It stays while the order is picked, and is over when it goes on or is free."""
    asked = after(make_order(), RequestHandover())
    assert after(asked, Move(Stage.PICKED), JOY).handover is None
    assert after(asked, Move(Stage.CONFIRMED), JOY).handover is None
    again = make_order(Stage.PICKED, handover=Claim("ana", "Ana", 1))
    assert after(again, Move(Stage.PICKING), JOY).handover == Claim("ana", "Ana", 1)
    assert after(make_order(claimed_by=None, handover=Claim("ana", "Ana", 1)), Take()).handover is None


def test_moving_back_to_picking_unpacks() -> None:
    """On the way on the parcels stay."""
    packed = make_order(Stage.PICKED, packed=Claim("joy", "Joy", 1), parcels=2)
    assert after(packed, Move(Stage.SHIPPED), JOY).parcels == 2
    back = after(packed, Move(Stage.PICKING), JOY)
    assert (back.packed, back.parcels) == (None, 0)


def test_the_last_assignment_wins_and_says_whom_it_overruled() -> None:
    """Eva's came first; what was on screen tells the two cases apart."""
    eva = after(make_order(), Assign("eva", "Eva"), BOSS)
    assert (eva.assignee_id, eva.assignee, eva.assigned_by) == ("eva", "Eva", "Boss")
    assert run(eva, Assign("eva", "Eva"), BOSS).outcome is Outcome.NOOP
    assert run(eva, Assign("ali", "Ali", "eva"), BOSS).outcome is Outcome.APPLIED
    over = run(eva, Assign("ali", "Ali"), BOSS)
    assert (over.outcome, over.reason) == (Outcome.MERGED, Reason.ASSIGNED_MEANWHILE)
    assert over.order is not None
    assert over.order.assignee == "Ali"
    free = after(eva, Assign(was_id="eva"), BOSS)
    assert (free.assignee_id, free.assignee, free.assigned_by) == ("", "", "")


def test_a_priority_is_set_once() -> None:
    """The same again is no news."""
    assert after(make_order(), Prioritise(2), BOSS).priority == 2
    assert run(make_order(priority=2), Prioritise(2), BOSS).outcome is Outcome.NOOP


def test_notes_add_up() -> None:
    """What others wrote stays; blank is nothing; beyond the limit it is refused."""
    assert after(after(make_order(), Note(" one ")), Note("two")).note == "one\ntwo"
    assert run(make_order(), Note(" \n")).outcome is Outcome.NOOP
    assert run(make_order(note="x" * NOTE_BYTES), Note("y")).reason is Reason.NOTE_TOO_LONG
    assert run(make_order(), Note("\ud800" * NOTE_BYTES)).reason is Reason.NOTE_TOO_LONG


def test_tags_come_and_go() -> None:
    """As sets: two terminals that tag do not undo each other."""
    order = make_order(tags=("gift", "fragile"))
    assert after(order, Tag(("late", "gift"), ("fragile",))).tags == ("gift", "late")
    assert run(order, Tag(("gift",), ("unknown",))).outcome is Outcome.NOOP
    full = make_order(tags=tuple(f"t{n}" for n in range(TAGS_MAX)))
    assert run(full, Tag(("one more",))).reason is Reason.TOO_MANY_TAGS
    more = make_order(tags=tuple(f"t{n}" for n in range(TAGS_MAX + 2)))
    assert len(after(more, Tag((), ("t0",))).tags) == TAGS_MAX + 1


def test_an_edit_holds_for_the_fields_that_it_read() -> None:
    """Another field may have changed; the same field may not, unless to what is wanted."""
    order = make_order(customer="Bo", note="ring")
    edit = Edit(OrderPatch(customer="Ann", cut_off_ms=9), OrderPatch(customer="Bo", cut_off_ms=None))
    edited = after(order, edit, BOSS)
    assert (edited.customer, edited.cut_off_ms, edited.cut_off_rule) == ("Ann", 9, "")
    assert run(edited, edit, BOSS).outcome is Outcome.NOOP
    assert run(make_order(customer="Cy"), edit, BOSS).reason is Reason.CHANGED_SINCE
    assert run(order, Edit(OrderPatch(customer="Ann"), OrderPatch()), BOSS).outcome is Outcome.APPLIED


def test_an_edit_changes_nothing_else() -> None:
    """Stage, lines and claims have operations of their own."""
    sly = Edit(OrderPatch(stage=Stage.SHIPPED, lines=(), revision=9, deleted_ms=1), OrderPatch())
    assert run(make_order(), sly, BOSS).outcome is Outcome.NOOP
    long = Edit(OrderPatch(note="x" * (NOTE_BYTES + 1)), OrderPatch())
    assert run(make_order(), long, BOSS).reason is Reason.NOTE_TOO_LONG


def test_an_address_that_changes_after_packing_is_said() -> None:
    """The label may be printed."""
    edit = Edit(OrderPatch(ship_to=Address(city="Bath")), OrderPatch(ship_to=Address()))
    picked = run(make_order(Stage.PICKED), edit, BOSS)
    assert (picked.outcome, picked.reason) == (Outcome.EXCEPTION, Reason.ADDRESS_CHANGED)
    assert picked.order is not None
    assert [(each.code, each.op_id, each.at_ms) for each in picked.order.exceptions] == [
        ("ADDRESS_CHANGED", "op-1", NOW)
    ]
    assert run(make_order(), edit, BOSS).outcome is Outcome.APPLIED


def test_finishing_a_pick_of_other_lines_is_refused() -> None:
    """Three cups on the list, five by now. What others picked does not matter."""
    seen = make_order()
    base = lines_crc(seen)
    more = make_order(lines=(msgspec.structs.replace(CUP, quantity_ordered=5),))
    fewer = make_order(lines=(msgspec.structs.replace(CUP, quantity_cancelled=1),))
    picked = make_order(lines=(msgspec.structs.replace(CUP, quantity_picked=2, quantity_short=1),))
    for order, reason in ((more, Reason.LINES_CHANGED), (fewer, Reason.LINES_CHANGED), (picked, Reason.NONE)):
        assert run(order, Move(Stage.PICKED), base_lines=base).reason is reason
    assert run(more, Move(Stage.PICKED)).reason is Reason.NONE
    assert run(more, Move(Stage.CONFIRMED), base_lines=base).reason is Reason.NONE
    shipped = make_order(Stage.SHIPPED, lines=more.lines)
    assert run(shipped, Move(Stage.PICKED), BOSS, base_lines=base).reason is Reason.NONE


SEEN = OrderException("OVER_PICKED", "Too many.", "op-7", 4)
OTHER = OrderException("LINE_UNKNOWN", "No line.", "op-8", 5)


def test_an_exception_is_acknowledged_once_and_stays() -> None:
    """With the name of who has seen it."""
    order = after(make_order(exceptions=(SEEN, OTHER)), Acknowledge("op-7"))
    assert order.exceptions == (msgspec.structs.replace(SEEN, seen_by="Ana", seen_ms=NOW), OTHER)
    assert run(order, Acknowledge("op-7"), JOY).outcome is Outcome.NOOP


def test_an_exception_that_is_settled_is_gone() -> None:
    """Only that one."""
    assert after(make_order(exceptions=(SEEN, OTHER)), Resolve("op-7", "returned")).exceptions == (OTHER,)


def test_an_undo_of_two_steps_is_one_move() -> None:
    """Packing goes from confirmed to picked; its undo goes back, though no picker skips a stage."""
    order = make_order(Stage.PICKED, claimed_by=None, stage_by=ANA.actor_id)
    back = Move(Stage.CONFIRMED)
    assert run(order, back).reason is Reason.STEP_TOO_LONG
    assert run(order, back, undoes="op-0", base_revision=1).outcome is Outcome.APPLIED
    # Only the step of whoever asks: somebody else's is not taken back by naming it.
    assert run(order, back, JOY, undoes="op-0", base_revision=1).reason is Reason.STEP_TOO_LONG


def test_to_name_an_own_operation_skips_no_stage_forward() -> None:
    """Whoever began to pick would else ship by naming that, past picking and packing and without a word."""
    order = make_order(Stage.PICKING, stage_by=ANA.actor_id)
    shipped, picked = (
        run(order, Move(goal), undoes="op-0", base_revision=1) for goal in (Stage.SHIPPED, Stage.PICKED)
    )
    assert shipped.reason is Reason.STEP_TOO_LONG
    assert picked.outcome is Outcome.APPLIED
