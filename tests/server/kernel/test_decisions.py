"""A batch is decided one operation after the other; each is logged once, whatever is sent how often."""

from __future__ import annotations

import msgspec
import pytest

from server.kernel.decisions import Actor, Decided, Loaded, decide_batch
from server.kernel.records import SiteKey, Submission
from support.hub_bench import SITE, principal
from support.orders import make_order
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Change,
    Create,
    Import,
    LogEntry,
    Move,
    Operation,
    Outcome,
    PutOnHold,
    Reason,
    Take,
)
from sync.contract.orders import (
    HASH_MODULUS,
    Claim,
    Hold,
    LineItem,
    Order,
    Picked,
    canonical_bytes,
    patched,
    row_hash,
)
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Decision, Judge, decide

NOW = 1_700_000_000_000
DEVICE = "device-1"
ORDER = make_order(
    id="order-1", stage=Stage.CONFIRMED, claimed_by=None, hold=None, cancelled_ms=None, revision=1
)


def operation(number: int, change: Change, order_id: str = "order-1", **more: object) -> Operation:
    """Return a numbered operation of the device."""
    made = Operation(f"op-{number}", order_id, change, DEVICE, number)
    return msgspec.structs.replace(made, **more)


def loaded_with(*orders: Order, seq: int = 10, mark: int = 0) -> Loaded:
    """Return what a store would have loaded."""
    hashes = {order.id: row_hash(canonical_bytes(order)) for order in orders}
    return Loaded(
        seq,
        sum(hashes.values()) % HASH_MODULUS,
        {DEVICE: mark},
        orders={order.id: order for order in orders},
        hashes=hashes,
    )


def decided(loaded: Loaded, *operations: Operation) -> Decided:
    """Decide operations that one signed-in supervisor sent."""
    submissions = [Submission(each, principal()) for each in operations]
    return decide_batch(SITE, submissions, loaded, NOW, decide)


def by_system(loaded: Loaded, *operations: Operation) -> Decided:
    """Decide operations of the server itself."""
    return decide_batch(SITE, [Submission(each) for each in operations], loaded, NOW, decide)


def answer(result: Decided, place: int = 0) -> Verdict:
    """Return one verdict."""
    verdict = result.answers[place]
    assert verdict is not None
    return verdict


def test_operations_build_on_each_other() -> None:
    """The second meets what the first left; seq and marks go on; the hash is that of the result."""
    loaded = loaded_with(ORDER)
    result = decided(loaded, operation(1, Move(Stage.PICKING)), operation(2, Move(Stage.PICKED)))
    assert [row.entry.seq for row in result.rows] == [11, 12]
    assert result.seq == 12
    assert result.marks == {DEVICE: 2}
    after = result.written["order-1"]
    assert (after.order.stage, after.order.revision) == (Stage.PICKED, 3)
    assert after.body == canonical_bytes(after.order)
    assert result.state_hash == row_hash(after.body)
    assert result.rows[-1].state_hash == result.state_hash
    assert result.made == set()


def test_the_log_entry_says_what_changed() -> None:
    """Terminals build the same order out of the patch; the encoded form is what they get."""
    result = decided(loaded_with(ORDER), operation(1, Move(Stage.PICKING)))
    row = result.rows[0]
    assert row.entry.patch is not None
    assert patched(ORDER, row.entry.patch) == result.written["order-1"].order
    assert msgspec.json.decode(row.encoded, type=LogEntry) == row.entry
    assert (row.entry.actor_name, row.entry.operation.actor_id) == ("Ana K.", "user-1")
    assert row.entry.order is None


def test_a_rejected_operation_is_logged_and_changes_nothing() -> None:
    """It has its seq, its reason, and who is in the way since when."""
    taken = msgspec.structs.replace(ORDER, claimed_by=Claim("user-9", "Maria", 77))
    result = decided(loaded_with(taken), operation(1, Take()))
    assert answer(result) == Verdict(
        1, "op-1", 11, Outcome.REJECTED, Reason.ALREADY_CLAIMED, by="Maria", at_ms=77
    )
    assert result.rows[0].entry.patch is None
    assert result.written == {}
    assert result.state_hash == loaded_with(taken).state_hash


@pytest.mark.parametrize(
    ("changed", "reason", "by", "at_ms"),
    [
        ({"hold": Hold("other", "Eva", 55)}, Reason.ON_HOLD, "Eva", 55),
        ({"cancelled_ms": 66}, Reason.CANCELLED, "", 66),
        ({"stage": Stage.PICKED}, Reason.STEP_TOO_LONG, "", 0),
    ],
)
def test_a_refusal_names_what_is_in_the_way(
    changed: dict[str, object], reason: Reason, by: str, at_ms: int
) -> None:
    """For the words on screen: the holder and since when, or since when it is cancelled."""
    order = msgspec.structs.replace(ORDER, **changed)
    picker = principal(role=Role.PICKER)
    goal = Stage.PICKING if order.stage is Stage.CONFIRMED else Stage.CONFIRMED
    move = operation(1, Move(goal))
    result = decide_batch(SITE, [Submission(move, picker)], loaded_with(order), NOW, decide)
    assert answer(result) == Verdict(1, "op-1", 11, Outcome.REJECTED, reason, by, at_ms)


