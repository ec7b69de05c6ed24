"""Where the parts of one card are collected, and shared parts become one picture."""

from __future__ import annotations

from PySide6.QtGui import QPixmap

from widgets.board.sprites import Blit, Run, SpriteAtlas, Text
from widgets.board.statics import TextCache, TextStyle
from widgets.theme.fonts import FontKey


class CardSheet:
    """Pictures and texts of one card; offsets are pixels from its top left corner."""

    def __init__(self, atlas: SpriteAtlas, texts: TextCache) -> None:
        """Begin with nothing placed. ``surface`` "" forbids runs: the ground is not one colour."""
        self._atlas = atlas
        self._cache = texts
        self.surface = ""
        self.blits: list[Blit] = []
        self.texts: list[Text] = []

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
