"""The file that enrols this terminal: JSON with ``device_token`` and, when IT wrote it, ``server``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, NamedTuple

from sync.contract.problems import UsageError

FILE_NAME: Final = "device-token.json"
"""Where a profile keeps it when no other file is named."""
MAX_BYTES: Final = 64 * 1024


class DeviceToken(NamedTuple):
    """The token and the server it is for; both empty when there is none."""

    token: str = ""
    server: str = ""


def read_device_token(named: str, profile_folder: Path) -> DeviceToken:
    """Return what the ``named`` file says, or the one in the profile; raises ``UsageError``."""
    path = Path(named) if named else profile_folder / FILE_NAME
    if not named and not path.exists():
        return DeviceToken()
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(MAX_BYTES))
        return DeviceToken(str(content["device_token"]), str(content.get("server", "")))
    except OSError as error:
        raise UsageError(
            "TOKEN_FILE_UNREADABLE",
            f"The token file {path} cannot be read: {error.strerror}.",
            "Check its name and its rights, or name another with --device-token-file.",
        ) from error
    except (ValueError, RecursionError, TypeError, KeyError, AttributeError) as error:
        raise UsageError(
            "TOKEN_FILE_UNREADABLE",
            f"{path} holds no device token.",
            "Name the file that `fulfillment-kanban-server device add` wrote.",
        ) from error
