"""A disk that loses power or fails, as a layer between SQLite and real files (needs apsw).

Everything is written through, so the program sees what it wrote. Beside that the disk remembers what
would survive: the content of each file at its last sync, and every write since. :meth:`Disk.image`
makes the files that a machine could find after the power came back: of every write since the last sync
all, nothing or some sectors are there, in any combination; files whose folder was not synced may be
missing, deleted ones may be back.

Not in the model: a drive that lies about having synced, and writes that harm their neighbours.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import apsw

from support.proofs_apsw import Connection

if TYPE_CHECKING:
    from typing_extensions import Buffer

SECTOR_BYTES: Final = 512
_FOLDER_SYNCED: Final = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL
"""Files with whose first sync SQLite syncs the folder too."""

Point = Callable[[str, str], None]
"""Called before each change with what it is and the file's name; raises an apsw error to fail it."""


@dataclass
class _Write:
    offset: int
    data: bytes


@dataclass
class _Cut:
    size: int


@dataclass
class _Inode:
    """One file: what is on the platter, and what was done to it since."""

    durable: bytearray
    since: list[_Write | _Cut] = field(default_factory=list)
    is_folder_synced: bool = False

    def settle(self) -> None:
        """Bring everything to the platter."""
        for change in self.since:
            _apply(self.durable, change)
        self.since.clear()


def _apply(content: bytearray, change: _Write | _Cut) -> None:
    size = change.size if isinstance(change, _Cut) else change.offset
    if isinstance(change, _Cut) and len(content) > size:
        del content[size:]
    if len(content) < size:
        content.extend(bytes(size - len(content)))
    if isinstance(change, _Write):
        content[change.offset : change.offset + len(change.data)] = change.data


class Disk:
    """The disk under one folder, as a VFS of SQLite."""

    _number = 0

    def __init__(self, point: Point = lambda _what, _file: None) -> None:
        """Call ``point`` before every change of a file."""
        Disk._number += 1
        self.name = f"disk-{os.getpid()}-{Disk._number}"
        self.point = point
        self.syncs = 0
        self._now: dict[str, _Inode] = {}
        self._durable: dict[str, _Inode] = {}
        self._vfs = _Vfs(self)

    def connect(self, path: Path | str) -> Connection:
        """Return a connection through this disk."""
        return Connection(str(path), self.name)

    def close(self) -> None:
        """Take the VFS out of SQLite."""
        self._vfs.unregister()

    def image(self, folder: Path, chance: random.Random) -> None:
        """Write into ``folder`` what a machine could find after a power cut in this moment."""
        folder.mkdir(parents=True)
        keep = chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for path in sorted(self._now.keys() | self._durable.keys()):
            names = [names.get(path) for names in (self._durable, self._now)]
            inode = names[0] if names[0] is names[1] else chance.choice(names)
            if inode is not None:
                (folder / Path(path).name).write_bytes(_torn(inode, chance, keep))

    # ------------------------------------------------------------------ told by the layer

    def opened(self, path: str) -> _Inode:
        """Return the file at ``path``, which SQLite has opened or made."""
        inode = self._now.get(path)
        if inode is None:
            content = Path(path).read_bytes() if os.path.getsize(path) else b""  # noqa: PTH202 - a hot path
            inode = self._now[path] = _Inode(bytearray(content))
            if content:
                self._durable[path] = inode
        return inode

    def written(self, path: str, offset: int, data: bytes) -> None:
        """Remember a write."""
        self._now[path].since.append(_Write(offset, data))

    def truncated(self, path: str, size: int) -> None:
        """Remember a new length."""
        self._now[path].since.append(_Cut(size))

    def synced(self, path: str, *, with_folder: bool) -> None:
        """Bring a file to the platter, and the names of all files with it when SQLite syncs the folder."""
        self.syncs += 1
        inode = self._now[path]
        inode.settle()
        if with_folder and not inode.is_folder_synced:
            inode.is_folder_synced = True
            self._durable = dict(self._now)

    def deleted(self, path: str, *, with_folder: bool) -> None:
        """Forget a name."""
        self._now.pop(path, None)
        if with_folder:
            self._durable = dict(self._now)


def _torn(inode: _Inode, chance: random.Random, keep: float) -> bytes:
    content = bytearray(inode.durable)
    for change in inode.since:
        if isinstance(change, _Cut) or chance.random() < 0.5:
            parts: list[_Write | _Cut] = [change]
        else:
            starts = range(0, len(change.data), SECTOR_BYTES)
            parts = [
                _Write(change.offset + start, change.data[start : start + SECTOR_BYTES]) for start in starts
            ]
        for part in parts:
            if chance.random() < keep:
                _apply(content, part)
    return bytes(content)


class _Vfs(apsw.VFS):
    """SQLite's own layer, with the disk listening."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        super().__init__(disk.name, "unix")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        is_new = not os.path.exists(path)  # noqa: PTH110 - a hot path
        if is_new and flags[0] & apsw.SQLITE_OPEN_CREATE:
            self._disk.point("open", path)
        return _File(self._disk, path, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.point("delete", filename)
        super().xDelete(filename, syncdir)
        self._disk.deleted(filename, with_folder=syncdir)

    def excepthook(self, *_: object) -> bool:
        """Say nothing: the error reaches whoever asked SQLite."""
        return True


class _File(apsw.VFSFile):
    """One open file."""

    def __init__(self, disk: Disk, path: str, name: str | apsw.URIFilename | None, flags: list[int]) -> None:
        super().__init__("unix", name, flags)
        self._disk = disk
        self._path = path
        self._is_folder_synced = bool(flags[0] & _FOLDER_SYNCED)
        disk.opened(path)

    def xWrite(self, data: Buffer, offset: int) -> None:
        self._disk.point("write", self._path)
        super().xWrite(data, offset)
        self._disk.written(self._path, offset, bytes(data))

    def xTruncate(self, newsize: int) -> None:
        self._disk.point("truncate", self._path)
        super().xTruncate(newsize)
        self._disk.truncated(self._path, newsize)

    def xSync(self, flags: int) -> None:
        self._disk.point("sync", self._path)
        # Nothing is really synced: what would survive is known, and waiting for the disk proves nothing.
        self._disk.synced(self._path, with_folder=self._is_folder_synced)

    def excepthook(self, *_: object) -> bool:
        """Say nothing: the error reaches whoever asked SQLite."""
        return True
