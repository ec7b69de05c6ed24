"""Where the parts of one card are collected, and shared parts become one picture."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final

from PySide6.QtGui import QPixmap

from widgets.board.geometry import Box
from widgets.board.sprites import Blit, Run, SpriteAtlas, Text
from widgets.board.statics import Laid, TextStyle

SETTLES_AFTER: Final = 3
"""Paints after which a card's own words become a picture: what is scrolled past never pays for it."""


class PreparedCard:
    """A card ready to draw; offsets are pixels from its top left corner."""

    __slots__ = ("_areas", "_surface", "background", "blits", "is_settled", "paints", "texts")

    def __init__(self, background: QPixmap, sheet: CardSheet) -> None:
        """Take what ``sheet`` collected."""
        self.background = background
        self.blits = sheet.blits
        self.texts = sheet.texts
        self.paints = 0
        self.is_settled = False
        self._areas = sheet.areas
        self._surface = sheet.surface

    def settle(self, atlas: SpriteAtlas) -> None:
        """Make opaque pictures of the words that only this card has: a copy costs a fifth of a text."""
        self.is_settled = True
        areas, self._areas = self._areas, []
        if not self._surface:
            return
        for area in areas:
            blits = [one for one in self.blits if area.contains(one[0], one[1])]
            texts = [one for one in self.texts if area.contains(one[1], one[2])]
            inner_blits = [(x - area.x, y - area.y, picture) for x, y, picture in blits]
            inner_texts = [(style, x - area.x, y - area.y, text) for style, x, y, text in texts]
            run = Run(area.width, area.height, self._surface, ())
            picture = atlas.bake(run, inner_blits, inner_texts)
            self.blits = [one for one in self.blits if one not in blits] + [(area.x, area.y, picture)]
            self.texts = [one for one in self.texts if one not in texts]


class CardSheet:
    """Pictures and texts of one card, or of a part of it; offsets are pixels from its top left corner."""

    def __init__(self, atlas: SpriteAtlas) -> None:
        """Begin with nothing placed. ``surface`` "" forbids runs: the ground is not one colour."""
        self.atlas = atlas
        self.surface = ""
        self.blits: list[Blit] = []
        self.texts: list[Text] = []
        self.areas: list[Box] = []
        """Where words stand that no other card has."""

    def blit(self, x: int, y: int, picture: QPixmap) -> None:
        """Place a picture."""
        self.blits.append((x, y, picture))

    def write(self, laid: Laid, style: TextStyle, x: int, y: int, line: int) -> int:
        """Place a text in a line of height ``line``; return where it ends."""
        self.texts.append((style, x, y + (line - laid.height) // 2, laid.text))
        return x + laid.width

    def run(
        self, x: int, y: int, width: int, height: int, key: Hashable, lay: Callable[[CardSheet], None]
    ) -> None:
        """Place what many cards share at ``x``, ``y``, as one opaque picture where the ground is one colour.

        ``lay`` puts it on a sheet of its own; ``key`` says all that it depends on.
        """
        if self.surface:
            run = Run(width, height, self.surface, key)
            self.blits.append((x, y, self.atlas.baked(run, lambda: self._laid(lay))))
            return
        blits, texts = self._laid(lay)
        self.blits += [(x + dx, y + dy, picture) for dx, dy, picture in blits]
        self.texts += [(style, x + dx, y + dy, text) for style, dx, dy, text in texts]

    def _laid(self, lay: Callable[[CardSheet], None]) -> tuple[Sequence[Blit], Sequence[Text]]:
        """Return what ``lay`` puts on a sheet."""
        part = CardSheet(self.atlas)
        lay(part)
        return part.blits, part.texts
