"""How the C library gives memory back: set once, before the engine's threads begin.

The GNU library learns from large pieces that were freed that it should keep such pieces, and gives every
thread an arena of its own. After a first start, through which the whole board has passed, that keeps
5 MB which nobody uses. Elsewhere nothing is set.
"""

from __future__ import annotations

import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_LARGE_BYTES: Final = 128 * 1024
"""The library's own beginning; a value that is set is not moved any more."""


def give_memory_back() -> bool:
    """Let large pieces go back to the system and all threads share one arena; say whether it was set."""
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    wanted = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGE_BYTES), (_TRIM_THRESHOLD, _LARGE_BYTES))
    answers = [library.mallopt(name, value) for name, value in wanted]
    return all(answer == 1 for answer in answers)
