"""Paints the board: columns, headers, cards, ring, slot, lifted card. Reads state, changes none."""

from __future__ import annotations

from collections.abc import Callable, Container
from datetime import tzinfo
from typing import NamedTuple

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter, QRegion

from sync.contract.rows import Fate
from widgets.board.brush import Brush, as_rect
from widgets.board.card_words import Moment
from widgets.board.column_heads import ColumnHeads
from widgets.board.columns import Column, Columns
from widgets.board.drag import Drag
from widgets.board.drag_painter import LiftedCard, paint_slot
from widgets.board.focus import Focus
from widgets.board.geometry import Box, Item
from widgets.board.group_texts import GroupTexts
from widgets.board.prepared import CardMaker
from widgets.board.shelf import CardShelf, Want
from widgets.board.sprites import SpriteAtlas
from widgets.board.statics import TextCache, TextStyle
from widgets.board.texts import empty_text
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look

RING_PX = 6
"""How far the focus ring reaches beyond its card."""


class Scene(NamedTuple):
    """What there is to paint now."""

    columns: Columns
    focus: Focus
    drag: Drag | None
    has_ring: bool
    is_filtered: bool


class _Strip(NamedTuple):
    """What there is to paint in one column."""

    column: Column
    ground: str
    items: list[Item]


