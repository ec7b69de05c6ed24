"""The one place that makes fonts.

Inter comes as one variable file. ``QFont.setWeight`` has no effect on it, the axis ``wght`` has;
``tnum`` also widens the hyphen, so only figures get it ("B-02-3" would fall apart).
"""

from __future__ import annotations

from importlib import resources
from typing import NamedTuple

from PySide6.QtGui import QFont, QFontDatabase

WEIGHTS = (400, 500, 600, 700)
"""The only weights in use."""

_FILE = "Inter[opsz,wght].ttf"


class FontKey(NamedTuple):
    """What a font is asked by; pixels are at 100 % text scale."""

    px: int
    weight: int = 400
    figures: bool = False
    zero: bool = False
    underline: bool = False


def register_inter() -> str:
    """Make Inter known to Qt and return its family name; the system's font when it cannot be read."""
    try:
        source = resources.files("fontpkg_inter") / "files" / _FILE
        with resources.as_file(source) as path:
            number = QFontDatabase.addApplicationFont(str(path))
    except (ModuleNotFoundError, OSError):
        number = -1
    families = QFontDatabase.applicationFontFamilies(number) if number >= 0 else []
    return families[0] if families else QFont().family()


class Fonts:
    """Makes each font once, for one text scale."""

    def __init__(self, family: str, scale_percent: int) -> None:
        """Use ``family``, enlarged to ``scale_percent``."""
        self._family = family
        self._scale_percent = scale_percent
        self._made: dict[FontKey, QFont] = {}

    @property
    def family(self) -> str:
        """The family name all fonts share."""
        return self._family

    def font(self, key: FontKey) -> QFont:
        """Return the font for ``key``; callers must not change it."""
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._make(key)
        return found

    def _make(self, key: FontKey) -> QFont:
        """Build one font with its axis and features."""
        font = QFont(self._family)
        font.setPixelSize(max(1, round(key.px * self._scale_percent / 100)))
        font.setVariableAxis(QFont.Tag("wght"), key.weight)
        font.setUnderline(key.underline)
        if key.figures:
            font.setFeature(QFont.Tag("tnum"), 1)
        if key.zero:
            font.setFeature(QFont.Tag("zero"), 1)
        return font
