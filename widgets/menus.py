"""The menu behind the dots: look, text size, keys, about; made from the action table."""

from __future__ import annotations

from typing import Final

from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QWidget

from widgets.actions import ActionBook
from widgets.theme.look import TEXT_SCALES, Look
from widgets.theme.tokens import ThemeName

THEME_ACTIONS: Final = {
    "theme_light": ThemeName.LIGHT,
    "theme_dark": ThemeName.DARK,
    "theme_high_contrast": ThemeName.HIGH_CONTRAST,
}

_GROUPS: Final = (
    tuple(THEME_ACTIONS),
    ("text_larger", "text_smaller", "text_normal"),
    ("full_screen", "ask_again"),
    ("keys", "about"),
    ("quit",),
)


class MainMenu(QMenu):
    """The menu of the window."""

    def __init__(self, book: ActionBook, look: Look, parent: QWidget) -> None:
        """Fill the menu with actions of ``book``."""
        super().__init__(parent)
        self._book = book
        themes = QActionGroup(self)
        for name in THEME_ACTIONS:
            book.action(name).setCheckable(True)
            themes.addAction(book.action(name))
        for number, group in enumerate(_GROUPS):
            if number:
                self.addSeparator()
            for name in group:
                self.addAction(book.action(name))
        self.set_look(look)

    def set_look(self, look: Look) -> None:
        """Tick the theme in use: by a shape, because a style sheet hides the menu's own tick."""
        self.setFont(look.font(14))
        for name, theme in THEME_ACTIONS.items():
            is_chosen = look.theme.name is theme
            self._book.action(name).setChecked(is_chosen)
            icon = look.icon("circle-check", 16, "blue") if is_chosen else look.icon("circle", 16, "ink3")
            self._book.action(name).setIcon(icon)


def next_scale(percent: int, step: int) -> int:
    """Return the text scale one step larger (1) or smaller (-1)."""
    nearest = min(range(len(TEXT_SCALES)), key=lambda place: abs(TEXT_SCALES[place] - percent))
    return TEXT_SCALES[max(0, min(len(TEXT_SCALES) - 1, nearest + step))]
