"""What every piece of news does to a board view."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from support.boards import ServerBoard
from support.orders import make_order
from sync.client.board_view import BoardView
from sync.client.cache import Cache
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.news import (
    BoardChanged,
    DelayMeasured,
    NeedsYouChanged,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsReoffered,
    OperationsSaved,
    OperationsSent,
    SnapshotApplied,
    Started,
)
from sync.client.view_news import take_news
from sync.contract.messages import Verdict
from sync.contract.operations import Move, Operation, Outcome, Pick
from sync.contract.permissions import Role
from sync.contract.problems import Problem
from sync.contract.rows import BoardChange, Fate
from sync.contract.stages import STAGES, Stage
from sync.contract.state_machine import Judge

FREE: dict[str, Any] = {"stage": Stage.CONFIRMED, "claimed_by": None, "hold": None, "cancelled_ms": None}
JUDGE = Judge("eva", "Eva", Role.SUPERVISOR, 1)


class Bench:
    """A board in a file, its server, and a view of it."""

    def __init__(self, folder: Path) -> None:
        self.board = ServerBoard(
            [make_order(place, id=f"order-{place}", **FREE) for place in range(1, 4)],
            seq=3,
        )
        self.view = BoardView(folder / "cache.db")
        self.view.reload()
        self.cache = Cache.open(folder / "cache.db").cache

    def place_of(self, order_id: str) -> Stage | None:
        """Return the column in which an order is shown."""
        local_id = self.view.local_id(order_id)
        place = None if local_id is None else self.view.place(local_id)
        return None if place is None else place[0]

    def fate(self, order_id: str) -> Fate:
        """Return how far this terminal's operations on an order have come."""
        local_id = self.view.local_id(order_id)
        assert local_id is not None
        return self.view.rows([local_id])[0].fate


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Return a bench whose cache was empty when the view looked at it first."""
    made = Bench(tmp_path)
    yield made
    made.view.close()
    made.cache.close()


def move(device_seq: int = 0) -> Operation:
    """Return a move of the first order to picking."""
    return Operation(
        "op-1", "order-1", Move(Stage.PICKING), "device" if device_seq else "", device_seq, actor_id="eva"
    )


def test_a_board_that_could_not_be_read_before_is_read_at_the_start(bench: Bench) -> None:
    """And the operations of the last run lie on top."""
    bench.board.snapshot_into(bench.cache)
    change = take_news(bench.view, Started((move(1),), None, None, 0), JUDGE)
    assert change.columns == STAGES
    assert bench.place_of("order-1") is Stage.PICKING
    assert bench.fate("order-1") is Fate.PENDING
    again = take_news(bench.view, Started((), None, None, 0), JUDGE)
    assert again == BoardChange()


def test_a_snapshot_is_read_whole_and_what_is_in_it_is_not_replayed(bench: Bench) -> None:
    """Done operations leave the overlay with it."""
    take_news(bench.view, OperationsSaved((move(1),)), JUDGE)
    bench.board.snapshot_into(bench.cache)
    assert take_news(bench.view, SnapshotApplied(3, 3, ("op-1",), 1), JUDGE).columns == STAGES
    assert bench.place_of("order-1") is Stage.CONFIRMED


def test_an_operation_through_all_its_fates(bench: Bench) -> None:
    """Saving, pending, settled, done: the card stays where the person put it all the while."""
    bench.board.snapshot_into(bench.cache)
    take_news(bench.view, SnapshotApplied(3, 3, (), 0), JUDGE)
    bench.view.begin((move(),), JUDGE)
    fates = [bench.fate("order-1")]
    numbered = move(1)
    take_news(bench.view, OperationsSaved((numbered,)), JUDGE)
    fates.append(bench.fate("order-1"))
    entry = bench.board.decide(numbered)
    verdict = Verdict(1, "op-1", entry.seq, entry.outcome)
    take_news(bench.view, OperationsDecided((verdict,)), JUDGE)
    fates.append(bench.fate("order-1"))
    change = bench.board.send(bench.cache)
    page = BoardChanged(change.changed, change.removed, ("op-1",), change.cursor, 1)
    take_news(bench.view, page, JUDGE)
    take_news(bench.view, OperationsDone(("op-1",)), JUDGE)
    assert fates == [Fate.SAVING, Fate.PENDING, Fate.SETTLED]
    assert bench.place_of("order-1") is Stage.PICKING
    assert bench.view.not_sent_count() == 0


@pytest.mark.parametrize("end", ["rejected", "not saved"])
def test_what_was_refused_or_lost_goes_back(bench: Bench, end: str) -> None:
    """The card stands where the server has it, and both columns are repainted."""
    bench.board.snapshot_into(bench.cache)
    take_news(bench.view, SnapshotApplied(3, 3, (), 0), JUDGE)
    bench.view.begin((move(),), JUDGE)
    if end == "rejected":
        take_news(bench.view, OperationsSaved((move(1),)), JUDGE)
        change = take_news(bench.view, OperationsDecided((Verdict(1, "op-1", 9, Outcome.REJECTED),)), JUDGE)
    else:
        change = take_news(bench.view, OperationsNotSaved(("op-1",), Problem("NOT_SAVED", "No.")), JUDGE)
    assert bench.place_of("order-1") is Stage.CONFIRMED
    assert set(change.columns) == {Stage.CONFIRMED, Stage.PICKING}


def test_a_new_identity_keeps_the_operations_on_top(bench: Bench) -> None:
    """Same operation, another number."""
    bench.board.snapshot_into(bench.cache)
    take_news(bench.view, SnapshotApplied(3, 3, (), 0), JUDGE)
    take_news(bench.view, OperationsSaved((move(7),)), JUDGE)
    renewed = msgspec.structs.replace(move(1), device_id="device-2")
    take_news(bench.view, OperationsRenumbered((renewed,)), JUDGE)
    assert bench.place_of("order-1") is Stage.PICKING
    assert bench.view.not_sent_count() == 1


def test_what_the_board_has_by_a_former_identity_is_not_counted_again(bench: Bench) -> None:
    """A pick adds up: renumbered, it must not lie on top of a board that contains it."""
    bench.board.snapshot_into(bench.cache)
    take_news(bench.view, SnapshotApplied(3, 3, (), 0), JUDGE)
    pick = msgspec.structs.replace(move(7), change=Pick(1, 1))
    take_news(bench.view, OperationsSaved((pick,)), JUDGE)
    local_id = bench.view.local_id("order-1")
    assert local_id is not None
    shown = bench.view.order(local_id)
    bench.board.decide(pick)
    change = bench.board.send(bench.cache)
    take_news(bench.view, BoardChanged(change.changed, change.removed, (), change.cursor, 7), JUDGE)
    renewed = msgspec.structs.replace(pick, device_id="device-2", device_seq=1)
    take_news(bench.view, OperationsRenumbered((renewed,), ("op-1",)), JUDGE)
    after = bench.view.order(local_id)
    assert shown is not None
    assert after is not None
    assert [line.quantity_picked for line in after.lines] == [line.quantity_picked for line in shown.lines]
    assert bench.view.not_sent_count() == 0


def test_what_is_offered_again_lies_below_what_is_newer(bench: Bench) -> None:
    """It was made before, so it is replayed before: the claim of now falls on what was moved then."""
    bench.board.snapshot_into(bench.cache)
    take_news(bench.view, SnapshotApplied(3, 3, (), 0), JUDGE)
    newer = Operation("op-2", "order-1", Move(Stage.PICKED), "device", 2, "eva", base_stage=Stage.PICKING)
    take_news(bench.view, OperationsSaved((newer,)), JUDGE)
    assert bench.place_of("order-1") is Stage.CONFIRMED
    take_news(bench.view, OperationsReoffered((move(1), newer)), JUDGE)
    assert bench.place_of("order-1") is Stage.PICKED


@pytest.mark.parametrize(("kind", "stage"), [("quarantined", Stage.CONFIRMED), ("overruled", Stage.PICKING)])
def test_what_is_set_aside_lies_on_top_no_more(bench: Bench, kind: str, stage: Stage) -> None:
    """It will not happen unless a person wants it; other entries change no card."""
    bench.board.snapshot_into(bench.cache)
    take_news(bench.view, SnapshotApplied(3, 3, (), 0), JUDGE)
    take_news(bench.view, OperationsSaved((move(1),)), JUDGE)
    assert take_news(bench.view, OperationsSent(("op-1", "unknown")), JUDGE) == BoardChange()
    assert bench.fate("order-1") is Fate.PENDING
    take_news(bench.view, NeedsYouChanged((NeedsYou("op-1", NeedsYouKind(kind)),)), JUDGE)
    assert bench.place_of("order-1") is stage


def test_other_news_change_nothing(bench: Bench) -> None:
    """They are for the badge."""
    assert take_news(bench.view, DelayMeasured(5), JUDGE) == BoardChange()
