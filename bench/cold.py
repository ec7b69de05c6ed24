"""Have the system forget what it has read of the files that a start reads.

As root all clean pages of the machine go; without that right, those of our own files, one by one. What
another program has in use stays: of a cold start that is the interpreter's own library, which the
measuring program needs as well.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

_DROP_CACHES = Path("/proc/sys/vm/drop_caches")


def forget_files(*folders: Path) -> None:
    """Forget the files of the interpreter, its libraries, this project and ``folders``."""
    os.sync()
    with contextlib.suppress(OSError):
        _DROP_CACHES.write_text("1\n", encoding="ascii")
        return
    for path in _files(*folders, Path(sys.prefix), Path(sys.base_prefix), Path(__file__).parent.parent):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def _files(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for root, _, names in os.walk(folder):
            yield from (Path(root, name) for name in names)
