"""Own assignments on a whole board: who overruled them is told, and nobody by themselves."""

from __future__ import annotations

import msgspec
import pytest

from support.machine_bench import MachineBench, cached
from support.orders import make_order
from sync.client.assignments import is_overruled
from sync.client.news import NeedsYouChanged
from sync.contract.messages import Person, SnapshotBegin, SnapshotChunk, SnapshotEnd
from sync.contract.operations import Assign, Note, Operation
from sync.contract.permissions import Role

MINE = Operation("mine", "order-1", Assign("ali", "Ali"), actor_id="user-1")
ANA = Person("user-1", "Ana", Role.PICKER, "")
EVAS = make_order(assignee_id="eva", assignee="Eva", assigned_by="Maria")


def test_another_person_by_another_person_is_overruled() -> None:
    """Also when nobody is signed in, and when it was somebody else of this terminal who assigned."""
    assert is_overruled(MINE, EVAS, ANA)
    assert is_overruled(MINE, EVAS, None)
    assert is_overruled(MINE, make_order(assigned_by="Ana"), Person("user-2", "Ana", Role.PICKER, ""))
    assert is_overruled(MINE, make_order(assigned_by="Maria"), ANA), "for nobody"


def test_what_still_stands_or_was_changed_by_oneself_is_no_news() -> None:
    """On another terminal of the same person; and what no person assigned."""
    assert not is_overruled(MINE, make_order(assignee_id="ali", assigned_by="Maria"), ANA)
    assert not is_overruled(MINE, make_order(assignee_id="eva", assigned_by="Ana"), ANA)
    assert not is_overruled(MINE, make_order(), ANA)
    assert not is_overruled(Operation("n", "order-1", Note("x")), EVAS, ANA)


@pytest.mark.parametrize(("epoch", "is_told"), [("epoch-1", True), ("", True), ("epoch-0", False)])
def test_a_whole_board_is_compared_with_what_was_assigned(
    monkeypatch: pytest.MonkeyPatch, epoch: str, is_told: bool
) -> None:
    """Once it is in; a server that came back from a backup lacks what its terminals know."""
    bench = MachineBench(cache=cached()._replace(epoch=epoch))
    bench.go_live()
    stored = (MINE, msgspec.structs.replace(MINE, order_id="gone"))
    monkeypatch.setattr(bench.outbox, "assigned", lambda seq: stored if seq == 9 else ())
    bench.cache.orders = {"order-1": EVAS}
    bench.hear(SnapshotBegin("epoch-1", 9, 2, 1, 77, 0))
    bench.hear(SnapshotChunk.of(0, []))
    bench.hear(SnapshotEnd(9))
    told = [entry.id for change in bench.news(NeedsYouChanged) for entry in change.entries]
    assert told == (["mine"] if is_told else [])
