"""What the window says of operations that did not simply come true, in the person's language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from app.plain_words import Language
from widgets.words import counted, translate

WINDOW: Final = Language(translate, counted)
"""Sentences through Qt's translators."""


def left_sentence(numbers: Sequence[str]) -> str:
    """Return why a step cannot be taken back whose orders have all left the board."""
    return counted(
        "Refusal",
        "Not undone: #{number} has left the board.",
        "Not undone: #{number} and the others have left the board.",
        len(numbers),
        number=numbers[0].removeprefix("#") if numbers else "",
    )
