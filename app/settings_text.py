"""The settings as people and programs read them in a terminal."""

from __future__ import annotations

import json

from app.settings import LoadedSettings


def settings_text(loaded: LoadedSettings) -> str:
    """Return one line a setting: name, value, where it comes from, whether it is locked, its error."""
    lines = [
        f"{value.name:<18} {json.dumps(value.value, ensure_ascii=False):<24} {value.origin.value}"
        f"{', locked' if value.is_locked else ''}{f'  ! {value.error}' if value.error else ''}"
        for value in loaded.table
    ]
    return "\n".join([*lines, *(f"! {error}" for error in loaded.file_errors)])


def settings_json(loaded: LoadedSettings) -> str:
    """Return the same as JSON, with the words of each setting."""
    rows = [
        {
            "name": value.name,
            "value": value.value,
            "source": value.origin.value,
            "is_locked": value.is_locked,
            "error": value.error,
            "words": value.words,
        }
        for value in loaded.table
    ]
    return json.dumps({"settings": rows, "errors": list(loaded.file_errors)}, ensure_ascii=False, indent=2)