def test_an_operation_on_an_unknown_order_is_rejected_and_logged() -> None:
    """There is nothing to change."""
    result = decided(loaded_with(), operation(1, Move(Stage.PICKING)))
    assert answer(result).reason is Reason.UNKNOWN_ORDER
    assert len(result.rows) == 1


def test_what_was_decided_before_is_answered_with_its_stored_outcome() -> None:
    """Nothing is logged again; the number in the answer is the one that was asked about."""
    loaded = loaded_with(ORDER, mark=5)
    stored = Verdict(5, "op-5", 9, Outcome.NOOP)
    loaded.verdicts["op-5"] = stored
    result = decided(loaded, operation(5, Move(Stage.PICKING)))
    assert result.answers == [stored]
    assert result.rows == []
    assert result.marks == {}


def test_the_same_operation_twice_in_a_batch_is_decided_once() -> None:
    """A client may send again on a new link while the old one's are still waiting."""
    result = decided(loaded_with(ORDER), operation(1, Move(Stage.PICKING)), operation(1, Move(Stage.PICKING)))
    assert result.answers[0] == result.answers[1]
    assert len(result.rows) == 1


def test_a_client_with_a_new_identity_is_answered_for_old_operations() -> None:
    """The op_id counts, so a cloned client may send again; its new number is used up by it."""
    loaded = loaded_with(ORDER)
    loaded.verdicts["op-1"] = Verdict(40, "op-1", 9, Outcome.APPLIED)
    result = decided(loaded, operation(1, Move(Stage.PICKING)), operation(2, Move(Stage.PICKING)))
    assert answer(result).device_seq == 1
    assert answer(result, 1).outcome is Outcome.APPLIED
    assert result.marks == {DEVICE: 2}


def test_a_gap_is_refused_and_not_logged() -> None:
    """What was skipped must come first; the seq 0 says that nothing was decided."""
    result = decided(loaded_with(ORDER, mark=3), operation(5, Move(Stage.PICKING)))
    assert result.answers == [Verdict(5, "op-5", 0, Outcome.REJECTED, Reason.DEVICE_SEQ_GAP)]
    assert (result.rows, result.marks, result.seq) == ([], {}, 10)


def test_a_used_number_with_another_operation_means_a_cloned_device() -> None:
    """Two installations with one identity: the second gets no verdict."""
    result = decided(loaded_with(ORDER, mark=3), operation(3, Move(Stage.PICKING)))
    assert result.answers == [None]
    assert result.rows == []


def test_another_person_of_the_terminal_counts_only_with_a_sign_in_there() -> None:
    """Their rights decide; without proof the operation is rejected, and logged under the name given."""
    loaded = loaded_with(ORDER)
    loaded.actors["enrolment-1", "user-2", "sign-in-7"] = Actor("user-2", "Joy T.", Role.VIEWER)
    result = decided(
        loaded,
        operation(1, Move(Stage.PICKING), actor_id="user-2", sign_in_id="sign-in-7"),
        operation(2, Move(Stage.PICKING), actor_id="user-2", sign_in_id="sign-in-8"),
        operation(3, Move(Stage.PICKING), actor_id="user-1"),
    )
    assert [answer(result, place).reason for place in range(3)] == [
        Reason.FORBIDDEN,
        Reason.FORBIDDEN,
        Reason.NONE,
    ]
    names = [(row.entry.operation.actor_id, row.entry.actor_name) for row in result.rows]
    assert names == [("user-2", "Joy T."), ("user-2", ""), ("user-1", "Ana K.")]


def test_a_new_order_is_made_ours() -> None:
    """Whose it is, its id and its times are said by the server; the entry carries it, not its operation."""
    foreign = msgspec.structs.replace(
        ORDER,
        id="x",
        organization_id="evil",
        site_id="evil",
        revision=9,
        stage=Stage.PICKED,
        source="shop",
        lines=(LineItem(5, "a", "A", 1), LineItem(5, "b", "B", 2)),
    )
    result = decided(loaded_with(), operation(1, Create(foreign), "new-1"))
    made = result.written["new-1"].order
    assert (made.id, made.organization_id, made.site_id) == ("new-1", *SITE)
    assert (made.source, made.stage, made.revision, made.stage_ms) == ("manual", Stage.CONFIRMED, 1, NOW)
    assert [line.position for line in made.lines] == [1, 2]
    assert result.made == {"new-1"}
    entry = result.rows[0].entry
    assert (entry.order, entry.patch, entry.operation.change) == (made, None, Create())


def test_a_later_operation_of_the_batch_changes_the_new_order() -> None:
    """It is still new to the table: written once, as it is at the end."""
    result = decided(
        loaded_with(), operation(1, Create(ORDER), "new-1"), operation(2, Move(Stage.PICKING), "new-1")
    )
    assert result.written["new-1"].order.stage is Stage.PICKING
    assert result.made == {"new-1"}
    assert result.state_hash == result.written["new-1"].hash


