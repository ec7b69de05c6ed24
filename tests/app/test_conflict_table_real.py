"""The conflict table of the protocol with real programs: what was done offline, and what is told afterwards.

One story for the whole module. Bo works while no server can be reached; meanwhile Maria does the other thing
to the same orders; Bo's terminal is started again and hands everything in. Each test is one row of the table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from server.database import FILE_NAME, open_database
from server.system import SystemClock, SystemRandom
from support.headless import Headless, Json, put_orders
from support.processes import ProcessRunner
from support.real_server import RealServer, started_server
from support.server_bench import fresh_order
from support.waiting import eventually
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import Import, Operation
from sync.contract.orders import LineItem
from sync.contract.stages import Stage

pytestmark = pytest.mark.timeout(180)

FAR = "http://127.0.0.1:9"
"""Nobody listens there."""
LINES = (LineItem(1, "MUG", "Mug", 4, "A-03"), LineItem(2, "POT", "Pot", 3, "B-11"))
MORE = (LineItem(1, "MUG", "Mug", 6, "A-03"), LINES[1])
ORDERS = 16
PICKING = 20
"""From this number on orders are being picked, by nobody in particular."""


class Story(NamedTuple):
    """The two terminals after it, the one that lost its rights, and the one that lost its board."""

    bo: Headless
    maria: Headless
    cy: Headless
    dee: Headless

    def told(self, ref: str, fate: str = "decided") -> Json:
        """Return what Bo's terminal said of what was done offline under ``ref``: the number and the kind."""
        number, kind = ref.split(" ")
        return line_of(self.bo, number, kind, fate)


def line_of(terminal: Headless, number: str, kind: str, fate: str) -> Json:
    """Return the operation line of a terminal for the last thing of a kind that was done to an order."""
    found: list[Json] = []

    def is_there() -> bool:
        wanted = {"number": number, "kind": kind, "fate": fate}
        lines = terminal.lines("operation")
        found[:] = [line for line in lines if all(line[key] == value for key, value in wanted.items())]
        return bool(found)

    eventually(is_there)
    return found[-1]


def offline(terminal: Headless, requests: list[dict[str, Any]]) -> None:
    """Ask for things that are kept, and end."""
    terminal.wait("connection", state="offline")
    for request in requests:
        terminal.ask(**request, ref=str(len(terminal.lines("operation"))))
        terminal.wait("operation", fate="saved")
    assert terminal.quit() == 0


def change_lines(server: RealServer, number: int) -> None:
    """Let the source of an order order more of it."""
    clock = SystemClock()
    ids = Uuid7Ids(clock, SystemRandom())
    order = msgspec.structs.replace(fresh_order(number), lines=MORE, stage=Stage.PICKING)
    with open_database(server.data, clock, ids) as database:
        site = database.identities.choose_site("")
        database.store.import_orders(site.key, [Operation(ids.new(), ids.new(), Import(order, 5))], ids.new())


def take_rights(server: RealServer, name: str) -> None:
    """Make somebody a viewer."""
    with closing(sqlite3.connect(server.data / FILE_NAME)) as connection:
        connection.execute("UPDATE users SET role = 'viewer' WHERE name = ?", (name,))
        connection.commit()


