"""The lines of ``headless``: every request and every news, on a board in a file, without an engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from support.headless_bench import PERSON, SITE, HeadlessBench
from support.orders import make_order
from sync.client.news import (
    BoardChanged,
    ClockSkew,
    ConnectionChanged,
    DelayMeasured,
    LinkState,
    OlderOrdersFound,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsSaved,
    ProblemArose,
    SnapshotApplied,
    Started,
    Stopped,
    Welcomed,
)
from sync.contract.messages import Person, Verdict
from sync.contract.operations import Cancel, Operation, Outcome, PutOnHold, Reason, Ship
from sync.contract.orders import HoldReason
from sync.contract.problems import Problem
from sync.contract.stages import Stage


@pytest.fixture
def empty_floor(tmp_path: Path) -> Iterator[HeadlessBench]:
    """Return a floor terminal that has never seen a board."""
    folder = tmp_path / "empty"
    folder.mkdir()
    made = HeadlessBench(folder, is_empty=True)
    yield made
    made.close()


def test_the_start_says_what_the_profile_holds(tmp_path: Path) -> None:
    """Orders in the cache, and moves of an earlier run."""
    made = HeadlessBench(tmp_path)
    pending = Operation("old", "order-1", PutOnHold("other"), "device", 1, actor_id="eva")
    assert not bool(made.floor.is_settled)
    made.floor.on_news(Started((pending,), SITE, PERSON, 5))
    assert made.last("ready") == {
        "profile": "/profile",
        "server": "http://server",
        "attached": False,
        "version": "1.0",
        "orders": 4,
        "not_sent": 1,
        "needs_you": 0,
    }
    assert not bool(made.floor.is_settled)
    made.floor.on_news(ConnectionChanged(LinkState.OFFLINE, 5, "refused"))
    assert made.last("connection") == {"state": "offline", "since_ms": 5, "detail": "refused"}
    assert made.floor.is_settled
    made.floor.on_news(OperationsDone(("old",)))
    assert made.last("operation")["number"] == "SO-1"
    made.close()


def test_a_move_has_all_its_fates(floor: HeadlessBench) -> None:
    """Saved, decided, done, each with the caller's word; then the order as it is."""
    floor.ask(move={"number": "SO-1", "to": "picking"}, ref="r")
    assert floor.floor.has_unsent
    floor.finish()
    fates = [line["operation"] for line in floor.said if "operation" in line]
    assert [(fate["fate"], fate["ref"], fate["device_seq"]) for fate in fates] == [
        ("saved", "r", 1),
        ("decided", "r", 1),
        ("done", "r", 1),
    ]
    assert floor.last("order")["stage"] == "picking"
    assert floor.last("order")["fate"] == "settled"
    assert not bool(floor.floor.has_unsent)
    operation = floor.engine.submitted[0]
    assert (operation.base_stage, operation.base_revision) == (Stage.CONFIRMED, 1)


@pytest.mark.parametrize("kind", ["claim", "hold"])
def test_what_was_done_is_undone(floor: HeadlessBench, kind: str) -> None:
    """By a new operation that names the first one; a second undo finds nothing."""
    request = {"number": "SO-1"} | ({"reason": "other", "note": "n"} if kind == "hold" else {})
    floor.ask(**{kind: request})
    floor.finish()
    assert floor.last("operation")["kind"] == kind
    floor.ask(undo={}, ref="back")
    done, undo = floor.engine.submitted
    assert undo.undoes == done.op_id
    assert undo.base_revision == 2
    floor.finish()
    assert floor.last("operation")["kind"] == {"claim": "unclaim", "hold": "release"}[kind]
    floor.ask(undo={}, ref="again")
    assert floor.last("problem")["code"] == "NOTHING_TO_UNDO"
    assert floor.last("problem")["ref"] == "again"


@pytest.mark.parametrize("kind", ["unclaim", "release"])
def test_giving_back_is_undone_as_well(floor: HeadlessBench, kind: str) -> None:
    """A hold comes back with its reason and note."""
    floor.ask(claim={"number": "SO-1"})
    floor.finish()
    floor.ask(hold={"number": "SO-1", "reason": "other", "note": "why"})
    floor.finish()
    floor.ask(**{kind: {"number": "SO-1"}})
    floor.finish()
    floor.ask(undo={})
    floor.finish()
    assert floor.last("operation")["kind"] == {"unclaim": "claim", "release": "hold"}[kind]
    order = floor.board.orders["order-1"]
    assert order.hold is not None
    assert order.hold.note == "why"
    assert order.claimed_by is not None


