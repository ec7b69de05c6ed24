"""The order panel over a real cache: it opens, follows the news, moves its order, and closes."""

from __future__ import annotations

import sys

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from support.boards import SYSTEM
from support.client_bench import ClientBench
from support.drafts import draft
from support.orders import make_order
from support.processes import ProcessRunner
from sync.client.news import BoardChanged, SnapshotApplied
from sync.contract.operations import PutOnHold, Retire
from sync.contract.stages import Stage
from widgets.order_panel import OrderPanel


def _open(bench: ClientBench) -> tuple[int, OrderPanel]:
    (local_id,) = bench.first(Stage.CONFIRMED)
    bench.client.board.setFocus()
    bench.client.board.focus_order(local_id)
    QTest.keyClick(bench.client.board, Qt.Key.Key_Return)
    panel = bench.client.window.findChild(OrderPanel)
    assert panel is not None
    return local_id, panel


def test_enter_opens_the_order_under_the_focus(bench: ClientBench) -> None:
    """The panel shows the whole order out of the cache."""
    local_id, panel = _open(bench)
    assert panel.order == bench.client.view.order(local_id)
    assert not panel.isHidden()


def test_a_second_order_takes_the_place_of_the_first(bench: ClientBench) -> None:
    """There is one panel."""
    _, panel = _open(bench)
    other = bench.first(Stage.CONFIRMED, 2)[1]
    bench.client.board.order_opened.emit(other)
    assert panel.order == bench.client.view.order(other)
    assert bench.client.window.findChildren(OrderPanel) == [panel]


def test_an_unknown_order_opens_nothing(bench: ClientBench) -> None:
    """It has just left."""
    bench.client.board.order_opened.emit(999_999)
    assert bench.client.window.findChild(OrderPanel) is None


def test_its_button_asks_for_the_same_move_as_the_key(bench: ClientBench) -> None:
    """Its own order moves and is shown in its new stage; what is selected elsewhere stays."""
    local_id, panel = _open(bench)
    other = bench.first(Stage.CONFIRMED, 2)[1]
    bench.client.board.change_focus(lambda focus: focus.toggle(other))
    panel.move_button.click()
    assert bench.stage(local_id) is Stage.PICKING
    assert bench.stage(other) is Stage.CONFIRMED
    assert panel.order == bench.client.view.order(local_id)
    assert panel.move_button.text() == "Move to Picked"


def test_it_follows_what_others_do(bench: ClientBench) -> None:
    """A hold from elsewhere is in the panel with the news of it."""
    _, panel = _open(bench)
    assert panel.order is not None
    bench.server.decide(draft("h", panel.order.id, PutOnHold("incorrect address")))
    change = bench.server.send(bench.cache)
    bench.tell(BoardChanged(change.changed, change.removed, (), change.cursor, change.decided_device_seq))
    assert panel.order.hold is not None


def test_it_closes_when_the_order_leaves_the_board(bench: ClientBench) -> None:
    """After a snapshot without it there is nothing to show; the board has the focus."""
    _, panel = _open(bench)
    assert panel.order is not None
    del bench.server.orders[panel.order.id]
    applied = bench.server.snapshot_into(bench.cache)
    bench.tell(SnapshotApplied(applied.seq, applied.orders, (), 0))
    assert panel.isHidden()
    assert bench.client.board.hasFocus()


def test_a_finished_order_that_leaves_the_board_is_read_on(bench: ClientBench) -> None:
    """Nobody's page is turned over: it says that the order left, and is only read from then on."""
    (local_id,) = bench.first(Stage.SHIPPED)
    bench.client.board.order_opened.emit(local_id)
    panel = bench.client.window.findChild(OrderPanel)
    assert panel is not None
    assert panel.order is not None
    bench.server.decide(draft("r", panel.order.id, Retire()), SYSTEM)
    change = bench.server.send(bench.cache)
    bench.tell(BoardChanged(change.changed, change.removed, (), change.cursor, change.decided_device_seq))
    assert panel.order is not None
    assert not panel.order.is_on_board
    assert panel.move_button.isHidden()
    bench.client.order_panel.on_move_requested()
    assert bench.engine.submitted == []


def test_an_older_order_is_read_and_stays_whatever_happens(bench: ClientBench) -> None:
    """News of the board are none of it; one that still has its card opens as that."""
    older = make_order(99, stage=Stage.SHIPPED, retired_ms=5)
    bench.client.order_panel.open_older(older)
    panel = bench.client.window.findChild(OrderPanel)
    assert panel is not None
    bench.client.controller.counts_changed.emit()
    assert panel.order == older
    local_id, _ = _open(bench)
    shown = bench.client.view.order(local_id)
    assert shown is not None
    bench.client.order_panel.open_older(msgspec.structs.replace(shown, retired_ms=5))
    assert panel.order == shown
    # A server that does not say when it left says at least that it is found beside the board.
    bench.client.order_panel.open_older(msgspec.structs.replace(older, retired_ms=None))
    assert panel.order is not None
    assert not panel.order.is_on_board


def test_it_stays_on_its_order_after_a_snapshot(bench: ClientBench) -> None:
    """Short names change with a snapshot; the order does not."""
    _, panel = _open(bench)
    before = panel.order
    applied = bench.server.snapshot_into(bench.cache)
    bench.tell(SnapshotApplied(applied.seq, applied.orders, (), 0))
    assert panel.order == before


def test_a_start_does_without_the_panel(processes: ProcessRunner) -> None:
    """It is imported when the first order is opened."""
    program = "import sys, app.composition; sys.exit('widgets.order_panel' in sys.modules)"
    process = processes.run(sys.executable, "-c", program, env={"QT_QPA_PLATFORM": "offscreen"})
    assert process.wait() == 0, process.stderr