BO: list[dict[str, Any]] = [
    {"claim": {"number": "SO-0"}},
    {"move": {"number": "SO-1", "to": "picking"}},
    {"move": {"number": "SO-20", "to": "picked"}},
    {"pick": {"number": "SO-2", "sku": "MUG", "quantity": 4}},
    {"pick": {"number": "SO-2", "sku": "POT", "quantity": 3}},
    {"pick": {"number": "SO-3", "sku": "MUG", "quantity": 2}},
    {"ship": {"number": "SO-21", "tracking_number": "JD01"}},
    {"pick": {"number": "SO-5", "sku": "MUG", "quantity": 3}},
    {"move": {"number": "SO-22", "to": "picked"}},
    {"assign": {"number": "SO-6", "person": "Ali", "person_id": "ali"}},
    {"note": {"number": "SO-7", "text": "Bo was here"}},
    {"edit": {"number": "SO-8", "customer": "Ada"}},
    {"prioritise": {"number": "SO-9", "priority": 2}},
    {"undo": "last"},
    {"pack": {"number": "SO-23"}},
    {"short_pick": {"number": "SO-24", "lines": [{"sku": "POT", "quantity": 2}], "reason": "damaged"}},
    {"cancel": {"number": "SO-10"}},
    {"ship": {"number": "SO-11"}},
    {"pick": {"number": "SO-13", "sku": "MUG", "quantity": 3}},
]
"""What Bo does while nobody answers."""
MARIA: list[dict[str, Any]] = [
    {"claim": {"number": "SO-0"}},
    {"move": {"number": "SO-1", "to": "picking"}},
    {"move": {"number": "SO-20", "to": "picked"}},
    {"cancel": {"number": "SO-2"}},
    {"hold": {"number": "SO-3", "reason": "incorrect address"}},
    {"hold": {"number": "SO-21", "reason": "incorrect address"}},
    {"pick": {"number": "SO-5", "sku": "MUG", "quantity": 3}},
    {"assign": {"number": "SO-6", "person": "Eva", "person_id": "eva"}},
    {"note": {"number": "SO-7", "text": "Maria too"}},
    {"edit": {"number": "SO-8", "customer": "Eve"}},
    {"tag": {"number": "SO-9", "add": ["gift"]}},
    {"hold": {"number": "SO-23", "reason": "other"}},
    {"pick": {"number": "SO-24", "sku": "POT", "quantity": 2}},
    {"cancel": {"number": "SO-10"}},
    {"cancel": {"number": "SO-11"}},
    {"pick": {"number": "SO-13", "sku": "MUG", "quantity": 3}},
    {"assign": {"number": "SO-14", "person": "Eva", "person_id": "eva"}},
]
"""What Maria does meanwhile."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Play it, once for all rows."""
    folder = tmp_path_factory.mktemp("conflicts")
    runner = ProcessRunner()
    try:
        with started_server(folder) as server:
            yield _played(server, runner, folder)
    finally:
        runner.clean_up()


def _played(server: RealServer, runner: ProcessRunner, folder: Path) -> Story:
    put_orders(server, ORDERS, lines=LINES)
    put_orders(server, 5, first=PICKING, lines=LINES, stage=Stage.PICKING)
    tokens = {}
    for name in ("Maria", "Bo", "Cy", "Dee"):
        server.command("user", "add", "--name", name, "--role", "supervisor")
        tokens[name] = folder / f"{name}.json"
        server.enrol(f"Station of {name}", tokens[name], name)

    def start(name: str, url: str) -> Headless:
        words = ("--server", url, "--device-token-file", tokens[name])
        return Headless(runner, folder / name, *words)

    for name in ("Bo", "Cy", "Dee"):
        first = start(name, server.url)
        first.wait("snapshot")
        if name == "Dee":
            first.ask(assign={"number": "SO-14", "person": "Ali", "person_id": "ali"})
            first.wait("operation", fate="decided")
        assert first.quit() == 0
    offline(start("Bo", FAR), BO)
    offline(start("Cy", FAR), [{"cancel": {"number": "SO-12"}}])
    take_rights(server, "Cy")
    for file in (folder / "Dee").rglob("cache.db*"):
        file.unlink()
    maria = start("Maria", server.url)
    maria.wait("connection", state="live")
    for request in MARIA:
        maria.ask(**request)
        assert maria.wait("operation", fate="decided")["outcome"] == "applied"
    change_lines(server, 22)
    ended = Story(start("Bo", server.url), maria, start("Cy", server.url), start("Dee", server.url))
    for terminal in (ended.bo, ended.cy, ended.dee):
        terminal.wait("connection", state="live")
        eventually(lambda terminal=terminal: terminal.status()["not_sent"] == 0)  # type: ignore[misc]
    return ended


def shown(terminal: Headless, number: str) -> Json:
    """Return an order as a terminal lists it."""
    terminal.ask(list={})
    (found,) = [order for order in terminal.wait("list")["orders"] if order["number"] == number]
    assert isinstance(found, dict)
    return found


def needs(terminal: Headless) -> dict[str, dict[str, Json]]:
    """Return what waits for a person at a terminal: entries and exceptions, each by the order's number."""
    terminal.ask(needs_you={})
    answer = terminal.wait("needs_you")
    return {name: {each["number"]: each for each in answer[name]} for name in ("entries", "exceptions")}


def waiting(terminal: Headless, sort: str, number: str) -> Json:
    """Return the entry or the exception about an order, once it is in the list."""
    eventually(lambda: number in needs(terminal)[sort])
    return needs(terminal)[sort][number]


