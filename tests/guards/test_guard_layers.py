"""The plan of the house holds: who may import whom."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support import repository

CONTRACT_MAY_USE = {"msgspec", "zstandard", "sync"}


def test_import_linter_is_content() -> None:
    """Every contract of pyproject.toml is kept."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-logo", "--no-cache"]
    done = subprocess.run(command, cwd=repository.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("path", list(repository.modules("sync/contract")), ids=lambda path: path.stem)
def test_the_contract_needs_almost_nothing(path: Path) -> None:
    """The contract imports the standard library, msgspec, zstandard and itself."""
    top = {name.partition(".")[0] for name in repository.imported(path)}
    assert top <= CONTRACT_MAY_USE | sys.stdlib_module_names
    assert not {name for name in repository.imported(path) if name.startswith("sync.client")}


def test_one_crossing_between_threads() -> None:
    """Only the bridge names both asyncio and QObject."""
    both = [
        str(path.relative_to(repository.ROOT))
        for path in repository.modules("app", "widgets")
        if {"asyncio", "PySide6.QtCore.QObject"} <= repository.imported(path)
    ]
    assert set(both) <= {"app/bridge.py"}


def test_the_guard_sees_imports(tmp_path: Path) -> None:
    """Imports inside functions and both forms of the statement are seen."""
    path = tmp_path / "module.py"
    path.write_text("import a.b\ndef f():\n    from c import d\n", encoding="utf-8")
    assert repository.imported(path) == {"a.b", "c", "c.d"}
