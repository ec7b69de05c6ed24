"""Where the parts of one card are collected, and shared parts become one picture."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QPixmap

from widgets.board.geometry import Box
from widgets.board.sprites import Blit, Run, SpriteAtlas, Text
from widgets.board.statics import TextCache, TextStyle
from widgets.theme.fonts import FontKey

SETTLES_AFTER: Final = 3
"""Paints after which a card's own words become a picture: what is scrolled past never pays for it."""


class PreparedCard:
    """A card ready to draw; offsets are pixels from its top left corner."""

    __slots__ = ("_areas", "_surface", "background", "blits", "paints", "texts")

    def __init__(self, background: QPixmap, sheet: CardSheet) -> None:
        """Take what ``sheet`` collected."""
        self.background = background
        self.blits = sheet.blits
        self.texts = sheet.texts
        self.paints = 0
        self._areas = sheet.areas
        self._surface = sheet.surface

    def settle(self, atlas: SpriteAtlas) -> None:
        """Make opaque pictures of the words that only this card has: a copy costs a fifth of a text."""
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
    """Pictures and texts of one card; offsets are pixels from its top left corner."""

    def __init__(self, atlas: SpriteAtlas, texts: TextCache) -> None:
        """Begin with nothing placed. ``surface`` "" forbids runs: the ground is not one colour."""
        self._atlas = atlas
        self._cache = texts
        self.surface = ""
        self.blits: list[Blit] = []
        self.texts: list[Text] = []
        self.areas: list[Box] = []
        """Where words stand that no other card has."""

    def blit(self, x: int, y: int, picture: QPixmap) -> None:
        """Place a picture."""
        self.blits.append((x, y, picture))

    def write(self, text: str, font: FontKey, token: str, x: int, y: int, line: int) -> int:
        """Place a text in a line of height ``line``; return its width."""
        laid = self._cache.lay(text, font)
        self.texts.append((TextStyle(font, token), x, y + (line - laid.height) // 2, laid.text))
        return laid.width

    def write_right(self, text: str, font: FontKey, token: str, right: int, y: int, line: int) -> int:
        """Place a text that ends at ``right``; return where it begins."""
        laid = self._cache.lay(text, font)
        x = right - laid.width
        self.texts.append((TextStyle(font, token), x, y + (line - laid.height) // 2, laid.text))
        return x

    def mark(self) -> tuple[int, int]:
        """Return how many pictures and texts are placed: the start of a run."""
        return len(self.blits), len(self.texts)

    def bake(self, mark: tuple[int, int], x: int, y: int, right: int, height: int) -> None:
        """Replace what was placed since ``mark`` by one opaque picture of its box."""
        blits, texts = self.blits[mark[0] :], self.texts[mark[1] :]
        if not self.surface or not (blits or texts) or right <= x:
            return
        blits = [(dx - x, dy - y, picture) for dx, dy, picture in blits]
        texts = [(style, dx - x, dy - y, text) for style, dx, dy, text in texts]
        parts = tuple((dx, dy, picture.cacheKey()) for dx, dy, picture in blits)
        words = tuple((style, dx, dy, text.text()) for style, dx, dy, text in texts)
        picture = self._atlas.baked(Run(right - x, height, self.surface, (parts, words)), blits, texts)
        del self.blits[mark[0] :]
        del self.texts[mark[1] :]
        self.blits.append((x, y, picture))
