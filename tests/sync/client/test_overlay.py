"""Which operations lie on which orders, from the finger to the server's answer."""

from __future__ import annotations

from support.drafts import JUDGE, draft
from sync.client.overlay import Overlay
from sync.contract.operations import Operation
from sync.contract.rows import Fate


def numbered(op_id: str, order_id: str, device_seq: int) -> Operation:
    """Return an operation as the outbox gives it back."""
    return Operation(
        op_id, order_id, draft(op_id, order_id).change, "device", device_seq, "user-2", wall_ms=7
    )


def test_a_draft_is_saving_until_it_is_saved() -> None:
    """The numbered form takes the place of the draft, under the rights it was made with."""
    overlay = Overlay()
    assert overlay.begin([draft("a", "x"), draft("b", "x"), draft("c", "y")], JUDGE) == ["x", "y"]
    assert [entry.fate for entry in overlay.of("x")] == [Fate.SAVING, Fate.SAVING]
    assert overlay.saved([numbered("a", "x", 1)], JUDGE) == ["x"]
    first = overlay.of("x")[0]
    assert (first.operation.device_seq, first.fate, first.judge) == (1, Fate.PENDING, JUDGE)
    assert [entry.operation.op_id for entry in overlay.of("x")] == ["a", "b"]


def test_what_was_begun_elsewhere_is_added_as_its_own_actor() -> None:
    """At the start, or from a second program: replayed as who made it, when it was made."""
    overlay = Overlay()
    assert overlay.saved([numbered("a", "x", 1)], JUDGE) == ["x"]
    entry = overlay.of("x")[0]
    assert (entry.judge.actor_id, entry.judge.now_ms, entry.fate) == ("user-2", 7, Fate.PENDING)


def test_the_same_draft_twice_is_one() -> None:
    """A repeated id is not added again."""
    overlay = Overlay()
    overlay.begin([draft("a", "x")], JUDGE)
    assert overlay.begin([draft("a", "x")], JUDGE) == []
    assert len(overlay.of("x")) == 1


def test_operations_lie_in_the_order_of_their_numbers() -> None:
    """What a restored server is offered again was made before what is there; drafts come last."""
    overlay = Overlay()
    overlay.saved([numbered("c", "x", 3)], JUDGE)
    overlay.begin([draft("d", "x")], JUDGE)
    overlay.saved([numbered("a", "x", 1), numbered("b", "x", 2)], JUDGE)
    assert [entry.operation.op_id for entry in overlay.of("x")] == ["a", "b", "c", "d"]


def test_every_fate_is_known() -> None:
    """Saving, pending, sent, acknowledged: of each operation, for whoever asks."""
    overlay = Overlay()
    overlay.begin([draft(name, "x") for name in "abcd"], JUDGE)
    overlay.saved([numbered("b", "x", 1), numbered("c", "x", 2), numbered("d", "x", 3)], JUDGE)
    overlay.sent(["c", "d", "unknown"])
    overlay.settled(["d"])
    assert {entry.operation.op_id: entry.fate for entry in overlay.of("x")} == {
        "a": Fate.SAVING,
        "b": Fate.PENDING,
        "c": Fate.SENT,
        "d": Fate.ACKED,
    }
    assert [operation.op_id for operation in overlay.not_sent()] == ["b", "c", "a"]


def test_a_known_outcome_ends_not_sent_but_not_the_replay() -> None:
    """Settled operations stay on top; they no longer count as not sent."""
    overlay = Overlay()
    overlay.begin([draft("a", "x"), draft("b", "x")], JUDGE)
    assert overlay.settled(["a", "unknown"]) == ["x"]
    assert [operation.op_id for operation in overlay.not_sent()] == ["b"]
    assert len(overlay.of("x")) == 2


def test_dropping_leaves_the_others() -> None:
    """Each dropped operation goes alone; an order without any is forgotten."""
    overlay = Overlay()
    overlay.begin([draft("a", "x"), draft("b", "x"), draft("c", "y")], JUDGE)
    assert overlay.drop(["a", "c", "unknown"]) == ["x", "y"]
    assert overlay.order_ids() == ("x",)
    assert overlay.drop(["a"]) == []
    assert [entry.operation.op_id for entry in overlay.of("x")] == ["b"]
    assert overlay.of("y") == ()
