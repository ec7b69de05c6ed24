"""One table of settings: what each is, where its value comes from, whether IT has locked it.

Defaults, then what the person chose (the profile's ``settings.json``), then what IT manages
(``policies.json``, locked), then the command line for this start. A value that cannot be used is
left out and told, never silently taken for another.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

MANAGED_FILE: Final = Path("/etc/fulfillment-kanban/policies.json")
THEMES: Final = ("light", "dark", "high_contrast")
TEXT_SCALES: Final = (100, 125, 150, 175, 200)


class Origin(StrEnum):
    """Where a value comes from; later ones win."""

    DEFAULT = "default"
    USER = "user"
    MANAGED = "managed"
    COMMAND_LINE = "command line"


def _setting(default: Any, words: str, choices: tuple[Any, ...] = (), *, is_shown: bool = True) -> Any:  # noqa: ANN401
    return field(default=default, metadata={"words": words, "choices": choices, "is_shown": is_shown})


@dataclass(frozen=True)
class Settings:
    """Every setting with its value. The table of ``docs/settings.md`` is held against this class."""

    server_url: str = _setting(
        "", "Address of the server. Empty: a server of this computer's own is started."
    )
    device_token_file: str = _setting("", "File with this terminal's device token, made by `device add`.")
    station: str = _setting("", "Name of this station, shown beside the site.")
    theme: str = _setting("light", "Colours of the window.", THEMES)
    text_scale: int = _setting(100, "Size of all text in percent.", TEXT_SCALES)
    pseudo_locale: bool = _setting(default=False, words="Show every translated text in accents and brackets.")
    kiosk: bool = _setting(default=False, words="Full screen, without a way to close the window.")
    demo_orders: int = _setting(0, "Made-up orders for an empty server of this computer's own.")
    log_bytes: int = _setting(1_000_000, "Size at which a log file is put aside; three are kept.")
    window_width: int = _setting(1440, "Width of the window in pixels, remembered.")
    window_height: int = _setting(900, "Height of the window in pixels, remembered.")
    is_maximized: bool = _setting(default=False, words="Whether the window fills the screen, remembered.")


@dataclass(frozen=True)
class Value:
    """One setting as it came about; ``error`` says why a given value was not taken."""

    name: str
    value: object
    origin: Origin
    is_locked: bool
    words: str
    error: str = ""


@dataclass(frozen=True)
class LoadedSettings:
    """The settings, and how each came about."""

    settings: Settings
    table: tuple[Value, ...]

    def is_locked(self, name: str) -> bool:
        """Say whether IT has fixed the setting."""
        return any(value.name == name and value.is_locked for value in self.table)


def load_settings(
    user_file: Path, managed_file: Path = MANAGED_FILE, command_line: Mapping[str, object] | None = None
) -> LoadedSettings:
    """Read the settings; files that are missing count as empty."""
    user, user_error = _read(user_file)
    managed, managed_error = _read(managed_file)
    layers = (
        (Origin.USER, user, user_error),
        (Origin.COMMAND_LINE, command_line or {}, ""),
        (Origin.MANAGED, managed, managed_error),
    )
    table = tuple(_value(spec.name, spec.default, spec.metadata, layers) for spec in fields(Settings))
    unknown = tuple(
        Value(name, content[name], origin, is_locked=False, words="", error="there is no such setting")
        for origin, content, _ in layers
        for name in content
        if name not in Settings.__dataclass_fields__
    )
    return LoadedSettings(Settings(**{value.name: value.value for value in table}), table + unknown)  # type: ignore[arg-type]


def _value(
    name: str,
    default: object,
    metadata: Mapping[str, Any],
    layers: tuple[tuple[Origin, Mapping[str, object], str], ...],
) -> Value:
    value, origin = default, Origin.DEFAULT
    errors = []
    for layer, content, file_error in layers:
        if file_error:
            errors.append(file_error)
        if name not in content:
            continue
        complaint = _complaint(content[name], default, metadata["choices"])
        if complaint:
            errors.append(f"{layer}: {complaint}")
        else:
            value, origin = content[name], layer
    is_locked = origin is Origin.MANAGED
    return Value(name, value, origin, is_locked, metadata["words"], "; ".join(errors))


def _complaint(value: object, default: object, choices: tuple[object, ...]) -> str:
    if type(value) is not type(default):
        return f"{value!r} is not a {type(default).__name__}"
    if choices and value not in choices:
        return f"{value!r} is none of {', '.join(map(str, choices))}"
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return f"{value!r} is below zero"
    return ""


def _read(path: Path) -> tuple[dict[str, object], str]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError) as error:
        return {}, f"{path.name} cannot be read: {error}"
    if not isinstance(content, dict):
        return {}, f"{path.name} is not a table of settings"
    return content, ""


def remember(user_file: Path, changed: Mapping[str, object]) -> None:
    """Keep what the person chose; the file is replaced in one piece, unknown names stay."""
    content, error = _read(user_file)
    if error:
        # A file that cannot be read is somebody's work: it is put aside, not overwritten.
        with contextlib.suppress(OSError):
            user_file.replace(user_file.with_suffix(".damaged"))
    content.update(changed)
    temporary = user_file.with_suffix(".new")
    temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(temporary, user_file)
