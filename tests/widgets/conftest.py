"""What tests of widgets share: a look, and boards that remember what they measured and painted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from support.board_bench import BoardBench, MakeBoard
from support.card_rows import NOW_MS
from support.list_source import ListSource
from sync.contract.rows import CardRow
from telemetry.recorder import MemoryRecorder
from widgets.board.view import Board
from widgets.theme import Look, make_look


@pytest.fixture(scope="session")
def look(qapp: QApplication) -> Look:
    """The light look at 100 %."""
    return make_look()


def _observer(told: list[BoardBench]) -> Callable[[frozenset[int]], None]:
    """Return what remembers paints in the bench once it exists."""

    def observe(ids: frozenset[int]) -> None:
        """Remember one paint."""
        if told:
            told[0].painted.append(ids)

    return observe


@pytest.fixture
def make_board(qtbot: QtBot, look: Look) -> MakeBoard:
    """Make shown boards over rows; each is closed with the test."""

    def make(rows: list[CardRow], *, width: int = 1920, height: int = 950) -> BoardBench:
        recorder = MemoryRecorder()
        source = ListSource(rows)
        told: list[BoardBench] = []
        board = Board(
            look,
            lambda: told[0].now_ms if told else NOW_MS,
            UTC,
            recorder,
            lambda _ids, _stage: told[0].refusal,
            observer=_observer(told),
        )
        bench = BoardBench(board, source, recorder)
        told.append(bench)
        qtbot.addWidget(board)
        board.move_requested.connect(bench.on_move)
        board.announced.connect(lambda words, _assertive: bench.said.append(words))
        board.first_painted.connect(lambda: bench.first_paints.append(1))
        board.resize(width, height)
        board.set_source(source)
        with qtbot.waitExposed(board):
            board.show()
        bench.settle()
        return bench

    return make
