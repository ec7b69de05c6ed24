"""The outbox: durable before sent, numbered densely, kept until done, never silently empty."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.clocks import CountingIds
from support.drafts import draft, verdict
from support.faults import CrashAt, CrashError
from sync.client import outbox as outbox_module
from sync.client.outbox import Outbox
from sync.client.store_values import Held
from sync.client.stores import outbox_history, outbox_schema
from sync.client.stores.files import MEMORY, DamagedError
from sync.contract.operations import Operation, Outcome, crc
from sync.contract.problems import ProblemError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of this test lies."""
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    """An empty outbox."""
    opened = Outbox.open(path, CountingIds())
    assert opened.salvage is None
    yield opened.outbox
    opened.outbox.close()


def op_ids(operations: tuple[Operation, ...]) -> list[str]:
    """Return the ids of operations."""
    return [operation.op_id for operation in operations]


def test_a_new_outbox_has_an_identity_that_stays(path: Path) -> None:
    """The identity is made once and found again."""
    with closing(Outbox.open(path, CountingIds()).outbox) as first:
        state = first.state()
    with closing(Outbox.open(path, CountingIds(50)).outbox) as second:
        assert second.state() == state
    assert (state.next_device_seq, state.held, state.first_device_seq) == (1, (), 1)


def test_operations_are_numbered_densely_and_survive(path: Path) -> None:
    """What append returned is what a second life finds, in order."""
    with closing(Outbox.open(path, CountingIds()).outbox) as first:
        one = first.append([draft("a", "x"), draft("b", "y")])
        two = first.append([draft("c", "z")])
        device_id = first.state().device_id
    assert [(each.device_id, each.device_seq) for each in one + two] == [(device_id, n) for n in (1, 2, 3)]
    with closing(Outbox.open(path, CountingIds()).outbox) as second:
        assert second.state().pending == one + two
        assert second.state().next_device_seq == 4


def test_the_same_draft_twice_is_stored_once(outbox: Outbox) -> None:
    """Appending again returns the first number, also when the operation is done by then."""
    (first,) = outbox.append([draft("a", "x")])
    assert outbox.append([draft("a", "x"), draft("b", "x")])[0] == first
    outbox.finish(1, 0)
    assert outbox.append([draft("a", "x")]) == (first,)
    assert op_ids(outbox.state().pending) == ["b"]


def test_pending_comes_in_pages(outbox: Outbox) -> None:
    """Undecided operations after a number, at most so many."""
    numbered = outbox.append([draft(name, "x") for name in "abcde"])
    outbox.decide([verdict(numbered[1], 9)])
    assert op_ids(outbox.pending(0, 3)) == ["a", "c", "d"]
    assert op_ids(outbox.pending(3)) == ["d", "e"]


def test_a_verdict_is_stored_once(outbox: Outbox) -> None:
    """Told twice it is no news; strangers are ignored."""
    one, two = outbox.append([draft("a", "x"), draft("b", "x")])
    stranger = verdict(Operation("z", "x", one.change, "device", 9), 5)
    told = verdict(one, 4, Outcome.REJECTED)
    assert outbox.decide([told, stranger]).verdicts == (told,)
    assert outbox.decide([verdict(one, 4), verdict(two, 9)]).verdicts == (verdict(two, 9),)
    assert outbox.state().held == (Held(one, told), Held(two, verdict(two, 9)))


def test_done_is_by_number_or_by_seq(outbox: Outbox) -> None:
    """The cache contains all up to its own mark, and whatever was decided up to its cursor."""
    numbered = outbox.append([draft(name, "x") for name in "abcd"])
    outbox.decide([verdict(numbered[2], 20), verdict(numbered[3], 21)])
    assert outbox.finish(0, 19) == ()
    assert outbox.finish(1, 20) == ("a", "c")
    assert op_ids(tuple(held.operation for held in outbox.state().held)) == ["b", "d"]
    assert outbox.state().first_device_seq == 2
    assert outbox.finish(4, 0) == ("b", "d")
    assert outbox.state().first_device_seq == outbox.state().next_device_seq == 5


