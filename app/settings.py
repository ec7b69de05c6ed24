"""One table of settings: what each is, where its value comes from, whether IT has locked it.

Defaults, then what the person chose (the profile's ``settings.json``), then the command line for this
start, then what IT manages (``policies.json``): a managed value is locked, nobody can change it. A value
that cannot be used is left out and told, never silently taken for another.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sync.contract.problems import Problem

MANAGED_FILE: Final = Path("/etc/fulfillment-kanban/policies.json")
MAX_FILE_BYTES: Final = 256 * 1024
THEMES: Final = ("light", "dark", "high_contrast")
TEXT_SCALES: Final = (100, 125, 150, 175, 200)
LOG_LEVELS: Final = ("debug", "info", "warning")
_NOT_IN_ADDRESS: Final = frozenset(' @?#%\\"<>')
"""A name before the host would take the place of the sign-in; the others are typing errors."""


class Origin(StrEnum):
    """Where a value comes from; later ones win."""

    DEFAULT = "default"
    USER = "user"
    COMMAND_LINE = "command line"
    MANAGED = "managed"


_FILES: Final = (Origin.USER, Origin.MANAGED)
_ANYWHERE: Final = (Origin.USER, Origin.COMMAND_LINE, Origin.MANAGED)


def _setting(
    default: Any,  # noqa: ANN401 - the type is that of the field
    words: str,
    choices: tuple[Any, ...] = (),
    origins: tuple[Origin, ...] = _FILES,
) -> Any:  # noqa: ANN401 - as above
    return field(default=default, metadata={"words": words, "choices": choices, "origins": origins})


@dataclass(frozen=True)
class Settings:
    """Every setting with its value. The table of ``docs/settings.md`` is held against this class."""

    server_url: str = _setting(
        "", "Address of the server. Empty: a server of this computer's own is started.", origins=_ANYWHERE
    )
    device_token_file: str = _setting(
        "", "File with this terminal's device token, made by `device add`.", origins=_ANYWHERE
    )
    theme: str = _setting("light", "Colours of the window.", THEMES, _ANYWHERE)
    text_scale: int = _setting(100, "Size of all text in per cent.", TEXT_SCALES)
    is_kiosk: bool = _setting(False, "Full screen; the window cannot be closed by hand.", origins=_ANYWHERE)
    station: str = _setting("", "Name of this station, shown below the site.")
    language: str = _setting("", "Language of the texts, `de` for example. Empty: that of the computer.")
    seconds_per_line: float = _setting(45.0, "Usual seconds to pick a line; tells which orders are at risk.")
    use_keyring: bool = _setting(
        True, "Keep the sign-in in the computer's keyring. Otherwise in memory only."
    )
    log_level: str = _setting("info", "The least that goes to the log.", LOG_LEVELS)
    log_bytes: int = _setting(1_000_000, "Size at which a log file is put aside; three are kept.")
    window: str = _setting("", "Where the window was: x, y, width, height.", origins=(Origin.USER,))
    is_maximized: bool = _setting(False, "Whether the window filled the screen.", origins=(Origin.USER,))


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
    file_errors: tuple[str, ...] = ()

    def is_locked(self, name: str) -> bool:
        """Say whether IT has fixed the setting."""
        return any(value.name == name and value.is_locked for value in self.table)

    def problems(self) -> tuple[Problem, ...]:
        """Return what a person should mend, a problem each."""
        unreadable = [
            Problem("SETTINGS_UNREADABLE", f"Settings were left out: {error}.", "Mend the file or remove it.")
            for error in self.file_errors
        ]
        unusable = [
            Problem(
                "SETTING_UNUSABLE",
                f"The setting {value.name} was left out ({value.error}).",
                "The list of all settings: fulfillment-kanban settings",
            )
            for value in self.table
            if value.error
        ]
        return tuple(unreadable + unusable)


@dataclass(frozen=True)
class _Layer:
    """What one place says: raw values by name."""

    origin: Origin
    content: Mapping[str, object]


def load_settings(
    user_file: Path, managed_file: Path = MANAGED_FILE, command_line: Mapping[str, object] | None = None
) -> LoadedSettings:
    """Read the settings; files that are missing count as empty."""
    user, user_error = _read(user_file)
    managed, managed_error = _read(managed_file)
    layers = (
        _Layer(Origin.USER, user),
        _Layer(Origin.COMMAND_LINE, command_line or {}),
        _Layer(Origin.MANAGED, managed),
    )
    table = tuple(_value(spec.name, spec.default, spec.metadata, layers) for spec in fields(Settings))
    unknown = tuple(
        Value(
            name, layer.content[name], layer.origin, is_locked=False, words="", error="there is no such one"
        )
        for layer in layers
        for name in layer.content
        if name not in Settings.__dataclass_fields__
    )
    chosen: dict[str, Any] = {value.name: value.value for value in table}
    errors = tuple(error for error in (user_error, managed_error) if error)
    return LoadedSettings(Settings(**chosen), table + unknown, errors)


def _value(name: str, default: object, about: Mapping[str, Any], layers: tuple[_Layer, ...]) -> Value:
    value, origin = default, Origin.DEFAULT
    errors = []
    for layer in layers:
        if name not in layer.content:
            continue
        given = layer.content[name]
        complaint = _complaint(name, given, default, about["choices"])
        if layer.origin not in about["origins"]:
            complaint = "it is not set there"
        if complaint:
            errors.append(f"{layer.origin}: {complaint}")
        else:
            value, origin = type(default)(given), layer.origin  # type: ignore[call-arg]
    return Value(name, value, origin, origin is Origin.MANAGED, about["words"], "; ".join(errors))


def _complaint(name: str, value: object, default: object, choices: tuple[object, ...]) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (type(value) is type(default) or (isinstance(default, float) and is_number)):
        kinds = {"str": "text", "bool": "true or false", "int": "a whole number", "float": "a number"}
        return f"{value!r} is not {kinds[type(default).__name__]}"
    if choices and value not in choices:
        return f"{value!r} is none of {', '.join(map(str, choices))}"
    if isinstance(value, int | float) and is_number and value <= 0:
        return f"{value!r} is not above zero"
    if name == "server_url" and value and not _is_address(str(value)):
        return f"{value!r} is no address like http://192.168.0.10:8440"
    return ""


def _read(path: Path) -> tuple[dict[str, object], str]:
    try:
        with path.open("rb") as file:
            # Cut off, a file that is too long is no JSON any more.
            content = json.loads(file.read(MAX_FILE_BYTES))
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"{path} cannot be read: {error.strerror}"
    except (ValueError, RecursionError) as error:
        return {}, f"{path} is not JSON: {error}"
    if not isinstance(content, dict):
        return {}, f"{path} is not a table of settings"
    return content, ""


def remember(user_file: Path, changed: Mapping[str, object]) -> bool:
    """Keep what the person chose, in one piece; unknown names stay. False when the disk refuses."""
    content, error = _read(user_file)
    if error:
        # A file that cannot be read is somebody's work: it is put aside, not overwritten.
        with contextlib.suppress(OSError):
            user_file.replace(user_file.with_suffix(".damaged"))
    content.update(changed)
    temporary = user_file.with_suffix(".new")
    try:
        temporary.write_text(json.dumps(content, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        temporary.replace(user_file)
    except OSError:
        return False
    return True


def _is_address(text: str) -> bool:
    """Say whether this can be a server's address: scheme, host, a port if any; no name and no password."""
    scheme, _, rest = text.partition("://")
    host = rest.partition("/")[0]
    if scheme not in ("http", "https") or not text.isprintable() or set(text) & _NOT_IN_ADDRESS:
        return False
    name, _, port = host.rpartition(":") if ":" in host and not host.endswith("]") else (host, "", "80")
    is_bracketed = name.startswith("[") and name.endswith("]")
    if not is_bracketed and (set(name) & set("[]:") or "" in name.removesuffix(".").split(".")):
        return False
    return bool(name) and port.isdecimal() and port.isascii() and 0 < int(port) < 65_536
