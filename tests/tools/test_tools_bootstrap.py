"""The environment is made once, renewed when what it was made from changes, and failures are sentences."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import bootstrap
from tools.system_packages import SetupError


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with two locks and an environment that is current for ``dev``."""
    (tmp_path / "requirements").mkdir()
    for kind in ("run", "dev"):
        (tmp_path / "requirements" / f"{kind}.txt").write_text(f"{kind}==1\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    environment = bootstrap.Environment(tmp_path, "dev")
    (tmp_path / ".venv" / "origin").write_text(environment.origin(), encoding="utf-8")
    (tmp_path / ".venv" / "stamp-dev").write_text(environment.digest("dev"), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("kind", ["run", "dev"])
def test_a_stamped_environment_is_current(checkout: Path, kind: str) -> None:
    """What has all that tests need serves for running too."""
    assert bootstrap.Environment(checkout, kind).is_current()


def test_a_running_environment_is_not_enough_for_tests(checkout: Path) -> None:
    """An environment stamped for running must be completed before tests."""
    environment = bootstrap.Environment(checkout, "run")
    (checkout / ".venv" / "stamp-dev").unlink()
    (checkout / ".venv" / "stamp-run").write_text(environment.digest("run"), encoding="utf-8")
    assert environment.is_current()
    assert not bootstrap.Environment(checkout, "dev").is_current()


@pytest.mark.parametrize("changed", ["requirements/dev.txt", "pyproject.toml", ".venv/origin"])
def test_a_change_makes_it_stale(checkout: Path, changed: str) -> None:
    """Another lock, another project file, another place or another Python: the environment is renewed."""
    (checkout / changed).write_text("other", encoding="utf-8")
    assert not bootstrap.Environment(checkout, "dev").is_current()


def test_no_interpreter_no_environment(checkout: Path) -> None:
    """A stamp without an interpreter says nothing."""
    (checkout / ".venv" / "bin" / "python").unlink()
    assert not bootstrap.Environment(checkout, "dev").is_current()


def test_a_failure_is_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What keeps a machine from being set up is told on standard error with exit code 1, no traceback."""

    def fail(kind: str) -> None:
        raise SetupError(f"cannot do {kind}")

    monkeypatch.setattr(bootstrap, "bootstrap", fail)
    assert bootstrap.run_safely("dev") == 1
    assert capsys.readouterr().err == "cannot do dev\n"


def test_a_full_disk_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the system is told the same way."""

    def fail(kind: str) -> None:
        raise OSError(28, "No space left on device", kind)

    monkeypatch.setattr(bootstrap, "bootstrap", fail)
    assert bootstrap.run_safely("dev") == 1
    assert "No space left on device" in capsys.readouterr().err


def test_a_failing_command_tells_its_last_words() -> None:
    """What pip said last stands in the sentence."""
    with pytest.raises(SetupError, match=r"(?s)Could not fetch it\..*the index does not answer"):
        bootstrap._run([sys.executable, "-c", "raise SystemExit('the index does not answer')"], "fetch it")


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Python that the programs do not run on is named before anything is installed."""
    monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(SetupError, match=r"Python 3\.11 or later is needed"):
        bootstrap.bootstrap("run")
