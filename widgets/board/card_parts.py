"""The parts of cards that many cards share: time, pips with count, who holds it. Each lays itself out.

A part knows its width before it is drawn: where its picture is kept already, it is not drawn again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from widgets.board.card_shape import CardShape
from widgets.board.card_sheet import CardSheet
from widgets.board.sprites import Avatar, Pill, Pips
from widgets.board.statics import Laid, TextStyle

Dress = tuple[str, str, str]
"""Icon, fill and ink of a pill."""

_ICON_GAP: Final = 6


class TimePart(NamedTuple):
    """The time of an order, plain or in a filled capsule with an icon."""

    laid: Laid
    style: TextStyle
    shape: CardShape
    dress: Dress | None

    @property
    def width(self) -> int:
        """How wide it is."""
        shape = self.shape
        chrome = 2 * shape.pill_pad + shape.pill_icon + _ICON_GAP if self.dress else 0
        return self.laid.width + chrome

    def lay(self, sheet: CardSheet) -> None:
        """Place it from the left of ``sheet``."""
        shape, x = self.shape, 0
        if self.dress is not None:
            pill = Pill(self.width, shape.pill_height, shape.pill_icon, shape.pill_pad, *self.dress)
            sheet.blit(0, 0, sheet.atlas.pill(pill))
            x = shape.pill_pad + shape.pill_icon + _ICON_GAP
        sheet.write(self.laid, self.style, x, 0, shape.pill_height)


class CountPart(NamedTuple):
    """The lines of an order as boxes or a bar, and how many there are in words."""

    laid: Laid
    style: TextStyle
    shape: CardShape
    pips: Pips
    indent: int
    """Where the words begin."""

    @property
    def width(self) -> int:
        """How wide it is."""
        return self.indent + self.laid.width

    def lay(self, sheet: CardSheet) -> None:
        """Place it from the left of ``sheet``, whose height is that of the words."""
        line = self.shape.detail_line
        sheet.blit(0, (line - self.pips.height) - (line - self.pips.height) // 2, sheet.atlas.pips(self.pips))
        sheet.write(self.laid, self.style, self.indent, 0, line)


class PlainPart(NamedTuple):
    """A few words."""

    laid: Laid
    style: TextStyle

    def lay(self, sheet: CardSheet) -> None:
        """Place them on a sheet that has their size."""
        sheet.write(self.laid, self.style, 0, 0, self.laid.height)


class ClaimPart(NamedTuple):
    """From the left: a cloud while it is not sent, words, and the avatar of who holds it."""

    shape: CardShape
    top: int
    """Where the words' line begins below the avatar's top."""
    laid: Laid | None
    style: TextStyle
    cloud: str
    """The colour of the cloud, "" for none."""
    avatar: Avatar | None

    @property
    def _words_x(self) -> int:
        """Where the words begin."""
        return self.shape.tag + (_ICON_GAP if self.laid else 0) if self.cloud else 0

    @property
    def _words_end(self) -> int:
        """Where the words, or the cloud alone, end."""
        return self._words_x + (self.laid.width if self.laid else 0)

    @property
    def width(self) -> int:
        """How wide it is."""
        gap = _ICON_GAP if self._words_end else 0
        return self._words_end + (gap + self.shape.avatar if self.avatar else 0)

    def lay(self, sheet: CardSheet) -> None:
        """Place it from the left of ``sheet``, whose height is that of the avatar."""
        shape = self.shape
        if self.cloud:
            y = self.top + (shape.detail_line - shape.tag) // 2
            sheet.blit(0, y, sheet.atlas.icon("cloud-upload", shape.tag, self.cloud))
        if self.laid is not None:
            sheet.write(self.laid, self.style, self._words_x, self.top, shape.detail_line)
        if self.avatar is not None:
            sheet.blit(self.width - shape.avatar, 0, sheet.atlas.avatar(self.avatar))
