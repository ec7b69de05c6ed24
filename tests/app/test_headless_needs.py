"""What waits for a person, without a window: listed, seen, settled, tried again, exported, told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.boards import SYSTEM
from support.drafts import draft
from support.headless_bench import SITE, HeadlessBench
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.news import (
    BoardChanged,
    BoardRepaired,
    NeedsYouChanged,
    OperationFaulted,
    OperationsDone,
    OperationsReoffered,
    ProblemCleared,
    QueueStuck,
    SnapshotHeld,
    Started,
)
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Acknowledge,
    Cancel,
    Operation,
    Outcome,
    Pick,
    PutOnHold,
    Reason,
    Resolve,
)
from sync.contract.problems import Problem

MINE = Operation("op-1", "order-1", Cancel(), "device", 1, wall_ms=1_700_000_000_000)
REJECTED = NeedsYou(
    "op-1", NeedsYouKind.REJECTED, 5, MINE, Verdict(1, "op-1", 9, Outcome.REJECTED, Reason.FORBIDDEN)
)
SALVAGED = NeedsYou(
    "salvage-x", NeedsYouKind.SALVAGED, 6, problem=Problem("OUTBOX_SALVAGED", "Saved.", "Look.")
)


def arrive(floor: HeadlessBench, *own: str) -> None:
    """Let the page of the pretended server arrive."""
    change = floor.board.send(floor.cache)
    floor.floor.on_news(BoardChanged(change.changed, change.removed, own, change.cursor, 0))


def overtaken(floor: HeadlessBench) -> str:
    """Pick of an order that was cancelled meanwhile; return the id of the pick."""
    floor.ask(pick={"number": "SO-1", "position": 1, "quantity": 2})
    operation = floor.save()
    floor.board.decide(draft("c", "order-1", Cancel()), SYSTEM)
    floor.decide(operation)
    return operation.op_id


def test_entries_are_told_at_the_start_and_as_they_come_and_go(floor: HeadlessBench) -> None:
    """With the sentence for people, and how many wait."""
    floor.floor.on_news(Started((), SITE, None, 5, (SALVAGED,)))
    assert floor.last("ready")["needs_you"] == 1
    floor.floor.on_news(NeedsYouChanged((REJECTED,)))
    told = floor.last("needs_you_changed")
    assert (told["removed"], told["waiting"]) == ([], 2)
    assert told["entries"] == [
        {
            "id": "op-1",
            "kind": "rejected",
            "at_ms": 5,
            "number": "SO-1",
            "order_id": "order-1",
            "operation": "cancel",
            "reason": "FORBIDDEN",
            "sentence": "Your role may not do this to #SO-1. You cancelled it at 22:13. "
            "Ask a supervisor; it is kept under Needs you.",
        }
    ]
    floor.floor.on_news(NeedsYouChanged((), ("op-1", "unknown")))
    assert floor.last("needs_you_changed") == {"entries": [], "removed": ["op-1"], "waiting": 1}
    floor.ask(needs_you={}, ref="n")
    (entry,) = floor.last("needs_you")["entries"]
    assert (entry["kind"], entry["sentence"], entry["number"]) == ("salvaged", "Saved. Look.", "")
    assert floor.last("needs_you")["ref"] == "n"


def test_an_entry_is_seen_or_tried_again_through_the_engine(floor: HeadlessBench) -> None:
    """A salvage can only be seen; what nobody knows is a problem."""
    floor.floor.on_news(NeedsYouChanged((REJECTED, SALVAGED)))
    floor.ask(acknowledge="op-1")
    floor.ask(retry="op-1")
    floor.ask(retry="salvage-x", ref="r")
    assert (floor.last("problem")["code"], floor.last("problem")["ref"]) == ("NOT_RETRIED", "r")
    for request in ({"retry": "who"}, {"acknowledge": "who"}, {"resolve": {"id": "who"}}):
        floor.ask(**request)
        assert floor.last("problem")["code"] == "ENTRY_UNKNOWN"
        assert "who" in floor.last("problem")["sentence"]
    floor.ask(accept_board={})
    assert floor.engine.asked == [("acknowledge", "op-1"), ("retry", "op-1"), ("accept_board", "")]
    assert floor.engine.submitted == []


def test_an_exception_is_told_when_the_board_has_it(floor: HeadlessBench) -> None:
    """With what the hands do next; the verdict before it could not know the shelves."""
    op_id = overtaken(floor)
    lines = [line["operation"] for line in floor.said if "operation" in line]
    (told,) = [line for line in lines if line["fate"] == "exception"]
    assert (told["op_id"], told["reason"]) == (op_id, "PICKED_AFTER_CANCEL")
    assert "Put back: 2 x A-03." in told["sentence"]
    decided = next(line for line in lines if line["fate"] == "decided")
    assert (decided["outcome"], decided["reason"]) == ("exception", "PICKED_AFTER_CANCEL")


def test_an_exception_is_listed_seen_and_settled(floor: HeadlessBench) -> None:
    """Both are operations like any other, and none that undo would take back."""
    op_id = overtaken(floor)
    floor.ask(needs_you={})
    (listed,) = floor.last("needs_you")["exceptions"]
    assert (listed["id"], listed["number"], listed["code"]) == (op_id, "SO-1", "PICKED_AFTER_CANCEL")
    assert (listed["seen_by"], listed["seen_ms"]) == ("", None)
    floor.ask(acknowledge=op_id, ref="a")
    floor.finish()
    floor.ask(needs_you={})
    assert floor.last("needs_you")["exceptions"][0]["seen_by"] == "Ana K."
    floor.ask(acknowledge=op_id)
    assert floor.last("operation")["fate"] == "nothing_to_do"
    floor.ask(resolve={"id": op_id, "how": "returned"})
    floor.finish()
    floor.ask(needs_you={})
    assert floor.last("needs_you")["exceptions"] == []
    changes = [operation.change for operation in floor.engine.submitted]
    assert changes == [Pick(1, 2, "MUG"), Acknowledge(op_id), Resolve(op_id, "returned")]
    floor.ask(undo={})
    assert floor.last("problem")["code"] == "CHANGED_SINCE"


def test_a_seen_exception_is_not_told_again(floor: HeadlessBench) -> None:
    """Nor one that somebody else opened: it is in the list."""
    op_id = overtaken(floor)
    floor.ask(acknowledge=op_id)
    floor.finish()
    floor.said.clear()
    floor.floor.on_news(OperationsDone((op_id, "nobody's")))
    assert [line for line in floor.said if line.get("operation", {}).get("fate") == "exception"] == []


def test_entries_are_written_whole_into_a_new_file(floor: HeadlessBench, tmp_path: Path) -> None:
    """One a line; a file that is there stays, a folder that is not is a problem."""
    floor.floor.on_news(NeedsYouChanged((REJECTED, SALVAGED)))
    path = tmp_path / "export.jsonl"
    floor.ask(export_needs_you=str(path), ref="x")
    assert floor.last("exported") == {"path": str(path), "entries": 2, "ref": "x"}
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["id"] for line in lines] == ["op-1", "salvage-x"]
    assert lines[0]["operation"]["change"] == {"kind": "cancel"}
    floor.ask(export_needs_you=str(path))
    assert floor.last("problem")["code"] == "FILE_THERE"
    for bad in (str(tmp_path / "no" / "folder"), "bad\0name"):
        floor.ask(export_needs_you=bad)
        assert floor.last("problem")["code"] == "NOT_WRITTEN"


def test_what_the_engine_says_of_queue_and_board(floor: HeadlessBench) -> None:
    """Each is a line of its own."""
    for news in (
        SnapshotHeld(120, 400),
        BoardRepaired(3),
        QueueStuck(5, 2),
        QueueStuck(0, 0),
        ProblemCleared("QUEUE_STUCK"),
    ):
        floor.floor.on_news(news)
    assert floor.said == [
        {"snapshot_held": {"removed": 120, "open": 400}},
        {"repaired": {"orders": 3}},
        {"stuck": {"since_ms": 5, "count": 2}},
        {"stuck": {"since_ms": None, "count": 0}},
        {"problem_over": {"code": "QUEUE_STUCK"}},
    ]


def test_what_the_server_failed_on_and_what_is_offered_again(floor: HeadlessBench) -> None:
    """Fates of the operation, with its number."""
    floor.ask(hold={"number": "SO-2", "reason": "other"})
    operation = floor.save()
    floor.floor.on_news(OperationFaulted(operation.op_id, 3))
    assert (floor.last("operation")["fate"], floor.last("operation")["count"]) == ("faulted", 3)
    floor.floor.on_news(OperationsReoffered((operation,)))
    assert (floor.last("operation")["fate"], floor.last("operation")["number"]) == ("offered_again", "SO-2")


def test_an_order_keeps_its_number_after_it_left(floor: HeadlessBench) -> None:
    """In the entry about it, when this terminal did something to it."""
    floor.ask(hold={"number": "SO-2", "reason": "other"})
    operation = floor.save()
    floor.floor.close_view()
    verdict = Verdict(1, operation.op_id, 9, Outcome.REJECTED, Reason.UNKNOWN_ORDER)
    entry = NeedsYou(operation.op_id, NeedsYouKind.REJECTED, 5, operation, verdict)
    floor.floor.on_news(NeedsYouChanged((entry,)))
    assert floor.last("needs_you_changed")["entries"][0]["number"] == "SO-2"


@pytest.mark.parametrize("change", [PutOnHold("other"), Cancel()])
def test_an_order_without_exceptions_needs_nobody(floor: HeadlessBench, change: PutOnHold | Cancel) -> None:
    """Being on hold or cancelled is no disagreement."""
    floor.board.decide(draft("x", "order-3", change))
    arrive(floor)
    floor.ask(needs_you={})
    assert floor.last("needs_you") == {"entries": [], "exceptions": []}
