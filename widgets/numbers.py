"""Figures as people read them: two or three significant ones, the unit last."""

from __future__ import annotations

from PySide6.QtCore import QLocale


def seconds_text(seconds: float) -> str:
    """Return "0.2 s", "1.4 s", "14 s"."""
    digits = 1 if seconds < 9.95 else 0
    return f"{QLocale().toString(seconds, 'f', digits)} s"


def milliseconds_text(milliseconds: float) -> str:
    """Return "2.1 ms", "148 ms"."""
    digits = 1 if milliseconds < 9.95 else 0
    return f"{QLocale().toString(milliseconds, 'f', digits)} ms"


def megabytes_text(megabytes: float) -> str:
    """Return "38 MB"."""
    return f"{QLocale().toString(megabytes, 'f', 0)} MB"
