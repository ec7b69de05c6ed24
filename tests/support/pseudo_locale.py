"""A translator that marks every text it was asked for; ``{names}`` stay as they are."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

from PySide6.QtCore import QObject, QTranslator

_NAME = re.compile(r"(\{[a-z]+\})")


class PseudoTranslator(QTranslator):
    """Brackets and accents every source text, by ``resources/translations/pseudo.toml``."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Read the letters."""
        super().__init__(parent)
        path = resources.files("resources") / "translations" / "pseudo.toml"
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        self.open: str = table["open"]
        self.close: str = table["close"]
        self._letters = str.maketrans(table["from"], table["into"])

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        """Return the marked text."""
        parts = _NAME.split(source)
        marked = "".join(part if _NAME.fullmatch(part) else part.translate(self._letters) for part in parts)
        return f"{self.open}{marked}{self.close}"

    def isEmpty(self) -> bool:
        """Say that there are translations, so that Qt asks."""
        return False
