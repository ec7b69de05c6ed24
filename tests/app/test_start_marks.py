"""The two instants of a start reach the recorder, counted from the creation of the process."""

from __future__ import annotations

from typing import cast

import pytest
from PySide6.QtCore import QObject, Signal
from pytestqt.qtbot import QtBot

from app import start_report
from app.start_report import StartMarks
from telemetry.process import process_age_seconds
from telemetry.recorder import MemoryRecorder
from widgets.board.view import Board


class PaintedOnce(QObject):
    """Stands for the board: all that the marks know of it is its first paint."""

    first_painted = Signal()


def _marks(recorder: MemoryRecorder) -> tuple[PaintedOnce, StartMarks]:
    board = PaintedOnce()
    return board, StartMarks(cast("Board", board), recorder)


def test_a_start_is_recorded_in_milliseconds_since_the_process_was_created(qtbot: QtBot) -> None:
    """First paint and time to interactive are one sample each, in this order, within the age of us."""
    recorder = MemoryRecorder()
    board, marks = _marks(recorder)
    before = process_age_seconds()
    with qtbot.waitSignal(marks.done):
        board.first_painted.emit()
    after = process_age_seconds()
    assert before is not None
    assert after is not None
    (paint,), (interactive,) = (
        recorder.samples("first_contentful_paint"),
        recorder.samples("time_to_interactive"),
    )
    assert before * 1000 <= paint <= interactive <= after * 1000
    assert marks.first_paint_ms == pytest.approx(paint, abs=0.06)
    assert marks.interactive_ms == pytest.approx(interactive, abs=0.06)


def test_an_unknown_start_is_no_sample(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not say when the process was created, nothing is made up."""
    monkeypatch.setattr(start_report, "process_age_seconds", lambda: None)
    recorder = MemoryRecorder()
    board, marks = _marks(recorder)
    with qtbot.waitSignal(marks.done):
        board.first_painted.emit()
    assert marks.first_paint_ms is None
    assert recorder.count("first_contentful_paint") == recorder.count("time_to_interactive") == 0
