"""What frames a column: rounded corners, its title and its count.

A head that was the same in the last paint is one opaque picture from then on: three copies a column
instead of a dozen steps. One that changes with every paint is written anew.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect
from PySide6.QtGui import QPainter, QPixmap

from sync.contract.stages import Stage
from widgets.board.brush import Brush
from widgets.board.columns import Column
from widgets.board.geometry import Box
from widgets.board.sprites import Run, SpriteAtlas
from widgets.board.statics import Laid, TextCache, TextStyle
from widgets.board.texts import stage_title
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look
from widgets.words import translate

RADIUS = 10
_TITLE = TextStyle(FontKey(16, 700), "ink")
_COUNT = TextStyle(FontKey(16, 500, figures=True), "ink2")


class _Head(NamedTuple):
    """All that a head's picture depends on."""

    width: int
    height: int
    ground: str
    words: str


class ColumnHeads:
    """Draws corners and heads in one look on a screen with one device pixel ratio."""

    def __init__(self, look: Look, atlas: SpriteAtlas, texts: TextCache, ratio: float) -> None:
        """Use the pictures and texts of one look."""
        self._look = look
        self._atlas = atlas
        self._texts = texts
        self._step = round(RADIUS * ratio)
        self._last: dict[Stage, tuple[_Head, QPixmap | None]] = {}

    def draw(self, brush: Brush, column: Column, ground: str) -> None:
        """Round a column's corners, draw its edge where it has one, write its title and count."""
        box, painter = column.box, brush.painter
        is_plain = ground != "bluetint" and not self._look.theme.is_high_contrast
        picture = self._picture(column, ground) if is_plain else None
        if picture is not None:
            painter.drawPixmap(box.x, box.y, picture)
            self._corners(painter, box, ground, "", rows=(1,))
            return
        self._corners(painter, box, ground, "" if is_plain else "blue" if ground == "bluetint" else "line")
        for laid, style, x, y in self._words(column):
            brush.laid(laid, style, box.x + x, box.y + y)

    def _picture(self, column: Column, ground: str) -> QPixmap | None:
        """Return the head as a picture; None the first time that it looks like this."""
        box = column.box
        head = _Head(box.width, column.view.y - box.y, ground, _count(column))
        known, picture = self._last.get(column.stage, (None, None))
        if known != head:
            picture = None
        elif picture is None:
            picture = self._baked(column, head)
        self._last[column.stage] = head, picture
        return picture

    def _baked(self, column: Column, head: _Head) -> QPixmap:
        """Make the picture of a head."""
        corners, step = self._atlas.corners(head.ground, "", RADIUS), self._step
        left, right = corners.copy(0, 0, step, step), corners.copy(step, 0, step, step)
        texts = [(style, x, y, laid.text) for laid, style, x, y in self._words(column)]
        blits = [(0, 0, left), (head.width - RADIUS, 0, right)]
        return self._atlas.bake(Run(head.width, head.height, head.ground, ()), blits, texts)

    def _words(self, column: Column) -> list[tuple[Laid, TextStyle, int, int]]:
        """Return title and count with their places inside the column."""
        px, line = self._look.px, column.header_height
        title = self._texts.fit(stage_title(column.stage), _TITLE.font, column.box.width - px(14) - px(70))
        count = self._texts.lay(_count(column), _COUNT.font)
        return [
            (title, _TITLE, px(14), (line - title.height) // 2),
            (count, _COUNT, px(14) + title.width + px(10), (line - count.height) // 2),
        ]

    def _corners(
        self, painter: QPainter, box: Box, ground: str, edge: str, rows: tuple[int, ...] = (0, 1)
    ) -> None:
        """Round the upper (0) and lower (1) corners, and draw the edge between them where there is one."""
        picture, step, side = self._atlas.corners(ground, edge, RADIUS), self._step, RADIUS
        for row in rows:
            y = box.bottom - side if row else box.y
            painter.drawPixmap(QPoint(box.x, y), picture, QRect(0, row * step, step, step))
            painter.drawPixmap(QPoint(box.right - side, y), picture, QRect(step, row * step, step, step))
        if edge:
            colour = self._look.colour(edge)
            wide, tall = box.width - 2 * side, box.height - 2 * side
            painter.fillRect(box.x + side, box.y, wide, 2, colour)
            painter.fillRect(box.x + side, box.bottom - 2, wide, 2, colour)
            painter.fillRect(box.x, box.y + side, 2, tall, colour)
            painter.fillRect(box.right - 2, box.y + side, 2, tall, colour)


def _count(column: Column) -> str:
    """Return "142", or "9 of 142 shown" while a filter hides some."""
    if column.shown == column.total:
        return str(column.shown)
    return translate("Board", "{shown} of {total} shown", shown=column.shown, total=column.total)
