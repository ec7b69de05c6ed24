"""A look: one theme at one text scale. Passed to everything that paints; never changed, only replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QFont, QIcon, QPainter, QPixmap

from widgets.theme.fonts import FontKey, Fonts, register_inter
from widgets.theme.icons import Icons, LucideFile
from widgets.theme.style import fill_template, read_templates
from widgets.theme.tokens import Theme, ThemeName, load_theme

TEXT_SCALES: Final = (100, 125, 150, 175, 200)
"""The text sizes to choose from, in percent."""

_ICON_GAP: Final = 5


@dataclass(frozen=True)
class Look:
    """Colours, fonts, icons and sizes for one theme and one text scale."""

    theme: Theme
    scale_percent: int
    fonts: Fonts
    icons: Icons
    _colours: dict[str, QColor] = field(default_factory=dict, repr=False, compare=False)

    def px(self, pixels: float) -> int:
        """Return a length of the design (pixels at 100 %) at this text scale, rounded up."""
        return -int(-pixels * self.scale_percent // 100)

    def colour(self, token: str) -> QColor:
        """Return the colour of ``token``; KeyError for an unknown one."""
        found = self._colours.get(token)
        if found is None:
            found = self._colours[token] = QColor(self.theme.colours[token])
        return found

    def font(self, px: int, weight: int = 400, *, figures: bool = False, zero: bool = False) -> QFont:
        """Return a font by its pixels at 100 %, its weight, and its figure features."""
        return self.fonts.font(FontKey(px, weight, figures, zero))

    def pixmap(self, name: str, px: int, token: str, ratio: float = 1.0) -> QPixmap:
        """Return an icon at ``px`` (100 %) in the colour of ``token``."""
        return self.icons.pixmap(name, self.px(px), self.theme.colours[token], ratio)

    def icon(self, name: str, px: int, token: str, ratio: float = 1.0) -> QIcon:
        """Return an icon for a button or an action."""
        return QIcon(self.pixmap(name, px, token, ratio))

    def button_icon(self, name: str, px: int, token: str, ratio: float = 1.0) -> QIcon:
        """Return an icon that keeps its distance from the text of a button (style sheets cannot)."""
        picture = self.pixmap(name, px, token, ratio)
        padded = QPixmap(picture.width() + round(_ICON_GAP * ratio), picture.height())
        padded.setDevicePixelRatio(ratio)
        padded.fill(Qt.GlobalColor.transparent)
        painter = QPainter(padded)
        painter.drawPixmap(0, 0, picture)
        painter.end()
        return QIcon(padded)

    def button_icon_size(self, px: int) -> QSize:
        """Return the size to give a button for :meth:`button_icon`."""
        return QSize(self.px(px) + _ICON_GAP, self.px(px))

    def style_sheet(self) -> str:
        """Return the style sheet of the whole window."""
        return fill_template(read_templates(), self.theme, self.scale_percent)

    def with_theme(self, name: ThemeName) -> Look:
        """Return the same look in another theme."""
        return Look(load_theme(name), self.scale_percent, self.fonts, self.icons)

    def with_scale(self, percent: int) -> Look:
        """Return the same look at another text scale, kept within :data:`TEXT_SCALES`."""
        bounded = min(max(percent, TEXT_SCALES[0]), TEXT_SCALES[-1])
        return Look(self.theme, bounded, Fonts(self.fonts.family, bounded), self.icons)


def make_look(theme: ThemeName = ThemeName.LIGHT, scale_percent: int = 100) -> Look:
    """Make the first look; needs a QGuiApplication, because it registers the font."""
    fonts = Fonts(register_inter(), scale_percent)
    return Look(load_theme(theme), scale_percent, fonts, Icons(LucideFile()))
