"""Heads of columns: written the first time, copied from then on, and never out of date."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QImage

from support.board_bench import BoardBench, MakeBoard
from support.card_rows import mixed_rows
from sync.contract.stages import Stage


def _heads(bench: BoardBench) -> list[QImage]:
    """Paint the board and return the heads of its columns."""
    picture = bench.board.grab().toImage()
    boxes = [(column.box, column.view.y - column.box.y) for column in bench.board.columns.each]
    return [picture.copy(box.x, box.y, box.width, height) for box, height in boxes]


@pytest.fixture
def bench(make_board: MakeBoard) -> BoardBench:
    """A board with cards in all columns, painted by a painter that has painted nothing yet."""
    bench = make_board(mixed_rows(40))
    bench.board.set_look(bench.board.look)
    return bench


def test_a_head_looks_the_same_as_a_picture(bench: BoardBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the pixel, corners included; and the second paint writes no title any more."""
    written = _heads(bench)
    copied = _heads(bench)
    assert copied == written
    heads = bench.board.pictures.heads
    monkeypatch.setattr(heads, "_words", lambda _column: pytest.fail("a head was written again"))
    assert _heads(bench) == written


def test_a_head_that_changes_is_written_anew(bench: BoardBench) -> None:
    """An order that goes to the next column counts there in the same paint."""
    before = [_heads(bench), _heads(bench)][1]
    moved = bench.source.ids(Stage.CONFIRMED)[0]
    bench.board.show_change(bench.source.move((moved,), Stage.PICKING))
    changed = _heads(bench)
    assert [one == other for one, other in zip(before, changed, strict=True)] == [False, False, True, True]
    bench.board.show_change(bench.source.move((moved,), Stage.CONFIRMED))
    assert _heads(bench) == before
