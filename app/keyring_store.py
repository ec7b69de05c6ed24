"""Secrets in the operating system's keyring, by strict rules; in memory where there is none.

A keyring may be a file in plain text that pretends, so backends are named one by one, also those inside
a chain. It may block on a prompt that nobody sees: callers use a worker thread with a limit
(:mod:`sync.client.session` does), and nothing here is imported before the first paint.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sync.client.session import MemorySecrets

SERVICE: Final = "fulfillment-kanban"
ALLOWED_BACKENDS: Final = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)
"""Backends that encrypt with what the operating system keeps; everything else is refused."""
_CHAINER: Final = "keyring.backends.chainer.ChainerBackend"
_LOG: Final = logging.getLogger("app.keyring")


def backend_name(backend: object) -> str:
    """Return the full name of a backend's class."""
    return f"{type(backend).__module__}.{type(backend).__qualname__}"


def allowed_backend(backend: Any) -> Any | None:  # noqa: ANN401 - whatever the keyring package made
    """Return the backend to use: itself, or the first allowed one of a chain; None for none."""
    if backend_name(backend) == _CHAINER:
        return next((inner for inner in backend.backends if backend_name(inner) in ALLOWED_BACKENDS), None)
    return backend if backend_name(backend) in ALLOWED_BACKENDS else None


class KeyringSecrets:
    """A :class:`sync.client.session.SecretStore`: keyring first, this process's memory always.

    A secret is in memory too, so that a keyring that fails later in the day costs nothing before the
    next start.
    """

    def __init__(self) -> None:
        """Find the keyring at the first call, on the caller's worker thread."""
        self._memory = MemorySecrets()
        self._lock = threading.Lock()
        self._backend: Any | None = None
        self._was_sought = False

    def get(self, name: str) -> str | None:
        """Return the secret, None when there is none."""
        kept = self._memory.get(name)
        if kept is not None:
            return kept
        backend = self._find()
        if backend is None:
            return None
        found = backend.get_password(SERVICE, name)
        return found if isinstance(found, str) else None

    def set(self, name: str, value: str) -> None:
        """Keep the secret."""
        self._memory.set(name, value)
        backend = self._find()
        if backend is not None:
            backend.set_password(SERVICE, name, value)

    def delete(self, name: str) -> None:
        """Forget the secret."""
        self._memory.delete(name)
        backend = self._find()
        if backend is not None:
            with contextlib.suppress(Exception):  # it was not there
                backend.delete_password(SERVICE, name)

    def _find(self) -> Any | None:  # noqa: ANN401 - as above
        with self._lock:
            if not self._was_sought:
                self._was_sought = True
                self._backend = _system_backend()
            return self._backend


def has_session_bus(platform: str, environ: Mapping[str, str]) -> bool:
    """Say whether a keyring could answer here: on Linux all of them live on the session bus.

    Asking first spares a terminal without one 4 MB of libraries that could only say no.
    """
    if not platform.startswith("linux"):
        return True
    runtime = environ.get("XDG_RUNTIME_DIR")
    is_there = runtime is not None and (Path(runtime) / "bus").exists()
    return "DBUS_SESSION_BUS_ADDRESS" in environ or is_there


def _system_backend() -> Any | None:  # noqa: ANN401 - as above
    if not has_session_bus(sys.platform, os.environ):
        _LOG.info("no session bus, so no keyring: the sign-in stays in memory")
        return None
    import keyring

    found = keyring.get_keyring()
    backend = allowed_backend(found)
    if backend is None:
        _LOG.info("no keyring of the allowed kinds (%s): the sign-in stays in memory", backend_name(found))
    return backend
