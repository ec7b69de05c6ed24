"""Whether a folder lies on another machine."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Final

NETWORK_KINDS: Final = frozenset(
    {"9p", "afs", "ceph", "cifs", "coda", "davfs", "fuse.davfs2", "fuse.glusterfs", "fuse.rclone"}
    | {"fuse.sshfs", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "smb3"}
    | {"smbfs", "sshfs"}
)
_MOUNTS: Final = Path("/proc/self/mountinfo")


def network_kind(folder: Path) -> str:
    """Return the kind of network filesystem that ``folder`` is on, empty for a local one.

    The folder need not exist yet. Where the system does not say, it counts as local.
    """
    if folder.drive.startswith("\\\\"):
        return "network share"
    try:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    kind = mounted_kind(folder.resolve(), mounts)
    return kind if kind in NETWORK_KINDS else ""


def mounted_kind(folder: PurePath, mounts: str) -> str:
    """Return the filesystem of the mount that holds ``folder``, from the text of ``mountinfo``."""
    deepest, kind = -1, ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if len(fields) < 5:
            continue
        point = PurePath(_unescaped(fields[4]))
        # A later mount on the same point covers the earlier one.
        if folder.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, kind = len(point.parts), rest[0]
    return kind


def _unescaped(text: str) -> str:
    for escape, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(escape, character)
    return text
