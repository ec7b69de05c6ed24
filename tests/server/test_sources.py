"""A source that repeats itself changes nothing; what it changed is taken unless a person said otherwise."""

from __future__ import annotations

import msgspec
import pytest

from server.kernel.decisions import Decided, Loaded, decide_batch
from server.kernel.records import Submission
from server.sources import CutOff, as_said, digest, no_cut_off
from support.hub_bench import SITE, principal
from sync.contract.operations import Change, Create, Import, Move, Operation, Outcome, Reason
from sync.contract.orders import Address, Claim, Hold, LineItem, Order, OrderPatch, patched
from sync.contract.stages import Stage
from sync.contract.state_machine import decide

NOW = 1_700_000_000_000
NOON = NOW + 3_600_000
LINES = (LineItem(1, "CUP", "Cup", 2), LineItem(2, "TRAY", "Tray", 1))


def said(**fields: object) -> Order:
    """Return an order as a shop says it: no ids, no times that it does not know."""
    order = Order("", "", "", "shop", "R1", "1001", Stage.CONFIRMED, 0, 0, 0, 0, customer="Ada", lines=LINES)
    return msgspec.structs.replace(order, **fields)


class Room:
    """What the store would hold of one board, batch after batch."""

    def __init__(self) -> None:
        """Begin empty."""
        self.loaded = Loaded(0, 0)
        self.cut_off: CutOff = no_cut_off
        self.count = 0

    def decide(self, *changes: Change, by_person: bool = False, order_id: str = "") -> Decided:
        """Decide a batch and keep what it made."""
        self.loaded.cut_off = self.cut_off
        submissions = []
        for change in changes:
            self.count += 1
            operation = Operation(f"op-{self.count}", order_id or f"order-{self.count}", change)
            submissions.append(Submission(operation, principal() if by_person else None))
        result = decide_batch(SITE, submissions, self.loaded, NOW, decide)
        self.loaded.seq, self.loaded.state_hash = result.seq, result.state_hash
        return result

    def hear(self, order: Order, said_ms: int = 0, *, by_person: bool = False) -> tuple[Outcome, Order]:
        """Let the shop speak; return the outcome and the order as it is now."""
        result = self.decide(Import(order, said_ms), by_person=by_person)
        verdict = result.answers[0]
        assert verdict is not None
        return verdict.outcome, self.order

    @property
    def order(self) -> Order:
        """The one order."""
        (order,) = self.loaded.orders.values()
        return order


def test_a_new_order_gets_the_times_that_nobody_said() -> None:
    """Times of 0 become the time of arrival; what the source said stays."""
    room = Room()
    hold = Hold("awaiting payment", "Import", 0, "pending")
    outcome, order = room.hear(said(hold=hold, cancelled_ms=0))
    assert outcome is Outcome.APPLIED
    assert (order.placed_ms, order.stage_ms, order.created_ms, order.cancelled_ms) == (NOW, NOW, NOW, NOW)
    assert order.updated_ms == NOW
    assert order.hold == msgspec.structs.replace(hold, at_ms=NOW)
    _, dated = Room().hear(said(placed_ms=5, stage_ms=6, cancelled_ms=7))
    assert (dated.placed_ms, dated.stage_ms, dated.cancelled_ms) == (5, 6, 7)


def test_the_same_again_changes_nothing() -> None:
    """Not the order, not its hash; the digest says so beforehand."""
    room = Room()
    room.hear(said())
    before, state_hash = room.order, room.loaded.state_hash
    assert room.hear(said()) == (Outcome.NOOP, before)
    assert room.loaded.state_hash == state_hash
    assert digest(said()) == room.loaded.said["shop", "R1"].digest != digest(said(note="ring twice"))


def test_what_the_source_changed_is_taken_as_a_patch() -> None:
    """Every terminal builds the same order out of the log entry."""
    room = Room()
    _, before = room.hear(said())
    ship_to = Address(city="Bath")
    result = room.decide(Import(said(customer="Ada B.", ship_to=ship_to, placed_ms=9, tags=("gift",))))
    entry = result.rows[0].entry
    assert (entry.outcome, entry.operation.order_id, entry.operation.change) == (
        Outcome.MERGED,
        before.id,
        Import(),
    )
    assert entry.patch is not None
    assert patched(before, entry.patch) == room.order
    assert (room.order.customer, room.order.ship_to, room.order.placed_ms) == ("Ada B.", ship_to, 9)
    assert room.order.revision == before.revision + 1


def test_an_older_word_changes_nothing() -> None:
    """A replayed message of yesterday does not undo today's; the newest word stays the base."""
    room = Room()
    room.hear(said(note="first"), said_ms=10)
    room.hear(said(note="second"), said_ms=20)
    assert room.hear(said(note="first"), said_ms=10)[0] is Outcome.NOOP
    assert room.order.note == "second"
    assert room.hear(said(note="second"), said_ms=20)[0] is Outcome.NOOP
    assert room.hear(said(note="third"))[1].note == "third"
    room.hear(said(note="fourth"), said_ms=40)
    room.hear(said(note="third"), said_ms=30)
    assert room.hear(said(note="fifth"), said_ms=50)[1].note == "fifth"


def test_a_time_that_is_no_longer_said_stays() -> None:
    """An export without the column does not make an order of today out of it."""
    room = Room()
    room.hear(said(placed_ms=9))
    assert room.hear(said(placed_ms=0))[0] is Outcome.NOOP
    assert room.order.placed_ms == 9


