"""Taking back: the inverse of an operation brings the order to what it was."""

from __future__ import annotations

import msgspec
import pytest

from sync.contract import operations as ops
from sync.contract.checks import is_usable_draft
from sync.contract.operations import KINDS, Change, Operation, Outcome
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
    (ops.Release(), {"hold": Hold("awaiting payment", "Boss", 9, "ring", 77)}, set()),
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
