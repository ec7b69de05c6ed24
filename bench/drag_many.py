"""500 orders in one hand, in the real window offscreen: lifted, pointed, dropped, taken back; prints.

Milliseconds of the handler and the paint that follows. The engine is pretended: making moves durable is
another thread's work.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import QObject, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from bench.shape import report
from support.client_bench import ClientBench
from support.orders import Made, make_orders
from sync.contract.stages import Stage

ORDERS = 6_000
MANY = 500
ROUNDS = 12
WARM_UP = 2
_LEFT = Qt.MouseButton.LeftButton


def main() -> None:
    """Drag 500 orders to the next column and take it back, a few times; print."""
    QApplication([])
    took: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as folder:
        bench = ClientBench(Path(folder) / "profile", QObject(), tuple(make_orders(ORDERS, Made(seed=7))))
        bench.client.window.resize(1920, 1080)
        bench.client.show()
        _rest()
        bench.client.board.get_ready_for_drags()
        for _ in range(ROUNDS):
            for step, ms in _round(bench):
                took[step].append(ms)
        bench.close()
    for step, samples in took.items():
        report(f"drag.{step}_500_ms_p50", samples[WARM_UP:], "ms")


def _round(bench: ClientBench) -> list[tuple[str, float]]:
    """Select 500 orders, drag them and take it back; return the milliseconds of each step."""
    board, send = bench.client.board, partial(QTest.mouseMove, bench.client.board)
    chosen = bench.first(Stage.CONFIRMED, MANY)
    board.change_focus(lambda focus: focus.selected.update(dict.fromkeys(chosen)))
    _rest()
    box = board.columns.visible_cards()[chosen[1]]
    start = QPoint(box.x + 150, box.y + 40)
    goal = QPoint(board.columns.each[1].box.x + 200, 400)
    QTest.mousePress(board, _LEFT, pos=start)
    took = [
        ("lift", _timed(lambda: send(start + QPoint(0, 12)))),
        ("carry", _timed(lambda: send(start + QPoint(20, 12)))),
        ("aim", _timed(lambda: send(goal))),
        ("drop", _timed(lambda: QTest.mouseRelease(board, _LEFT, pos=goal))),
        ("undo", _timed(bench.client.controller.undo)),
    ]
    assert len(bench.engine.submitted) == 2 * MANY, "a drop and its undo name every order"
    bench.decide(bench.save())
    _rest()
    return took


def _rest() -> None:
    """Let everything that waits happen."""
    for _ in range(20):
        QApplication.processEvents()


def _timed(act: Callable[[], object]) -> float:
    """Return the milliseconds of an act with the paint that follows."""
    began = perf_counter()
    act()
    QApplication.processEvents()
    return (perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
