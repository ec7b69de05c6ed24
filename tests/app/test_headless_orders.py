"""Every kind of operation of ``headless``: what is made of a line, several orders at once, taking back."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from app.headless_wishes import CHANGES
from support.boards import SYSTEM
from support.drafts import draft
from support.headless_bench import SITE, HeadlessBench
from sync.client.news import BatchDecided, BatchOutcome, BoardChanged, OperationsDecided, Welcomed
from sync.contract.messages import Person, Verdict
from sync.contract.operations import (
    Assign,
    Cancel,
    Change,
    Create,
    Edit,
    Move,
    Note,
    Operation,
    Outcome,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reason,
    Reinstate,
    RequestHandover,
    Retire,
    Ship,
    ShortLine,
    ShortPick,
    Source,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import Address, Order, OrderPatch, lines_crc
from sync.contract.stages import Stage

KINDS: list[tuple[str, dict[str, Any], object]] = [
    ("move", {"to": "picked"}, Move(Stage.PICKED)),
    ("claim", {}, Take()),
    ("assign", {"person": "Ali", "person_id": "ali"}, Assign("ali", "Ali", "")),
    ("prioritise", {"priority": 2}, Prioritise(2)),
    ("hold", {"reason": "other", "note": "n", "until_ms": 9}, PutOnHold("other", "n", 9)),
    ("cancel", {"note": "the customer rang"}, Cancel("the customer rang")),
    ("pick", {"position": 1, "quantity": 2}, Pick(1, 2, "MUG")),
    ("pick", {"sku": "POT"}, Pick(2, 1, "POT")),
    (
        "short_pick",
        {"lines": [{"position": 2, "quantity": 2}], "reason": "damaged"},
        ShortPick((ShortLine(2, 2, "POT"),), "damaged"),
    ),
    ("pack", {"parcels": 2}, Pack(2)),
    ("ship", {"tracking_number": "JD01", "carrier": "DHL"}, Ship("JD01", "DHL")),
    ("note", {"text": "ring twice"}, Note("ring twice")),
    ("tag", {"add": ["gift"]}, Tag(("gift",))),
]


def order_of(floor: HeadlessBench, number: int = 1) -> Order:
    """Return an order as the pretended server has it."""
    return floor.board.orders[f"order-{number}"]


def meanwhile(floor: HeadlessBench, op_id: str, done: Change, order_id: str = "order-1") -> None:
    """Let somebody else do something, and the page arrive."""
    floor.board.decide(draft(op_id, order_id, done))
    change = floor.board.send(floor.cache)
    floor.floor.on_news(BoardChanged(change.changed, change.removed, (), change.cursor, 0))


@pytest.mark.parametrize(("kind", "fields", "change"), KINDS)
def test_a_line_becomes_an_operation(
    floor: HeadlessBench, kind: str, fields: dict[str, Any], change: object
) -> None:
    """With what was on screen, decided like any other, and told with its kind."""
    floor.ask(**{kind: {"number": "SO-1", **fields}}, ref="r")
    (operation,) = floor.engine.submitted
    assert (operation.change, operation.order_id) == (change, "order-1")
    assert (operation.source, operation.batch_id) == (Source.KEY, "")
    assert (operation.base_stage, operation.base_revision) == (Stage.CONFIRMED, 1)
    floor.finish()
    assert (floor.last("operation")["kind"], floor.last("operation")["ref"]) == (kind, "r")


def test_what_needs_something_before_it(floor: HeadlessBench) -> None:
    """Letting go, releasing, opening again, asking for somebody else's order."""
    floor.ask(request_handover={"number": "SO-1"})
    assert floor.last("problem")["code"] == "NOT_CLAIMED"
    meanwhile(floor, "t", Take())
    floor.ask(request_handover={"number": "SO-1"})
    floor.ask(request_handover={"number": "SO-1", "withdrawn": True})
    floor.ask(unclaim={"number": "SO-1"})
    floor.ask(cancel={"number": "SO-2"})
    floor.ask(reinstate={"number": "SO-2"})
    assert [operation.change for operation in floor.engine.submitted] == [
        RequestHandover(),
        RequestHandover(withdrawn=True),
        Unclaim(),
        Cancel(),
        Reinstate(),
    ]


