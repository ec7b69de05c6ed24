"""``docs/headless.md`` tells every line, field and option, and its examples are lines that really occur."""

from __future__ import annotations

import argparse
import json
import re
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.headless import add_options
from app.headless_floor import FATAL_WITHOUT_BOARD, HeadlessFloor, Place
from app.headless_lines import OUTPUTS, card_fields, operation_fields, read_wish
from app.headless_wishes import REQUESTS, SomeOrders, Wish
from support.card_rows import card_row
from support.clocks import CountingIds, FakeClock
from support.orders import make_order
from support.repository import ROOT
from sync.client.board_view import BoardView
from sync.client.commands import OlderQuestion
from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.news import (
    BatchDecided,
    BatchOutcome,
    BoardChanged,
    BoardRepaired,
    ConnectionChanged,
    LinkState,
    NeedsYouChanged,
    OlderOrdersFound,
    ProblemCleared,
    QueueStuck,
    SnapshotApplied,
    SnapshotHeld,
    Started,
    Stopped,
)
from sync.contract.messages import Verdict
from sync.contract.operations import Move, Operation, Outcome
from sync.contract.rows import Fate
from sync.contract.stages import Stage

PAGE = (ROOT / "docs" / "headless.md").read_text(encoding="utf-8")
INPUTS = re.findall(r"^> (\{.*\})$", PAGE, re.MULTILINE)
EXAMPLES: list[dict[str, Any]] = [
    json.loads(line) for line in re.findall(r"^< (\{.*\})$", PAGE, re.MULTILINE)
]


def _part(name: str, part: str) -> dict[str, Any]:
    (line,) = (line[name] for line in EXAMPLES if name in line)
    first: dict[str, Any] = line[part][0]
    return first


EXAMPLE_PARTS = {
    "entries": _part("needs_you", "entries"),
    "exceptions": _part("needs_you", "exceptions"),
    "outcomes": _part("batch", "outcomes"),
}


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


def test_every_field_of_a_request_is_on_the_page() -> None:
    """A field that nobody can read of is no field."""
    fields = {
        name
        for annotation in typing.get_type_hints(Wish).values()
        for kind in typing.get_args(annotation)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct)
        for name in kind.__struct_fields__
    }
    assert {name for name in fields if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE} == set()
    assert "numbers" in SomeOrders.__struct_fields__


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
    assert all(f"`{fate}`" in PAGE for fate in (Fate.SAVING, Fate.PENDING, Fate.SETTLED))


def test_the_operation_line_is_as_described() -> None:
    """The fields that are always there, and those of a verdict."""
    operation = Operation("op-1", "order-1", Move(Stage.PICKING))
    always = operation_fields(operation, "SO-1", "saved", "ref")
    saved, decided = examples("operation")
    assert list(saved) == list(always)
    assert list(decided) == [*always, "outcome", "seq", "reason", "by", "at_ms", "sentence"]
    said = re.findall(r"^- `([a-z_]+)`: ", PAGE, re.MULTILINE)
    fates = (
        "saved",
        "not_saved",
        "decided",
        "done",
        "exception",
        "nothing_to_do",
        "faulted",
        "offered_again",
    )
    assert said == list(fates)
    source = (ROOT / "app" / "headless_fates.py").read_text(encoding="utf-8")
    source += (ROOT / "app" / "headless_orders.py").read_text(encoding="utf-8")
    assert [fate for fate in fates if f'"{fate}"' not in source] == []


def test_the_other_lines_are_as_described(floor_lines: dict[str, dict[str, Any]]) -> None:
    """A terminal that says every line says these fields."""
    for name, fields in floor_lines.items():
        (example,) = examples(name)
        # A line has a ref only when its request had one.
        assert set(fields) <= set(example), name
        assert set(example) - set(fields) <= {"ref"}, name
        for part in ("entries", "exceptions", "outcomes"):
            for one in fields.get(part, ()) if isinstance(fields.get(part), list) else ():
                assert list(one) == list(EXAMPLE_PARTS[part]), part


def test_what_is_found_is_as_described(floor_lines: dict[str, dict[str, Any]]) -> None:
    """Orders of the board look as in their own line; older ones have these fields."""
    (example,) = examples("found")
    assert list(example["orders"][0]) == list(card_fields(card_row(1)))
    assert list(example["older"][0]) == list(floor_lines["found"]["older"][0])


def test_the_page_names_when_a_new_profile_gives_up() -> None:
    """The codes behind its last paragraph are these four kinds."""
    kinds = {"SERVER", "SIGN", "DEVICE", "PROTOCOL", "OUTBOX", "CACHE", "PROFILE"}
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

        def acknowledge(self, op_id: str) -> None:
            """Do nothing."""

        def retry(self, op_id: str) -> None:
            """Do nothing."""

        def accept_board(self) -> None:
            """Do nothing."""

    said: list[str] = []
    view = BoardView(tmp_path / "cache.db")
    place = Place("", "", is_attached=False, version="")
    floor = HeadlessFloor(view, NoEngine(), FakeClock(), CountingIds(), place, said.append)
    for news in (
        Started((), None, None, 0),
        ConnectionChanged(LinkState.LIVE, 1),
        SnapshotApplied(1, 1, (), 0),
        SnapshotHeld(30, 50),
        BoardRepaired(1),
        QueueStuck(5, 1),
        BoardChanged((), (1,), (), 2, 0),
        BatchDecided("b", (BatchOutcome("x", Verdict(1, "x", 1, Outcome.APPLIED)),)),
        NeedsYouChanged((NeedsYou("x", NeedsYouKind.REJECTED, 5),), ("y",)),
        ProblemCleared("DISK_FULL"),
        Stopped(is_clean=True),
    ):
        floor.on_news(news)
    export = json.dumps({"export_needs_you": str(tmp_path / "file")})
    for line in (
        '{"status": {}}',
        '{"list": {}}',
        '{"find": "SO-1"}',
        "nonsense",
        '{"needs_you": {}}',
        export,
    ):
        floor.on_line(line)
    view.close()
    lines = [msgspec.json.decode(line) for line in said]
    return {name: fields for line in lines for name, fields in line.items()}
