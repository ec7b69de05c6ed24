"""Taking back: the inverse of an operation brings the order to what it was."""

from __future__ import annotations

import msgspec
import pytest

from sync.contract import operations as ops
from sync.contract.checks import is_usable_draft
from sync.contract.operations import KINDS, Change, Operation, Outcome, Reason
from sync.contract.orders import Claim, Hold, LineItem, Order, OrderPatch, diff
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge, decide
from sync.contract.undo import inverse

BOSS = Judge("boss", "Boss", Role.SUPERVISOR, 9)
ORDER = Order(
    "o1",
    "org",
    "site",
    "csv",
    "R1",
    "1001",
    Stage.CONFIRMED,
    1,
    1,
    1,
    1,
    lines=(LineItem(1, "CUP", "Cup", 3),),
)
BOSSES = Claim("boss", "Boss", 9)
JOYS = Claim("joy", "Joy", 1)
BOOKKEEPING = {"revision", "updated_by", "updated_ms", "stage_ms", "stage_by", "assigned_by"}

CASES: list[tuple[Change, dict[str, object], set[str]]] = [
    (ops.Move(Stage.PICKING), {}, set()),
    (ops.Move(Stage.CONFIRMED), {"stage": Stage.PICKING, "claimed_by": Claim("boss", "Boss", 9)}, set()),
    (ops.Take(), {}, set()),
    (ops.Unclaim(), {"claimed_by": Claim("boss", "Boss", 9)}, set()),
    (ops.RequestHandover(), {"claimed_by": Claim("joy", "Joy", 1)}, set()),
    (ops.RequestHandover(withdrawn=True), {"claimed_by": JOYS, "handover": BOSSES}, set()),
    (ops.Assign("ali", "Ali"), {"assignee_id": "", "assignee": ""}, set()),
    (ops.Assign("ali", "Ali", "eva"), {"assignee_id": "eva", "assignee": "Eva"}, set()),
    (ops.Prioritise(2), {"priority": 1}, set()),
    (ops.Prioritise(2), {"priority": 9}, set()),
    (ops.Prioritise(2), {"priority": -1}, set()),
    (ops.PutOnHold("other"), {}, set()),
    (ops.PutOnHold("other"), {"hold": Hold("awaiting payment", "Boss", 9, "ring", 77)}, set()),
    (ops.Release(), {"hold": Hold("awaiting payment", "Boss", 9, "ring", 77, "boss")}, set()),
    (ops.Cancel(), {}, set()),
    (ops.Reinstate(), {"cancelled_ms": 9}, set()),
    (ops.Pick(1, 2, "CUP"), {"stage": Stage.PICKING}, set()),
    (ops.Pack(2), {"stage": Stage.PICKED}, set()),
    (ops.Pack(2), {"stage": Stage.PICKING, "claimed_by": BOSSES}, set()),
    (ops.Ship("T-1"), {"stage": Stage.PICKED}, {"tracking_number"}),
    (ops.Note("more"), {"note": "ring"}, set()),
    (ops.Tag(("new",), ("old",)), {"tags": ("old",)}, set()),
    (ops.Edit(OrderPatch(customer="Ann"), OrderPatch(customer="Bo")), {"customer": "Bo"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("change", "fields", "left"), CASES, ids=lambda value: type(value).__name__)
def test_what_is_taken_back_is_as_it_was(change: Change, fields: dict[str, object], left: set[str]) -> None:
    """Down to what only a second look would find; what a label said stays on record."""
    before = msgspec.structs.replace(ORDER, **fields)
    operation = Operation("op-1", "o1", change)
    after = decide(before, operation, BOSS).order
    assert after is not None
    back = inverse(operation, before, after)
    assert back is not None
    undo = Operation("op-2", "o1", back, undoes="op-1", base_revision=after.revision)
    assert is_usable_draft(undo), "the server would close the link on it, again and again"
    decision = decide(after, undo, BOSS)
    assert decision.order is not None, decision
    patch = diff(before, decision.order)
    changed = {name for name in patch.__struct_fields__ if getattr(patch, name) is not msgspec.UNSET}
    assert changed - BOOKKEEPING == left


def test_every_kind_can_be_taken_back_or_is_known_not_to() -> None:
    """A new kind has to be thought of."""
    taken_back = {change.__struct_config__.tag for change, *_ in CASES}
    never = {"import", "short_pick", "schedule", "retire", "acknowledge", "resolve", "skip"}
    assert taken_back | never | {"create"} == set(KINDS)
    for change in (
        ops.Import(),
        ops.ShortPick(()),
        ops.Retire(),
        ops.Acknowledge("x"),
        ops.Resolve("x"),
        ops.Skip(),
    ):
        assert inverse(Operation("op-1", "o1", change), ORDER, ORDER) is None


def test_a_created_order_is_taken_back_by_cancelling_it() -> None:
    """It is in the log, so it does not vanish."""
    assert inverse(Operation("op-1", "o1", ops.Create(ORDER)), ORDER, ORDER) == ops.Cancel()


def test_what_did_not_move_is_not_moved_back() -> None:
    """A new label on a shipped order has nothing to take back."""
    shipped = msgspec.structs.replace(ORDER, stage=Stage.SHIPPED)
    assert inverse(Operation("op-1", "o1", ops.Ship("T-2")), shipped, shipped) is None


def test_an_undo_is_refused_when_somebody_changed_the_order_since() -> None:
    """Whatever the change was."""
    after = msgspec.structs.replace(ORDER, revision=3)
    undo = Operation("op-2", "o1", ops.Unclaim(), undoes="op-1", base_revision=2)
    assert decide(after, undo, BOSS).outcome is Outcome.REJECTED


PICKER = Judge("ana", "Ana", Role.PICKER, 9)


def released(order: Order, judge: Judge, undoes: str = "op-1") -> Reason:
    """Return why this person may not take the hold back, nothing when they may."""
    undo = Operation("op-2", "o1", ops.Release(), undoes=undoes, base_revision=order.revision)
    return decide(order, undo, judge).reason


def held(order: Order, judge: Judge) -> Order:
    """Return the order, put on hold by this person."""
    after = decide(order, Operation("op-1", "o1", ops.PutOnHold("other")), judge).order
    assert after is not None
    return after


def test_a_picker_takes_their_own_hold_back() -> None:
    """Only as what it is: no release on its own, none by another, none that the log does not bear out."""
    order = held(ORDER, PICKER)
    assert released(order, PICKER) is Reason.NONE
    assert released(order, PICKER, undoes="") is Reason.FORBIDDEN
    assert released(order, PICKER._replace(actor_id="bo")) is Reason.FORBIDDEN
    assert released(order, PICKER._replace(owns_undone=False)) is Reason.FORBIDDEN
    assert released(order, PICKER._replace(role=Role.VIEWER)) is Reason.FORBIDDEN
    assert released(held(order, PICKER), PICKER) is Reason.NONE
    assert released(ORDER, PICKER) is Reason.FORBIDDEN


def test_nobody_takes_away_the_hold_of_another_with_their_own() -> None:
    """A hold over a hold is nobody's alone."""
    assert released(held(held(ORDER, BOSS), PICKER), PICKER) is Reason.FORBIDDEN
    assert released(held(held(ORDER, PICKER), BOSS), PICKER) is Reason.FORBIDDEN


def test_naming_what_is_not_theirs_skips_no_stage() -> None:
    """Who chose the stage may take it back; naming another operation for it does not count."""
    order = msgspec.structs.replace(ORDER, stage=Stage.SHIPPED, stage_by="ana")
    undo = Operation("op-2", "o1", ops.Move(Stage.PICKED), undoes="op-1", base_revision=1)
    assert decide(order, undo, PICKER).outcome is Outcome.APPLIED
    assert decide(order, undo, PICKER._replace(owns_undone=False)).reason is Reason.FORBIDDEN


def test_a_pick_of_no_line_is_taken_back_with_its_exception() -> None:
    """Nobody has to put the piece back any more; what others picked stays told."""
    order = ORDER
    for op_id in ("op-0", "op-1"):
        after = decide(order, Operation(op_id, "o1", ops.Pick(9, 2, "MUG")), PICKER).order
        assert after is not None
        order = after
    undo = Operation("op-2", "o1", ops.Pick(9, -2, "MUG"), undoes="op-1", base_revision=order.revision)
    back = decide(order, undo, PICKER)
    assert back.outcome is Outcome.APPLIED
    assert back.order is not None
    assert [each.op_id for each in back.order.exceptions] == ["op-0"]
    assert decide(order, undo, PICKER._replace(owns_undone=False)).outcome is Outcome.NOOP
    plain = Operation("op-3", "o1", ops.Pick(9, -2, "MUG"))
    assert decide(order, plain, PICKER).outcome is Outcome.NOOP
