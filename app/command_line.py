"""What every command of the client reads from its options: the profile, and the settings of this start."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Final

from app.settings import MANAGED_FILE, LoadedSettings, Origin, load_settings
from sync.client.profile import Profile, default_profile
from sync.contract.problems import UsageError

_TYPED: Final = {"server_url": "server", "device_token_file": "device_token_file", "theme": "theme"}
"""Settings that can be typed, with the name of their option."""


def profile_folder(arguments: argparse.Namespace) -> Path:
    """Return the folder of the profile that is meant."""
    named: Path | None = arguments.profile
    return named if named is not None else default_profile(os.environ, Path.home())


def read_settings(
    arguments: argparse.Namespace, folder: Path, managed_file: Path = MANAGED_FILE
) -> LoadedSettings:
    """Return the settings of this start; raises ``UsageError`` for a value typed wrong."""
    typed: dict[str, object] = {}
    for name, option in _TYPED.items():
        value = getattr(arguments, option, None)
        if value is not None:
            typed[name] = value
    if getattr(arguments, "kiosk", False):
        typed["is_kiosk"] = True
    loaded = load_settings(Profile(folder).settings, managed_file, typed)
    for value in loaded.table:
        if Origin.COMMAND_LINE.value in value.error:
            raise UsageError(
                "SERVER_URL_INVALID",
                f"{typed[value.name]!r} is no address of a server.",
                "Write it like http://192.168.0.10:8440.",
            )
    return loaded
