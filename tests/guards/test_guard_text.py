"""No file names a package registry or a path of somebody's machine, and every test says what must be true."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support import repository

# Hosts that packages are fetched from, written so that this file does not name one.
REGISTRY = re.compile(
    r"pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|deb\.debian\.org|--(?:extra-)?index-url[ =]\S*://"
)
# Absolute paths below a person's or a workplace's folder. Ana is the pretended person of our tests.
MACHINE_PATH = re.compile(
    r"(?<![\w.~$}/-])/(?:home|root|Users|work|workspace|opt/(?:pypi|wheels))/(?!ana\b)\w"
)


def texts() -> list[tuple[Path, str]]:
    """Return the text files of the repository with their content."""
    found = []
    for path in repository.files():
        try:
            found.append((path, (repository.ROOT / path).read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue  # a picture
    return found


def test_no_file_names_a_registry_or_a_machine() -> None:
    """What is committed works on every machine and with every package index."""
    wrong = [
        f"{path}: {match.group()}"
        for path, text in texts()
        for pattern in (REGISTRY, MACHINE_PATH)
        for match in pattern.finditer(text)
    ]
    assert not wrong


@pytest.mark.parametrize(
    "text", ["see /" + "home/jo/orders.csv", "cd /" + "work/main", "https://files.python" + "hosted.org/x"]
)
def test_the_guard_bites(text: str) -> None:
    """The patterns find what they are for."""
    assert REGISTRY.search(text) or MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["../shared/data", "/home/ana", "/var/lib/fulfillment-kanban", "PyPI"])
def test_the_guard_spares(text: str) -> None:
    """Relative paths, system paths and the names of things are no addresses."""
    assert not REGISTRY.search(text)
    assert not MACHINE_PATH.search(text)


def test_every_test_says_what_must_be_true() -> None:
    """Every test file, test class and test function has a docstring."""
    silent = []
    for path in repository.modules("tests"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        nodes: list[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = [tree]
        nodes += [
            node
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.lower().startswith("test")
        ]
        silent += [
            f"{path.name}: {getattr(node, 'name', 'the file')}"
            for node in nodes
            if not ast.get_docstring(node)
        ]
    assert not silent
