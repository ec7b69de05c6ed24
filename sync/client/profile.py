"""The profile folder: everything that one person's client keeps on this machine.

A folder is a profile when it holds ``profile.json`` of ours; an empty or missing one is made into
one. One engine at a time holds the lock. A network filesystem is refused: SQLite's locks and syncs
are not to be trusted there, and the outbox promises durability. A profile that was used before and cannot be
written now still shows its board.

Errors (``ProblemError``)::

    PROFILE_NOT_A_FOLDER    the path is a file
    PROFILE_UNREADABLE      rights, a full disk, a damaged mark
    PROFILE_FOREIGN         a folder with other things in it
    PROFILE_TOO_NEW         made by a later release
    PROFILE_ON_NETWORK      on NFS, SMB and the like
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

import msgspec

from sync.client.stores.files import is_writable
from sync.client.stores.filesystems import network_kind
from sync.contract.problems import ProblemError

FORMAT: Final = 1
_PRODUCT: Final = "fulfillment-kanban"
_OTHER_PROFILE: Final = "Choose another folder with --profile."


class _Mark(msgspec.Struct, frozen=True):
    product: str
    format: int


class ProfileLock:
    """The right to be the engine of a profile; gone with the process at the latest."""

    def __init__(self, file: BinaryIO) -> None:
        """Keep the locked ``file`` open."""
        self._file = file

    def release(self) -> None:
        """Let another engine have the profile."""
        self._file.close()


class Profile(NamedTuple):
    """Where everything lies."""

    folder: Path
    hindrance: str = ""
    """Why nothing can be kept here, empty when it can."""

    @property
    def outbox(self) -> Path:
        """The precious file."""
        return self.folder / "outbox.db"

    @property
    def cache(self) -> Path:
        """The rebuildable file."""
        return self.folder / "cache.db"

    @property
    def telemetry(self) -> Path:
        """Measurements, bounded."""
        return self.folder / "telemetry.db"

    @property
    def settings(self) -> Path:
        """What the person chose."""
        return self.folder / "settings.json"

    @property
    def logs(self) -> Path:
        """The folder of the rotating logs."""
        return self.folder / "logs"

    @property
    def server(self) -> Path:
        """The data folder of the embedded server."""
        return self.folder / "server"

    @property
    def socket(self) -> Path:
        """Where the running engine listens, if the path is short enough for a socket."""
        return self.folder / "engine.sock"

    @property
    def lock_file(self) -> Path:
        """What the running engine holds."""
        return self.folder / "lock"

    def lock(self) -> ProfileLock | None:
        """Become the engine of this profile; None when another process is."""
        if self.hindrance and not self.lock_file.exists():
            # Nobody can have it, and nobody could write anyway.
            return ProfileLock(io.BytesIO())
        try:
            file = self.lock_file.open("rb" if self.hindrance else "a+b")
        except OSError as error:
            raise _unreadable(self.folder, error) from error
        if _try_lock(file):
            return ProfileLock(file)
        file.close()
        return None


def default_profile(environ: Mapping[str, str], home: Path) -> Path:
    """Return the profile folder of a person who names none."""
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Fulfillment Kanban"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Fulfillment Kanban"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / _PRODUCT


def open_profile(folder: Path) -> Profile:
    """Return the profile in ``folder``, made when there is none; raises ``ProblemError``."""
    folder = folder.absolute()
    try:
        is_file = folder.exists() and not folder.is_dir()
        kind = network_kind(folder)
    except OSError as error:
        # Not even to be looked at: in a home of somebody else, or a name that no disk can hold.
        raise _unreadable(folder, error) from error
    if is_file:
        raise ProblemError(
            "PROFILE_NOT_A_FOLDER",
            f"{folder} is a file; a profile is a folder.",
            "Name a folder with --profile; it is made when it does not exist.",
        )
    if kind:
        raise ProblemError(
            "PROFILE_ON_NETWORK",
            f"{folder} is on a network filesystem ({kind}). Moves could be lost there when the power fails.",
            "Choose a folder on a local disk with --profile.",
        )
    try:
        return Profile(folder, _claim(folder))
    except OSError as error:
        raise _unreadable(folder, error) from error


def _claim(folder: Path) -> str:
    """Check the mark of a folder, or mark an empty one; return why nothing can be kept in it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = folder / "profile.json"
    if not mark.exists():
        written = folder / "profile.json.new"
        # Logs and the embedded server may have begun before the profile is open.
        expected = {"logs", "server", "settings.json", written.name}
        if any(entry.name not in expected for entry in folder.iterdir()):
            raise _foreign(folder)
        written.write_bytes(msgspec.json.encode(_Mark(_PRODUCT, FORMAT)))
        written.replace(mark)
    _check(folder, mark.read_bytes())
    if is_writable(folder):
        return ""
    if sys.platform != "win32" and os.statvfs(folder).f_flag & os.ST_RDONLY:
        return "its disk is read-only"
    return "its folder cannot be written"


def _check(folder: Path, text: bytes) -> None:
    try:
        mark = msgspec.json.decode(text, type=_Mark)
    except msgspec.MsgspecError as error:
        raise _unreadable(folder, "profile.json is damaged") from error
    if mark.product != _PRODUCT:
        raise _foreign(folder)
    if mark.format > FORMAT:
        raise ProblemError(
            "PROFILE_TOO_NEW",
            f"The profile in {folder} was made by a newer release of this program. Nothing has been changed.",
            f"Start the newer release. {_OTHER_PROFILE}",
        )


def _foreign(folder: Path) -> ProblemError:
    return ProblemError(
        "PROFILE_FOREIGN",
        f"{folder} holds other things and is no profile of this program. Nothing has been changed.",
        f"{_OTHER_PROFILE} An empty or new one is made into a profile.",
    )


def _unreadable(folder: Path, cause: object) -> ProblemError:
    reason = cause.strerror if isinstance(cause, OSError) and cause.strerror else cause
    return ProblemError(
        "PROFILE_UNREADABLE",
        f"The profile in {folder} cannot be used: {reason}.",
        f"Check the rights of the folder and the free space of the disk. {_OTHER_PROFILE}",
    )


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
