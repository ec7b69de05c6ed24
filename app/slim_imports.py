"""Parts of libraries that this program never uses and that cost memory when they are loaded."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Final

_HTTPX_COMMAND: Final = "httpx._main"


def leave_out_httpx_command() -> None:
    """Keep httpx from loading its own command line.

    WORKAROUND https://github.com/encode/httpx (``httpx/__init__.py``): where rich and pygments happen to
    be installed, ``import httpx`` loads them for its command; 8 MB of private memory and 100 ms.
    """
    if _HTTPX_COMMAND in sys.modules:
        return
    stub = ModuleType(_HTTPX_COMMAND)
    # A function: httpx signs everything that it exports with its own name.
    stub.main = lambda: None  # type: ignore[attr-defined]
    sys.modules[_HTTPX_COMMAND] = stub
