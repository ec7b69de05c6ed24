"""docs/cut-offs.md: what its commands answer there is what they answer, and its file and request work."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from calendars.words import json_plan, schedule_of, toml_plan
from server.main import make_parser
from server.registration import CommandContext
from support.repository import ROOT
from support.server_bench import ServerBench
from support.shop import put

PAGE = (ROOT / "docs" / "cut-offs.md").read_text(encoding="utf-8")
NINE = round(datetime.fromisoformat("2026-12-23T09:00+00:00").timestamp() * 1000)


def blocks(kind: str) -> list[str]:
    """Return the examples of one kind."""
    return re.findall(rf"^```{kind}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def steps() -> Iterator[tuple[list[str], list[str]]]:
    """Give each command of the page and the lines that it answers there."""
    lines: list[str] = []
    words: list[str] = []
    for line in "".join(blocks("console")).splitlines():
        if line.startswith("$ "):
            if words:
                yield words, lines
            words, lines = shlex.split(line[2:]), []
        else:
            lines.append(line)
    yield words, lines


def test_the_commands_answer_what_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One after the other, from top to bottom, on the site that the page describes."""
    bench = ServerBench(tmp_path / "data")
    bench.clock.wall = NINE
    put(bench, {"ship_method": "Royal Mail 24"}, {}, {"ship_method": "Courier"})
    (tmp_path / "cut-offs.toml").write_text(blocks("toml")[0], encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    some = list(steps())
    assert len(some) > 10
    for words, lines in some:
        assert words[0] == "fulfillment-kanban-server"
        out = io.StringIO()
        context = CommandContext(bench.clock, bench.ids, io.StringIO(), out, io.StringIO())
        arguments = make_parser().parse_args([*words[1:], "--data", str(bench.folder)])
        assert arguments.run(arguments, context) == 0
        assert out.getvalue().splitlines() == lines, words
    bench.close()


def test_the_file_and_the_request_are_schedules() -> None:
    """As they stand there."""
    assert schedule_of(toml_plan(blocks("toml")[0])).rules
    assert schedule_of(json_plan(blocks("json")[0].encode())).days
