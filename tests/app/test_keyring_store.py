"""The keyring by strict rules: only what encrypts, nothing that pretends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from app.keyring_store import (
    ALLOWED_BACKENDS,
    SERVICE,
    KeyringSecrets,
    allowed_backend,
    backend_name,
    has_session_bus,
)


class FakeKeyring:
    """Keeps passwords as a keyring does."""

    def __init__(self) -> None:
        """Begin empty."""
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, name: str) -> str | None:
        """Return a password."""
        return self.kept.get((service, name))

    def set_password(self, service: str, name: str, value: str) -> None:
        """Keep a password."""
        self.kept[service, name] = value

    def delete_password(self, service: str, name: str) -> None:
        """Forget a password; complains about an unknown one, as real ones do."""
        del self.kept[service, name]


def _backend(full_name: str, **attributes: Any) -> Any:  # noqa: ANN401 - a stand-in for any backend
    module, _, name = full_name.rpartition(".")
    made = type(name, (FakeKeyring,), {"__module__": module})()
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


SECRET_SERVICE = "keyring.backends.SecretService.Keyring"
PLAINTEXT = "keyrings.alt.file.PlaintextKeyring"
CHAINER = "keyring.backends.chainer.ChainerBackend"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Make a backend the one that the keyring package finds."""

    def choose(backend: object) -> None:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
        package = ModuleType("keyring")
        package.get_keyring = lambda: backend  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "keyring", package)

    return choose


@pytest.mark.parametrize("name", sorted(ALLOWED_BACKENDS))
def test_what_the_operating_system_encrypts_is_used(name: str) -> None:
    """The named backends are used as they are."""
    backend = _backend(name)
    assert backend_name(backend) == name
    assert allowed_backend(backend) is backend


@pytest.mark.parametrize(
    "name",
    [
        PLAINTEXT,
        "keyrings.alt.file.EncryptedKeyring",
        "keyring.backends.null.Keyring",
        "keyring.backends.fail.Keyring",
        "somebody.elses.SecretService.Keyring",
    ],
)
def test_everything_else_is_refused(name: str) -> None:
    """A file in plain text is no keyring, whatever it calls itself."""
    assert allowed_backend(_backend(name)) is None


def test_a_chain_gives_its_first_allowed_backend_only() -> None:
    """A chain would write into the plain text file that stands first in it."""
    good = _backend(SECRET_SERVICE)
    assert allowed_backend(_backend(CHAINER, backends=[_backend(PLAINTEXT), good])) is good
    assert allowed_backend(_backend(CHAINER, backends=[_backend(PLAINTEXT)])) is None
    assert allowed_backend(_backend(CHAINER, backends=[])) is None


def test_a_secret_outlives_the_program_in_an_allowed_keyring(use: Callable[[object], None]) -> None:
    """Written by one start, read by the next."""
    backend = _backend(SECRET_SERVICE)
    use(backend)
    KeyringSecrets().set("refresh:x", "t")
    assert backend.kept == {(SERVICE, "refresh:x"): "t"}
    assert KeyringSecrets().get("refresh:x") == "t"


def test_a_plain_text_backend_sees_nothing(use: Callable[[object], None]) -> None:
    """The secret stays in memory: this start has it, the next one does not."""
    backend = _backend(PLAINTEXT)
    use(backend)
    secrets = KeyringSecrets()
    secrets.set("refresh:x", "t")
    assert backend.kept == {}
    assert secrets.get("refresh:x") == "t"
    assert KeyringSecrets().get("refresh:x") is None


def test_a_forgotten_secret_is_gone_everywhere(use: Callable[[object], None]) -> None:
    """Deleting twice is no fault."""
    backend = _backend(SECRET_SERVICE)
    use(backend)
    secrets = KeyringSecrets()
    secrets.set("refresh:x", "t")
    secrets.delete("refresh:x")
    secrets.delete("refresh:x")
    assert backend.kept == {}
    assert secrets.get("refresh:x") is None


def test_the_real_keyring_of_the_tests_is_refused() -> None:
    """The null backend that tests run with is not on the list, so nothing is written anywhere."""
    secrets = KeyringSecrets()
    secrets.set("refresh:x", "t")
    assert KeyringSecrets().get("refresh:x") is None


def test_without_a_session_bus_no_keyring_is_looked_for(tmp_path: Path) -> None:
    """A floor terminal has none; a desktop names it, or keeps it in the usual place."""
    assert not has_session_bus("linux", {})
    assert not has_session_bus("linux", {"XDG_RUNTIME_DIR": str(tmp_path)})
    (tmp_path / "bus").touch()
    assert has_session_bus("linux", {"XDG_RUNTIME_DIR": str(tmp_path)})
    assert has_session_bus("linux", {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus"})
    assert has_session_bus("win32", {})
