"""The worked examples of docs/import.md: each file as it stands there gives the answer that stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from intake.mapping import Shelf
from server.main import main
from support.repository import ROOT

PAGE = (ROOT / "docs" / "import.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## A worked example for each source\n")[2].partition("\n## ")[0]
BLOCK = re.compile(r"(?:`(?P<name>[a-z_]+\.(?:csv|json))`\n\n)?```\n(?P<body>.*?)```\n", re.DOTALL)
PROMPT = "$ fulfillment-kanban-server "


class Example(NamedTuple):
    """Files, the words of the command, and what it prints."""

    files: dict[str, str]
    words: list[str]
    answer: str


def examples() -> list[Example]:
    """Return the examples of the page in their order."""
    found: list[Example] = []
    files: dict[str, str] = {}
    for block in BLOCK.finditer(SECTION):
        if block["name"]:
            files[block["name"]] = block["body"]
        else:
            command, _, answer = block["body"].partition("\n")
            found.append(Example(files, command.removeprefix(PROMPT).split(), answer))
            files = {}
    return found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.words[1])
def test_the_example_gives_its_answer(
    example: Example, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line for line, on a new board."""
    data = str(tmp_path / "data")
    assert main(["setup", "--data", data, "--organization", "O", "--site", "S", "--user", "Ana"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path)
    for name, text in example.files.items():
        Path(name).write_text(text, encoding="utf-8")
    assert main([*example.words, "--data", data]) == 0
    assert capsys.readouterr().out == example.answer


def test_every_source_has_its_example() -> None:
    """Each mapping that ships reads one of them."""
    answers = "".join(example.answer for example in examples())
    shelf = Shelf.shipped()
    titles = [shelf.choose(name).title for name in shelf.names]
    assert [title for title in titles if f"read as {title}" not in answers] == []
