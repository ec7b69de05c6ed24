"""Folders that must not become Python packages, and commands that must stay where people look."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from support import repository
from tools import system_packages


def test_packaging_is_no_package() -> None:
    """A ``packaging/__init__.py`` would shadow the library of that name for everything run from the root."""
    assert not list((repository.ROOT / "packaging").rglob("__init__.py"))
    where = subprocess.run(
        [sys.executable, "-c", "import packaging; print(packaging.__file__)"],
        cwd=repository.ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert "site-packages" in Path(where).parts


def test_tests_are_no_packages() -> None:
    """A ``tests/sync/__init__.py`` would replace our ``sync``."""
    assert not list((repository.ROOT / "tests").rglob("__init__.py"))


def test_rooms_are_packages() -> None:
    """Every room of the architecture exists and says in its docstring what it is for."""
    for room in (*repository.ROOMS, "sync/contract", "sync/client"):
        text = (repository.ROOT / room / "__init__.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), room


def test_the_readme_names_the_two_commands() -> None:
    """A newcomer finds ``make run`` and ``make test`` in the README."""
    text = (repository.ROOT / "README.md").read_text(encoding="utf-8")
    assert "make run" in text
    assert "make test" in text


def test_ci_runs_the_gates_and_the_tests() -> None:
    """``.ci/run`` is executable and calls both commands."""
    script = repository.ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    text = script.read_text(encoding="utf-8")
    assert "make check" in text
    assert "make test" in text


def test_system_packages_stand_in_one_list() -> None:
    """The bootstrap reads the list, and no other command of ours names one of its packages."""
    assert system_packages.LIST_FILE == repository.ROOT / "packaging" / "system-packages.txt"
    sections = system_packages.read_list(system_packages.LIST_FILE.read_text(encoding="utf-8"))
    assert set(sections) == {"venv", "run", "tests", "root-tests"}
    for path in [*repository.modules("tools"), repository.ROOT / "Makefile", repository.ROOT / ".ci" / "run"]:
        words = path.read_text(encoding="utf-8").replace('"', " ").split()
        assert not {name for name in sections["run"] if name in words}, path


def test_every_command_is_explained() -> None:
    """Each target that ``make help`` lists has its row in CONTRIBUTING.md, and no row is left over."""
    makefile = (repository.ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):.*##", makefile, re.MULTILINE)) - {"help"}
    text = (repository.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `make ([a-z]+)` \|", text, re.MULTILINE)) == targets