class BoardPainter:
    """Paints scenes in one look on a screen with one device pixel ratio."""

    def __init__(
        self, look: Look, texts: TextCache, ratio: float, now_ms: Callable[[], int], zone: tzinfo
    ) -> None:
        """Make the pictures of this look; ``texts`` may outlive it."""
        self._look = look
        self._now_ms = now_ms
        self._zone = zone
        self.seconds_per_line = 45.0
        self._atlas = SpriteAtlas(look, ratio)
        self.texts = texts
        self.shelf = CardShelf(CardMaker(look, self._atlas, self.texts))
        self.groups = GroupTexts(look, self._atlas, self.texts)
        self.heads = ColumnHeads(look, self._atlas, self.texts, ratio)
        self.lifted = LiftedCard(look, self.texts, self.shelf, ratio)
        self.ratio = ratio

    def moment(self) -> Moment:
        """Return when and where words are true now."""
        return Moment(self._now_ms(), self._zone, self.seconds_per_line)

    def paint(self, painter: QPainter, region: QRegion, scene: Scene) -> set[int]:
        """Paint ``region`` and return the ids of the cards painted."""
        whole = region.boundingRect()
        is_one = region.rectCount() == 1
        is_whole = is_one and whole.contains(QRect(*scene.columns.frame))
        brush = Brush(painter, self._look, self.texts)
        self._canvas(painter, whole, scene.columns)
        strips: list[_Strip] = []
        for number, column in enumerate(scene.columns.each):
            if not region.intersects(as_rect(column.box)):
                continue
            strip = _Strip(column, self._ground(scene, number), column.visible())
            # A ghost is half transparent, and parts of a column may be asked for: then all of it is filled.
            is_covered = scene.drag is None and is_one and whole.contains(as_rect(column.box))
            self._track(brush, strip, is_covered=is_covered)
            if not is_whole:
                shown = [one for one in strip.items if region.intersects(as_rect(column.item_box(one)))]
                strip = strip._replace(items=shown)
            strips.append(strip)
        brush.flush()
        bar = scene.columns.side_thumb()
        if bar is not None:
            brush.filled(bar, self._look.colour("control"), 3)
        painted = self._cards(brush, strips, scene, whole)
        if scene.drag is not None and not scene.drag.is_settling:
            self._lifted_card(painter, scene)
        return painted

    def _ground(self, scene: Scene, number: int) -> str:
        """Return the colour of a column: tinted where a drop would be accepted."""
        drag = scene.drag
        is_goal = drag is not None and drag.target == number and drag.can_drop and not drag.is_settling
        return "bluetint" if is_goal else "track"

    def _canvas(self, painter: QPainter, whole: QRect, columns: Columns) -> None:
        """Fill what lies between the columns; corners of columns are drawn over it."""
        colour = self._look.colour("canvas")
        x = whole.left()
        for column in columns.each:
            painter.fillRect(QRect(x, whole.top(), column.box.x - x, whole.height()), colour)
            x = column.box.right
        painter.fillRect(QRect(x, whole.top(), whole.right() + 1 - x, whole.height()), colour)
        bottom = columns.each[0].box.bottom
        painter.fillRect(QRect(whole.left(), bottom, whole.width(), whole.bottom() + 1 - bottom), colour)

    def _track(self, brush: Brush, strip: _Strip, *, is_covered: bool) -> None:
        """Draw a column's ground, its title and count, and its scroll bar."""
        look, column, ground = self._look, strip.column, strip.ground
        if is_covered:
            self._fill_around(brush.painter, strip)
        else:
            brush.painter.fillRect(as_rect(column.box), look.colour(ground))
        self.heads.draw(brush, column, ground)
        bar = column.thumb()
        if bar is not None:
            brush.filled(bar, look.colour("control"), 3)

    def _fill_around(self, painter: QPainter, strip: _Strip) -> None:
        """Fill a column beside and between its cards: those are opaque, and cover most of it."""
        column, colour = strip.column, self._look.colour(strip.ground)
        box, view = column.box, column.view
        fill = painter.fillRect
        fill(box.x, box.y, box.width, view.y - box.y, colour)
        fill(box.x, view.y, column.inset, box.bottom - view.y, colour)
        left, width = box.x + column.inset, column.card_width
        fill(left + width, view.y, column.inset, box.bottom - view.y, colour)
        tall, top = column.layout.card_height, view.y
        for item in strip.items:
            if item.kind == "card":
                y = column.top_of(item.y)
                if y > top:
                    fill(left, top, width, y - top, colour)
                top = y + tall
        if box.bottom > top:
            fill(left, top, width, box.bottom - top, colour)

    def _cards(self, brush: Brush, strips: list[_Strip], scene: Scene, whole: QRect) -> set[int]:
        """Draw headers, cards, slot and ring below the column headers."""
        if not strips or scene.columns.source is None:
            return set()
        painter = brush.painter
        view = strips[0].column.view
        painter.setClipRect(QRect(whole.left(), view.y, whole.width(), view.height))
        moment = self.moment()
        ids = [strip.column.ids[one.number] for strip in strips for one in strip.items if one.kind == "card"]
        self.shelf.begin_paint(scene.columns.source, ids)
        ghosts: list[tuple[_Strip, Item]] = []
        for strip in strips:
            if not strip.column.ids and not scene.is_filtered and strip.column.slot is None:
                self._empty(brush, strip.column)
            self._items(brush, strip, scene, moment, ghosts)
        brush.flush()
        self._ghosts(brush, ghosts, scene, moment)
        if scene.has_ring:
            self._ring(brush, scene)
        painter.setClipping(False)
        return set(ids)

    def _items(
        self, brush: Brush, strip: _Strip, scene: Scene, moment: Moment, ghosts: list[tuple[_Strip, Item]]
    ) -> None:
        """Draw headers, the slot and cards; cards being dragged wait for the ghosts' pass."""
        drag, column = scene.drag, strip.column
        for item in strip.items:
            if item.kind == "header":
                assert scene.columns.source is not None
                self.groups.draw(brush, column, item.number, moment, scene.columns.source)
            elif item.kind == "slot":
                assert drag is not None
                self._slot(brush, column, drag, moment)
            elif drag is not None and column.ids[item.number] in drag.stages:
                ghosts.append((strip, item))
            else:
                self._card(brush, strip, item, scene.focus.selected, moment)

    def _card(
        self, brush: Brush, strip: _Strip, item: Item, selected: Container[int], moment: Moment
    ) -> None:
        """Draw one card."""
        column = strip.column
        local_id = column.ids[item.number]
        want = Want(local_id, column.card_width, local_id in selected, strip.ground)
        card = self.shelf.card(want, column.shape, moment)
        if card is not None:
            brush.card(card, column.box.x + column.inset, column.top_of(item.y))
        else:
            brush.painter.fillRect(as_rect(column.item_box(item)), self._look.colour(strip.ground))

    def _ghosts(self, brush: Brush, ghosts: list[tuple[_Strip, Item]], scene: Scene, moment: Moment) -> None:
        """Draw lifted cards faintly where they came from; in high contrast as dashed outlines."""
        if not ghosts or (scene.drag is not None and scene.drag.is_settling):
            return
        is_plain = self._look.theme.is_high_contrast
        brush.painter.setOpacity(1.0 if is_plain else 0.38)
        for strip, item in ghosts:
            self._card(brush, strip, item, scene.focus.selected, moment)
        brush.flush()
        brush.painter.setOpacity(1.0)
        if is_plain:
            for strip, item in ghosts:
                box = strip.column.item_box(item)
                # The card's own edge first goes: dashes on a line are a line.
                brush.outline(box, self._look.colour(strip.ground), 3)
                brush.outline(box, self._look.colour("blue"), 2, dashed=True)

    def _slot(self, brush: Brush, column: Column, drag: Drag, moment: Moment) -> None:
        """Draw where the drop lands: the slot, or the card itself once it was dropped."""
        box = column.slot_box()
        if not drag.is_settling:
            brush.flush()
            paint_slot(brush, self._look, self._atlas, column, drag)
            return
        row = drag.lead._replace(stage=column.stage, fate=Fate.SAVING)
        want = Want(row.local_id, box.width, is_selected=False, ground="track")
        brush.card(self.shelf.make(row, want, column.shape, moment), box.x, box.y)

    def _ring(self, brush: Brush, scene: Scene) -> None:
        """Draw the focus ring, 2 px away from the card."""
        box = scene.focus.box()
        if box is not None:
            ring = Box(box.x - 5, box.y - 5, box.width + 10, box.height + 10)
            brush.outline(ring, self._look.colour("focus"), 3, radius=11.5)

    def _empty(self, brush: Brush, column: Column) -> None:
        """Say in words that a column is empty and what comes next."""
        look, view = self._look, column.view
        icon, heading, sentence = empty_text(column.stage)
        x, width = view.x + look.px(14), view.width - look.px(28)
        y = view.y + look.px(14)
        brush.painter.drawPixmap(x, y, self._atlas.icon(icon, look.px(28), "ink3"))
        y += look.px(38)
        title = TextStyle(FontKey(15, 600), "ink2")
        brush.text(self.texts.elide(heading, title.font, width), title, x, y, look.px(22))
        y += look.px(24)
        body = TextStyle(FontKey(14), "ink3")
        for line in self.texts.wrap(sentence, body.font, width):
            brush.text(line, body, x, y, look.px(20))
            y += look.px(20)

    def _lifted_card(self, painter: QPainter, scene: Scene) -> None:
        """Draw the lifted card; its picture is made once per drag."""
        assert scene.drag is not None
        drag = scene.drag
        shape = scene.columns.each[drag.origin].shape
        picture = self.lifted.picture(drag, shape, self.moment())
        painter.drawPixmap(drag.picture_box.x, drag.picture_box.y, picture)
