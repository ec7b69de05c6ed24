"""Done operations are kept for a server that comes back from a backup, offered again, and let go of."""

from __future__ import annotations

import shutil
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
from support.repository import ROOT
from sync.client.outbox import Outbox
from sync.client.store_values import Kept
from sync.client.stores import outbox_history
from sync.client.stores.files import MEMORY, DamagedError
from sync.client.stores.outbox_mark import Mark, Marked
from sync.contract.operations import Outcome


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of this test lies."""
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    """An outbox with a, b, c done at 11, 12, 13, d decided at 14, and e pending."""
    with closing(Outbox.open(path, CountingIds()).outbox) as made:
        numbered = made.append([draft(name, "x") for name in "abcde"])
        made.decide([verdict(each, 10 + each.device_seq) for each in numbered[:4]])
        made.finish(0, 13, "epoch-1")
        yield made


def held(outbox: Outbox) -> list[tuple[str, int, bool]]:
    """Return what is held: id, number, and whether it has a verdict."""
    return [(each.op_id, each.device_seq, told is not None) for each, told in outbox.state().held]


def reopened(path: Path) -> Outbox:
    """Open the file again; nothing may be wrong with it."""
    opened = Outbox.open(path, CountingIds(900))
    assert opened.salvage is None
    return opened.outbox


def test_what_is_kept_knows_its_epoch(outbox: Outbox) -> None:
    """And where it begins: that is what hello declares."""
    assert outbox.kept() == Kept("epoch-1", 1)
    assert not outbox.kept().is_empty
    with closing(Outbox.open(MEMORY, CountingIds()).outbox) as empty:
        assert empty.kept() == Kept()
        assert empty.kept().is_empty


def test_a_restored_server_is_offered_what_it_lacks(outbox: Outbox, path: Path) -> None:
    """In order, before newer ones, all pending; what it has stays kept, under the new epoch."""
    state = outbox.reoffer(1, "epoch-2", "unused")
    assert Mark(path).read() == Marked(state.device_id, 6)
    assert held(outbox) == [("b", 2, False), ("c", 3, False), ("d", 4, False), ("e", 5, False)]
    assert (state, state.next_device_seq) == (outbox.state(), 6)
    assert outbox.kept() == Kept("epoch-2", 1)
    outbox.close()
    with closing(reopened(path)) as second:
        assert second.state() == state


def test_a_server_that_has_everything_is_offered_nothing(outbox: Outbox) -> None:
    """Only the epoch is another from then on."""
    outbox.reoffer(4, "epoch-2", "unused")
    assert held(outbox) == [("d", 4, False), ("e", 5, False)]
    assert outbox.kept() == Kept("epoch-2", 1)


def test_a_server_that_lacks_all_leaves_nothing_kept_and_no_hole(outbox: Outbox, path: Path) -> None:
    """The numbers before the first kept one are nobody's loss."""
    outbox.release(11, "epoch-1")
    outbox.reoffer(1, "epoch-2", "unused")
    assert outbox.kept() == Kept("epoch-2", 0)
    assert outbox.state().first_device_seq == 2
    outbox.close()
    reopened(path).close()


def test_what_a_former_identity_did_is_offered_under_a_new_one(outbox: Outbox, path: Path) -> None:
    """Its old numbers are taken by nobody any more; ids and order stay."""
    outbox.renew_identity("second")
    (numbered,) = outbox.append([draft("f", "x")])
    outbox.decide([verdict(numbered, 30)])
    outbox.finish(0, 30, "epoch-1")
    assert outbox.kept() == Kept("epoch-1", 3, has_former=True)
    state = outbox.reoffer(0, "epoch-2", "third")
    assert state.device_id == "third"
    assert held(outbox) == [(name, number, False) for number, name in enumerate("abcfde", 1)]
    assert outbox.kept() == Kept("epoch-2", 0)
    outbox.close()
    with closing(reopened(path)) as second:
        assert second.state() == state


def test_own_kept_ones_below_the_mark_are_a_former_identitys_after_that(outbox: Outbox) -> None:
    """They stand in the log; the next restored server is asked about them by their ids."""
    outbox.renew_identity("second")
    (numbered,) = (each for each in outbox.append([draft("f", "x")]))
    outbox.decide([verdict(numbered, 30)])
    outbox.finish(0, 30, "epoch-1")
    outbox.reoffer(3, "epoch-2", "third")
    assert outbox.kept() == Kept("epoch-2", 0, has_former=True)


def test_a_backup_lets_go_of_what_it_covers(outbox: Outbox, path: Path) -> None:
    """Of the same history only; a hole that it leaves is no damage."""
    assert outbox.release(12, "epoch-2") is False
    assert outbox.release(10, "epoch-1") is False
    assert outbox.kept() == Kept("epoch-1", 1)
    assert outbox.release(12, "epoch-1") is False
    assert outbox.kept() == Kept("epoch-1", 3)
    assert outbox.release(12, "epoch-1") is False
    assert outbox.release(99, "epoch-1") is False
    assert outbox.kept() == Kept("epoch-1", 0)
    outbox.close()
    with closing(reopened(path)) as second:
        assert second.state().first_device_seq == 4


