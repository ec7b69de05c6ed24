"""Figures as people read them: two or three significant ones, the unit last."""

from __future__ import annotations

from PySide6.QtCore import QLocale


def seconds_text(seconds: float) -> str:
    """Return "0.2 s", "1.4 s", "14 s"."""
    return f"{_figure(seconds)} s"


def milliseconds_text(milliseconds: float) -> str:
    """Return "2.1 ms", "9 ms", "148 ms"."""
    return f"{_figure(milliseconds)} ms"


def megabytes_text(megabytes: float) -> str:
    """Return "38 MB"."""
    return f"{QLocale().toString(round(megabytes))} MB"


def _figure(value: float) -> str:
    """Return one digit after the point below ten, where it says something."""
    rounded = round(float(value), 1)
    digits = 1 if rounded < 10 and rounded != int(rounded) else 0
    return QLocale().toString(rounded, "f", digits)
