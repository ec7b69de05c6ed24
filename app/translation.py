"""Which language people read: loads Qt's translation files, or the pseudo-language that tests read.

The pseudo-language writes every translated text with accents and in brackets, longer than it is. A text
on screen without brackets was not translated; a text that is cut has no room for other languages.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from PySide6.QtCore import QCoreApplication, QLocale, QObject, QTranslator

PSEUDO: Final = "pseudo"
_ACCENTS: Final = str.maketrans("aeiouyAEIOUYcnszCNSZ", "åéîöûÿÅÉÎÖÛŸçñšžÇÑŠŽ")
_KEPT: Final = re.compile(r"(\{[^{}]*\}|&\w)")


def pseudo(text: str) -> str:
    """Return a text as the pseudo-language writes it; ``{names}`` stay as they are."""
    parts = _KEPT.split(text)
    accented = "".join(part if _KEPT.fullmatch(part) else part.translate(_ACCENTS) for part in parts)
    return f"[{accented}{'·' * max(1, len(text) // 3)}]"


class PseudoTranslator(QTranslator):
    """Translates everything into the pseudo-language."""

    def translate(self, context: str, source: str, disambiguation: str | None = None, n: int = -1) -> str:
        """Return the text, accented."""
        return pseudo(source)

    def isEmpty(self) -> bool:
        """Say that there are translations, else Qt does not ask."""
        return False


def install_language(language: str, parent: QObject) -> str:
    """Load the texts of ``language`` ("" = that of the machine); return what was loaded, "" = English."""
    if language == PSEUDO:
        QCoreApplication.installTranslator(PseudoTranslator(parent))
        return PSEUDO
    locale = QLocale(language) if language else QLocale()
    folder = resources.files("resources") / "translations"
    for name in (locale.name(), locale.name().partition("_")[0]):
        file = folder / f"{name}.qm"
        if file.is_file():
            translator = QTranslator(parent)
            if translator.load(file.read_bytes()):
                QCoreApplication.installTranslator(translator)
                return name
    return ""
