"""docs/architecture.md names the rooms and files that there are."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_path_of_the_page_exists() -> None:
    """A word in backticks with a slash or the ending .py is a path of the tree."""
    words = set(re.findall(r"`([^`\s]+)`", PAGE))
    paths = {word for word in words if "/" in word or word.endswith(".py")}
    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_every_room_stands_in_the_table() -> None:
    """The table of rooms and the layers that import-linter holds name the same rooms."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rooms = {room.strip().replace(".", "/") + "/" for layer in layers for room in layer.split("|")}
    assert set(re.findall(r"^\| `([\w/]+/)` \|", PAGE, re.MULTILINE)) == rooms


def test_the_way_of_a_move_reads_without_a_picture() -> None:
    """The diagram is followed by the same in words, a numbered step for each leg."""
    diagram, _, words = PAGE.partition("```mermaid")[2].partition("```")
    assert "sequenceDiagram" in diagram
    steps = re.findall(r"^\d\. ", words.partition("\n## ")[0], re.MULTILINE)
    assert len(steps) >= 6
