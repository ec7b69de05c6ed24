"""500 orders in one hand, in the real window: lifted by the mouse, moved as one step, taken back as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from support.boards import SYSTEM
from support.client_bench import ClientBench
from support.drafts import draft
from support.orders import Made, make_orders
from sync.client.news import BoardChanged
from sync.contract.operations import Move, Operation, Source
from sync.contract.orders import Order
from sync.contract.rows import CardRow
from sync.contract.stages import Stage

MANY = 500
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def bench(tmp_path: Path, qtbot: QtBot) -> Iterator[ClientBench]:
    """A shown window on 3,000 orders, the first 500 confirmed ones selected."""
    parent = QObject()
    made = ClientBench(tmp_path / "profile", parent, tuple(make_orders(3_000, Made(seed=7))))
    made.client.window.resize(1920, 1080)
    with qtbot.waitExposed(made.client.window):
        made.client.show()
    chosen = made.first(Stage.CONFIRMED, MANY)
    board = made.client.board
    board.change_focus(lambda focus: focus.selected.update(dict.fromkeys(chosen)))
    QApplication.processEvents()
    assert len(board.selected()) == MANY
    yield made
    made.close()


def _grab(bench: ClientBench) -> QPoint:
    """Lift the selection by its second card; return where the pointer is."""
    board = bench.client.board
    box = board.columns.visible_cards()[board.selected()[1]]
    start = QPoint(box.x + 150, box.y + 40)
    QTest.mousePress(board, LEFT, pos=start)
    QTest.mouseMove(board, start + QPoint(0, 12))
    return start + QPoint(0, 12)


def _drop(bench: ClientBench, column: int) -> None:
    """Carry what is lifted over a column and drop it there."""
    board = bench.client.board
    goal = QPoint(board.columns.each[column].box.x + 200, 400)
    QTest.mouseMove(board, goal)
    QTest.mouseRelease(board, LEFT, pos=goal)
    QApplication.processEvents()


def test_500_are_one_batch_and_one_step_back(bench: ClientBench) -> None:
    """One drop is one batch of 500; one undo names every one of them and brings all back."""
    chosen = bench.first(Stage.CONFIRMED, MANY)
    _grab(bench)
    _drop(bench, 1)
    moved = list(bench.engine.submitted)
    assert len(moved) == MANY
    assert len({operation.batch_id for operation in moved}) == 1
    assert {operation.source for operation in moved} == {Source.BULK}
    assert all(bench.stage(one) is Stage.PICKING for one in chosen)
    bench.client.controller.undo()
    back: list[Operation] = bench.engine.submitted[MANY:]
    assert {operation.undoes for operation in back} == {operation.op_id for operation in moved}
    assert len({operation.batch_id for operation in back}) == 1
    assert all(bench.stage(one) is Stage.CONFIRMED for one in chosen)
    assert not bench.client.controller.can_undo


def test_lifting_500_asks_for_no_order(bench: ClientBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lift needs the row of one card, pointing at a column one order; of 500 all would be slow."""
    view = bench.client.view
    asked: list[int] = []
    rows: list[int] = []
    order_of, rows_of = view.order, view.rows

    def order(local_id: int) -> Order | None:
        asked.append(local_id)
        return order_of(local_id)

    def rows_asked(ids: Sequence[int]) -> list[CardRow]:
        rows.extend(ids)
        return rows_of(ids)

    monkeypatch.setattr(view, "order", order)
    monkeypatch.setattr(view, "rows", rows_asked)
    at = _grab(bench)
    QApplication.processEvents()
    assert asked == []
    assert len(rows) < 10
    QTest.mouseMove(bench.client.board, QPoint(bench.client.board.columns.each[1].box.x + 200, at.y()))
    assert len(asked) == 1
    bench.client.board.cancel_drag()


def test_a_frame_of_a_drag_of_500_paints_what_one_card_paints(bench: ClientBench) -> None:
    """A motion repaints the place that the lifted picture left and the one it took, and no more."""
    board = bench.client.board
    painted: list[frozenset[int]] = []
    board._observer = painted.append
    at = _grab(bench)
    QApplication.processEvents()
    painted.clear()
    QTest.mouseMove(board, at + QPoint(30, 0))
    QApplication.processEvents()
    shown = len(board.visible_ids())
    assert 0 < len(frozenset().union(*painted)) < shown // 3
    board.cancel_drag()


def test_the_others_of_500_that_somebody_moved_stay_there(bench: ClientBench) -> None:
    """What others moved while 500 were in the air is not moved back, and is told."""
    chosen = bench.first(Stage.CONFIRMED, MANY)
    _grab(bench)
    board, view = bench.client.board, bench.client.view
    taken = chosen[10:13]
    for one in taken:
        order = view.order(one)
        assert order is not None
        bench.server.decide(draft(f"somebody-{one}", order.id, Move(Stage.PICKED)), SYSTEM)
    change = bench.server.send(bench.cache)
    bench.tell(BoardChanged(change.changed, change.removed, (), change.cursor, change.decided_device_seq))
    _drop(bench, 1)
    assert len(bench.engine.submitted) == MANY - len(taken)
    assert all(bench.stage(one) is Stage.PICKED for one in taken)
    assert board.accessibleDescription().startswith("3 of them stay")
