"""What a drag shows: the lifted card with its shadow, the slot where it would land."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPixmap

from widgets.board.brush import Brush
from widgets.board.card_shape import CardShape
from widgets.board.card_words import Moment
from widgets.board.columns import Column
from widgets.board.drag import PICTURE_MARGIN, Drag
from widgets.board.geometry import Box
from widgets.board.shelf import CardShelf, Want
from widgets.board.sprites import RADIUS, SpriteAtlas
from widgets.board.statics import TextCache, TextStyle
from widgets.board.texts import stage_name
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look
from widgets.words import counted, translate

_SHADOW_STEPS: Final = 14


class LiftedCard:
    """The picture of what is carried: made once a drag, on a shadow that is made once a look."""

    def __init__(self, look: Look, texts: TextCache, shelf: CardShelf, ratio: float) -> None:
        """Draw in ``look`` for a screen of ``ratio``."""
        self._look = look
        self._texts = texts
        self._shelf = shelf
        self._ratio = ratio
        self._shadow: QImage | None = None
        self._picture: QPixmap | None = None

    def forget(self) -> None:
        """Another drag begins; the shadow stays."""
        self._picture = None

    def prepare(self, width: int, height: int) -> None:
        """Draw the shadow of a card of this size, so that its first lift need not."""
        self._shadow_of(width, height, self._look.px(PICTURE_MARGIN))

    def picture(self, drag: Drag, shape: CardShape, moment: Moment) -> QPixmap:
        """Return the picture: shadow, stack edges, card, badge."""
        if self._picture is None:
            self._picture = QPixmap.fromImage(self._drawn(drag, shape, moment))
        return self._picture

    def _drawn(self, drag: Drag, shape: CardShape, moment: Moment) -> QImage:
        """Draw everything on a copy of the shadow."""
        image = QImage(self._shadow_of(drag.box.width, drag.box.height, drag.margin))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        box = Box(drag.margin, drag.margin, drag.box.width, drag.box.height)
        if len(drag.ids) > 1:
            _stack(painter, self._look, box)
        brush = Brush(painter, self._look, self._texts)
        want = Want(drag.lead.local_id, box.width, is_selected=True, ground="blue")
        brush.card(self._shelf.make(drag.lead, want, shape, moment), box.x, box.y)
        brush.flush()
        if len(drag.ids) > 1:
            _badge(brush, self._look, box, len(drag.ids))
        painter.end()
        return image

    def _shadow_of(self, width: int, height: int, margin: int) -> QImage:
        """Return the shadow of a card of this size on nothing; it takes most of a picture's time."""
        ratio = self._ratio
        size = QSize(round((width + 2 * margin) * ratio), round((height + 2 * margin) * ratio))
        if self._shadow is None or self._shadow.size() != size:
            image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
            image.setDevicePixelRatio(ratio)
            image.fill(Qt.GlobalColor.transparent)
            painter = QPainter(image)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            _shadow(painter, self._look, Box(margin, margin, width, height))
            painter.end()
            self._shadow = image
        return self._shadow


def _shadow(painter: QPainter, look: Look, box: Box) -> None:
    """Draw the shadow as nested rounded boxes, each nearly transparent."""
    if not look.theme.shadow_percent:
        return
    colour = QColor(look.theme.shadow_colour)
    colour.setAlphaF(look.theme.shadow_percent / 100 / _SHADOW_STEPS * 1.4)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    for step in range(_SHADOW_STEPS):
        grow = step - 2
        frame = QRectF(box.x - grow, box.y - grow + 6, box.width + 2 * grow, box.height + 2 * grow)
        painter.drawRoundedRect(frame, RADIUS + max(0, grow), RADIUS + max(0, grow))


def _stack(painter: QPainter, look: Look, box: Box) -> None:
    """Draw the edges of two more cards below the lifted one."""
    painter.setPen(QPen(look.colour("blue"), 2 if look.theme.is_high_contrast else 1))
    painter.setBrush(look.colour("surface"))
    for depth in (2, 1):
        inset = 8 * depth
        frame = QRectF(box.x + inset, box.y + 6 * depth + 0.5, box.width - 2 * inset, box.height)
        painter.drawRoundedRect(frame, RADIUS, RADIUS)


def _badge(brush: Brush, look: Look, box: Box, count: int) -> None:
    """Draw how many orders are lifted, above the card's corner: its number must stay readable."""
    style = TextStyle(FontKey(14, 700, figures=True), "onblue")
    words = counted("Board", "{n} order", "{n} orders", count)
    laid = brush.texts.lay(words, style.font)
    height, pad = look.px(28), look.px(10)
    badge = Box(box.x - 12, box.y + look.px(5) - height, laid.width + 2 * pad, height)
    brush.filled(badge, look.colour("bluefill"), height / 2)
    brush.text(words, style, badge.x + pad, badge.y, height)
    brush.flush()


def slot_words(drag: Drag, column: Column) -> tuple[str, str]:
    """Return (what to do, what it leads to) for the slot; a refusal is one sentence."""
    if drag.refusal:
        return drag.refusal, ""
    count = len(drag.going)
    do = counted("Board", "Drop the order here", "Drop {n} orders here", count)
    total = column.total + count
    return do, translate("Board", "{stage} will hold {n}", stage=stage_name(column.stage), n=total)


def paint_slot(brush: Brush, look: Look, atlas: SpriteAtlas, column: Column, drag: Drag) -> None:
    """Draw the dashed slot with its words, red with an octagon when the drop is refused."""
    box = column.slot_box()
    token = "red" if drag.refusal else "blue"
    brush.filled(box, look.colour("redtint" if drag.refusal else "surface"), RADIUS)
    brush.outline(box, look.colour(token), 2, dashed=True)
    do, leads_to = slot_words(drag, column)
    strong = TextStyle(FontKey(14, 600), token)
    soft = TextStyle(FontKey(14, 400, figures=False), token)
    icon, gap = look.px(16), look.px(10)
    room = box.width - icon - 3 * gap
    do = brush.texts.elide(do, strong.font, room)
    first = brush.texts.lay(do, strong.font).width
    rest = brush.texts.lay(leads_to, soft.font).width + gap if leads_to else 0
    if first + rest > room:
        leads_to, rest = "", 0
    x = box.x + (box.width - icon - gap - first - rest) // 2
    name = "octagon-x" if drag.refusal else "arrow-down"
    brush.painter.drawPixmap(x, box.y + (box.height - icon) // 2, atlas.icon(name, icon, token))
    x += icon + gap
    brush.text(do, strong, x, box.y, box.height)
    if leads_to:
        brush.text(leads_to, soft, x + first + gap, box.y, box.height)
    brush.flush()
