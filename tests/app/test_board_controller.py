"""Moves: at once on screen, durable and sent later, taken back when they are refused."""

from __future__ import annotations

from support.boards import SYSTEM, ServerBoard
from support.client_bench import ClientBench
from support.drafts import draft
from support.orders import Made, make_orders
from sync.client.news import BoardChanged, OperationsDecided, OperationsNotSaved, SnapshotApplied
from sync.contract.messages import Person, Verdict
from sync.contract.operations import Cancel, Move, Outcome, PutOnHold, Reason, Retire, Source
from sync.contract.problems import Problem
from sync.contract.rows import Fate
from sync.contract.stages import Stage


def _fate(bench: ClientBench, local_id: int) -> Fate:
    (row,) = bench.client.view.rows([local_id])
    return row.fate


def _banners(bench: ClientBench) -> list[str]:
    area = bench.client.window.banners
    return [message.strong for message, _ in area._shown.values()]


def test_a_move_is_on_screen_before_it_is_anywhere_else(bench: ClientBench) -> None:
    """The card is in its new column when the signal returns; the engine holds a draft with its base."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    order = bench.client.view.order(local_id)
    assert order is not None
    bench.client.board.move_requested.emit((local_id,), Stage.PICKING, Source.DRAG)
    assert bench.stage(local_id) is Stage.PICKING
    assert _fate(bench, local_id) is Fate.SAVING
    (operation,) = bench.engine.submitted
    assert operation.change == Move(Stage.PICKING)
    assert (operation.order_id, operation.base_stage, operation.base_revision) == (
        order.id,
        Stage.CONFIRMED,
        order.revision,
    )
    assert operation.device_seq == 0
    assert operation.op_id


def test_saved_is_not_sent_and_done_is_settled(bench: ClientBench) -> None:
    """The mark goes from saving to not sent, and off when the server's page is applied."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    operations = bench.save()
    assert _fate(bench, local_id) is Fate.PENDING
    assert bench.client.view.not_sent_count() == 1
    bench.decide(operations)
    assert _fate(bench, local_id) is Fate.SETTLED
    assert bench.stage(local_id) is Stage.PICKING
    assert bench.client.view.not_sent_count() == 0


def test_several_are_one_batch(bench: ClientBench) -> None:
    """They have one batch id, and one step takes them all back."""
    local_ids = bench.first(Stage.CONFIRMED, 3)
    bench.client.controller.on_move_requested(local_ids, Stage.PICKING)
    operations = bench.engine.submitted
    assert len({operation.batch_id for operation in operations}) == 1
    assert {operation.source for operation in operations} == {Source.BULK}
    assert "3 orders moved to Picking by you" in bench.client.window.status_line._action.text()


def test_an_order_on_hold_stays_and_says_why(bench: ClientBench) -> None:
    """The board asks before it lets a card be dropped, and gets a sentence with the reason."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    order = bench.client.view.order(local_id)
    assert order is not None
    assert bench.client.controller.may_move((local_id,), Stage.PICKING) == ""
    bench.server.decide(draft("h", order.id, PutOnHold("address needs checking")))
    change = bench.server.send(bench.cache)
    bench.client.view.apply(change.changed)
    reason = bench.client.controller.may_move((local_id,), Stage.PICKING)
    assert reason == f"#{order.number} is on hold: address needs checking."


def test_a_role_of_a_later_release_only_looks(bench: ClientBench) -> None:
    """A server that is newer may name a role that this client does not know: it refuses, it does not fail."""
    bench.client.controller._person = Person("newcomer", "Newcomer", "auditor", "")
    assert bench.client.controller.may_move(bench.first(Stage.CONFIRMED), Stage.PICKING)


def test_of_several_those_move_that_may(bench: ClientBench) -> None:
    """The one on hold stays, and is named; the others are on their way."""
    held, free = bench.first(Stage.CONFIRMED, 2)
    order = bench.client.view.order(held)
    assert order is not None
    bench.server.decide(draft("h", order.id, PutOnHold("incorrect address")))
    bench.client.view.apply(bench.server.send(bench.cache).changed)
    assert bench.client.controller.may_move((held, free), Stage.PICKING) == ""
    bench.client.controller.on_move_requested((held, free), Stage.PICKING)
    assert bench.stage(held) is Stage.CONFIRMED
    assert bench.stage(free) is Stage.PICKING
    assert len(bench.engine.submitted) == 1
    assert _banners(bench) == [f"#{order.number} is on hold: incorrect address."]


def test_a_refused_move_goes_back_and_says_who_was_first(bench: ClientBench) -> None:
    """The words name person, order and time."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    order = bench.client.view.order(local_id)
    assert order is not None
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    (operation,) = bench.save()
    taken_at = 1_700_000_000_000 + 41 * 60_000
    verdict = Verdict(
        operation.device_seq, operation.op_id, 9, Outcome.REJECTED, Reason.ALREADY_CLAIMED, "Maria", taken_at
    )
    bench.tell(OperationsDecided((verdict,)))
    assert bench.stage(local_id) is Stage.CONFIRMED
    assert _banners(bench) == [f"#{order.number} was taken by Maria at 22:54."]
    assert bench.client.view.not_sent_count() == 0
    assert not bench.client.controller.can_undo


