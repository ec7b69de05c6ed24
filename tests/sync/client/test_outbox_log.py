"""An outbox whose newest part is gone: the mark proves it, and the bytes of the log give the rows back."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.clocks import CountingIds
from support.drafts import draft, verdict
from sync.client.outbox import OpenedOutbox, Outbox
from sync.client.stores.files import MEMORY
from sync.client.stores.outbox_mark import Mark, Marked, mark_path
from sync.contract.operations import Operation, PutOnHold, operation_bytes


def crashed(folder: Path, count: int = 20, note: str = "") -> tuple[Path, tuple[Operation, ...]]:
    """Return an outbox as a killed program leaves it, everything still in its log."""
    working = folder / "working"
    working.mkdir()
    path = working / "outbox.db"
    change = PutOnHold("other", note) if note else None
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        numbered: list[Operation] = []
        for n in range(count):
            numbered += outbox.append([draft(f"op-{n}", f"order-{n}", change)])
        outbox.decide([verdict(numbered[0], 77), verdict(numbered[1], 78)])
        outbox.finish(0, 77)
        shutil.copytree(working, folder / "profile")
    return folder / "profile" / "outbox.db", tuple(numbered)


def log_of(path: Path) -> Path:
    """Return the log beside an outbox."""
    return path.with_name("outbox.db-wal")


def saved(opened: OpenedOutbox) -> list[str]:
    """Return the ids of what is held, and close the file."""
    with closing(opened.outbox) as outbox:
        return [each.operation.op_id for each in outbox.state().held]


def test_after_a_crash_everything_is_there_and_nothing_is_said(tmp_path: Path) -> None:
    """The log is replayed as always; the mark agrees."""
    path, numbered = crashed(tmp_path)
    assert log_of(path).stat().st_size > 0
    opened = Outbox.open(path, CountingIds(900))
    assert opened.salvage is None
    assert saved(opened) == [each.op_id for each in numbered[1:]]


def test_a_removed_log_is_said(tmp_path: Path) -> None:
    """Without it the file is a whole outbox of before, which the mark gives away."""
    path, _ = crashed(tmp_path)
    log_of(path).unlink()
    opened = Outbox.open(path, CountingIds(900))
    assert opened.salvage is not None
    assert (opened.salvage.rows_saved, opened.salvage.device_id_renewed) == (0, True)
    assert opened.salvage.rows_lost != 0
    assert saved(opened) == []
    again = Outbox.open(path, CountingIds(900))
    assert saved(again) == []
    assert again.salvage is None


@pytest.mark.parametrize("place", [3, 17, 40, 32 + 24 + 4096 + 90])
def test_a_damaged_log_gives_its_rows_all_the_same(tmp_path: Path, place: int) -> None:
    """SQLite throws it away from the first wrong bit on; what follows is read from the bytes."""
    path, numbered = crashed(tmp_path)
    data = bytearray(log_of(path).read_bytes())
    data[place] ^= 4
    log_of(path).write_bytes(data)
    opened = Outbox.open(path, CountingIds(900))
    assert opened.salvage is not None
    state = opened.outbox.state()
    assert [each.device_seq for each in state.pending] == sorted(each.device_seq for each in state.pending)
    assert {each.op_id for each in numbered[1:]} <= set(saved(opened))


def test_an_emptied_file_is_not_begun_anew_in_silence(tmp_path: Path) -> None:
    """SQLite would take it for a new file and delete the log with all moves in it."""
    path, numbered = crashed(tmp_path)
    path.write_bytes(b"")
    opened = Outbox.open(path, CountingIds(900))
    assert opened.salvage is not None
    assert opened.salvage.reason == "the file is empty"
    assert {each.op_id for each in numbered[1:]} <= set(saved(opened))


def test_a_removed_outbox_is_said(tmp_path: Path) -> None:
    """With the log gone too, only the mark knows that there was one."""
    path, _ = crashed(tmp_path)
    path.unlink()
    log_of(path).unlink()
    opened = Outbox.open(path, CountingIds(900))
    assert saved(opened) == []
    assert opened.salvage is not None
    assert (opened.salvage.rows_saved, opened.salvage.rows_lost) == (0, None)


def test_another_outbox_under_the_name_is_said(tmp_path: Path) -> None:
    """A new file that somebody laid there instead of the one with the moves."""
    path, _ = crashed(tmp_path)
    log_of(path).unlink()
    path.unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    Outbox.open(elsewhere / "outbox.db", CountingIds(5)).outbox.close()
    shutil.copy(elsewhere / "outbox.db", path)
    opened = Outbox.open(path, CountingIds(900))
    opened.outbox.close()
    assert opened.salvage is not None
    assert opened.salvage.reason == "the file that was used last is gone"


def test_long_operations_are_read_without_the_head_of_the_file(tmp_path: Path) -> None:
    """Rows that run over several pages are followed; what was decided stays decided."""
    path, numbered = crashed(tmp_path, 6, " ".join(str(n) for n in range(2_500)))
    Outbox.open(path, CountingIds(900)).outbox.close()
    data = bytearray(path.read_bytes())
    data[:100] = b"%PDF-1.7".ljust(100)
    path.write_bytes(data)
    opened = Outbox.open(path, CountingIds(900))
    held = opened.outbox.state().held
    opened.outbox.close()
    assert [each.operation.change for each in held] == [each.change for each in numbered[1:]]
    assert opened.salvage is not None


def test_the_first_of_the_held_rows_is_missed_too(tmp_path: Path) -> None:
    """Nothing before it is held, so it must be among the done."""
    path = tmp_path / "outbox.db"
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        outbox.append([draft(f"op-{n}", f"order-{n}") for n in range(4)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM operations WHERE device_seq = 1")
        connection.commit()
    opened = Outbox.open(path, CountingIds(900))
    assert saved(opened) == ["op-1", "op-2", "op-3"]
    assert opened.salvage is not None
    assert (opened.salvage.reason, opened.salvage.rows_lost) == ("row 1 is missing", 1)


def test_a_new_identity_is_no_loss(tmp_path: Path) -> None:
    """The mark goes with it, also when nothing is held."""
    path = tmp_path / "outbox.db"
    outbox = Outbox.open(path, CountingIds()).outbox
    outbox.append([draft("op-1", "order-1")])
    outbox.finish(1, 0)
    outbox.renew_identity("device-new")
    outbox.close()
    assert Mark(path).read() == Marked("device-new", 1)
    opened = Outbox.open(path, CountingIds(900))
    opened.outbox.close()
    assert opened.salvage is None


def test_an_older_mark_and_a_damaged_one_prove_nothing(tmp_path: Path) -> None:
    """A power cut may take the mark back; then the outbox knows better."""
    path = tmp_path / "outbox.db"
    outbox = Outbox.open(path, CountingIds()).outbox
    (numbered,) = outbox.append([draft("op-1", "order-1")])
    outbox.close()
    for text in (b"", b"%s 1 00000000" % numbered.device_id.encode(), b"\xff" * 96, b"device 9 zzz"):
        mark_path(path).write_bytes(text)
        opened = Outbox.open(path, CountingIds(900))
        assert opened.salvage is None
        assert saved(opened) == ["op-1"]
    assert Mark(path).read() == Marked(numbered.device_id, 2)


def test_a_mark_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    """It is a proof more, not a condition."""
    path = tmp_path / "outbox.db"
    mark_path(path).mkdir()
    outbox = Outbox.open(path, CountingIds()).outbox
    (numbered,) = outbox.append([draft("op-1", "order-1")])
    assert outbox.pending() == (numbered,)
    assert operation_bytes(numbered)
    outbox.close()
    assert Mark(path).read() is None


def test_an_outbox_in_memory_has_no_mark() -> None:
    """The simulation's files leave nothing on the disk."""
    mark = Mark(MEMORY)
    mark.write("device", 7)
    assert mark.read() is None
    assert not mark_path(MEMORY).exists()


def test_what_an_older_copy_lacks_is_counted_with_what_is_damaged(tmp_path: Path) -> None:
    """The mark knows how far the numbers had come: one row is saved out of the rot, one is missing."""
    path = tmp_path / "outbox.db"
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        outbox.append([draft("a", "x"), draft("b", "x")])
    older = path.read_bytes()
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        outbox.append([draft("c", "x")])
    path.write_bytes(older)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE operations SET seq = 8 WHERE device_seq = 1")
        connection.commit()
    opened = Outbox.open(path, CountingIds(900))
    opened.outbox.close()
    assert opened.salvage is not None
    assert (opened.salvage.rows_saved, opened.salvage.rows_lost) == (2, 1)
