"""Parts of libraries that this program never uses and that cost memory when they are loaded."""

from __future__ import annotations

import importlib
import linecache
import sys
from types import ModuleType
from typing import Final

_HTTPX_COMMAND: Final = "httpx._main"
_QT_FEATURES: Final = "shibokensupport.feature"


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


def leave_out_reading_sources() -> None:
    """Keep Qt from reading the source of every module that is imported after it.

    WORKAROUND https://doc.qt.io/qtforpython-6/considerations.html#the-feature-switch: to switch snake_case
    names on per module, it looks for its own name in the text of each; Python then keeps all the lines.
    We switch nothing on: 17 MB of private memory and 60 ms of the start. Call it before Qt is imported.
    """
    importlib.import_module("shiboken6")
    features = sys.modules.get(_QT_FEATURES)
    if hasattr(features, "_mod_uses_pyside"):
        features._mod_uses_pyside = lambda _module: False  # type: ignore[union-attr]  # noqa: SLF001
    linecache.clearcache()