@pytest.mark.parametrize("ref", ["SO-0 claim", "SO-1 move"])
def test_somebody_else_was_first(story: Story, ref: str) -> None:
    """The claim and the start of picking: the later one is told by whom and when, and what to do."""
    told = story.told(ref)
    assert (told["outcome"], told["reason"], told["by"]) == ("rejected", "ALREADY_CLAIMED", "Maria")
    number = ref.partition(" ")[0]
    assert told["sentence"].startswith(f"#{number} was taken by Maria at ")
    assert told["sentence"].endswith("or ask them to hand it over. If you hold any of it, bring it to them.")
    assert shown(story.bo, number)["claimed_by"] == "Maria"
    assert waiting(story.bo, "entries", number)["sentence"].startswith(f"#{number} was taken by Maria at ")


def test_what_is_there_already_needs_no_words(story: Story) -> None:
    """Both moved it to the same column."""
    told = story.told("SO-20 move")
    assert (told["outcome"], "sentence" in told) == ("noop", False)
    assert shown(story.bo, "SO-20")["stage"] == "picked"


def test_pieces_of_a_cancelled_order_go_back_to_their_shelves(story: Story) -> None:
    """The fact is kept; who cancelled it is said, and where each piece belongs."""
    told = [
        line for line in story.bo.lines("operation") if (line["number"], line["fate"]) == ("SO-2", "decided")
    ]
    assert [line["outcome"] for line in told] == ["exception", "exception"]
    assert told[0]["sentence"].startswith("#SO-2 was cancelled by Maria at ")
    opened = story.told("SO-2 pick", "exception")
    assert opened["reason"] == "PICKED_AFTER_CANCEL"
    assert opened["sentence"].startswith("#SO-2 was cancelled ")
    assert opened["sentence"].endswith("Put back: 4 x A-03, 3 x B-11.")
    for terminal in (story.bo, story.maria):
        assert "Put back: 4 x A-03, 3 x B-11." in waiting(terminal, "exceptions", "SO-2")["sentence"]


def test_what_was_picked_on_hold_is_kept_and_not_packed(story: Story) -> None:
    """Since when, by whom, why."""
    opened = story.told("SO-3 pick", "exception")
    assert opened["reason"] == "PICKED_ON_HOLD"
    assert opened["sentence"].startswith("#SO-3 is on hold: incorrect address. You picked 2 x MUG at ")
    assert "Maria put it on hold at " in opened["sentence"]
    assert opened["sentence"].endswith("Keep what you picked. Do not pack it.")


def test_what_was_shipped_on_hold_is_called_back(story: Story) -> None:
    """It is shipped all the same: it left the house."""
    opened = story.told("SO-21 ship", "exception")
    assert opened["reason"] == "SHIPPED_ON_HOLD"
    assert opened["sentence"].startswith("#SO-21 is on hold: incorrect address. ")
    assert opened["sentence"].endswith("Do not hand it over. If it has gone, call the carrier.")
    assert shown(story.bo, "SO-21")["stage"] == "shipped"


def test_what_was_shipped_or_packed_against_the_order_is_told(story: Story) -> None:
    """After a cancellation, and on hold."""
    assert story.told("SO-11 ship", "exception")["reason"] == "SHIPPED_AFTER_CANCEL"
    packed = story.told("SO-23 pack", "exception")
    assert packed["reason"] == "PACKED_ON_HOLD"
    assert packed["sentence"].endswith("Do not hand it over.")


def test_two_picked_the_same_line(story: Story) -> None:
    """The pieces of both count; how many are too many and where they go is told at both terminals."""
    opened = story.told("SO-5 pick", "exception")
    assert opened["reason"] == "OVER_PICKED"
    assert "You picked 3 x MUG at " in opened["sentence"]
    both = "6 of 4 are picked: Maria 3, Bo 3. Put back: 2 x A-03."
    assert opened["sentence"].endswith(both)
    assert waiting(story.maria, "exceptions", "SO-5")["sentence"].endswith(both)


def test_what_was_too_much_is_put_back_by_whoever_has_it(story: Story) -> None:
    """Maria puts one back and the other is still told of; after the second nobody is any more."""
    waiting(story.maria, "exceptions", "SO-13")
    put_back = {"pick": {"number": "SO-13", "sku": "MUG", "quantity": -1}}
    story.maria.ask(**put_back)
    words = "5 of 4 are picked: Maria 2, Bo 3. Put back: 1 x A-03."
    eventually(lambda: words in needs(story.bo)["exceptions"]["SO-13"]["sentence"])
    story.maria.ask(**put_back)
    eventually(lambda: "SO-13" not in needs(story.bo)["exceptions"])