def test_letting_go_goes_in_pieces(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for the database thread."""
    monkeypatch.setattr(outbox_history, "RELEASED_AT_ONCE", 2)
    assert outbox.release(99, "epoch-1") is True
    assert outbox.kept() == Kept("epoch-1", 3)
    assert outbox.release(99, "epoch-1") is False


def test_a_missing_number_is_damage_all_the_same(path: Path) -> None:
    """Above what was let go of, every number is held or kept."""
    with closing(Outbox.open(path, CountingIds()).outbox) as made:
        numbered = made.append([draft(name, "x") for name in "abcd"])
        made.decide([verdict(each, each.device_seq) for each in numbered[:2]])
        made.finish(0, 2, "epoch-1")
        made.release(1, "epoch-1")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM kept")
        connection.commit()
    opened = Outbox.open(path, CountingIds(900))
    opened.outbox.close()
    assert opened.salvage is not None
    assert (opened.salvage.reason, opened.salvage.rows_lost) == ("row 2 is missing", 1)


def test_a_history_that_has_rotted_is_not_believed(outbox: Outbox, path: Path) -> None:
    """Not while the program runs, and not at the next start, which saves the rest."""
    outbox._connection.execute("UPDATE history SET epoch = 'epoch-9'")
    with pytest.raises(DamagedError, match="history"):
        outbox.kept()
    outbox.close()
    opened = Outbox.open(path, CountingIds(900))
    with closing(opened.outbox) as saved:
        assert [each[0] for each in held(saved)] == ["d", "e"]
        assert saved.kept().has_former
    assert opened.salvage is not None
    assert opened.salvage.reason == "the history is not whole"


@pytest.mark.parametrize("point", ["before_write", "before_fsync", "after_commit"])
@pytest.mark.parametrize("method", ["reoffer", "release"])
def test_a_crash_offers_all_or_nothing(path: Path, method: str, point: str) -> None:
    """The next start finds it whole, and goes on from there."""
    with closing(Outbox.open(path, CountingIds()).outbox) as first:
        numbered = first.append([draft("a", "x"), draft("b", "x")])
        first.decide([verdict(numbered[0], 3)])
        first.finish(0, 3, "epoch-1")
        before = first.state(), first.kept()
    crashing = Outbox.open(path, CountingIds(), CrashAt(f"outbox.{method}.{point}")).outbox
    calls: dict[str, Callable[[], object]] = {
        "reoffer": lambda: crashing.reoffer(0, "epoch-2", "unused"),
        "release": lambda: crashing.release(3, "epoch-1"),
    }
    with pytest.raises(CrashError):
        calls[method]()
    crashing.close()
    with closing(reopened(path)) as second:
        assert ((second.state(), second.kept()) == before) is (point != "after_commit")


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["append", "decide", "finish", "renew", "reoffer", "release"]), st.integers(0, 9)
        ),
        max_size=25,
    )
)
def test_nothing_that_no_backup_covers_is_ever_gone(steps: list[tuple[str, int]]) -> None:
    """Whatever happens, an operation is held, kept, or let go of because a backup has it."""
    with closing(Outbox.open(MEMORY, CountingIds()).outbox) as outbox:
        appended: set[str] = set()
        covered: set[str] = set()
        epoch, seq, log = 1, 0, {}
        for number, (step, value) in enumerate(steps):
            state = outbox.state()
            if step == "append":
                appended.add(f"op-{number}")
                outbox.append([draft(f"op-{number}", "x")])
            elif step == "decide" and state.pending:
                seq += 1
                outbox.decide([verdict(state.pending[0], seq)])
                log[state.pending[0].op_id] = seq
            elif step == "finish":
                outbox.finish(0, value, f"epoch-{epoch}")
            elif step == "renew":
                outbox.renew_identity(f"device-{number}")
            elif step == "reoffer":
                epoch += 1
                outbox.reoffer(value, f"epoch-{epoch}", f"device-{number}")
            elif step == "release":
                outbox.release(value, f"epoch-{epoch}")
                covered |= {op_id for op_id, at in log.items() if at <= value}
        kept = {str(row[0]) for row in outbox._connection.execute("SELECT op_id FROM kept")}
        pending = {each.operation.op_id for each in outbox.state().held}
        assert appended - covered <= kept | pending
        assert not kept & pending
        numbers = [each.operation.device_seq for each in outbox.state().held]
        assert numbers == sorted(set(numbers))


def test_a_refused_operation_that_is_kept_is_offered_too(outbox: Outbox) -> None:
    """A restored server judges it anew; what it then takes waits for nobody any more."""
    (numbered,) = outbox.append([draft("f", "x")])
    outbox.decide([verdict(numbered, 20, Outcome.REJECTED)], 7)
    outbox.finish(0, 20, "epoch-1")
    assert [entry.id for entry in outbox.needs_you()] == ["f"]
    outbox.reoffer(0, "epoch-2", "unused")
    change = outbox.decide([verdict(numbered, 3)]).change
    assert (change.entries, change.removed) == ((), ("f",))
    assert outbox.needs_you() == ()


def test_an_older_file_tells_its_own_from_a_former_identitys(tmp_path: Path) -> None:
    """The first version did not say; the operations themselves do, except one that has rotted."""
    path = tmp_path / "outbox.db"
    shutil.copy(ROOT / "tests" / "golden" / "client" / "outbox-v1.db", path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE kept SET body = CAST(replace(body, device_id, 'former') AS BLOB)"
            " FROM identity WHERE place = 1"
        )
        connection.execute("UPDATE kept SET body = x'00' WHERE place = 2")
        connection.commit()
    with closing(Outbox.open(path, CountingIds(900)).outbox) as outbox:
        assert outbox.kept() == Kept("", 2, has_former=True)
