"""The one door for every text that people see.

Texts are translated with Qt's translators; counted texts come in two English forms, and both reach the
translator with their number, so that a language with more forms can choose.
"""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication


def translate(context: str, text: str, /, **values: object) -> str:
    """Return ``text`` in the person's language, then put ``values`` into its ``{names}``."""
    found = QCoreApplication.translate(context, text)
    return found.format(**values) if values else found


def counted(context: str, one: str, many: str, number: int, /, **values: object) -> str:
    """Return the form of a text that fits ``number``; ``{n}`` in it becomes the number."""
    found = QCoreApplication.translate(context, one if number == 1 else many, None, number)
    return found.format(n=number, **values)
