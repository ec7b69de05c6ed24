"""``headless`` against the real server: what a floor full of terminals relies on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.system import SystemClock
from support.headless import Headless, logged_moves, put_orders, start_headless
from support.processes import ProcessRunner
from support.real_server import RealServer, started_server
from support.waiting import eventually
from sync.contract.operations import Outcome
from sync.contract.stages import Stage

pytestmark = pytest.mark.timeout(120)

DAY_MS = 86_400_000
"""In 2023: no site keeps what left then."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RealServer]:
    """Return a running server with twelve confirmed orders."""
    with started_server(tmp_path) as running:
        put_orders(running, 12)
        yield running


def test_a_move_on_one_terminal_is_seen_on_the_other(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """The other terminal says that the order changed, with who holds it now; no reload."""
    one = start_headless(processes, server, tmp_path / "one")
    two = start_headless(processes, server, tmp_path / "two")
    one.move("SO-3", "picking", ref="mine")
    fates = [one.wait("operation", ref="mine", fate=fate) for fate in ("saved", "decided", "done")]
    assert two.wait("order", number="SO-3")["stage"] == "picking"
    assert fates[1]["outcome"] == "applied"
    assert {fate["number"] for fate in fates} == {"SO-3"}
    assert two.numbers("picking") == ["SO-3"]
    assert (one.quit(), two.quit()) == (0, 0)


def test_moves_made_while_the_server_is_down_arrive_when_it_is_back(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """Both terminals stay usable; everything arrives once, on both boards."""
    one = start_headless(processes, server, tmp_path / "one")
    two = start_headless(processes, server, tmp_path / "two")
    server.kill()
    for terminal in (one, two):
        terminal.wait("connection", state="offline")
    numbers = [f"SO-{place}" for place in range(6)]
    for number in numbers:
        one.move(number, "picking")
        one.wait("operation", number=number, fate="saved")
    status = one.status()
    assert (status["not_sent"], status["orders"]["picking"]) == (6, 6)
    server.start()
    for number in numbers:
        one.ask(try_now={})
        assert one.wait("operation", number=number, fate="done")
    two.ask(try_now={})
    two.wait("order", number="SO-5", stage="picking")
    assert set(two.numbers("picking")) == set(numbers)
    assert [entry.outcome for entry in logged_moves(server)] == [Outcome.APPLIED] * 6


def test_a_killed_terminal_sends_what_it_had_saved_exactly_once(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """Saved means saved: SIGKILL takes nothing, and a restart sends nothing twice."""
    one = start_headless(processes, server, tmp_path / "one")
    server.kill()
    one.wait("connection", state="offline")
    saved = []
    for place in range(8):
        one.move(f"SO-{place}", "picking")
        saved.append(one.wait("operation", number=f"SO-{place}", fate="saved")["op_id"])
    one.process.kill()
    server.start()
    for _ in range(2):
        again = start_headless(processes, server, tmp_path / "one")
        eventually(lambda again=again: again.status()["not_sent"] == 0)  # type: ignore[misc]
        again.process.kill()
    logged = logged_moves(server)
    assert [entry.operation.op_id for entry in logged] == saved
    assert {entry.outcome for entry in logged} == {Outcome.APPLIED}


def test_an_offline_start_shows_the_cached_board_and_its_age(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """Without a server the board is there, says how old it is, and moves are made."""
    first = start_headless(processes, server, tmp_path / "one")
    assert first.quit() == 0
    assert server.stop() == 0
    second = Headless(processes, tmp_path / "one", "--server", server.url)
    assert second.wait("ready")["orders"] == 12
    second.wait("connection", state="offline")
    status = second.status()
    assert status["connection"] == "offline"
    assert status["orders"]["confirmed"] == 12
    assert 0 <= status["board_age_s"] < 100
    second.move("SO-1", "picking")
    second.wait("operation", fate="saved")
    assert second.status()["not_sent"] == 1
    assert second.quit() == 0


def test_a_second_program_on_the_profile_works_through_the_first(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """It sees the same board and its moves are made by the running engine."""
    first = start_headless(processes, server, tmp_path / "one")
    second = Headless(processes, tmp_path / "one")
    assert second.wait("ready")["attached"] is True
    assert second.status()["connection"] == "live"
    second.move("SO-2", "picking", ref="second")
    assert second.wait("operation", ref="second", fate="done")["number"] == "SO-2"
    first.wait("order", number="SO-2", stage="picking")
    assert second.quit() == 0
    third = Headless(processes, tmp_path / "one")
    third.wait("ready")
    first.process.kill()
    assert third.wait("stopped")["is_clean"] is False
    assert third.process.wait() == 1


def test_moves_that_cannot_be_are_problems_and_it_goes_on(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """Unknown orders, illegal moves and lines without sense: one sentence each, nothing happens."""
    terminal = start_headless(processes, server, tmp_path / "one")
    terminal.move("SO-404", "picking", ref="lost")
    assert terminal.wait("problem", ref="lost")["code"] == "ORDER_UNKNOWN"
    terminal.move("SO-1", "cellar")
    assert terminal.wait("problem")["code"] == "STAGE_UNKNOWN"
    terminal.process.send_line("move it")
    assert terminal.wait("problem")["code"] == "LINE_UNREADABLE"
    terminal.ask(hold={"number": "SO-1", "reason": "other"})
    terminal.wait("operation", fate="done")
    terminal.move("SO-1", "picking")
    assert terminal.wait("problem")["code"] == "ON_HOLD"
    terminal.ask(undo={})
    assert terminal.wait("operation", kind="release", fate="decided")["outcome"] == "applied"
    terminal.process.close_input()
    assert terminal.process.wait() == 0


def test_two_people_want_the_same_order(server: RealServer, processes: ProcessRunner, tmp_path: Path) -> None:
    """The later one is told who was first; its board shows the truth."""
    server.command("user", "add", "--name", "Bo", "--role", "picker")
    server.enrol("Station 2", tmp_path / "bo.json", "Bo")
    one = start_headless(processes, server, tmp_path / "one")
    words = ("--server", server.url, "--device-token-file", tmp_path / "bo.json")
    two = Headless(processes, tmp_path / "two", *words)
    two.wait("connection", state="live")
    server.kill()
    for terminal in (one, two):
        terminal.wait("connection", state="offline")
        terminal.move("SO-1", "picking")
        terminal.wait("operation", fate="saved")
    two.process.kill()
    server.start()
    one.ask(try_now={})
    one.wait("operation", fate="done")
    two = Headless(processes, tmp_path / "two", *words)
    decided = two.wait("operation", fate="decided")
    assert (decided["outcome"], decided["reason"], decided["by"]) == ("rejected", "ALREADY_CLAIMED", "Ana")
    two.ask(list={"stage": "picking"})
    assert two.wait("list")["orders"][0]["claimed_by"] == "Ana"


def test_an_order_that_left_the_board_is_found_and_nothing_moves_it(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """A terminal that slept meanwhile is told once, shows no ghost, and finds the order by search."""
    # The server retires by itself every minute, so the order stays until it is told otherwise.
    server.command("site", "set", "--shipped-days", "7")
    old_ms = SystemClock().wall_ms() - 2 * DAY_MS
    put_orders(server, 2, first=50, stage=Stage.SHIPPED, stage_ms=old_ms, tracking_number="JD0146 7781")
    one = start_headless(processes, server, tmp_path / "one")
    eventually(lambda: set(one.numbers("shipped")) == {"SO-50", "SO-51"})
    server.stop()
    one.wait("connection", state="offline")
    one.ask(move={"number": "SO-50", "to": "picked"}, ref="late")
    one.wait("operation", ref="late", fate="saved")
    assert one.numbers("picked") == ["SO-50"]
    server.command("site", "set", "--shipped-days", "1")
    server.command("retire")
    server.start()
    one.ask(try_now={})
    decided = one.wait("operation", ref="late", fate="decided")
    assert (decided["outcome"], decided["reason"]) == ("rejected", "UNKNOWN_ORDER")
    eventually(lambda: one.numbers("shipped") == [])
    assert one.numbers("picked") == []
    one.ask(find="jd0146")
    found = one.wait("found")
    assert (found["total"], found["older_total"]) == (0, 2)
    assert {order["number"]: order["tracking_number"] for order in found["older"]} == {
        "SO-50": "JD0146 7781",
        "SO-51": "JD0146 7781",
    }
    second = Headless(processes, tmp_path / "one")
    second.wait("ready", attached=True)
    second.ask(find="SO-50", ref="guest")
    assert [order["number"] for order in second.wait("found", ref="guest")["older"]] == ["SO-50"]
    assert (second.quit(), one.quit()) == (0, 0)


def test_an_order_is_shipped_and_cancelled_without_a_window(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """Both are decided and seen on the other terminal; the last of them is taken back."""
    one = start_headless(processes, server, tmp_path / "one")
    two = start_headless(processes, server, tmp_path / "two")
    one.ask(ship={"number": "SO-1", "tracking_number": "JD7781", "carrier": "DHL"}, ref="ship")
    assert one.wait("operation", ref="ship", fate="done")["number"] == "SO-1"
    assert two.wait("order", number="SO-1", stage="shipped")["claimed_by"] == ""
    one.ask(cancel={"number": "SO-2", "note": "the customer rang"}, ref="cancel")
    assert two.wait("order", number="SO-2")["cancelled"] is True
    one.ask(undo={}, ref="undo")
    assert one.wait("operation", ref="undo", fate="done")["kind"] == "reinstate"
    assert two.wait("order", number="SO-2", cancelled=False)["stage"] == "confirmed"
    assert (one.quit(), two.quit()) == (0, 0)


def test_several_orders_at_once_through_a_second_program(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """One batch, an outcome for each, told to both programs; the batch is taken back as one step."""
    first = start_headless(processes, server, tmp_path / "one")
    first.ask(hold={"number": "SO-4", "reason": "other"})
    first.wait("operation", fate="done")
    second = Headless(processes, tmp_path / "one")
    second.wait("ready", attached=True)
    numbers = [f"SO-{place}" for place in range(6)]
    second.ask(move={"numbers": numbers, "to": "picking"}, ref="wave")
    batch = second.wait("batch", ref="wave")
    outcomes = {each["number"]: each["outcome"] for each in batch["outcomes"]}
    assert outcomes == {number: "not_sent" if number == "SO-4" else "applied" for number in numbers}
    assert first.wait("batch")["batch_id"] == batch["batch_id"]
    assert len({entry.operation.batch_id for entry in logged_moves(server)}) == 1
    eventually(lambda: len(first.numbers("picking")) == 5)
    second.ask(undo=batch["batch_id"], ref="back")
    back = second.wait("batch", ref="back")
    assert [each["outcome"] for each in back["outcomes"]] == ["applied"] * 5
    eventually(lambda: first.numbers("picking") == [])
    assert (second.quit(), first.quit()) == (0, 0)


def test_what_was_refused_waits_over_a_kill_and_is_tried_again(
    server: RealServer, processes: ProcessRunner, tmp_path: Path
) -> None:
    """In the list of the next start, and of a second program; tried again it is a new operation."""
    server.command("user", "add", "--name", "Bo", "--role", "supervisor")
    server.enrol("Station 2", tmp_path / "bo.json", "Bo")
    words = ("--server", server.url, "--device-token-file", tmp_path / "bo.json")
    other = start_headless(processes, server, tmp_path / "other")
    first = Headless(processes, tmp_path / "bo", *words)
    first.wait("connection", state="live")
    server.kill()
    for terminal in (other, first):
        terminal.wait("connection", state="offline")
        terminal.ask(claim={"number": "SO-1"})
        terminal.wait("operation", fate="saved")
    first.process.kill()
    server.start()
    other.ask(try_now={})
    other.wait("operation", fate="done")
    first = Headless(processes, tmp_path / "bo", *words)
    (entry,) = first.wait("needs_you_changed")["entries"]
    assert (entry["number"], entry["reason"], entry["operation"]) == ("SO-1", "ALREADY_CLAIMED", "claim")
    first.process.kill()
    again = Headless(processes, tmp_path / "bo", *words)
    assert again.wait("ready")["needs_you"] == 1
    again.wait("connection", state="live")
    other.ask(unclaim={"number": "SO-1"})
    other.wait("operation", kind="unclaim", fate="done")
    second = Headless(processes, tmp_path / "bo")
    second.wait("ready", attached=True, needs_you=1)
    second.ask(retry=entry["id"])
    assert second.wait("needs_you_changed")["removed"] == [entry["id"]]
    assert again.wait("operation", kind="claim", fate="decided")["outcome"] == "applied"
    assert other.wait("order", number="SO-1", claimed_by="Bo")
    second.ask(needs_you={})
    assert second.wait("needs_you")["entries"] == []
