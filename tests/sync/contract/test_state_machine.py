"""The order state machine: who may do what from where, and what it makes of the order."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from sync.contract.operations import (
    Cancel,
    Change,
    Create,
    Import,
    Move,
    Operation,
    Outcome,
    PutOnHold,
    Reason,
    Release,
    Retire,
    Schedule,
    Ship,
    Take,
    Unclaim,
)
from sync.contract.orders import Claim, Hold, Order
from sync.contract.permissions import ALLOWED, Right, Role, is_allowed
from sync.contract.stages import STAGES, Stage, is_single_step, next_stage, previous_stage
from sync.contract.state_machine import Decision, Judge, decide

NOW = 1_700_000_000_000
ANA = Judge("ana", "Ana", Role.PICKER, NOW)
BOSS = Judge("boss", "Boss", Role.SUPERVISOR, NOW)


def make_order(stage: Stage = Stage.CONFIRMED, **fields: object) -> Order:
    """Return an order at ``stage``."""
    order = Order("o1", "org", "site", "csv", "R1", "1001", stage, 1, 1, 1, 1)
    return msgspec.structs.replace(order, **fields)


def run(order: Order | None, change: Change, judge: Judge = ANA, **fields: object) -> Decision:
    """Decide one operation made of ``change``."""
    operation = msgspec.structs.replace(Operation("op1", "o1", change), **fields)
    return decide(order, operation, judge)


CLAIMED_BY_OTHER = Claim("joy", "Joy", 5)
HOLD = Hold("other", "Sam", 5)


@dataclass(frozen=True)
class Cell:
    """One cell of the table stage by move: what a picker and a supervisor get."""

    origin: Stage
    goal: Stage
    picker: Reason
    supervisor: Reason


_MOVES = [
    Cell(origin, goal, picker, supervisor)
    for origin, goal, picker, supervisor in (
        (Stage.CONFIRMED, Stage.PICKING, Reason.NONE, Reason.NONE),
        (Stage.CONFIRMED, Stage.PICKED, Reason.STEP_TOO_LONG, Reason.NONE),
        (Stage.CONFIRMED, Stage.SHIPPED, Reason.STEP_TOO_LONG, Reason.NONE),
        (Stage.PICKING, Stage.CONFIRMED, Reason.NONE, Reason.NONE),
        (Stage.PICKING, Stage.PICKED, Reason.NONE, Reason.NONE),
        (Stage.PICKING, Stage.SHIPPED, Reason.STEP_TOO_LONG, Reason.NONE),
        (Stage.PICKED, Stage.CONFIRMED, Reason.STEP_TOO_LONG, Reason.NONE),
        (Stage.PICKED, Stage.PICKING, Reason.NONE, Reason.NONE),
        (Stage.PICKED, Stage.SHIPPED, Reason.NONE, Reason.NONE),
        (Stage.SHIPPED, Stage.CONFIRMED, Reason.FORBIDDEN, Reason.NONE),
        (Stage.SHIPPED, Stage.PICKING, Reason.FORBIDDEN, Reason.NONE),
        (Stage.SHIPPED, Stage.PICKED, Reason.FORBIDDEN, Reason.NONE),
    )
]


@pytest.mark.parametrize("cell", _MOVES, ids=lambda cell: f"{cell.origin}-{cell.goal}")
def test_every_move_between_two_stages(cell: Cell) -> None:
    """A picker goes one step, a supervisor anywhere; what is refused changes nothing."""
    for judge, reason in ((ANA, cell.picker), (BOSS, cell.supervisor)):
        decision = run(make_order(cell.origin), Move(cell.goal), judge)
        assert decision.reason is reason
        if reason is Reason.NONE:
            assert decision.outcome is Outcome.APPLIED
            assert decision.order is not None
            assert decision.order.stage is cell.goal
            assert decision.order.revision == 2
            assert decision.order.stage_ms == decision.order.updated_ms == NOW
        else:
            assert decision == Decision(Outcome.REJECTED, reason, None)


def test_the_move_table_is_whole() -> None:
    """Every pair of different stages stands in the table."""
    pairs = {(cell.origin, cell.goal) for cell in _MOVES}
    assert pairs == {(a, b) for a in STAGES for b in STAGES if a is not b}


@pytest.mark.parametrize("stage", STAGES)
def test_a_move_to_where_it_is_changes_nothing(stage: Stage) -> None:
    """Two people with the same idea: the second one is a noop, also on a held order."""
    assert run(make_order(stage, hold=HOLD), Move(stage)) == Decision(Outcome.NOOP, Reason.NONE, None)


@pytest.mark.parametrize("judge", [ANA, BOSS])
def test_picking_what_somebody_else_picks_is_refused(judge: Judge) -> None:
    """To the second of two pickers "it is there already" would mean "it is mine"; it is not."""
    theirs = make_order(Stage.PICKING, claimed_by=CLAIMED_BY_OTHER)
    assert run(theirs, Move(Stage.PICKING), judge).reason is Reason.ALREADY_CLAIMED
    mine = make_order(Stage.PICKING, claimed_by=Claim("ana", "Ana", 1))
    assert run(mine, Move(Stage.PICKING)).outcome is Outcome.NOOP
    packed = make_order(Stage.PICKED, claimed_by=CLAIMED_BY_OTHER)
    assert run(packed, Move(Stage.PICKED), judge).outcome is Outcome.NOOP
    cancelled = make_order(Stage.PICKING, claimed_by=CLAIMED_BY_OTHER, cancelled_ms=7)
    assert run(cancelled, Move(Stage.PICKING), judge).outcome is Outcome.NOOP


def test_moving_to_picking_claims_and_moving_back_gives_it_free() -> None:
    """The claim goes with the stage: taken at picking, kept at picked, free at confirmed."""
    picking = run(make_order(), Move(Stage.PICKING)).order
    assert picking is not None
    assert picking.claimed_by == Claim("ana", "Ana", NOW)
    picked = run(picking, Move(Stage.PICKED)).order
    assert picked is not None
    assert picked.claimed_by == Claim("ana", "Ana", NOW)
    again = run(picked, Move(Stage.PICKING)).order
    assert again is not None
    assert again.claimed_by == Claim("ana", "Ana", NOW)
    back = run(again, Move(Stage.CONFIRMED)).order
    assert back is not None
    assert back.claimed_by is None


def test_an_order_that_somebody_holds_is_not_started_by_another() -> None:
    """Offline claim, claimed meanwhile: refused, and it does not matter who asks."""
    taken = make_order(claimed_by=CLAIMED_BY_OTHER)
    assert run(taken, Move(Stage.PICKING)).reason is Reason.ALREADY_CLAIMED
    assert run(taken, Take()).reason is Reason.ALREADY_CLAIMED
    mine = make_order(claimed_by=Claim("ana", "Ana", 1))
    assert run(mine, Move(Stage.PICKING)).outcome is Outcome.APPLIED


def test_a_move_from_a_stage_that_is_past_is_refused() -> None:
    """The person saw it in confirmed; it is in picked: that move was meant for another order of things."""
    order = make_order(Stage.PICKED)
    decision = run(order, Move(Stage.PICKING), base_stage=Stage.CONFIRMED)
    assert decision.reason is Reason.MOVED_MEANWHILE
    assert run(order, Move(Stage.PICKING), base_stage=Stage.PICKED).outcome is Outcome.APPLIED


def test_a_held_order_goes_back_but_not_on() -> None:
    """A hold stops the way forward only."""
    held = make_order(Stage.PICKING, hold=HOLD)
    assert run(held, Move(Stage.PICKED)).reason is Reason.ON_HOLD
    assert run(held, Move(Stage.CONFIRMED)).outcome is Outcome.APPLIED


@pytest.mark.parametrize("change", [Move(Stage.PICKING), Take(), Unclaim(), PutOnHold("other"), Release()])
def test_a_cancelled_order_stays_as_it_is(change: Change) -> None:
    """Nothing is done to a cancelled order."""
    assert run(make_order(cancelled_ms=5), change, BOSS).reason is Reason.CANCELLED


def test_undo_is_refused_when_somebody_changed_the_order_since() -> None:
    """Undo names the revision it saw; another revision means another person was there."""
    order = make_order(Stage.SHIPPED, revision=7, stage_by=ANA.actor_id)
    undo = Move(Stage.PICKED)
    assert run(order, undo, undoes="op0", base_revision=6).reason is Reason.CHANGED_SINCE
    # One's own shipment can be taken back at once, by a picker too.
    assert run(order, undo, undoes="op0", base_revision=7).outcome is Outcome.APPLIED
    # To name some operation of the order makes nobody else's shipment one's own.
    others = msgspec.structs.replace(order, stage_by="somebody else")
    assert run(others, undo, undoes="op0", base_revision=7).reason is Reason.FORBIDDEN
    assert run(others, undo, BOSS, undoes="op0", base_revision=7).outcome is Outcome.APPLIED


def test_claim_twice_is_one_claim_and_free_can_be_given_once() -> None:
    """Claim and unclaim, with the noop and the refusal."""
    mine = run(make_order(), Take()).order
    assert mine is not None
    assert run(mine, Take()) == Decision(Outcome.NOOP, Reason.NONE, None)
    free = run(mine, Unclaim()).order
    assert free is not None
    assert free.claimed_by is None
    assert run(free, Unclaim()).reason is Reason.NOT_CLAIMED


def test_hold_and_release() -> None:
    """A hold carries its reason, note, end and author; release takes it away once."""
    held = run(make_order(), PutOnHold("incorrect address", "ring them", 99)).order
    assert held is not None
    assert held.hold == Hold("incorrect address", "Ana", NOW, "ring them", 99, "ana")
    released = run(held, Release(), BOSS).order
    assert released is not None
    assert released.hold is None
    assert run(released, Release(), BOSS).reason is Reason.NOT_ON_HOLD


@pytest.mark.parametrize("make", [Create, Import])
def test_a_new_order_is_made_once(make: type[Create | Import]) -> None:
    """The same order twice, or no order at all, is refused."""
    system = Judge("", "Import", Role.SYSTEM, NOW)
    new = make_order()
    assert run(None, make(new), system) == Decision(Outcome.APPLIED, Reason.NONE, new)
    assert run(new, make(new), system).reason is Reason.DUPLICATE_ORDER
    assert run(None, make(None), system).reason is Reason.UNKNOWN_ORDER


@pytest.mark.parametrize("order", [None, make_order(deleted_ms=3)])
def test_an_order_that_is_not_there_cannot_be_moved(order: Order | None) -> None:
    """Unknown and deleted are the same to who asks."""
    assert run(order, Move(Stage.PICKING)).reason is Reason.UNKNOWN_ORDER


def test_what_a_role_may_not_do_is_refused_before_anything_is_read() -> None:
    """Deny by default: a viewer learns nothing from the answer."""
    viewer = Judge("v", "V", Role.VIEWER, NOW)
    for change in (Move(Stage.PICKING), Take(), Unclaim(), PutOnHold("other"), Release(), Create()):
        for order in (None, make_order()):
            assert run(order, change, viewer).reason is Reason.FORBIDDEN


def test_the_permission_table_knows_every_role_and_gives_no_person_everything() -> None:
    """Only the server itself has every right."""
    assert set(ALLOWED) == set(Role)
    assert [role for role in Role if ALLOWED[role] == frozenset(Right)] == [Role.SYSTEM]
    assert not is_allowed(Role.AUDITOR, Right.MOVE)


def test_stages_follow_each_other() -> None:
    """next, previous and the single step agree with the order of the stages."""
    assert [next_stage(stage) for stage in STAGES] == [*STAGES[1:], None]
    assert [previous_stage(stage) for stage in STAGES] == [None, *STAGES[:-1]]
    assert is_single_step(Stage.PICKED, Stage.PICKING)
    assert not is_single_step(Stage.PICKED, Stage.PICKED)


SYSTEM = Judge("", "System", Role.SYSTEM, NOW)


def test_a_move_says_who_chose_the_stage() -> None:
    """So that a source never moves the order out of it again."""
    after = run(make_order(), Move(Stage.PICKING)).order
    assert after is not None
    assert after.stage_by == "ana"


def test_shipping_is_a_move_with_the_number_on_the_label() -> None:
    """From picked, with tracking number and carrier; what is left out stays as it was."""
    after = run(make_order(Stage.PICKED, carrier="Van"), Ship("T-1")).order
    assert after is not None
    assert (after.stage, after.stage_ms, after.tracking_number, after.carrier) == (
        Stage.SHIPPED,
        NOW,
        "T-1",
        "Van",
    )


def test_shipping_again_corrects_the_label_only() -> None:
    """The same label is nothing new; another one replaces it where the order stands."""
    shipped = make_order(Stage.SHIPPED, tracking_number="T-1", carrier="Van", stage_ms=7)
    assert run(shipped, Ship("T-1", "Van")).outcome is Outcome.NOOP
    assert run(shipped, Ship()).outcome is Outcome.NOOP
    after = run(shipped, Ship("T-2")).order
    assert after is not None
    assert (after.tracking_number, after.carrier, after.stage_ms) == ("T-2", "Van", 7)


def test_cancelling_ends_what_is_open() -> None:
    """With its hold; again is nothing new; what has shipped is not cancelled any more."""
    after = run(make_order(hold=HOLD), Cancel("too late"), BOSS).order
    assert after is not None
    assert (after.cancelled_ms, after.hold) == (NOW, None)
    assert run(after, Cancel(), BOSS).outcome is Outcome.NOOP
    assert run(make_order(Stage.SHIPPED), Cancel(), BOSS).reason is Reason.ALREADY_SHIPPED


def test_the_server_schedules_open_orders() -> None:
    """A new cut-off with its rule; the same again is nothing new; finished orders have none to keep."""
    after = run(make_order(), Schedule(9, "van"), SYSTEM).order
    assert after is not None
    assert (after.cut_off_ms, after.cut_off_rule) == (9, "van")
    assert run(after, Schedule(9, "van"), SYSTEM).outcome is Outcome.NOOP
    assert run(make_order(Stage.SHIPPED), Schedule(9), SYSTEM).reason is Reason.ALREADY_SHIPPED
    assert run(make_order(cancelled_ms=1), Schedule(9), SYSTEM).reason is Reason.CANCELLED


def test_the_server_retires_what_is_finished() -> None:
    """Shipped and cancelled ones leave the board and are unknown to it from then on."""
    for done in (make_order(Stage.SHIPPED), make_order(cancelled_ms=1)):
        after = run(done, Retire(), SYSTEM).order
        assert after is not None
        assert (after.retired_ms, after.is_on_board) == (NOW, False)
        assert run(after, Retire(), SYSTEM).reason is Reason.UNKNOWN_ORDER
        assert run(after, Move(Stage.PICKED), BOSS).reason is Reason.UNKNOWN_ORDER
    assert run(make_order(Stage.PICKED), Retire(), SYSTEM).reason is Reason.STILL_OPEN


@pytest.mark.parametrize("change", [Schedule(9), Retire()], ids=["schedule", "retire"])
def test_what_the_server_worked_out_on_an_older_order_counts_no_more(change: Change) -> None:
    """It read the order at a revision; whatever happened since, it has to look again."""
    stage = Stage.SHIPPED if isinstance(change, Retire) else Stage.CONFIRMED
    order = make_order(stage, revision=4)
    for base, reason in ((3, Reason.CHANGED_SINCE), (4, Reason.NONE), (0, Reason.NONE)):
        assert run(order, change, SYSTEM, base_revision=base).reason is reason


@pytest.mark.parametrize("change", [Schedule(9), Retire()], ids=["schedule", "retire"])
def test_what_the_server_says_alone_nobody_else_may(change: Change) -> None:
    """Neither does a supervisor."""
    assert run(make_order(Stage.SHIPPED), change, BOSS).reason is Reason.FORBIDDEN
