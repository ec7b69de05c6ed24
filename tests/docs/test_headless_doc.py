"""``docs/headless.md`` tells every line, field and option, and its examples are lines that really occur."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.headless import add_options
from app.headless_floor import FATAL_WITHOUT_BOARD, HeadlessFloor, Place
from app.headless_lines import OUTPUTS, REQUESTS, Wish, card_fields, operation_fields, read_wish
from support.card_rows import card_row
from support.clocks import CountingIds, FakeClock
from support.orders import make_order
from support.repository import ROOT
from sync.client.board_view import BoardView
from sync.client.commands import OlderQuestion
from sync.client.news import (
    ConnectionChanged,
    LinkState,
    OlderOrdersFound,
    SnapshotApplied,
    Started,
    Stopped,
)
from sync.contract.operations import Move, Operation
from sync.contract.rows import Fate
from sync.contract.stages import Stage

PAGE = (ROOT / "docs" / "headless.md").read_text(encoding="utf-8")
INPUTS = re.findall(r"^> (\{.*\})$", PAGE, re.MULTILINE)
EXAMPLES: list[dict[str, Any]] = [
    json.loads(line) for line in re.findall(r"^< (\{.*\})$", PAGE, re.MULTILINE)
]


def examples(name: str) -> list[dict[str, Any]]:
    """Return the fields of the examples of one line of output."""
    return [line[name] for line in EXAMPLES if name in line]


@pytest.mark.parametrize("line", INPUTS)
def test_every_example_of_input_is_understood(line: str) -> None:
    """As it stands on the page."""
    assert isinstance(read_wish(line), Wish)


def test_every_request_has_an_example_and_a_row() -> None:
    """A request that is not on the page does not exist for users."""
    shown = {name for line in INPUTS for name in json.loads(line) if name != "ref"}
    assert shown == set(REQUESTS)
    assert [name for name in REQUESTS if f"`{name}`" not in PAGE] == []


def test_every_line_of_output_has_an_example() -> None:
    """And there is no example of a line that is never said."""
    assert {name for line in EXAMPLES for name in line} == set(OUTPUTS)


def test_every_option_has_a_row() -> None:
    """With the name of its value."""
    parser = argparse.ArgumentParser(add_help=False)
    add_options(parser)
    for action in parser._actions:
        assert f"| `{action.option_strings[0]} {action.metavar}` |" in PAGE


def test_the_order_line_is_as_described() -> None:
    """Exactly these fields, in the order line and in the list."""
    (order,) = examples("order")
    assert list(order) == list(card_fields(card_row(1)))
    assert all(f"`{fate}`" in PAGE for fate in Fate)


def test_the_operation_line_is_as_described() -> None:
    """The fields that are always there, and those of a verdict."""
    operation = Operation("op-1", "order-1", Move(Stage.PICKING))
    always = operation_fields(operation, "SO-1", "saved", "ref")
    saved, decided = examples("operation")
    assert list(saved) == list(always)
    assert list(decided) == [*always, "outcome", "seq", "reason", "by", "at_ms"]
    for fate in ("saved", "not_saved", "decided", "done", "nothing_to_do"):
        assert f"- `{fate}`: " in PAGE


def test_the_other_lines_are_as_described(floor_lines: dict[str, dict[str, Any]]) -> None:
    """A terminal that says every line says these fields."""
    for name, fields in floor_lines.items():
        (example,) = examples(name)
        # A problem has a ref only when its request had one.
        assert set(fields) <= set(example), name
        assert set(example) - set(fields) <= {"ref"}, name


def test_what_is_found_is_as_described(floor_lines: dict[str, dict[str, Any]]) -> None:
    """Orders of the board look as in their own line; older ones have these fields."""
    (example,) = examples("found")
    assert list(example["orders"][0]) == list(card_fields(card_row(1)))
    assert list(example["older"][0]) == list(floor_lines["found"]["older"][0])


def test_the_page_names_when_a_new_profile_gives_up() -> None:
    """The codes behind its last paragraph are these three kinds."""
    kinds = {"SERVER", "SIGN", "DEVICE", "PROTOCOL"}
    assert {code.partition("_")[0] for code in FATAL_WITHOUT_BOARD} == kinds


@pytest.fixture
def floor_lines(tmp_path: Path) -> dict[str, dict[str, Any]]:
    """Return the fields of one line of each simple kind, from a terminal without a board."""

    class NoEngine:
        def submit(self, drafts: object) -> None:
            """Take nothing."""

        def try_now(self) -> None:
            """Do nothing."""

        def find_older(self, question: OlderQuestion) -> None:
            """Find one order."""
            old = make_order(1, number="SO-12")
            floor.on_news(OlderOrdersFound(question.asker, question.number, (old,), 1))

    said: list[str] = []
    view = BoardView(tmp_path / "cache.db")
    place = Place("", "", is_attached=False, version="")
    floor = HeadlessFloor(view, NoEngine(), FakeClock(), CountingIds(), place, said.append)
    for news in (
        Started((), None, None, 0),
        ConnectionChanged(LinkState.LIVE, 1),
        SnapshotApplied(1, 1, (), 0),
        Stopped(is_clean=True),
    ):
        floor.on_news(news)
    for line in ('{"status": {}}', '{"list": {}}', '{"find": "SO-1"}', "nonsense"):
        floor.on_line(line)
    view.close()
    lines = [msgspec.json.decode(line) for line in said]
    return {name: fields for line in lines for name, fields in line.items()}
