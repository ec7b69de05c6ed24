"""Frames of a real board over a real cache: how each kind is asked for, and what the least would be.

All times are wall milliseconds from the question to pixels in the window's backing store; on a screen
until the display server has them.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC
from functools import partial
from pathlib import Path
from time import perf_counter

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QColor,
    QGuiApplication,
    QImage,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QStaticText,
)
from PySide6.QtWidgets import QApplication, QWidget

from support.card_rows import NOW_MS
from support.drafts import JUDGE, draft
from sync.client.board_view import BoardView
from sync.contract.changes import Prioritise
from sync.contract.stages import STAGES, Stage
from telemetry.recorder import MemoryRecorder
from widgets.board.geometry import Density, card_size
from widgets.board.rows import RowSource
from widgets.board.view import Board
from widgets.theme import Look, ThemeName
from widgets.theme.tokens import load_theme

WIDTH, HEIGHT = 1920, 1080
TEXTS_PER_CARD = 5
WARM_UP = 40
"""Repaints until every card that shows has settled."""


def opened_view(cache: Path) -> BoardView:
    """Return the product's source of rows over a cache, with some operations that are not sent yet."""
    view = BoardView(cache)
    view.reload()
    for stage in STAGES:
        if stage is not Stage.SHIPPED:
            for row in view.rows(view.ids(stage)[2:12:3]):
                operation = draft(f"bench-{row.local_id}", row.order_id, Prioritise(1))
                view.begin((operation,), JUDGE)
                view.saved((operation,), JUDGE)
    return view