def test_every_kind_is_tried_here() -> None:
    """A request without a test above would not be noticed when it breaks."""
    alone = {"unclaim", "release", "request_handover", "reinstate", "edit"}
    assert {kind for kind, _, _ in KINDS} | alone == set(CHANGES)


def test_an_order_has_its_id_as_a_name_too(floor: HeadlessBench) -> None:
    """Programs know ids; so does a number with its sign, and the same order twice is one."""
    floor.ask(claim={"numbers": ["order-1", "#SO-1"]})
    assert [operation.order_id for operation in floor.engine.submitted] == ["order-1"]


def test_finishing_a_pick_names_the_lines_that_were_seen(floor: HeadlessBench) -> None:
    """So that the server can say that they changed; no other move is bound to them."""
    before = order_of(floor)
    floor.ask(move={"number": "SO-1", "to": "picking"})
    assert floor.engine.submitted[-1].base_lines is None
    floor.ask(move={"number": "SO-1", "to": "picked"})
    assert floor.engine.submitted[-1].base_lines == lines_crc(before)


def test_fields_are_corrected_with_what_they_were(floor: HeadlessBench) -> None:
    """What is left out stays; of an address only the parts that are named change."""
    before = order_of(floor)
    floor.ask(edit={"number": "SO-1", "ship_to": {"street": "New Street 1"}, "cut_off_ms": None})
    change = floor.engine.submitted[-1].change
    assert isinstance(change, Edit)
    assert change.fields == OrderPatch(
        cut_off_ms=None, ship_to=msgspec.structs.replace(before.ship_to, street="New Street 1")
    )
    assert change.was == OrderPatch(cut_off_ms=before.cut_off_ms, ship_to=before.ship_to)
    floor.finish()
    assert order_of(floor).ship_to.street == "New Street 1"
    floor.ask(edit={"number": "SO-1", "new_number": "SO-77", "customer": "Ada"})
    floor.finish()
    assert (order_of(floor).number, order_of(floor).customer) == ("SO-77", "Ada")
    floor.ask(undo={})
    floor.finish()
    assert order_of(floor).number == "SO-1"


def test_an_order_is_made_by_hand(floor: HeadlessBench) -> None:
    """For this site, confirmed, with numbered lines; undo cancels it."""
    line = {"sku": "MUG", "quantity": 2, "location": "A-03"}
    floor.ask(
        create={"number": "SO-9", "customer": "Ada", "lines": [line], "ship_to": {"city": "York"}}, ref="c"
    )
    (operation,) = floor.engine.submitted
    assert isinstance(operation.change, Create)
    order = operation.change.order
    assert order is not None
    assert (order.number, order.site_id, order.organization_id) == ("SO-9", "site-1", "organization-1")
    assert (order.stage, order.ship_to) == (Stage.CONFIRMED, Address(city="York"))
    assert [(line.position, line.sku, line.name) for line in order.lines] == [(1, "MUG", "MUG")]
    assert operation.order_id == order.id
    assert floor.floor.has_unsent
    floor.finish()
    assert floor.last("operation")["number"] == "SO-9"
    floor.ask(undo={})
    assert (floor.engine.submitted[-1].change, floor.engine.submitted[-1].undoes) == (
        Cancel(),
        operation.op_id,
    )


def test_an_order_that_is_not_made_yet_is_taken_back_later(floor: HeadlessBench) -> None:
    """It has not left the board, it is not there yet; the step is kept for when it is."""
    floor.ask(create={"number": "SO-9", "lines": [{"sku": "MUG"}]})
    (operation,) = floor.engine.submitted
    floor.ask(undo={})
    assert floor.last("problem")["sentence"] == "Not undone: order SO-9 is not on the board yet."
    assert floor.engine.submitted == [operation]
    floor.finish()
    floor.ask(undo={})
    assert floor.engine.submitted[-1].undoes == operation.op_id


def test_nobody_makes_orders_without_a_site_or_a_right(floor: HeadlessBench) -> None:
    """Before the first contact, and as a picker."""
    wish = {"number": "SO-9", "lines": [{"sku": "MUG"}]}
    floor.floor.on_news(Welcomed(SITE, Person("eva", "Eva", "picker", "s")))
    floor.ask(create=wish)
    assert floor.last("problem")["code"] == "FORBIDDEN"
    floor.floor._site = None
    floor.ask(create=wish, ref="c")
    assert (floor.last("problem")["code"], floor.last("problem")["ref"]) == ("SITE_UNKNOWN", "c")
    assert floor.engine.submitted == []


