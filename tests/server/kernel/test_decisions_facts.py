"""What came of facts in the log: backorders behind short picks, orders that come back, and what is undone."""

from __future__ import annotations

import msgspec
import pytest

from server.kernel.decisions import FOLLOW_UP, Decided, Loaded, Undone, decide_batch, undone
from server.kernel.records import Submission
from support.hub_bench import SITE, principal
from support.orders import make_order
from sync.contract.facts import BACKORDER
from sync.contract.ids import derived
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Assign,
    Change,
    Create,
    LogEntry,
    Move,
    Operation,
    Outcome,
    Pick,
    Reason,
    Release,
    RequestHandover,
    ShortLine,
    ShortPick,
)
from sync.contract.orders import HASH_MODULUS, Claim, Hold, LineItem, Order, canonical_bytes, row_hash
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import decide

NOW = 1_700_000_000_000
DEVICE = "device-1"
CUP = LineItem(1, "CUP", "Cup", 3)
ORDER = make_order(
    id="order-1", stage=Stage.PICKING, claimed_by=None, hold=None, cancelled_ms=None, revision=1, lines=(CUP,)
)
SHORT = ShortPick((ShortLine(1, 2, "CUP"),), "out of stock")


def loaded_with(order: Order) -> Loaded:
    """Return what a store would have loaded."""
    row = row_hash(canonical_bytes(order)) if order.is_on_board else 0
    return Loaded(10, row, {DEVICE: 0}, orders={order.id: order}, hashes={order.id: row})


def decided(loaded: Loaded, *changes: Change, **more: object) -> Decided:
    """Decide changes of the order that one supervisor made."""
    submissions = [
        Submission(
            msgspec.structs.replace(
                Operation(f"op-{number}", "order-1", change, DEVICE, number, batch_id="b"), **more
            ),
            principal(),
        )
        for number, change in enumerate(changes, 1)
    ]
    return decide_batch(SITE, submissions, loaded, NOW, decide)


def entries(result: Decided) -> list[LogEntry]:
    """Return what goes into the log."""
    return [row.entry for row in result.rows]


def test_a_backorder_stands_behind_its_short_pick() -> None:
    """Two entries of one operation: gapless, the second is the server's own and holds the whole order."""
    loaded = loaded_with(ORDER)
    loaded.cut_off = lambda _, now: (now + 5, "van")
    result = decided(loaded, SHORT)
    short, follow = entries(result)
    assert (short.seq, follow.seq, result.seq) == (11, 12, 12)
    backorder_id = derived("op-1", BACKORDER)
    own = follow.operation
    assert (own.op_id, own.order_id, own.device_id) == (derived("op-1", FOLLOW_UP), backorder_id, "")
    assert (own.change, own.batch_id, own.actor_id) == (Create(), "b", short.operation.actor_id)
    assert follow.order is not None
    assert (follow.order.backorder_of, follow.order.cut_off_ms) == ("order-1", NOW + 5)
    assert (follow.outcome, follow.actor_name) == (Outcome.APPLIED, short.actor_name)
    assert backorder_id in result.made
    # Nobody handed the second one in, so there is one answer.
    assert len(result.answers) == 1
    both = (result.written["order-1"].hash + result.written[backorder_id].hash) % HASH_MODULUS
    assert result.state_hash == both


@pytest.mark.parametrize("clash", ["operation", "order", "order of another site"])
def test_a_backorder_is_made_once(clash: str) -> None:
    """Whoever has guessed its ids keeps nobody from recording what is short."""
    loaded = loaded_with(ORDER)
    backorder_id = derived("op-1", BACKORDER)
    if clash == "operation":
        op_id = derived("op-1", FOLLOW_UP)
        loaded.verdicts[op_id] = Verdict(1, op_id, 3, Outcome.APPLIED)
    elif clash == "order":
        loaded.orders[backorder_id] = msgspec.structs.replace(ORDER, id=backorder_id)
    else:
        loaded.taken.add(backorder_id)
    result = decided(loaded, SHORT)
    assert len(result.rows) == 1
    assert result.written["order-1"].order.lines[0].quantity_short == 2


def test_an_order_that_a_fact_brings_back_stands_whole_in_the_log() -> None:
    """No terminal has it any more, so what changed on it would mean nothing to them."""
    retired = msgspec.structs.replace(ORDER, stage=Stage.SHIPPED, retired_ms=5)
    result = decided(loaded_with(retired), Pick(1, 1, "CUP"))
    [entry] = entries(result)
    assert (entry.outcome, entry.patch) == (Outcome.EXCEPTION, None)
    assert entry.order == result.written["order-1"].order
    assert result.made == set()
    assert result.state_hash == result.written["order-1"].hash


