"""What everything looks like: themes, fonts, icons, style sheets.

The only code in :mod:`widgets` that reads files, and only package data through ``importlib.resources``.
"""

from widgets.theme.look import TEXT_SCALES, Look, make_look
from widgets.theme.tokens import Theme, ThemeName, contrast, load_theme

__all__ = ["TEXT_SCALES", "Look", "Theme", "ThemeName", "contrast", "load_theme", "make_look"]