def test_a_wrong_item_and_one_too_many_are_not_counted(floor: HeadlessBench) -> None:
    """Named, with what to do with the hands."""
    floor.ask(pick={"number": "SO-1", "sku": "JUG"})
    assert floor.last("problem")["sentence"] == "Wrong item: JUG is not on order SO-1. It was not counted."
    assert floor.last("problem")["what_to_do"] == "Put it back. The order wants: MUG, POT."
    floor.ask(pick={"number": "SO-1", "position": 3})
    assert floor.last("problem")["code"] == "LINE_UNKNOWN"
    floor.ask(pick={"number": "SO-1"})
    assert "nothing is not on order" in floor.last("problem")["sentence"]
    floor.ask(pick={"number": "SO-1", "sku": "POT", "quantity": 3})
    assert floor.last("problem")["sentence"] == "0 of 2 x POT are picked already, 3 more are too many."
    floor.ask(short_pick={"number": "SO-1", "lines": [{"position": 1}, {"sku": "JUG"}]})
    assert floor.last("problem")["code"] == "LINE_UNKNOWN"
    assert floor.engine.submitted == []


def test_a_short_pick_without_a_reason_leaves_the_line_open(floor: HeadlessBench) -> None:
    """Nothing is sent: nothing changed."""
    floor.ask(short_pick={"number": "SO-1", "lines": [{"position": 1}]})
    assert floor.last("operation")["fate"] == "nothing_to_do"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"assign": {"number": "SO-1", "person": "Ali"}}', "PERSON_INCOMPLETE"),
        ('{"prioritise": {"number": "SO-1", "priority": 4}}', "LINE_UNREADABLE"),
        ('{"pick": {"number": "SO-1", "position": 1, "quantity": 9999999}}', "LINE_UNREADABLE"),
        ('{"pack": {"number": "SO-1", "parcels": -1}}', "LINE_UNREADABLE"),
        ('{"short_pick": {"number": "SO-1", "lines": []}}', "LINE_UNREADABLE"),
        ('{"tag": {"number": "SO-1", "add": [""]}}', "LINE_UNREADABLE"),
        ('{"edit": {"number": "SO-1", "weight": 3}}', "LINE_UNREADABLE"),
        ('{"create": {"number": "SO-1", "lines": []}}', "LINE_UNREADABLE"),
        ('{"claim": {}}', "ORDER_MISSING"),
        ('{"claim": {"numbers": []}}', "ORDER_MISSING"),
        ('{"undo": "nothing"}', "NOTHING_TO_UNDO"),
        ('{"undo": ""}', "NOTHING_TO_UNDO"),
    ],
)
def test_limits_are_told_before_anything_is_kept(floor: HeadlessBench, line: str, code: str) -> None:
    """What the server could not store does not get into the outbox."""
    floor.floor.on_line(line)
    assert floor.last("problem")["code"] == code
    assert floor.engine.submitted == []


def test_a_note_that_no_order_can_hold_is_refused(floor: HeadlessBench) -> None:
    """By its bytes."""
    floor.ask(note={"number": "SO-1", "text": "ü" * 40_000})
    assert floor.last("problem")["code"] == "NOTE_TOO_LONG"