def test_done_operations_are_kept_within_bounds(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest stay for a server that comes back from a backup; the oldest go."""
    monkeypatch.setattr(outbox_history, "KEPT_OPERATIONS", 2)
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        outbox.append([draft(name, "x") for name in "abcde"])
        outbox.finish(3, 0)
        outbox.finish(5, 0)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT op_id FROM kept ORDER BY place").fetchall() == [("d",), ("e",)]
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        assert outbox.state().next_device_seq == 6


def test_a_new_identity_numbers_anew_and_keeps_the_ids(path: Path) -> None:
    """Everything held is pending again from 1; done ones stay done."""
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        numbered = outbox.append([draft(name, "x") for name in "abc"])
        outbox.finish(1, 0)
        outbox.decide([verdict(numbered[1], 7)])
        state = outbox.renew_identity("another")
        assert state == outbox.state()
    assert [(each.op_id, each.device_id, each.device_seq) for each in state.pending] == [
        ("b", "another", 1),
        ("c", "another", 2),
    ]
    opened = Outbox.open(path, CountingIds())
    with closing(opened.outbox) as outbox:
        assert (opened.salvage, outbox.state()) == (None, state)


def test_verdicts_of_a_lost_history_are_forgotten(outbox: Outbox) -> None:
    """From a number on, decided operations are pending again."""
    numbered = outbox.append([draft(name, "x") for name in "abc"])
    outbox.decide([verdict(each, 4) for each in numbered])
    outbox.reopen(2)
    assert [held.verdict is None for held in outbox.state().held] == [False, True, True]


def test_an_outbox_in_memory_needs_no_file() -> None:
    """The simulation runs the same code without a disk."""
    with closing(Outbox.open(MEMORY, CountingIds()).outbox) as outbox:
        assert outbox.append([draft("a", "x")])[0].device_seq == 1


METHODS = ("append", "decide", "finish", "renew_identity", "reopen")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("point", ["before_write", "before_fsync", "after_commit"])
def test_a_crash_leaves_all_or_nothing(path: Path, method: str, point: str) -> None:
    """Before the commit nothing has happened, after it everything; the next start finds it whole."""
    with closing(Outbox.open(path, CountingIds()).outbox) as first:
        numbered = first.append([draft("a", "x"), draft("b", "x")])
        first.decide([verdict(numbered[0], 3)])
        before = first.state()
    crashing = Outbox.open(path, CountingIds(), CrashAt(f"outbox.{method}.{point}")).outbox
    calls: dict[str, Callable[[], object]] = {
        "append": lambda: crashing.append([draft("c", "x")]),
        "decide": lambda: crashing.decide([verdict(numbered[1], 4)]),
        "finish": lambda: crashing.finish(1, 0),
        "renew_identity": lambda: crashing.renew_identity("another"),
        "reopen": lambda: crashing.reopen(1),
    }
    with pytest.raises(CrashError):
        calls[method]()
    crashing.close()
    opened = Outbox.open(path, CountingIds())
    with closing(opened.outbox) as second:
        assert opened.salvage is None
        assert (second.state() == before) is (point != "after_commit")


def test_a_failing_statement_leaves_the_outbox_usable(outbox: Outbox) -> None:
    """An error in the middle rolls everything back; the next append goes through."""
    with pytest.raises(AttributeError):
        outbox.append([draft("a", "x"), None])  # type: ignore[list-item]
    assert outbox.append([draft("b", "x")])[0].device_seq == 1


def test_a_row_that_rots_while_the_program_runs_is_not_believed(outbox: Outbox) -> None:
    """Reading a damaged row or identity is an error, never a wrong operation."""
    outbox.append([draft("a", "x")])
    outbox._connection.execute("UPDATE operations SET seq = 8")
    with pytest.raises(DamagedError, match="row 1"):
        outbox.state()
    outbox._connection.execute("UPDATE identity SET next_device_seq = 1")
    with pytest.raises(DamagedError, match="identity"):
        outbox.append([draft("b", "x")])


def test_good_checksums_over_something_else_are_no_operation() -> None:
    """A row that is not one of ours is nothing, however whole it is."""
    rest = (0, 0, "", "", "", 0)
    row_crc = crc(b"1|a|0|0||||0")
    assert outbox_schema.held_of((1, "a", b"{}", crc(b"{}"), *rest, row_crc)) is None
    assert outbox_schema.held_of((1, "a")) is None


def test_a_file_of_a_later_release_is_refused_unchanged(path: Path) -> None:
    """A newer ladder is not climbed down, and nothing is put aside."""
    Outbox.open(path, CountingIds()).outbox.close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(ProblemError) as caught:
        Outbox.open(path, CountingIds())
    assert caught.value.problem.code == "OUTBOX_TOO_NEW"
    assert str(path) in caught.value.problem.sentence
    assert [each.name for each in path.parent.glob("*damaged*")] == []


def test_a_second_program_is_told_so(path: Path, outbox: Outbox) -> None:
    """The file is held exclusively: a second opener gets a sentence, not a second writer."""
    outbox.append([draft("a", "x")])
    with pytest.raises(ProblemError) as caught:
        Outbox.open(path, CountingIds())
    assert caught.value.problem.code == "OUTBOX_UNUSABLE"


def test_every_commit_is_synced(outbox: Outbox) -> None:
    """Power cuts lost acknowledged rows in every mode but this one."""
    connection = outbox._connection
    answers = [
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("journal_mode", "synchronous", "fullfsync", "locking_mode")
    ]
    assert answers == ["wal", 2, 1, "exclusive"]


def test_a_salvage_that_did_not_help_is_a_problem(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new file is no better, the program says so instead of starting empty."""
    path.write_bytes(b"certainly no database" * 500)
    monkeypatch.setattr(outbox_module, "salvage", lambda *_: None)
    with pytest.raises(ProblemError) as caught:
        Outbox.open(path, CountingIds())
    assert caught.value.problem.code == "OUTBOX_UNUSABLE"


def test_a_path_that_cannot_be_a_file_is_a_problem(tmp_path: Path) -> None:
    """A folder that is not there: a sentence with what to do."""
    with pytest.raises(ProblemError) as caught:
        Outbox.open(tmp_path / "missing" / "outbox.db", CountingIds())
    assert caught.value.problem.code == "OUTBOX_UNUSABLE"
    assert caught.value.problem.what_to_do


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["append", "decide", "finish", "reopen", "renew"]), st.integers(0, 9)))
)
def test_numbers_stay_dense_whatever_happens(steps: list[tuple[str, int]]) -> None:
    """Held and done numbers together have no hole, and nothing that was appended is gone."""
    with closing(Outbox.open(MEMORY, CountingIds()).outbox) as outbox:
        appended: list[str] = []
        done: list[str] = []
        for number, (step, value) in enumerate(steps):
            held = outbox.state().held
            if step == "append":
                appended.append(str(number))
                outbox.append([draft(str(number), "x")])
            elif step == "decide" and held:
                outbox.decide([verdict(held[value % len(held)].operation, value)])
            elif step == "finish":
                done += outbox.finish(value // 2, value)
            elif step == "reopen":
                outbox.reopen(value)
            elif step == "renew":
                outbox.renew_identity(f"device-{number}")
        state = outbox.state()
        assert [held.operation.op_id for held in state.held] == [
            each for each in appended if each not in done
        ]
        numbers = [held.operation.device_seq for held in state.held]
        assert numbers == sorted(numbers)
        assert all(number < state.next_device_seq for number in numbers)


def test_the_verdict_of_another_history_gives_way_to_that_of_the_present_one(outbox: Outbox) -> None:
    """Also when giving it up could not be written: a refusal must reach the person."""
    numbered = outbox.append([draft("a", "x")])
    assert len(outbox.decide([verdict(numbered[0], 498)]).verdicts) == 1
    assert outbox.decide([verdict(numbered[0], 498)]).verdicts == ()
    judged = outbox.decide([verdict(numbered[0], 7, Outcome.REJECTED)])
    assert [entry.id for entry in judged.change.entries] == ["a"]
    assert outbox.finish(0, 7) == ("a",)