def test_an_order_is_shipped_with_what_is_on_its_label(floor: HeadlessBench) -> None:
    """From any stage for who may skip one; again with another number corrects the number."""
    floor.ask(ship={"number": "SO-1", "tracking_number": "JD01", "carrier": "DHL"}, ref="s")
    assert floor.engine.submitted[-1].change == Ship("JD01", "DHL")
    floor.finish()
    assert floor.last("operation")["kind"] == "ship"
    floor.ask(ship={"number": "SO-1", "tracking_number": "JD02"})
    floor.finish()
    order = floor.board.orders["order-1"]
    assert (order.stage, order.tracking_number, order.carrier) == (Stage.SHIPPED, "JD02", "DHL")
    floor.ask(ship={"number": "SO-1", "tracking_number": "JD02"})
    assert floor.last("operation")["fate"] == "nothing_to_do"


def test_an_order_is_cancelled_with_a_note(floor: HeadlessBench) -> None:
    """Its card says so from then on, and nothing moves it any more."""
    floor.ask(cancel={"number": "SO-2", "note": "the customer rang"})
    assert floor.engine.submitted[-1].change == Cancel("the customer rang")
    floor.finish()
    assert floor.last("order")["cancelled"]
    floor.ask(move={"number": "SO-2", "to": "picking"})
    assert floor.last("problem")["code"] == "CANCELLED"


def test_an_order_is_found_on_the_board_and_among_the_older_ones(floor: HeadlessBench) -> None:
    """One line with both; questions are asked one after the other and answered in their order."""
    floor.ask(find="SO-1", ref="f")
    floor.ask(find="nowhere")
    assert floor.said == []
    (question,) = floor.engine.questions
    assert question.words == "SO-1"
    assert floor.floor.has_unsent
    old = make_order(
        9, number="SO-12", stage=Stage.SHIPPED, stage_ms=77, tracking_number="JD01", retired_ms=80
    )
    floor.floor.on_news(OlderOrdersFound("somebody else", question.number))
    floor.floor.on_news(OlderOrdersFound(question.asker, question.number, (old,), 3))
    found = floor.last("found")
    assert (found["words"], found["ref"], found["total"], found["older_total"]) == ("SO-1", "f", 1, 3)
    assert [order["number"] for order in found["orders"]] == ["SO-1"]
    assert found["older"] == [
        {
            "number": "SO-12",
            "order_id": old.id,
            "stage": "shipped",
            "customer": old.customer,
            "city": old.ship_to.city,
            "carrier": old.carrier,
            "tracking_number": "JD01",
            "shipped_ms": 77,
            "cancelled_ms": None,
        }
    ]
    second = floor.engine.questions[-1]
    assert (second.words, len(floor.engine.questions)) == ("nowhere", 2)
    floor.floor.on_news(
        OlderOrdersFound(second.asker, second.number, problem=Problem("SERVER_UNREACHABLE", "No."))
    )
    assert floor.last("problem")["code"] == "SERVER_UNREACHABLE"
    assert floor.last("found") == {
        "words": "nowhere",
        "total": 0,
        "orders": [],
        "older_total": None,
        "older": None,
    }
    assert not floor.floor._search.is_waiting
    # An answer that comes twice, or too late, is to nobody's question.
    floor.said.clear()
    floor.floor.on_news(OlderOrdersFound(second.asker, second.number))
    assert floor.said == []


def test_offline_only_the_board_is_searched(floor: HeadlessBench) -> None:
    """At once, and the line says that older orders were not looked through."""
    floor.floor.on_news(ConnectionChanged(LinkState.OFFLINE, 7))
    floor.ask(find="so-2")
    found = floor.last("found")
    assert ([order["number"] for order in found["orders"]], found["older"]) == (["SO-2"], None)
    floor.ask(find=" # ", ref="x")
    assert (floor.last("problem")["code"], floor.last("problem")["ref"]) == ("NOTHING_TO_FIND", "x")
    assert floor.engine.questions == []


