"""The second opinion on the conflict table: it agrees with the state machine, and each law can complain."""

from __future__ import annotations

import msgspec
import pytest

from server.verification.laws import broken
from sync.contract.operations import (
    Assign,
    Cancel,
    Change,
    Create,
    Edit,
    LogEntry,
    Move,
    Note,
    Operation,
    Outcome,
    Pack,
    Pick,
    Reason,
    Release,
    RequestHandover,
    Ship,
    ShortLine,
    ShortPick,
    Tag,
    Take,
)
from sync.contract.orders import Claim, Hold, LineItem, Order, OrderException, OrderPatch, Picked
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge, decide

ME = "me"
ORDER = Order(
    *("order-1", "org", "site", "test", "A-1", "SO-1", Stage.CONFIRMED, 1, 1, 1, 1),
    note="first",
    tags=("gift",),
    lines=(LineItem(1, "SKU-1", "Thing", 2), LineItem(2, "SKU-2", "Other", 1)),
)
HELD = msgspec.structs.replace(ORDER, hold=Hold("other", "Office", 1))
CANCELLED = msgspec.structs.replace(ORDER, cancelled_ms=1)
TAKEN = msgspec.structs.replace(ORDER, claimed_by=Claim("other", "Other", 1))
ASKED = msgspec.structs.replace(TAKEN, handover=Claim("third", "Third", 1))
PICKING = msgspec.structs.replace(ORDER, stage=Stage.PICKING)
RETIRED = msgspec.structs.replace(ORDER, stage=Stage.SHIPPED, retired_ms=1)
SHORT = ShortPick((ShortLine(1, 2, "SKU-1"),), "not found")


def found(change: Change, before: Order | None, after: Order | None, **said: object) -> list[str]:
    """Return the laws that an applied operation breaks that made ``after`` of ``before``."""
    outcome = said.pop("outcome", Outcome.APPLIED)
    role = said.pop("role", Role.SUPERVISOR)
    operation = Operation("op-1", "order-1", change, "device-1", 1, ME, **said)  # type: ignore[arg-type]
    entry = LogEntry(1, operation, outcome, 2)  # type: ignore[arg-type]
    return list(broken(entry, before, after, [role]))  # type: ignore[list-item]


CHANGES: tuple[Change, ...] = (
    *(Move(stage) for stage in Stage),
    *(Take(), RequestHandover(), Assign(ME, "Me"), Note("more"), Tag(("fragile",), ("gift",)), SHORT),
    *(Pick(1, 1, "SKU-1"), Pick(1, 3), Pick(9, 1, "SKU-9"), Pick(1, -1), Pack(1), Pack(0), Ship("T-1")),
    *(Pick(9, -1, "SKU-9"), ShortPick((ShortLine(8, 1), ShortLine(9, 1)), "gone")),
    Edit(OrderPatch(customer="New"), OrderPatch(customer="")),
)


@pytest.mark.parametrize("order", [ORDER, HELD, CANCELLED, TAKEN, ASKED, PICKING, RETIRED])
@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
def test_what_the_state_machine_makes_is_lawful(order: Order, change: Change) -> None:
    """Two statements of one table agree, in every state."""
    operation = Operation("op-1", order.id, change, "device-1", 1, ME)
    decision = decide(order, operation, Judge(ME, "Me", Role.SUPERVISOR, 5))
    entry = LogEntry(1, operation, decision.outcome, 5, reason=decision.reason)
    assert list(broken(entry, order, decision.order, [Role.SUPERVISOR])) == []


def changed(order: Order, **fields: object) -> Order:
    """Return an order with other fields, one revision on."""
    return msgspec.structs.replace(order, revision=order.revision + 1, **fields)


def lines(order: Order, **fields: object) -> Order:
    """Return an order whose first line has other quantities."""
    return changed(order, lines=(msgspec.structs.replace(order.lines[0], **fields), *order.lines[1:]))