class Frames:
    """A shown board, and one method for each kind of frame; each returns its milliseconds."""

    def __init__(self, look: Look, source: RowSource, density: Density, size: tuple[int, int]) -> None:
        """Show all columns in one density."""
        self._look = look
        self._random = random.Random(7)
        self._themes = _alternating(look)
        self.density = density
        self.size = size
        self.board = Board(look, lambda: NOW_MS, UTC, MemoryRecorder(), lambda _ids, _stage: "")
        self.board.resize(*size)
        for column in self.board.columns.each:
            column.density = density
        self.board.set_source(source)
        self.board.show()
        self.settle()
        self.least = Floor(look, self.cards, density, size)

    @property
    def cards(self) -> int:
        """How many cards show."""
        return len(self.board.visible_ids())

    def settle(self) -> None:
        """Repaint until all caches are warm."""
        for _ in range(WARM_UP):
            self.board.repaint()
        QApplication.processEvents()

    def floor(self) -> float:
        """Paint the least that so many cards can cost."""
        return self.least.paint()

    def full(self) -> float:
        """Repaint everything."""
        return _timed(self.board.repaint)

    def full_on_screen(self) -> float:
        """Repaint everything, until the display server has said that it has it."""
        return _timed(self.board.repaint, QGuiApplication.sync)

    def cold(self) -> float:
        """Change the theme and paint the first frame in it: no picture of the old one can stay."""
        look = next(self._themes)
        return _timed(lambda: self.board.set_look(look), self.board.repaint)

    def first_words(self) -> float:
        """Paint everything with no text laid out before, as after a change of the text size."""
        look = self._look.with_scale(self._look.scale_percent)
        return _timed(lambda: self.board.set_look(look), self.board.repaint)

    def page_jump(self) -> float:
        """Bring all columns to a random place, and paint what stands there."""
        return _timed(self._jump, self.board.repaint)

    def _jump(self) -> None:
        """Scroll all columns to a random place."""
        for number, column in enumerate(self.board.columns.each):
            self.board.scroll_column(number, self._random.randrange(column.content_height))

    def scroll(self, frame: int) -> float:
        """Scroll one column by a piece, as a wheel does; every 200 frames the next column's turn comes."""
        number = frame // 200 % 4
        column = self.board.columns.each[number]
        return _timed(
            lambda: self.board.scroll_column(number, column.scroll + 37), QApplication.processEvents
        )

    def drags(self, frames: int) -> Iterator[float]:
        """Carry a card over all columns and back to where it was, one frame for each move.

        After a jump the first card may lie half under its column's title: one that is whole is taken.
        """
        view = self.board.columns.each[0].view
        boxes = self.board.columns.visible_cards().values()
        box = next(each for each in boxes if each.y >= view.y and each.bottom <= view.bottom)
        x, y = box.x + 60, box.y + 20
        self._mouse(QEvent.Type.MouseButtonPress, x, y)
        for frame in range(frames):
            across = x + (self.size[0] - 200) * frame // frames
            down = y + abs(frame * 9 % (2 * self.size[1] - 400) - (self.size[1] - 200))
            yield _timed(
                partial(self._mouse, QEvent.Type.MouseMove, across, down), QApplication.processEvents
            )
            # Motions with nothing in the hand cost nothing, and would make a fine figure.
            assert self.board.current_drag() is not None
        self.board.cancel_drag()
        self.settle()

    def _mouse(self, kind: QEvent.Type, x: int, y: int) -> None:
        """Send one event of the left button."""
        point = QPointF(x, y)
        button = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else Qt.MouseButton.LeftButton
        at = QPointF(self.board.mapToGlobal(QPoint(x, y)))
        event = QMouseEvent(
            kind, point, at, button, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(self.board, event)

    def close(self) -> None:
        """Close the board."""
        self.board.close()
        self.board.deleteLater()
        QApplication.processEvents()


class Floor:
    """What no painted board can undercut: the frame filled, an opaque copy and five texts per card."""

    def __init__(self, look: Look, cards: int, density: Density, size: tuple[int, int]) -> None:
        """Prepare everything that can be prepared."""
        self.size = size
        self._cards = cards
        self._frame = QPixmap.fromImage(QImage(*size, QImage.Format.Format_RGB32))
        self._step = sum(card_size(density, 100))
        card = QImage((size[0] - 68) // 4 - 16, card_size(density, 100)[0], QImage.Format.Format_RGB32)
        card.fill(QColor("white"))
        self._picture = QPixmap.fromImage(card)
        self._font = look.font(14)
        self._texts = [QStaticText(f"Order {number}") for number in range(cards * TEXTS_PER_CARD)]
        for text in self._texts:
            text.prepare(font=self._font)

    def paint(self) -> float:
        """Paint it once into a frame of its own; return milliseconds."""
        return _timed(lambda: self.draw(QPainter(self._frame)))

    def draw(self, painter: QPainter) -> None:
        """Paint it, and end the painter."""
        width, height = self.size
        painter.fillRect(0, 0, width, height, QColor("gray"))
        painter.setFont(self._font)
        for number in range(self._cards):
            painter.drawPixmap(16 + number % 4 * width // 4, number // 4 * self._step, self._picture)
        for number, text in enumerate(self._texts):
            painter.drawStaticText(20 + number % 20 * (width // 21), number // 20 * 40, text)
        painter.end()


class BareWindow(QWidget):
    """A window that paints the floor and nothing else."""

    def __init__(self, least: Floor) -> None:
        """Paint ``least``."""
        super().__init__()
        self._least = least
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.resize(*least.size)

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint the floor."""
        self._least.draw(QPainter(self))

    def on_screen(self) -> float:
        """Repaint it, until the display server has said that it has it."""
        return _timed(self.repaint, QGuiApplication.sync)


def _timed(*steps: Callable[[], object]) -> float:
    """Return the milliseconds that the steps take together."""
    began = perf_counter()
    for step in steps:
        step()
    return (perf_counter() - began) * 1000


def _alternating(look: Look) -> Iterator[Look]:
    """Return the look in one theme after another, each a shade off: no picture was ever made in it."""
    themes = [load_theme(name) for name in ThemeName]
    for number in itertools.count():
        theme = themes[number % len(themes)]
        colours = {token: _shaded(colour, number) for token, colour in theme.colours.items()}
        yield dataclasses.replace(look, theme=dataclasses.replace(theme, colours=colours), _colours={})


def _shaded(colour: str, number: int) -> str:
    """Return ``#RRGGBB`` with the least bits of its blue changed."""
    return f"{colour[:5]}{int(colour[5:], 16) ^ (number // len(ThemeName) % 256):02X}"