def test_several_orders_are_one_batch_with_an_outcome_each(floor: HeadlessBench) -> None:
    """Those that may change do, together; the others are named at once and in the line of the batch."""
    meanwhile(floor, "h", PutOnHold("other"), "order-2")
    meanwhile(floor, "m", Move(Stage.PICKING), "order-4")
    floor.ask(move={"numbers": ["SO-1", "SO-2", "SO-3", "SO-4", "SO-9"], "to": "picking"}, ref="b")
    operations = floor.engine.submitted
    assert [operation.order_id for operation in operations] == ["order-1", "order-3"]
    (batch_id,) = {operation.batch_id for operation in operations}
    assert batch_id
    assert {operation.source for operation in operations} == {Source.BULK}
    told = [line["problem"]["code"] for line in floor.said if "problem" in line]
    assert told == ["ORDER_UNKNOWN", "ON_HOLD", "ALREADY_CLAIMED"]
    verdicts = (
        Verdict(1, operations[0].op_id, 7, Outcome.APPLIED),
        Verdict(2, operations[1].op_id, 8, Outcome.REJECTED, Reason.ALREADY_CLAIMED, "Maria", 11),
    )
    floor.floor.on_news(OperationsDecided(verdicts))
    outcomes = tuple(
        BatchOutcome(operation.order_id, verdict)
        for operation, verdict in zip(operations, verdicts, strict=True)
    )
    floor.floor.on_news(BatchDecided(batch_id, outcomes))
    line = floor.last("batch")
    assert (line["batch_id"], line["ref"]) == (batch_id, "b")
    assert [(each["number"], each["outcome"], each["reason"]) for each in line["outcomes"]] == [
        ("SO-1", "applied", ""),
        ("SO-3", "rejected", "ALREADY_CLAIMED"),
        ("SO-9", "not_sent", "ORDER_UNKNOWN"),
        ("SO-2", "not_sent", "ON_HOLD"),
        ("SO-4", "not_sent", "ALREADY_CLAIMED"),
    ]
    assert "Maria" in line["outcomes"][1]["sentence"]
    # Only what came true is taken back.
    floor.ask(undo={})
    assert [operation.order_id for operation in floor.engine.submitted[2:]] == ["order-1"]


def test_what_is_so_already_is_part_of_the_batch(floor: HeadlessBench) -> None:
    """It is told as nothing to do; an order of another program's batch has no words of ours."""
    meanwhile(floor, "p", Prioritise(2), "order-2")
    floor.ask(prioritise={"numbers": ["SO-1", "SO-2"], "priority": 2})
    (operation,) = floor.engine.submitted
    verdict = Verdict(1, operation.op_id, 7, Outcome.APPLIED)
    floor.floor.on_news(BatchDecided(operation.batch_id, (BatchOutcome("order-1", verdict),)))
    assert [each["outcome"] for each in floor.last("batch")["outcomes"]] == ["applied", "nothing_to_do"]
    floor.floor.on_news(BatchDecided("other", (BatchOutcome("x", Verdict(1, "x", 1, Outcome.APPLIED)),)))
    assert floor.last("batch") == {
        "batch_id": "other",
        "outcomes": [{"number": "", "op_id": "x", "outcome": "applied", "reason": "", "sentence": ""}],
    }


# ---------------------------------------------------------------------- taking back


def undone(floor: HeadlessBench, wanted: str = "last") -> Operation:
    """Take something back, have it decided, and return the operation."""
    floor.ask(undo=wanted)
    floor.finish()
    assert floor.last("operation")["fate"] == "done"
    return floor.engine.submitted[-1]


@pytest.mark.parametrize(("kind", "fields", "change"), [row for row in KINDS if row[0] != "short_pick"])
def test_every_step_is_taken_back(
    floor: HeadlessBench, kind: str, fields: dict[str, Any], change: object
) -> None:
    """By a new operation that names it and the revision it left; then the order is as before."""
    before = order_of(floor)
    floor.ask(**{kind: {"number": "SO-1", **fields}})
    first = floor.engine.submitted[-1]
    floor.finish()
    back = undone(floor)
    assert (back.undoes, back.base_revision) == (first.op_id, 2)
    after = order_of(floor)
    told = (
        "claimed_by",
        "assignee_id",
        "priority",
        "hold",
        "cancelled_ms",
        "packed",
        "note",
        "tags",
        "lines",
    )
    assert [name for name in told if getattr(after, name) != getattr(before, name)] == (
        ["claimed_by"] if kind == "pick" else []
    )


def test_a_short_pick_is_not_taken_back(floor: HeadlessBench) -> None:
    """Its backorder is an order of its own; what was done before it stays done."""
    floor.ask(claim={"number": "SO-1"})
    floor.finish()
    floor.ask(short_pick={"number": "SO-1", "lines": [{"position": 1}], "reason": "gone"})
    floor.finish()
    floor.ask(undo={}, ref="u")
    problem = floor.last("problem")
    assert (problem["code"], problem["ref"]) == ("NOT_UNDONE", "u")
    assert problem["sentence"] == "Nothing takes this back: short pick of order SO-1."
    assert len(floor.engine.submitted) == 2