@pytest.mark.parametrize(
    ("change", "before", "after", "sentence"),
    [
        (Create(ORDER), ORDER, ORDER, "made anew"),
        (Move(Stage.PICKING), HELD, changed(HELD, stage=Stage.PICKING), "on hold moved on"),
        (
            Move(Stage.PICKING),
            CANCELLED,
            changed(CANCELLED, stage=Stage.PICKING),
            "cancelled order was moved",
        ),
        (Move(Stage.PICKING), TAKEN, changed(TAKEN, stage=Stage.PICKING), "out of somebody's hands"),
        (Move(Stage.PICKING), ORDER, changed(ORDER, stage=Stage.PICKED), "went elsewhere"),
        (Take(), TAKEN, changed(TAKEN, claimed_by=Claim(ME, "Me", 2)), "out of somebody's hands"),
        (Take(), ORDER, changed(ORDER), "is not there"),
        (RequestHandover(), ASKED, changed(ASKED, handover=Claim(ME, "Me", 2)), "asked first"),
        (RequestHandover(), ORDER, changed(ORDER, handover=Claim(ME, "Me", 2)), "nobody holds"),
        (Assign(ME, "Me"), ORDER, changed(ORDER, assignee_id="you"), "to somebody else"),
        (Note("more"), ORDER, changed(ORDER, note="more"), "another's place"),
        (Tag(("fragile",)), ORDER, changed(ORDER, tags=("fragile",)), "tags are not"),
        (Pick(1, 1), ORDER, None, "was not counted"),
        (Pick(1, 1), lines(ORDER, quantity_picked=1), lines(ORDER, quantity_picked=1), "was not counted"),
        (Pick(1, 1), ORDER, lines(ORDER, quantity_picked=2), "a pick of 1 made 2 of 0"),
        (Pick(1, 3), ORDER, lines(ORDER, quantity_picked=3), "too many picked"),
        (Pick(1, 1), CANCELLED, lines(CANCELLED, quantity_picked=1), "picked after it was cancelled"),
        (Pick(1, 1), HELD, lines(HELD, quantity_picked=1), "picked while on hold"),
        (Pick(9, 1, "SKU-9"), ORDER, changed(ORDER), "left no exception"),
        (SHORT, ORDER, changed(lines(ORDER, quantity_short=3), backorders=1), "3 pieces are short"),
        (SHORT, ORDER, lines(ORDER, quantity_short=2), "do not go together"),
        (Pack(2), ORDER, changed(ORDER, parcels=1), "1 parcels stand there"),
        (Pack(1), CANCELLED, changed(CANCELLED, parcels=1), "packed after it was cancelled"),
        (Pack(1), HELD, changed(HELD, parcels=1), "packed while on hold"),
        (Ship("T"), ORDER, changed(ORDER, tracking_number="T"), "stands elsewhere"),
        (Ship("T"), ORDER, changed(ORDER, stage=Stage.SHIPPED), "label was lost"),
        (Ship(), CANCELLED, changed(CANCELLED, stage=Stage.SHIPPED), "shipped after it was cancelled"),
        (Ship(), HELD, changed(HELD, stage=Stage.SHIPPED), "shipped while on hold"),
        (Ship(), RETIRED, changed(RETIRED, tracking_number="T"), "did not bring it back"),
    ],
)
def test_each_law_can_complain(change: Change, before: Order, after: Order | None, sentence: str) -> None:
    """What a defect of the state machine would make is named."""
    assert any(sentence in each for each in found(change, before, after))