def test_a_refused_hand_over_names_who_asked_before() -> None:
    """And an assignment that overruled another names whose that was."""
    asked = msgspec.structs.replace(
        ORDER, claimed_by=Claim("joy", "Joy", 1), handover=Claim("eva", "Eva", 77)
    )
    answer = decided(loaded_with(asked), RequestHandover()).answers[0]
    assert answer is not None
    assert (answer.reason, answer.by, answer.at_ms) == (Reason.ALREADY_REQUESTED, "Eva", 77)
    assigned = msgspec.structs.replace(ORDER, assignee_id="ali", assigned_by="Eva", updated_ms=66)
    answer = decided(loaded_with(assigned), Assign("bo", "Bo")).answers[0]
    assert answer is not None
    assert (answer.outcome, answer.reason) == (Outcome.MERGED, Reason.ASSIGNED_MEANWHILE)
    assert (answer.by, answer.at_ms) == ("Eva", 66)


@pytest.mark.parametrize(
    ("undone", "reason"),
    [
        ({}, Reason.CHANGED_SINCE),
        ({"op-0": Undone("order-2", "user-1", has_changed=True)}, Reason.CHANGED_SINCE),
        ({"op-0": Undone("order-1", "user-1", has_changed=True)}, Reason.NONE),
    ],
)
def test_only_what_is_in_the_log_of_an_order_is_taken_back(undone: dict[str, Undone], reason: Reason) -> None:
    """An undo may do what is forbidden otherwise: a made-up one would be a way around."""
    loaded = loaded_with(ORDER)
    loaded.undone = undone
    answer = decided(loaded, Move(Stage.CONFIRMED), undoes="op-0", base_revision=1).answers[0]
    assert answer is not None
    assert answer.reason is reason


@pytest.mark.parametrize(
    ("actor_id", "has_changed", "reason"),
    [
        ("user-1", True, Reason.NONE),
        ("user-1", False, Reason.FORBIDDEN),
        ("user-2", True, Reason.FORBIDDEN),
    ],
)
def test_naming_gives_a_right_only_where_it_was_done_by_the_same_person(
    actor_id: str, has_changed: bool, reason: Reason
) -> None:
    """A refused operation, one that changed nothing or somebody else's opens no door."""
    picker = principal()._replace(role=Role.PICKER)
    person = picker.person.id
    hold = Hold("other", "Ana", 1, by_id=person)
    loaded = loaded_with(msgspec.structs.replace(ORDER, hold=hold))
    named = Undone("order-1", person if actor_id == "user-1" else "somebody", has_changed)
    loaded.undone = {"op-0": named}
    operation = Operation("op-1", "order-1", Release(), DEVICE, 1, undoes="op-0", base_revision=1)
    result = decide_batch(SITE, [Submission(operation, picker)], loaded, NOW, decide)
    assert result.rows[0].verdict.reason is reason


def test_what_was_logged_says_who_did_it_and_whether_it_came_to_something() -> None:
    """Read from the log entry, with nothing of its change."""
    change = Operation("op-1", "order-1", Move(Stage.PICKED), DEVICE, 1)
    again = Operation("op-2", "order-1", Move(Stage.PICKED), DEVICE, 2)
    submissions = [Submission(each, principal()) for each in (change, again)]
    rows = decide_batch(SITE, submissions, loaded_with(ORDER), NOW, decide).rows
    by = principal().person.id
    assert [undone(row.encoded) for row in rows] == [
        Undone("order-1", by, has_changed=True),
        Undone("order-1", by, has_changed=False),
    ]


def test_what_was_decided_in_the_same_batch_can_be_taken_back() -> None:
    """A person is quick, and a terminal that was offline sends both at once."""
    loaded = loaded_with(ORDER)
    moves = [
        Operation("op-1", "order-1", Move(Stage.PICKED), DEVICE, 1),
        Operation("op-2", "order-1", Move(Stage.PICKING), DEVICE, 2, undoes="op-1", base_revision=2),
    ]
    result = decide_batch(SITE, [Submission(each, principal()) for each in moves], loaded, NOW, decide)
    assert [row.verdict.outcome for row in result.rows] == [Outcome.APPLIED, Outcome.APPLIED]


@pytest.mark.parametrize(
    ("fields", "by"),
    [({"stage_ms": 66, "updated_ms": 66, "updated_by": "Marek"}, "Marek"), ({"stage_ms": 66}, "")],
)
def test_a_move_that_comes_too_late_names_who_moved_before(fields: dict[str, object], by: str) -> None:
    """Unless somebody changed something else since: then it would name the wrong one."""
    order = msgspec.structs.replace(ORDER, **fields)
    answer = decided(loaded_with(order), Move(Stage.PICKED), base_stage=Stage.CONFIRMED).answers[0]
    assert answer is not None
    assert (answer.reason, answer.by, answer.at_ms) == (Reason.MOVED_MEANWHILE, by, 66)
