"""Where the server's data is: the options, else the environment, else a folder of the user. Who uses it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sync.contract.problems import ProblemError

if sys.platform != "win32":
    import fcntl

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


def lock(folder: Path, *, is_alone: bool = False) -> int | None:
    """Say that this process uses a data folder, in common or ``alone``, until the answer is unlocked.

    On Windows nobody can move a file that is in use, and some network drives know no locks: None.
    """
    if sys.platform == "win32":
        return None
    # The folder itself: a lock file that one user makes, another could not open.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_EX if is_alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        who = "a server or a command" if is_alone else "a restore"
        raise ProblemError(
            "DATA_IN_USE",
            f"The data in {folder} is in use: {who} is at work.",
            "Stop it or wait for its end, then try again.",
        ) from None
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def unlock(descriptor: int | None) -> None:
    """Give back what :func:`lock` gave."""
    if descriptor is not None:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    is_windows = sys.platform == "win32"
    if path.is_dir() and is_windows:
        return
    descriptor = os.open(path, os.O_RDWR if is_windows else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