def test_what_an_operation_read_is_a_law_too() -> None:
    """Stages, lines, fields and revisions that were not any more, and rights that nobody had."""
    moved = changed(PICKING, stage=Stage.PICKED)
    assert found(Move(Stage.PICKED), PICKING, moved) == []
    assert "was not any more" in str(found(Move(Stage.PICKED), PICKING, moved, base_stage=Stage.CONFIRMED))
    assert "lines had changed" in str(found(Move(Stage.PICKED), PICKING, moved, base_lines=1))
    cancelled = changed(ORDER, cancelled_ms=2)
    assert "changed the order since" in str(found(Cancel(), ORDER, cancelled, undoes="op-0", base_revision=9))
    assert "without the right" in str(found(Cancel(), ORDER, cancelled, role=Role.VIEWER))
    edit = Edit(OrderPatch(customer="New"), OrderPatch(customer="Old"))
    assert "overwrote" in str(found(edit, ORDER, changed(ORDER, customer="New")))
    assert "was lost" in str(found(edit, msgspec.structs.replace(ORDER, customer="Old"), changed(ORDER)))
    others = msgspec.structs.replace(ORDER, assignee_id="other")
    assert "was not told so" in str(found(Assign(ME, "Me"), others, changed(others, assignee_id=ME)))
    assert "changed nothing" in str(found(Move(Stage.PICKED), PICKING, None, outcome=Outcome.NOOP))
    twice = changed(
        ORDER, lines=tuple(msgspec.structs.replace(each, quantity_picked=1) for each in ORDER.lines)
    )
    assert "more than its line" in str(found(Pick(1, 1), ORDER, twice))
    no_reason = ShortPick(SHORT.lines)
    assert "without a reason" in str(found(no_reason, ORDER, lines(ORDER, quantity_short=1)))
    seen = OrderException(Reason.OVER_PICKED, "", "op-0", 1)
    told = changed(lines(ORDER, quantity_picked=3, picked_by=(Picked(ME, "Me", 3),)), exceptions=(seen,))
    assert found(Pick(1, 3), ORDER, told, outcome=Outcome.EXCEPTION) == []
    # Whose the pieces are.
    not_mine = changed(lines(ORDER, quantity_picked=3, picked_by=(Picked("u", "U", 3),)), exceptions=(seen,))
    assert "does not count for who picked" in str(found(Pick(1, 3), ORDER, not_mine))
    back = changed(told, exceptions=())
    assert found(Pick(1, -3), told, lines(back, quantity_picked=0, picked_by=())) == []
    assert "more pieces are somebody's" in str(found(Pick(1, -3), told, lines(back, quantity_picked=0)))
    more = lines(back, quantity_picked=0, picked_by=(Picked("u", "U", 1),))
    assert "has more than before" in str(found(Pick(1, -3), told, more))
    still = lines(told, quantity_picked=0, picked_by=())
    assert "is still told to" in str(found(Pick(1, -3), told, still))


def unknown(op_id: str) -> OrderException:
    """Return the exception of a line that the order does not have."""
    return OrderException(Reason.LINE_UNKNOWN.value, "No such line.", op_id, 2)


def test_a_piece_of_no_line_that_is_put_back_is_no_news() -> None:
    """And many lines that are short together are one."""
    told = changed(ORDER, exceptions=(unknown("op-1"),))
    assert "put it back" in found(Pick(9, -1, "SKU-9"), ORDER, told)[0]
    twice = changed(ORDER, exceptions=(unknown("op-1"), unknown("op-1")))
    assert found(SHORT, ORDER, twice)[0] == "one short pick opened many exceptions"


def test_whoever_put_an_order_on_hold_takes_that_back() -> None:
    """A picker may not release; only their own hold, and only as taking it back."""
    own = msgspec.structs.replace(ORDER, hold=Hold("other", "Me", 1, by_id=ME))
    operation = Operation("op-1", "order-1", Release(), "device-1", 1, ME, undoes="op-0", base_revision=1)
    entry = LogEntry(1, operation, Outcome.APPLIED, 2)
    for before, is_own, is_lawful in ((own, True, True), (own, False, False), (HELD, True, False)):
        after = changed(before, hold=None)
        assert (not list(broken(entry, before, after, [Role.PICKER], is_own_undo=is_own))) is is_lawful