def test_the_limit_of_a_list(floor: HeadlessBench) -> None:
    """The total counts what was left out; no stage means all."""
    floor.ask(list={"limit": 3})
    assert (floor.last("list")["total"], len(floor.last("list")["orders"])) == (4, 3)
    floor.ask(list={"stage": "confirmed"})
    assert [order["number"] for order in floor.last("list")["orders"]] != []
    floor.ask(list={"stage": "picked"})
    assert floor.last("list") == {"stage": "picked", "total": 0, "orders": []}


def test_the_status_tells_the_age_of_the_board(floor: HeadlessBench, empty_floor: HeadlessBench) -> None:
    """0 while live, seconds since it was, null when it never was."""
    floor.ask(status={})
    assert (floor.last("status")["board_age_s"], floor.last("status")["person"]) == (0, "Eva")
    floor.floor.on_news(ConnectionChanged(LinkState.OFFLINE, floor.clock.wall - 90_000))
    floor.ask(status={})
    assert floor.last("status")["board_age_s"] == 90
    empty_floor.floor.on_news(Started((), None, None, 0))
    empty_floor.ask(status={})
    status = empty_floor.last("status")
    assert (status["board_age_s"], status["person"], status["site"]) == (None, "", "")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('{"move": {"number": "SO-99", "to": "picking"}}', "ORDER_UNKNOWN"),
        ('{"move": {"number": "SO-1", "to": "cellar"}}', "STAGE_UNKNOWN"),
        ('{"list": {"stage": "cellar"}}', "STAGE_UNKNOWN"),
        ('{"hold": {"number": "SO-1", "reason": "bored"}}', "REASON_UNKNOWN"),
        ('{"release": {"number": "SO-1"}}', "NOT_ON_HOLD"),
        ('{"unclaim": {"number": "SO-1"}}', "NOT_CLAIMED"),
        ("move", "LINE_UNREADABLE"),
        ("{}", "LINE_UNREADABLE"),
        ("[]", "LINE_UNREADABLE"),
        ('{"status": {}, "quit": {}}', "LINE_UNREADABLE"),
        ('{"move": {"number": 5, "to": "picking"}}', "LINE_UNREADABLE"),
        ('{"move": {"number": "SO-1", "to": "picking", "now": true}}', "LINE_UNREADABLE"),
        ('{"delete": {"number": "SO-1"}}', "LINE_UNREADABLE"),
        ("[" * 100_000, "LINE_UNREADABLE"),
        ('{"hold": {"number": "SO-1", "reason": "other", "until_ms": 253370764800001}}', "LINE_UNREADABLE"),
        ('{"find": "' + "x" * (1024 * 1024) + '"}', "LINE_UNREADABLE"),
        ('{"move": {"number": "\udcff", "to": "picking"}}', "LINE_UNREADABLE"),
    ],
)
def test_lines_that_cannot_be_done_are_problems(floor: HeadlessBench, line: str, code: str) -> None:
    """One sentence and what to do; nothing is sent, and it goes on."""
    floor.floor.on_line(line)
    problem = floor.last("problem")
    assert problem["code"] == code
    assert problem["sentence"].endswith(".")
    assert floor.engine.submitted == []
    assert not bool(floor.floor.is_quitting)


def test_what_is_so_already_is_not_sent(floor: HeadlessBench) -> None:
    """A move to where the order stands needs no server."""
    floor.ask(move={"number": "SO-1", "to": "confirmed"})
    assert floor.last("operation")["fate"] == "nothing_to_do"
    assert floor.engine.submitted == []


def test_a_move_that_was_not_saved_is_taken_back(floor: HeadlessBench) -> None:
    """The board shows the order where it was."""
    floor.ask(move={"number": "SO-1", "to": "picking"})
    op_id = floor.engine.submitted[0].op_id
    problem = Problem("NOT_SAVED", "The disk is full.", "Make room.")
    floor.floor.on_news(OperationsNotSaved((op_id, "unknown"), problem))
    floor.floor.on_news(ProblemArose(problem))
    assert floor.last("operation")["fate"] == "not_saved"
    assert floor.last("problem")["code"] == "NOT_SAVED"
    assert not bool(floor.floor.has_unsent)
    floor.ask(list={"stage": "picking"})
    assert floor.last("list")["total"] == 0


