"""Laid-out texts, kept: drawing a ``QStaticText`` costs half of ``drawText``."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final, NamedTuple

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetricsF, QStaticText, QTransform

from widgets.theme.fonts import FontKey, Fonts

MAX_TEXTS: Final = 1500
"""Texts kept; about three screens full of cards."""

MAX_LENGTH: Final = 200
"""Characters looked at: no card is wide enough for more, and layout time grows with the length."""

MAX_MARKS: Final = 4
"""Marks kept on one letter: Vietnamese and Hebrew need three. A tower of them would cover other lines."""

_MARK: Final = (
    r"[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u064b-\u065f"
    r"\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)
_TOWERS: Final = re.compile(f"({_MARK}{{{MAX_MARKS}}}){_MARK}+")
_JOINERS: Final = frozenset("\u200c\u200d\u200e\u200f")
"""What holds pictures and letters together or keeps a word's own direction; it shows nothing itself."""

_PLAIN: Final = Qt.TextFormat.PlainText


class Laid(NamedTuple):
    """A text ready to draw, what it says, and its size in logical pixels."""

    text: QStaticText
    words: str
    width: int
    height: int


class TextStyle(NamedTuple):
    """A font in a colour; texts of one style are drawn together, because changing either costs."""

    font: FontKey
    token: str


class TextCache:
    """Laid-out texts and font metrics; the oldest texts leave when it is full.

    They have no colour, so another theme with the same fonts has the same texts.
    """

    def __init__(self, fonts: Fonts, limit: int = MAX_TEXTS) -> None:
        """Lay out with ``fonts``."""
        self.fonts = fonts
        self._limit = limit
        self._laid: OrderedDict[tuple[str, FontKey], Laid] = OrderedDict()
        self._elided: dict[tuple[str, FontKey, int], str] = {}
        self._metrics: dict[FontKey, QFontMetricsF] = {}
        self._identity = QTransform()

    def __len__(self) -> int:
        """How many texts are kept."""
        return len(self._laid)

    def lay(self, text: str, font: FontKey) -> Laid:
        """Return ``text`` laid out in one line."""
        key = (text, font)
        found = self._laid.get(key)
        if found is not None:
            self._laid.move_to_end(key)
            return found
        static = QStaticText(text)
        if "<" in text:
            # Only with a tag in it Qt would guess something else; to say it costs a fifth of the layout.
            static.setTextFormat(_PLAIN)
        static.prepare(self._identity, self.font(font))
        size = static.size()
        laid = Laid(static, text, -int(-size.width() // 1), round(size.height()))
        self._laid[key] = laid
        if len(self._laid) > self._limit:
            self._laid.popitem(last=False)
        return laid

    def _cut(self, line: str, font: FontKey, width: int) -> str:
        """Return the part of a line that fits, with an ellipsis."""
        metrics = self._metrics.get(font)
        if metrics is None:
            metrics = self._metrics[font] = QFontMetricsF(self.font(font))
        return metrics.elidedText(line, Qt.TextElideMode.ElideRight, max(0, width))

    def known(self) -> list[tuple[str, FontKey]]:
        """Return what is laid out now, oldest first."""
        return list(self._laid)

    def fit(self, text: str, font: FontKey, width: int) -> Laid:
        """Return ``text`` laid out in at most ``width`` pixels, with an ellipsis when it does not fit."""
        line = text if _is_plain(text) else _one_line(text)
        # A text that fits is laid out anyway: asking for the cut one would cost as much again.
        laid = self.lay(line, font)
        if laid.width <= width:
            return laid
        key = (line, font, width)
        cut = self._elided.get(key)
        if cut is None:
            if len(self._elided) >= self._limit:
                self._elided.clear()
            cut = self._elided[key] = self._cut(line, font, width)
        return self.lay(cut, font)

    def elide(self, text: str, font: FontKey, width: int) -> str:
        """Return ``text`` cut to ``width`` pixels, with an ellipsis when it does not fit."""
        return self.fit(text, font, width).words

    def wrap(self, text: str, font: FontKey, width: int) -> list[str]:
        """Return ``text`` in lines that fit ``width``; one long word stays whole."""
        metrics = QFontMetricsF(self.font(font))
        lines: list[str] = []
        for word in text.split():
            longer = f"{lines[-1]} {word}" if lines else word
            if lines and metrics.horizontalAdvance(longer) <= width:
                lines[-1] = longer
            else:
                lines.append(word)
        return lines

    def font(self, key: FontKey) -> QFont:
        """Return the font of a key."""
        return self.fonts.font(key)


def _is_plain(text: str) -> bool:
    """Say whether a text can be shown as it is."""
    return len(text) <= MAX_LENGTH and (text.isascii() or not _TOWERS.search(text)) and text.isprintable()


def _one_line(text: str) -> str:
    """Return the start of ``text`` on one line: no control characters, no turned directions, no towers."""
    start = _TOWERS.sub(r"\1", text[: 2 * MAX_LENGTH])[:MAX_LENGTH]
    return "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in start)
