"""Pre-rendered pictures: card backgrounds, pills, pips, avatars, panel corners.

Antialiased drawing costs ten times a copy, so everything with a curve is drawn once per look and
device pixel ratio. Card backgrounds are opaque (their corners carry the column's colour): copying
opaque pixels is the cheapest thing a painter can do.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPixmap, QStaticText

from widgets.board.card_shape import CardShape
from widgets.board.statics import TextStyle
from widgets.board.texts import BandKind, initials
from widgets.theme.fonts import FontKey
from widgets.theme.look import Look

MAX_BYTES: Final = 6_000_000
"""Pixels kept, at one device pixel per pixel: about 20 card backgrounds and many small pictures."""

HATCH_STEP: Final = 9
RADIUS: Final = 8
MAX_PIPS: Final = 14

BAND_ICONS: Final = {
    BandKind.CANCELLED: "ban",
    BandKind.CONFLICT: "diamond",
    BandKind.HOLD: "circle-pause",
    BandKind.SHORT: "package-x",
}
BAND_TOKENS: Final = {
    BandKind.CANCELLED: ("redfill", "onred"),
    BandKind.CONFLICT: ("violettint", "violet"),
    BandKind.HOLD: ("holdtint", "hold"),
    BandKind.SHORT: ("ambertint", "amber"),
}
"""(background, text) of each band."""


class Face(NamedTuple):
    """Everything that decides how a card's background looks."""

    width: int
    shape: CardShape
    surface: str = "surface"
    border: str = "line"
    is_thick: bool = False
    is_dashed: bool = False
    is_hatched: bool = False
    band: BandKind | None = None
    glyph: str = "circle"
    glyph_token: str = "control"
    ground: str = "track"


class Pill(NamedTuple):
    """A filled capsule with an icon; its text is drawn over it."""

    width: int
    height: int
    icon_px: int
    pad: int
    icon: str
    fill: str
    ink: str


class Pips(NamedTuple):
    """The lines of an order as little boxes, or as a bar when there are many."""

    total: int
    picked: int
    short: int
    width: int
    height: int
    bar_width: int
    gap: int

    @property
    def room(self) -> int:
        """How wide they are, the gap after the last one left out."""
        if self.total > MAX_PIPS:
            return self.bar_width
        return max(0, self.total * (self.width + self.gap) - self.gap)


class Avatar(NamedTuple):
    """A person's initials on their colour."""

    name: str
    colour: str
    size: int
    ring: str


Blit = tuple[int, int, QPixmap]
"""A picture and where it lies."""

Text = tuple[TextStyle, int, int, QStaticText]
"""A laid-out text, its style and where it lies."""


class Run(NamedTuple):
    """Some parts of a card that many cards share, for instance a name and its avatar."""

    width: int
    height: int
    surface: str
    key: Hashable