def test_what_a_person_corrected_stays() -> None:
    """The source may repeat or change its own value: the correction is not overwritten."""
    room = Room()
    _, order = room.hear(said(note="leave at door"))
    room.loaded.orders[order.id] = msgspec.structs.replace(order, note="ask for Ben")
    outcome, after = room.hear(said(note="leave at gate", customer="Eve"))
    assert (outcome, after.note, after.customer) == (Outcome.MERGED, "ask for Ben", "Eve")


def test_an_order_whose_first_word_is_not_known_is_only_remembered() -> None:
    """Orders of earlier releases have no base: the first word becomes it, the next one counts."""
    room = Room()
    room.hear(said())
    room.loaded.said.clear()
    assert room.hear(said(note="new"))[0] is Outcome.NOOP
    assert room.hear(said(note="new", customer="Eve"))[1].customer == "Eve"


def test_a_person_brings_no_work_with_an_order() -> None:
    """What comes through the interface is what a source can say: no claim, no picks, no exceptions."""
    claimed = said(
        claimed_by=Claim("ben", "Ben", 1), lines=(LineItem(7, "CUP", "Cup", 2, "", 2),), stage_by="x"
    )
    _, order = Room().hear(claimed, by_person=True)
    assert (order.claimed_by, order.stage_by, order.lines) == (None, "", (LineItem(1, "CUP", "Cup", 2),))
    _, demo = Room().hear(claimed)
    assert demo.claimed_by == Claim("ben", "Ben", 1)


def test_what_a_terminal_sends_as_patch_is_ignored() -> None:
    """Only the server says what is taken."""
    room = Room()
    _, order = room.hear(said())
    patch = OrderPatch(customer="Mallory")
    result = room.decide(Import(patch=patch), by_person=True, order_id=order.id)
    verdict = result.answers[0]
    assert verdict is not None
    assert verdict.reason is Reason.UNKNOWN_ORDER
    assert room.order == order


def test_the_cut_off_is_worked_out_where_none_is_given() -> None:
    """At arrival, and again when the ship method changes; a given one stays given."""
    room = Room()
    room.cut_off = lambda method, _now: (NOON, method) if method else (None, "")
    _, order = room.hear(said())
    assert (order.cut_off_ms, order.cut_off_rule) == (None, "")
    _, order = room.hear(said(ship_method="van"))
    assert (order.cut_off_ms, order.cut_off_rule) == (NOON, "van")
    _, order = room.hear(said(ship_method="van", cut_off_ms=77))
    assert (order.cut_off_ms, order.cut_off_rule) == (77, "")
    _, order = room.hear(said(ship_method="bike", cut_off_ms=77))
    assert (order.cut_off_ms, order.cut_off_rule) == (77, "")
    _, order = room.hear(said(ship_method="bike"))
    assert (order.cut_off_ms, order.cut_off_rule) == (NOON, "bike")
    typed = room.decide(Create(said(ship_method="van", external_ref="")))
    (made,) = typed.written.values()
    assert (made.order.cut_off_ms, made.order.cut_off_rule) == (NOON, "van")


def test_a_hold_and_a_cancellation_of_the_source_get_their_time() -> None:
    """Also when they come later."""
    room = Room()
    room.hear(said())
    _, order = room.hear(said(hold=Hold("awaiting payment", "Import", 0)))
    assert order.hold == Hold("awaiting payment", "Import", NOW)
    _, order = room.hear(said(hold=Hold("awaiting payment", "Import", 5)))
    assert order.hold == Hold("awaiting payment", "Import", 5)
    _, order = room.hear(said(cancelled_ms=0))
    assert (order.cancelled_ms, order.hold) == (NOW, None)


def test_a_word_that_is_refused_is_not_remembered() -> None:
    """An order of another site stays that site's."""
    room = Room()
    room.loaded.references["shop", "R1"] = "elsewhere"
    result = room.decide(Import(said()))
    verdict = result.answers[0]
    assert verdict is not None
    assert verdict.reason is Reason.DUPLICATE_ORDER
    assert result.said == {}


@pytest.mark.parametrize("stage", [Stage.PICKING, Stage.SHIPPED])
def test_a_stage_that_a_person_chose_is_not_the_sources(stage: Stage) -> None:
    """Also after the person moved it back to where it came from."""
    room = Room()
    _, order = room.hear(said())
    room.decide(Move(Stage.PICKING), by_person=True, order_id=order.id)
    room.decide(Move(Stage.CONFIRMED), by_person=True, order_id=order.id)
    assert room.order.stage_by == principal().person.id
    assert room.hear(said(stage=stage, stage_ms=5))[1].stage is Stage.CONFIRMED


def test_the_base_is_a_pure_function_of_the_words() -> None:
    """Whatever else stands on the order, what its source said is the same."""
    room = Room()
    _, order = room.hear(said(placed_ms=4, stage_ms=4))
    assert as_said(order) == as_said(said(placed_ms=4, stage_ms=4))
    assert [line.position for line in as_said(order).lines] == [1, 2]
    assert as_said(order).revision == 1
    mark = Claim("user-9", "Maria", 77)
    worked_on = msgspec.structs.replace(
        order, handover=mark, packed=mark, parcels=2, assignee="Ali", assignee_id="ali", assigned_by="Eva"
    )
    assert as_said(worked_on) == as_said(order)