def test_steps_are_taken_back_one_after_the_other(floor: HeadlessBench) -> None:
    """The last one first; an own step in between does not stop it."""
    floor.ask(prioritise={"number": "SO-1", "priority": 2})
    floor.finish()
    floor.ask(note={"number": "SO-1", "text": "careful"})
    floor.finish()
    assert isinstance(undone(floor).change, Edit)
    assert undone(floor).change == Prioritise(0)
    assert (order_of(floor).note, order_of(floor).priority) == ("", 0)
    floor.ask(undo={})
    assert floor.last("problem")["code"] == "NOTHING_TO_UNDO"


def test_a_named_operation_is_taken_back_and_the_newer_one_stays(floor: HeadlessBench) -> None:
    """Also a whole batch by its id, or one order of it."""
    floor.ask(prioritise={"number": "SO-1", "priority": 2})
    first = floor.engine.submitted[-1]
    floor.finish()
    floor.ask(claim={"numbers": ["SO-2", "SO-3"]})
    two, three = floor.engine.submitted[1:]
    for operation in (two, three):
        floor.seq += 1
        floor.decide(msgspec.structs.replace(operation, device_id="device", device_seq=floor.seq))
    assert undone(floor, first.op_id).change == Prioritise(0)
    assert undone(floor, two.op_id).order_id == "order-2"
    floor.ask(undo=two.batch_id)
    assert floor.engine.submitted[-1].order_id == "order-3"


def test_nothing_is_taken_back_over_somebody_else(floor: HeadlessBench) -> None:
    """Whoever changed the order since would be overruled; the program says so itself."""
    floor.ask(prioritise={"number": "SO-1", "priority": 2})
    floor.finish()
    meanwhile(floor, "n", Note("by somebody else"))
    floor.ask(undo={}, ref="u")
    problem = floor.last("problem")
    assert (problem["code"], problem["ref"]) == ("CHANGED_SINCE", "u")
    assert problem["sentence"] == "Not undone: Ana K. changed #SO-1 after you, at 22:13."
    assert len(floor.engine.submitted) == 1


def test_a_change_before_the_own_one_does_not_stop_the_undo(floor: HeadlessBench) -> None:
    """Its page came together with ours: the revision is higher than thought, what we did still stands."""
    floor.ask(prioritise={"number": "SO-1", "priority": 2})
    floor.board.decide(draft("n", "order-1", Note("before us")))
    floor.finish()
    assert undone(floor).base_revision == 3
    assert order_of(floor).priority == 0


def test_a_change_of_the_same_in_the_same_page_stops_it(floor: HeadlessBench) -> None:
    """Our step does not stand any more when we first see the order again."""
    floor.ask(prioritise={"number": "SO-1", "priority": 2})
    operation = floor.save()
    floor.board.decide(operation)
    floor.board.decide(draft("p", "order-1", Prioritise(3)))
    change = floor.board.send(floor.cache)
    floor.floor.on_news(BoardChanged(change.changed, change.removed, (operation.op_id,), change.cursor, 1))
    floor.ask(undo={})
    assert floor.last("problem")["code"] == "CHANGED_SINCE"


def test_an_order_that_left_is_not_taken_back(floor: HeadlessBench) -> None:
    """It is named, and that it left was told when it happened."""
    floor.ask(cancel={"number": "SO-1"})
    floor.finish()
    floor.board.decide(draft("r", "order-1", Retire()), SYSTEM)
    change = floor.board.send(floor.cache)
    floor.floor.on_news(BoardChanged(change.changed, change.removed, (), change.cursor, 0))
    assert floor.last("retired") == {"orders": 1, "numbers": ["SO-1"]}
    floor.ask(undo={})
    assert floor.last("problem")["sentence"] == "Not undone: order SO-1 has left the board."


def test_a_second_hold_goes_back_to_the_first(floor: HeadlessBench) -> None:
    """With its reason and its note."""
    for reason in ("other", "incorrect address"):
        floor.ask(hold={"number": "SO-2", "reason": reason, "note": reason})
        floor.finish()
    assert undone(floor).change == PutOnHold("other", "other")


def test_lines_are_json_whatever_is_in_them(floor: HeadlessBench) -> None:
    """A number that nobody has comes back in the sentence as it was given."""
    floor.floor.on_line(json.dumps({"claim": {"number": 'a"b'}}))
    assert floor.last("problem")["sentence"] == 'There is no order a"b on this board.'
