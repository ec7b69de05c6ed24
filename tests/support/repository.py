"""What is in the repository: files as git would commit them, modules and what they import."""

from __future__ import annotations

import ast
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
ROOMS = ("app", "calendars", "databases", "intake", "resources", "server", "sync", "telemetry", "widgets")


def files() -> list[Path]:
    """Return every file that is or could be committed, relative to the root, without what git ignores."""
    answer = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (Path(name) for name in answer.stdout.split("\0") if name)
    return [path for path in paths if (ROOT / path).is_file()]


def modules(*folders: str) -> Iterator[Path]:
    """Yield the Python files below folders of the root, as full paths."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Return all full names that a Python file imports, ``a.b`` for ``from a import b`` too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def code_lines(path: Path) -> int:
    """Return how many lines of a Python file hold code: not blank, not a comment, not a docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    words: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, str)
        ):
            words.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    with path.open("rb") as source:
        held = {
            line
            for token in tokenize.tokenize(source.readline)
            if token.type not in NO_CODE
            for line in range(token.start[0], token.end[0] + 1)
        }
    return len(held - words)


def lines(path: Path) -> int:
    """Return how many lines a text file has."""
    return len(path.read_text(encoding="utf-8").splitlines())
