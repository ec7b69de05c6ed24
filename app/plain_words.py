"""The door for texts without Qt: the same two functions as :mod:`widgets.words`, in English. Pure."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Translate(Protocol):
    """Returns a text in the person's language, with values in its ``{names}``."""

    def __call__(self, context: str, text: str, /, **values: object) -> str:
        """Return the text."""
        ...


class Counted(Protocol):
    """Returns the form of a text that fits a number, which becomes ``{n}``."""

    def __call__(self, context: str, one: str, many: str, number: int, /, **values: object) -> str:
        """Return the text."""
        ...


class Language(NamedTuple):
    """How sentences are made: by Qt's translators in the window, plainly elsewhere."""

    translate: Translate
    counted: Counted


def _translate(_context: str, text: str, /, **values: object) -> str:
    return text.format(**values) if values else text


def _counted(_context: str, one: str, many: str, number: int, /, **values: object) -> str:
    return (one if number == 1 else many).format(n=number, **values)


ENGLISH = Language(_translate, _counted)