class SpriteAtlas:
    """Renders each picture once; bounded, the oldest leaves."""

    def __init__(self, look: Look, ratio: float, limit: int = MAX_BYTES) -> None:
        """Render for ``look`` on a screen with ``ratio`` device pixels per logical pixel."""
        self._look = look
        self._ratio = ratio
        self._limit = round(limit * ratio * ratio)
        self._bytes = 0
        self._made: OrderedDict[Hashable, QPixmap] = OrderedDict()

    def __len__(self) -> int:
        """How many pictures are kept."""
        return len(self._made)

    def card(self, face: Face) -> QPixmap:
        """Return the opaque background of a card."""
        return self._get(face, lambda: self._card(face))

    def pill(self, pill: Pill) -> QPixmap:
        """Return a filled capsule with its icon."""
        return self._get(pill, lambda: self._pill(pill))

    def pips(self, pips: Pips) -> QPixmap:
        """Return the row of line boxes."""
        return self._get(pips, lambda: self._pips(pips))

    def avatar(self, avatar: Avatar) -> QPixmap:
        """Return the disc with initials."""
        return self._get(avatar, lambda: self._avatar(avatar))

    def corners(self, ground: str, edge: str, radius: int) -> QPixmap:
        """Return the four corners of a column as one opaque picture, two radii wide and high."""
        return self._get(("corners", ground, edge, radius), lambda: self._corners(ground, edge, radius))

    def baked(self, run: Run, parts: Callable[[], tuple[Sequence[Blit], Sequence[Text]]]) -> QPixmap:
        """Return pictures and texts as one opaque picture; ``run`` says which they are."""
        return self._get(run, lambda: self.bake(run, *parts()))

    def icon(self, name: str, px: int, token: str) -> QPixmap:
        """Return an icon at ``px`` logical pixels, already scaled."""
        return self._look.icons.pixmap(name, px, self._look.theme.colours[token], self._ratio)

    def _get(self, key: Hashable, make: Callable[[], QPixmap]) -> QPixmap:
        """Return a kept picture, or make it."""
        found = self._made.get(key)
        if found is not None:
            self._made.move_to_end(key)
            return found
        made = self._made[key] = make()
        self._bytes += _bytes_of(made)
        while self._bytes > self._limit and len(self._made) > 1:
            _, gone = self._made.popitem(last=False)
            self._bytes -= _bytes_of(gone)
        return made

    def _blank(self, width: int, height: int, ground: QColor | None = None) -> QImage:
        """Return an image to draw on: opaque with ``ground``, else transparent."""
        kind = QImage.Format.Format_RGB32 if ground else QImage.Format.Format_ARGB32_Premultiplied
        image = QImage(round(width * self._ratio), round(height * self._ratio), kind)
        image.setDevicePixelRatio(self._ratio)
        image.fill(ground if ground is not None else Qt.GlobalColor.transparent)
        return image

    def _card(self, face: Face) -> QPixmap:
        """Draw a card: surface, hatch, band, border, glyph."""
        look = self._look
        width, height = face.width, face.shape.height
        image = self._blank(width, height, look.colour(face.ground))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        outline = QPainterPath()
        outline.addRoundedRect(QRectF(0, 0, width, height), RADIUS, RADIUS)
        painter.fillPath(outline, look.colour(face.surface))
        has_band = face.band is not None and face.shape.band_height
        if has_band or face.is_hatched:
            painter.setClipPath(outline)
            if face.is_hatched and look.theme.hatch_percent:
                self._hatch(painter, width, height)
            if has_band:
                self._band(painter, face)
            painter.setClipping(False)
        self._border(painter, face)
        shape = face.shape
        glyph = self.icon(face.glyph, shape.glyph, face.glyph_token)
        painter.drawPixmap(QPointF(shape.glyph_x, shape.glyph_y), glyph)
        painter.end()
        return QPixmap.fromImage(image)

    def bake(self, run: Run, blits: Sequence[Blit], texts: Sequence[Text]) -> QPixmap:
        """Draw a run on the surface of its card, without keeping it here."""
        image = self._blank(run.width, run.height, self._look.colour(run.surface))
        painter = QPainter(image)
        for x, y, picture in blits:
            painter.drawPixmap(x, y, picture)
        for style, x, y, text in texts:
            painter.setFont(self._look.fonts.font(style.font))
            painter.setPen(self._look.colour(style.token))
            painter.drawStaticText(x, y, text)
        painter.end()
        return QPixmap.fromImage(image)

    def _corners(self, ground: str, edge: str, radius: int) -> QPixmap:
        """Draw a rounded square on the canvas; its quarters are the corners."""
        side = 2 * radius
        image = self._blank(side, side, self._look.colour("canvas"))
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        half = 1.0 if edge else 0.0
        painter.setPen(QPen(self._look.colour(edge), 2) if edge else Qt.PenStyle.NoPen)
        painter.setBrush(self._look.colour(ground))
        painter.drawRoundedRect(QRectF(half, half, side - 2 * half, side - 2 * half), radius, radius)
        painter.end()
        return QPixmap.fromImage(image)

    def _hatch(self, painter: QPainter, width: int, height: int) -> None:
        """Cover a card with the slanted lines of an order on hold."""
        side = _tile_side(self._ratio)
        tile = self._get(("hatch", side), lambda: self._hatch_tile(side))
        painter.drawTiledPixmap(0, 0, width, height, tile)

    def _hatch_tile(self, side: int) -> QPixmap:
        """Draw a square of slanted lines that continues itself: fifty long lines cost more than ten cards."""
        colour = QColor(self._look.colour("hold"))
        colour.setAlphaF(self._look.theme.hatch_percent / 100)
        image = self._blank(side, side)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(colour, 1.6))
        for end in range(0, 2 * side + HATCH_STEP, HATCH_STEP):
            painter.drawLine(QPointF(-HATCH_STEP, end + HATCH_STEP), QPointF(end + HATCH_STEP, -HATCH_STEP))
        painter.end()
        return QPixmap.fromImage(image)

    def _band(self, painter: QPainter, face: Face) -> None:
        """Draw the tinted band at the bottom with its icon."""
        assert face.band is not None
        look, shape = self._look, face.shape
        fill, ink = BAND_TOKENS[face.band]
        painter.fillRect(QRectF(0, shape.band_y, face.width, shape.band_height), look.colour(fill))
        if look.theme.is_high_contrast:
            painter.fillRect(QRectF(0, shape.band_y, face.width, 2), look.colour(face.border))
        icon = self.icon(BAND_ICONS[face.band], shape.band_icon, ink)
        y = shape.band_y + (shape.band_height - shape.band_icon) // 2
        painter.drawPixmap(QPointF(shape.glyph_x + 1, y), icon)

    def _border(self, painter: QPainter, face: Face) -> None:
        """Draw the edge; dashed means that the server has not decided yet."""
        theme = self._look.theme
        if face.is_dashed:
            pen = QPen(self._look.colour(face.border), 1.5)
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([3, 2])
        else:
            pen = QPen(self._look.colour(face.border), 2 if face.is_thick else theme.border_px)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        half = pen.widthF() / 2
        frame = QRectF(half, half, face.width - 2 * half, face.shape.height - 2 * half)
        painter.drawRoundedRect(frame, RADIUS - half, RADIUS - half)

    def _pill(self, pill: Pill) -> QPixmap:
        """Draw a capsule (radius 6) and its icon."""
        image = self._blank(pill.width, pill.height)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._look.colour(pill.fill))
        painter.drawRoundedRect(QRectF(0, 0, pill.width, pill.height), 6, 6)
        icon = self.icon(pill.icon, pill.icon_px, pill.ink)
        painter.drawPixmap(QPointF(pill.pad, (pill.height - pill.icon_px) // 2), icon)
        painter.end()
        return QPixmap.fromImage(image)

    def _pips(self, pips: Pips) -> QPixmap:
        """Draw filled boxes for picked lines, open ones to pick, half amber ones for short lines."""
        step = pips.width + pips.gap
        if pips.total > MAX_PIPS:
            return self._bar(pips)
        image = self._blank(max(1, pips.total * step), pips.height)
        # In device pixels: a box between two of them would be blurred.
        image.setDevicePixelRatio(1)
        painter = QPainter(image)
        for place in range(pips.total):
            is_short = pips.picked <= place < pips.picked + pips.short
            token = "ink2" if place < pips.picked else "amber" if is_short else "control"
            painter.drawPixmap(
                round(place * step * self._ratio), 0, self._pip(pips.width, pips.height, token)
            )
        painter.end()
        image.setDevicePixelRatio(self._ratio)
        return QPixmap.fromImage(image)

    def _pip(self, width: int, height: int, token: str) -> QPixmap:
        """Return a line box in device pixels: filled "ink2", half filled "amber", open "control"."""
        return self._get(("pip", width, height, token), lambda: self._one_pip(width, height, token))

    def _one_pip(self, width: int, height: int, token: str) -> QPixmap:
        """Draw one line box (radius 2)."""
        look, image = self._look, self._blank(width, height)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(look.colour(token) if token == "ink2" else Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(look.colour(token), 1))
        box = QRectF(0.5, 0.5, width - 1, height - 1)
        painter.drawRoundedRect(box, 2, 2)
        if token == "amber":
            half = QPainterPath(box.bottomLeft())
            half.lineTo(box.topLeft())
            half.lineTo(box.topRight())
            half.closeSubpath()
            painter.fillPath(half, look.colour("amberfill"))
        painter.end()
        image.setDevicePixelRatio(1)
        return QPixmap.fromImage(image)

    def _bar(self, pips: Pips) -> QPixmap:
        """Draw the share of picked lines as a bar."""
        look, image = self._look, self._blank(pips.bar_width, pips.height)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        frame = QRectF(0.5, 0.5, pips.bar_width - 1, pips.height - 1)
        painter.setPen(QPen(look.colour("control"), 1))
        painter.drawRoundedRect(frame, 2, 2)
        if pips.picked:
            frame.setWidth(frame.width() * min(pips.picked, pips.total) / pips.total)
            painter.setPen(QPen(look.colour("ink2"), 1))
            painter.setBrush(look.colour("ink2"))
            painter.drawRoundedRect(frame, 2, 2)
        painter.end()
        return QPixmap.fromImage(image)

    def _avatar(self, avatar: Avatar) -> QPixmap:
        """Draw a disc with white bold initials, and a ring where the ground is coloured."""
        size = avatar.size
        image = self._blank(size, size)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inset = 1.0 if avatar.ring else 0.0
        painter.setPen(QPen(self._look.colour(avatar.ring), 1.5) if avatar.ring else Qt.PenStyle.NoPen)
        painter.setBrush(QColor(avatar.colour))
        painter.drawEllipse(QRectF(inset, inset, size - 2 * inset, size - 2 * inset))
        painter.setPen(QColor("#FFFFFF"))
        # The disc is already scaled with the text: its letters follow the disc, not the text scale.
        at_100 = max(8, round(size * 0.45 * 100 / self._look.scale_percent))
        painter.setFont(self._look.fonts.font(FontKey(at_100, 700)))
        painter.drawText(QRectF(0, 0, size, size), Qt.AlignmentFlag.AlignCenter, initials(avatar.name))
        painter.end()
        return QPixmap.fromImage(image)


def _bytes_of(picture: QPixmap) -> int:
    """Return how much memory a picture takes."""
    return picture.width() * picture.height() * 4


def _tile_side(ratio: float) -> int:
    """Return how long a square of hatching must be to end on a whole device pixel at ``ratio``."""
    sides = range(HATCH_STEP, 20 * HATCH_STEP, HATCH_STEP)
    return next((side for side in sides if (side * ratio).is_integer()), sides[-1])
