"""Style sheets: numbered templates from ``resources/qss`` with tokens put in.

``@ink`` stands for a colour token, ``@px(12)`` for pixels at the text scale. Fonts never appear in a
style sheet: weights of the variable font can only be set by :mod:`widgets.theme.fonts`.
"""

from __future__ import annotations

import re
from importlib import resources

from widgets.theme.tokens import Theme

_PIXELS = re.compile(r"@px\((\d+)\)")
_TOKEN = re.compile(r"@([a-z][a-z0-9]*)")


def read_templates() -> str:
    """Return all templates, joined in the order of their numbers."""
    folder = resources.files("resources") / "qss"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".qss"))
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def fill_template(template: str, theme: Theme, scale_percent: int) -> str:
    """Return ``template`` with the colours of ``theme``; KeyError for a token that no theme has."""
    sized = _PIXELS.sub(lambda match: f"{round(int(match[1]) * scale_percent / 100)}px", template)
    sized = sized.replace("@border", f"{theme.border_px}px")
    return _TOKEN.sub(lambda match: theme.colours[match[1]], sized)