def test_an_import_keeps_stage_and_source() -> None:
    """The system says what the file said; without a stage time it is now."""
    order = msgspec.structs.replace(ORDER, stage=Stage.SHIPPED, stage_ms=0, source="csv")
    result = by_system(loaded_with(), Operation("op-1", "new-1", Import(order)))
    made = result.written["new-1"].order
    assert (made.stage, made.source, made.stage_ms, made.placed_ms) == (
        Stage.SHIPPED,
        "csv",
        NOW,
        ORDER.placed_ms,
    )
    assert result.rows[0].entry.actor_name == "System"
    assert result.marks == {}


def test_an_order_that_is_there_is_refused_in_each_way() -> None:
    """By id, by reference, by reference inside the batch, by the id of another site; no payload is logged."""
    loaded = loaded_with(ORDER)
    loaded.references["csv", "A-1"] = "elsewhere"
    loaded.taken.add("foreign-id")
    new = msgspec.structs.replace(ORDER, source="csv", external_ref="A-2")
    result = by_system(
        loaded,
        Operation("op-1", "order-1", Import(new)),
        Operation("op-2", "new-2", Import(msgspec.structs.replace(new, external_ref="A-1"))),
        Operation("op-3", "new-3", Import(new)),
        Operation("op-4", "new-4", Import(new)),
        Operation("op-5", "foreign-id", Import(msgspec.structs.replace(new, external_ref="A-3"))),
        Operation("op-6", "new-6", Import()),
    )
    assert [answer(result, place).reason for place in range(6)] == [
        Reason.DUPLICATE_ORDER,
        Reason.DUPLICATE_ORDER,
        Reason.NONE,
        Reason.NONE,
        Reason.DUPLICATE_ORDER,
        Reason.UNKNOWN_ORDER,
    ]
    assert (answer(result, 3).outcome, result.rows[3].entry.operation.order_id) == (Outcome.NOOP, "new-3")
    assert set(result.written) == {"new-3"}
    assert all(row.entry.operation.change == Import() for row in result.rows)


def test_orders_without_reference_are_never_twins() -> None:
    """Two orders typed in by hand are two orders."""
    new = msgspec.structs.replace(ORDER, external_ref="")
    result = by_system(
        loaded_with(), Operation("op-1", "a", Import(new)), Operation("op-2", "b", Import(new))
    )
    assert result.made == {"a", "b"}


def test_a_deleted_order_leaves_the_state_hash() -> None:
    """Whatever decides so: the hash is the sum over what is on the board."""

    def deleting(order: Order | None, _operation: Operation, judge: Judge) -> Decision:
        assert order is not None
        gone = msgspec.structs.replace(order, deleted_ms=judge.now_ms)
        return Decision(Outcome.APPLIED, Reason.NONE, gone)

    moves = [Submission(operation(1, Move(Stage.PICKING)), principal())]
    result = decide_batch(SITE, moves, loaded_with(ORDER), NOW, deleting)
    assert result.state_hash == 0


def test_a_payload_never_says_whose_it_is() -> None:
    """The site of the batch counts, also for a batch of another site."""
    site = SiteKey("organization-2", "site-2")
    held = operation(1, PutOnHold("other"))
    result = decide_batch(site, [Submission(held, principal())], loaded_with(), NOW, decide)
    assert answer(result).reason is Reason.UNKNOWN_ORDER


def test_a_device_that_was_never_heard_of_begins_with_1() -> None:
    """And what comes out of turn has no place in the log."""
    loaded = Loaded(10, 0)
    assert answer(decided(loaded, operation(1, Move(Stage.PICKING)))).seq == 11
    gap = answer(decided(Loaded(10, 0), operation(2, Move(Stage.PICKING))))
    assert (gap.reason, gap.seq) == (Reason.DEVICE_SEQ_GAP, 0)


def test_an_order_made_by_hand_begins_at_the_beginning() -> None:
    """Whatever the terminal says of it that nobody has done yet."""
    mark = Claim("user-9", "Maria", 77)
    picks = (Picked("user-9", "Maria", 900),)
    line = LineItem(1, "a", "A", 9)
    worked_on = msgspec.structs.replace(
        ORDER,
        packed=mark,
        parcels=2,
        handover=mark,
        claimed_by=mark,
        stage=Stage.PICKED,
        stage_by="user-9",
        assignee_id="user-9",
        assignee="Maria",
        assigned_by="Eva",
        tracking_number="T1",
        backorder_of="order-9",
        backorders=3,
        updated_by="Eva",
        lines=(
            msgspec.structs.replace(
                line, quantity_picked=5, quantity_short=1, quantity_cancelled=1, picked_by=picks
            ),
        ),
    )
    result = decided(Loaded(10, 0), operation(1, Create(worked_on)))
    made = result.written["order-1"].order
    assert (made.packed, made.parcels, made.handover, made.claimed_by) == (None, 0, None, None)
    assert (made.stage, made.stage_by, made.tracking_number, made.updated_by) == (Stage.CONFIRMED, "", "", "")
    assert (made.assignee_id, made.assignee, made.assigned_by) == ("", "", "")
    assert (made.backorder_of, made.backorders) == ("", 0)
    assert made.lines == (line,)
