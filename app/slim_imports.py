"""Parts of libraries that this program never or seldom uses and that cost memory when they are loaded.

What each costs: ``docs/decisions/0052-late-imports.md``.
"""

from __future__ import annotations

import importlib
import linecache
import sys
from types import ModuleType
from typing import Any, Final

_SELDOM_USED: Final = ("importlib.metadata", "urllib.request")
_BACKPORTS: Final = "typing_extensions"
_QT_FEATURES: Final = "shibokensupport.feature"


class LateModule(ModuleType):
    """Stands where a module is expected, and loads it as soon as anything of it is asked for."""

    def __getattr__(self, wanted: str) -> Any:  # noqa: ANN401 - whatever the module holds
        if wanted.startswith("__") and wanted != "__path__":
            raise AttributeError(wanted)
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return getattr(importlib.import_module(self.__name__), wanted)


def load_msgspec_alone() -> None:
    """Load msgspec without ``typing_extensions``, which it does not need on the Pythons that we run on.

    WORKAROUND https://github.com/jcrist/msgspec (``_utils.py``): it takes two names from there where the
    package happens to be installed, and from ``typing`` elsewhere: 0.4 MB of private memory. Call it before
    anything imports msgspec.
    """
    if "msgspec" in sys.modules or _BACKPORTS in sys.modules:
        return
    sys.modules[_BACKPORTS] = None  # type: ignore[assignment]
    try:
        importlib.import_module("msgspec")
    finally:
        del sys.modules[_BACKPORTS]


def load_seldom_used_late() -> None:
    """Have libraries that others import, but seldom use, loaded when something of them is used.

    WORKAROUND https://github.com/python-websockets/websockets (``version.py``, ``proxy.py``): it imports
    ``importlib.metadata`` and ``urllib.request`` and uses them where it is developed and where a proxy is
    set; both load the whole of ``email``: 3 MB of private memory and 40 ms. Call it before websockets is
    imported.
    """
    for name in _SELDOM_USED:
        if name not in sys.modules:
            parent, _, child = name.rpartition(".")
            late = sys.modules[name] = LateModule(name)
            setattr(importlib.import_module(parent), child, late)


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
