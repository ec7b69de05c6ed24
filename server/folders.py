"""Where the server's data is: the options, else the environment, else a folder of the user."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

VARIABLE: Final = "FULFILLMENT_KANBAN_SERVER_DATA"
DATABASE_VARIABLE: Final = "FULFILLMENT_KANBAN_SERVER_DATABASE"
_NAME: Final = "fulfillment-kanban-server"


def data_folder(given: Path | None, environment: Mapping[str, str] = os.environ) -> Path:
    """Return the absolute data folder."""
    if given is None and environment.get(VARIABLE):
        given = Path(environment[VARIABLE])
    return (given or _of_user(environment) / _NAME).expanduser().absolute()


def database_url(given: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of PostgreSQL; the empty one means the file in the data folder."""
    return given if given is not None else environment.get(DATABASE_VARIABLE, "")


def _of_user(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    return Path(environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
