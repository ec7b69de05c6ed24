"""A shown board with everything that it told: what was painted, moved, said, measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from PySide6.QtWidgets import QApplication

from support.card_rows import NOW_MS
from support.list_source import ListSource
from sync.contract.operations import Source
from sync.contract.rows import CardRow
from sync.contract.stages import Stage
from telemetry.recorder import MemoryRecorder
from widgets.board.drag import Drag
from widgets.board.geometry import Slot
from widgets.board.view import Board


@dataclass
class BoardBench:
    """A shown board with everything that it told."""

    board: Board
    source: ListSource
    recorder: MemoryRecorder
    painted: list[frozenset[int]] = field(default_factory=list)
    moves: list[tuple[tuple[int, ...], Stage]] = field(default_factory=list)
    move_sources: list[Source] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    first_paints: list[int] = field(default_factory=list)
    refusal: str = ""
    now_ms: int = NOW_MS
    applies_moves: bool = True

    def is_dragging(self) -> bool:
        """Say whether cards are in the air."""
        return self.board.is_dragging

    @property
    def drag(self) -> Drag:
        """The drag that is going on or settling."""
        assert self.board.carry.drag is not None
        return self.board.carry.drag

    @property
    def slot(self) -> Slot:
        """The slot that is open in the column aimed at."""
        assert self.drag.slot is not None
        return self.drag.slot

    def has_drag(self) -> bool:
        """Say whether a drag is going on or settling."""
        return self.board.carry.drag is not None

    def settle(self) -> None:
        """Let all pending paints happen, then forget what was painted."""
        QApplication.processEvents()
        self.painted.clear()

    def painted_ids(self) -> set[int]:
        """Let pending paints happen and return which cards they painted."""
        QApplication.processEvents()
        return set().union(*self.painted)

    def on_move(self, ids: tuple[int, ...], stage: Stage, source: Source) -> None:
        """Do what the controller does: put the move into the rows and say what changed."""
        self.moves.append((ids, stage))
        self.move_sources.append(source)
        if self.applies_moves:
            self.board.show_change(self.source.move(ids, stage))


class MakeBoard(Protocol):
    """Makes shown boards over rows."""

    def __call__(self, rows: list[CardRow], *, width: int = 1920, height: int = 950) -> BoardBench:
        """Return a board of that size, painted once."""
        ...
