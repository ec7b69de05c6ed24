"""The mark beside the outbox: how far its numbers had come when something was stored last.

The outbox cannot tell from itself that its newest part is gone: without its log, it is a whole file of an
hour ago. The mark can. It is written after each commit and never waited for, so it is never ahead of the
outbox, not even after a power cut; a mark that is ahead therefore proves that operations are missing. A mark
that is missing or damaged proves nothing.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from sync.client.stores.files import MEMORY
from sync.contract.operations import crc

_LENGTH: Final = 96
"""Always the same, so that writing never makes the file shorter or longer."""


class Marked(NamedTuple):
    """Whose outbox it was and which number would have come next."""

    device_id: str
    next_device_seq: int


class Mark:
    """The file ``outbox.mark``."""

    def __init__(self, path: Path) -> None:
        """Keep the mark of the outbox at ``path``; nothing is opened yet."""
        self._path = mark_path(path)
        self._is_kept = path != MEMORY

    def read(self) -> Marked | None:
        """Return what it says, None when it proves nothing."""
        if not self._is_kept:
            return None
        try:
            text, _, checksum = self._path.read_bytes().strip().rpartition(b" ")
            if int(checksum, 16) != crc(text):
                return None
            device_id, number = text.decode().split(" ")
            return Marked(device_id, int(number))
        except (OSError, ValueError):
            return None

    def write(self, device_id: str, next_device_seq: int) -> None:
        """Note how far the outbox is; a disk that does not take it costs the proof, nothing else."""
        text = f"{device_id} {next_device_seq}".encode()
        self._put(b"%s %08x" % (text, crc(text)))

    def clear(self) -> None:
        """Prove nothing from here on: what the outbox is about to become would look like a loss."""
        self._put(b"")

    def _put(self, line: bytes) -> None:
        if not self._is_kept:
            return
        with suppress(OSError):
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
            try:
                os.write(handle, line.ljust(_LENGTH - 1) + b"\n")
            finally:
                os.close(handle)


def mark_path(path: Path) -> Path:
    """Return where the mark of the outbox at ``path`` lies."""
    return path.with_suffix(".mark")