def test_what_could_not_be_stored_goes_back(bench: ClientBench) -> None:
    """A full disk does not show a move that nobody will ever know of."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    (operation,) = bench.engine.submitted
    bench.tell(OperationsNotSaved((operation.op_id,), Problem("DISK_FULL", "The disk is full.")))
    assert bench.stage(local_id) is Stage.CONFIRMED
    assert _banners(bench) == ["The disk is full."]


def test_undo_is_a_new_move_that_names_what_it_undoes(bench: ClientBench) -> None:
    """It goes back to where it came from, and the server can see whether somebody was there since."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    (first,) = bench.save()
    bench.decide([first])
    order = bench.client.view.order(local_id)
    assert order is not None
    bench.client.shell.on_action("undo")
    assert bench.stage(local_id) is Stage.CONFIRMED
    (operation,) = bench.engine.submitted
    assert operation.undoes == first.op_id
    assert operation.change == Move(Stage.CONFIRMED)
    assert operation.base_revision == order.revision
    assert not bench.client.controller.can_undo


def test_undo_after_somebody_else_changes_nothing_and_says_so(bench: ClientBench) -> None:
    """Nobody is silently overruled."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.controller.on_move_requested((local_id,), Stage.PICKING)
    (first,) = bench.save()
    bench.decide([first])
    bench.server.decide(draft("other", first.order_id, Move(Stage.PICKED)))
    bench.client.view.apply(bench.server.send(bench.cache).changed)
    bench.client.controller.undo()
    assert bench.stage(local_id) is Stage.PICKED
    assert bench.engine.submitted == []
    (sentence,) = _banners(bench)
    assert sentence.startswith("Not undone:")


def test_a_move_of_an_order_that_was_retired_meanwhile_is_told_once(bench: ClientBench) -> None:
    """In words, with its number; no card of it stays, and there is nothing to take back."""
    (local_id,) = bench.first(Stage.SHIPPED)
    order = bench.client.view.order(local_id)
    assert order is not None
    bench.client.controller.on_move_requested((local_id,), Stage.PICKED)
    (operation,) = bench.save()
    bench.server.decide(draft("r", order.id, Retire()), SYSTEM)
    change = bench.server.send(bench.cache)
    bench.tell(BoardChanged(change.changed, change.removed, (), change.cursor, change.decided_device_seq))
    assert bench.client.view.place(local_id) is None
    assert _banners(bench) == []
    bench.decide([operation])
    assert _banners(bench) == [f"#{order.number} is not on this board any more."]
    assert bench.client.view.not_sent_count() == 0
    assert not bench.client.controller.can_undo


def test_after_a_start_the_refusal_of_a_retired_order_has_no_number(bench: ClientBench) -> None:
    """The cache lost the order before the program ended; the person is told all the same."""
    bench.started((bench._number(draft("held", "gone")),))
    verdict = Verdict(1, "held", 9, Outcome.REJECTED, Reason.UNKNOWN_ORDER)
    bench.tell(OperationsDecided((verdict,)))
    assert _banners(bench) == ["Your last change came too late: its order had left the board."]


def test_undo_after_the_orders_left_says_so(bench: ClientBench) -> None:
    """Nothing happens silently."""
    local_ids = bench.first(Stage.PICKED, 2) or bench.first(Stage.SHIPPED, 2)
    orders = [order for each in local_ids if (order := bench.client.view.order(each)) is not None]
    bench.client.controller.on_move_requested(local_ids, Stage.PICKING)
    bench.decide(bench.save())
    for order in orders:
        bench.server.decide(draft(f"c-{order.id}", order.id, Cancel()))
        bench.server.decide(draft(f"r-{order.id}", order.id, Retire()), SYSTEM)
    bench.client.view.apply((), bench.server.send(bench.cache).removed)
    bench.client.controller.undo()
    (sentence,) = _banners(bench)
    assert sentence == f"Not undone: #{orders[0].number} and the others have left the board."
    assert bench.engine.submitted == []
    assert not bench.client.controller.can_undo


def test_what_the_outbox_still_holds_is_shown_at_the_start(bench: ClientBench) -> None:
    """After a crash the move is on screen again, marked as not sent."""
    (local_id,) = bench.first(Stage.CONFIRMED)
    order = bench.client.view.order(local_id)
    assert order is not None
    held = bench._number(draft("held", order.id))
    bench.started((held,))
    assert bench.stage(local_id) is Stage.PICKING
    assert _fate(bench, local_id) is Fate.PENDING


def test_a_whole_new_board_is_read_anew(bench: ClientBench) -> None:
    """After a snapshot the columns are the server's."""
    gone = next(iter(bench.server.orders))
    del bench.server.orders[gone]
    applied = bench.server.snapshot_into(bench.cache)
    bench.tell(SnapshotApplied(applied.seq, applied.orders, (), 0))
    assert sum(bench.client.view.total(stage) for stage in Stage) == len(bench.server.orders)
    assert bench.client.view.local_id(gone) is None


def test_no_card_of_an_older_board_outlives_a_new_one(bench: ClientBench) -> None:
    """A new server's board gives the same local ids to other orders."""
    view, board = bench.client.view, bench.client.board
    for local_id in view.ids(Stage.CONFIRMED):
        board.row(local_id)
    bench.server = ServerBoard(make_orders(40, Made(seed=99)), epoch="epoch-2")
    applied = bench.server.snapshot_into(bench.cache)
    bench.tell(SnapshotApplied(applied.seq, applied.orders, (), 0))
    for row in view.rows(view.ids(Stage.CONFIRMED)):
        assert board.row(row.local_id) == row
