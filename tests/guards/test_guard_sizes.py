"""Rooms stay small enough to read in one sitting; the server stays small in all.

The limits of the server count lines of code. Blank lines, comments and docstrings are free: a limit on them
would be paid in understanding. Migrations are history and only ever grow; they are not the kernel.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from support import repository

KERNEL_LINES = 2_500
MODULE_LINES = 600
SERVER_LINES = 9_000
FILE_LINES = 600
DRIVER_LINES = 200


def code_of(paths: Iterable[Path]) -> int:
    """Return the lines of code of all files together, migrations aside."""
    return sum(repository.code_lines(path) for path in paths if "migrations" not in path.parts)


def test_the_kernel_is_small() -> None:
    """The kernel decides, stores and listens in at most 2,500 lines."""
    assert code_of(repository.modules("server/kernel")) <= KERNEL_LINES


def test_a_module_of_the_server_is_small() -> None:
    """One noun needs at most 600 lines, as a file or as a folder."""
    for module in sorted((repository.ROOT / "server" / "modules").glob("[!_]*")):
        size = code_of([module] if module.suffix == ".py" else module.rglob("*.py"))
        assert size <= MODULE_LINES, module.name


def test_the_server_is_small() -> None:
    """All that serves is at most 9,000 lines; the simulation serves nobody, nothing imports it."""
    serving = [path for path in repository.modules("server") if "verification" not in path.parts]
    assert code_of(serving) <= SERVER_LINES


def test_no_file_bloats() -> None:
    """No file of ours, words included, grows to what main windows grow to elsewhere."""
    files = repository.modules(*repository.ROOMS, "tools", "bench")
    sizes = {str(path): repository.lines(path) for path in files}
    assert not {path: size for path, size in sizes.items() if size > FILE_LINES}


def test_the_driver_decides_nothing() -> None:
    """The asyncio driver of the client stays under 200 lines: decisions belong into the step machine."""
    assert repository.lines(repository.ROOT / "sync" / "client" / "driver.py") < DRIVER_LINES


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ('"""Words\n\nover lines."""\n\n# more words\nvalue = 1  # words\n', 1),
        ('def f() -> str:\n    """Words."""\n    return """a\nb"""\n', 3),
        ("call(\n    1,\n\n    2,\n)\n", 4),
    ],
)
def test_code_is_counted_and_words_are_not(tmp_path: Path, text: str, count: int) -> None:
    """Docstrings, comments and blank lines do not count; strings that are values do."""
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    assert repository.code_lines(path) == count