def test_a_rejection_says_who_was_first(floor: HeadlessBench) -> None:
    """And the board shows the order where the server has it."""
    floor.ask(move={"number": "SO-1", "to": "picking"})
    operation = floor.save()
    verdict = Verdict(1, operation.op_id, 9, Outcome.REJECTED, Reason.ALREADY_CLAIMED, "Maria", 11)
    floor.floor.on_news(OperationsDecided((verdict,)))
    line = floor.last("operation")
    assert (line["reason"], line["by"], line["at_ms"], line["seq"]) == ("ALREADY_CLAIMED", "Maria", 11, 9)
    assert line["sentence"].startswith("#SO-1 was taken by Maria at 01:00. You moved it to Picking at 22:13.")
    assert not bool(floor.floor.has_unsent)
    floor.ask(list={"stage": "picking"})
    assert floor.last("list")["total"] == 0


def test_who_may_not_is_told_before_anything_is_sent(floor: HeadlessBench) -> None:
    """A viewer, or a role that this release does not know, changes nothing."""
    for role in ("viewer", "archangel"):
        floor.floor.on_news(Welcomed(SITE, Person("eva", "Eva", role, "s")))
        floor.ask(move={"number": "SO-1", "to": "picking"})
        assert floor.last("problem")["code"] == "FORBIDDEN"
    assert floor.engine.submitted == []


def test_other_requests_and_news(floor: HeadlessBench) -> None:
    """Try now, quit, a wrong clock, a snapshot; a delay is nobody's line."""
    floor.ask(try_now={})
    assert floor.engine.tries == 1
    floor.floor.on_news(ClockSkew(200_000))
    assert "3 minutes" in floor.last("problem")["sentence"]
    floor.said.clear()
    floor.floor.on_news(ClockSkew(0))
    floor.floor.on_news(DelayMeasured(3))
    assert floor.said == []
    floor.floor.on_news(SnapshotApplied(4, 4, (), 0))
    assert floor.last("snapshot") == {"seq": 4, "orders": 4}
    floor.ask(quit={})
    assert floor.floor.is_quitting
    assert not bool(floor.floor.has_failed)


def test_problems_end_a_terminal_that_has_no_board(floor: HeadlessBench, empty_floor: HeadlessBench) -> None:
    """With a cached board there is work to do; without one there is nothing to wait for."""
    problem = ProblemArose(Problem("SERVER_NOT_OURS", "That is a shop."))
    floor.floor.on_news(problem)
    assert not bool(floor.floor.is_quitting)
    empty_floor.floor.on_news(Started((), None, None, 0))
    empty_floor.floor.on_news(ProblemArose(Problem("SERVER_UNREACHABLE", "Nobody.")))
    assert not bool(empty_floor.floor.is_quitting)
    empty_floor.floor.on_news(problem)
    assert empty_floor.floor.is_quitting
    assert empty_floor.floor.has_failed


def test_an_engine_that_cannot_start_is_a_failure(empty_floor: HeadlessBench) -> None:
    """Its files cannot be used: there will never be a first line."""
    empty_floor.floor.on_news(ProblemArose(Problem("OUTBOX_UNUSABLE", "No.")))
    assert empty_floor.floor.has_failed


def test_fates_are_told_also_after_the_cache_was_let_go(floor: HeadlessBench) -> None:
    """At the end the engine may still save something."""
    floor.ask(move={"number": "SO-1", "to": "picking"})
    floor.floor.close_view()
    operation = floor.save()
    stranger = msgspec.structs.replace(operation, op_id="stranger", order_id="order-2")
    floor.floor.on_news(OperationsSaved((stranger,)))
    assert floor.last("operation")["number"] == ""
    floor.floor.on_news(BoardChanged((1,), (), (), 9, 0))
    floor.floor.on_news(ProblemArose(Problem("SERVER_NOT_OURS", "No.")))
    floor.floor.on_news(Stopped(is_clean=False))
    assert floor.last("stopped") == {"is_clean": False}
    assert floor.floor.is_stopped
    assert floor.floor.has_failed


def test_every_reason_for_a_hold_can_be_given(floor: HeadlessBench) -> None:
    """As the contract names them."""
    for reason in HoldReason:
        floor.ask(hold={"number": "SO-1", "reason": reason})
        floor.finish()
    assert len(floor.engine.submitted) == len(HoldReason)