def test_the_lines_changed_before_the_pick_was_finished(story: Story) -> None:
    """It stays in picking, and the changed line is named, old → new."""
    told = story.told("SO-22 move")
    assert (told["outcome"], told["reason"]) == ("rejected", "LINES_CHANGED")
    assert shown(story.bo, "SO-22")["stage"] == "picking"
    assert "MUG 4 → 6" in waiting(story.bo, "entries", "SO-22")["sentence"]
    assert waiting(story.bo, "exceptions", "SO-22")["code"] == "LINES_CHANGED"


def test_the_later_assignment_counts_and_the_earlier_person_is_told(story: Story) -> None:
    """Nobody is silently overruled, on either side."""
    told = story.told("SO-6 assign")
    assert (told["outcome"], told["reason"], told["by"]) == ("merged", "ASSIGNED_MEANWHILE", "Maria")
    assert "Maria had given #SO-6 to somebody else" in told["sentence"]
    entry = waiting(story.maria, "entries", "SO-6")
    assert entry["kind"] == "overruled"
    assert entry["sentence"].startswith("#SO-6 is for Ali: assigned by Bo at ")


def test_an_assignment_that_a_whole_board_overrules_is_told(story: Story) -> None:
    """Dee's copy of the board was gone: the log between was never heard, only what the board is now."""
    entry = waiting(story.dee, "entries", "SO-14")
    assert entry["kind"] == "overruled"
    assert entry["sentence"] == "#SO-14 is for Eva: assigned by Maria, after you. Talk to Maria about it."


def test_a_right_that_is_gone_leaves_the_operation_in_the_list(story: Story) -> None:
    """It says whom to ask, and can be written to a file."""
    told = line_of(story.cy, "SO-12", "cancel", "decided")
    assert (told["outcome"], told["reason"]) == ("rejected", "FORBIDDEN")
    assert told["sentence"].endswith("Ask a supervisor; it is kept under Needs you.")
    entry = waiting(story.cy, "entries", "SO-12")
    path = story.cy.profile.parent / "export.jsonl"
    story.cy.ask(export_needs_you=str(path))
    assert story.cy.wait("exported")["entries"] == 1
    assert entry["id"] in path.read_text(encoding="utf-8")
    # Seen by its person: it waits no longer.
    story.cy.ask(acknowledge=entry["id"])
    eventually(lambda: needs(story.cy)["entries"] == {})


def test_notes_of_both_are_kept_and_a_correction_of_the_same_field_is_not(story: Story) -> None:
    """Text is added; a field that somebody corrected meanwhile is left to a person."""
    assert story.told("SO-7 note")["outcome"] == "applied"
    told = story.told("SO-8 edit")
    assert (told["outcome"], told["reason"]) == ("rejected", "CHANGED_SINCE")
    assert told["sentence"].startswith("Not changed: Maria changed the same of #SO-8 before you, at ")
    assert shown(story.bo, "SO-8")["customer"] == "Eve"


def test_an_undo_after_somebody_else_is_refused(story: Story) -> None:
    """The step itself came true before it; it is not silently taken back over a change of Maria's."""
    lines = [line for line in story.bo.lines("operation") if line["number"] == "SO-9"]
    decided = [(line["outcome"], line.get("reason")) for line in lines if line["fate"] == "decided"]
    assert decided == [("applied", None), ("rejected", "CHANGED_SINCE")]
    assert waiting(story.bo, "entries", "SO-9")["sentence"].startswith("Not undone: ")
    assert shown(story.bo, "SO-9")["priority"] == 2


def test_what_somebody_found_is_not_missing_any_more(story: Story) -> None:
    """Two of three were picked meanwhile: only one is short, and has a backorder of its own."""
    assert story.told("SO-24 short_pick")["outcome"] == "applied"
    backorder = shown(story.bo, "SO-24-B1")
    assert (backorder["pieces"], backorder["hold"]) == (1, "inventory out of stock")


def test_cancelled_twice_is_cancelled(story: Story) -> None:
    """Both wanted the same."""
    assert story.told("SO-10 cancel")["outcome"] == "noop"


def test_both_terminals_show_the_same_board(story: Story) -> None:
    """After all of it, order by order."""

    def board(terminal: Headless) -> list[Json]:
        terminal.ask(list={})
        orders = terminal.wait("list")["orders"]
        return sorted(orders, key=lambda order: order["number"])

    eventually(lambda: board(story.bo) == board(story.maria))
