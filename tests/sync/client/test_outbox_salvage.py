"""A damaged outbox: found out, put aside, and every whole row saved."""

from __future__ import annotations

import random
import sqlite3
import tracemalloc
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from support.clocks import CountingIds
from support.drafts import draft, verdict
from sync.client.outbox import OpenedOutbox, Outbox
from sync.client.store_values import Held
from sync.client.stores import outbox_schema as schema
from sync.client.stores.outbox_salvage import carve
from sync.contract.operations import Operation, PutOnHold, operation_bytes
from sync.contract.problems import ProblemError


def filled(path: Path, count: int = 40, done: int = 5) -> tuple[Operation, ...]:
    """Make an outbox with some done operations, one decided and the rest pending."""
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        numbered = outbox.append([draft(f"op-{n}", f"order-{n}") for n in range(count)])
        outbox.decide([verdict(numbered[done], 77)])
        outbox.finish(done, 0)
    return numbered


def spoil(path: Path, statement: str) -> None:
    """Change the file as only a fault can."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def reopened(path: Path) -> OpenedOutbox:
    """Open the file as the next start would."""
    return Outbox.open(path, CountingIds(900))


def ids(opened: OpenedOutbox) -> list[str]:
    """Return what the outbox holds, and close it."""
    held = [held.operation.op_id for held in opened.outbox.state().held]
    opened.outbox.close()
    return held


SPOILED = {
    "body": "UPDATE operations SET body = replace(body, 'order-7', 'order-8') WHERE device_seq = 8",
    "type": "UPDATE operations SET body = 5 WHERE device_seq = 8",
    "gone": "DELETE FROM operations WHERE device_seq = 8",
}


@pytest.mark.parametrize("fault", SPOILED)
def test_one_bad_row_costs_one_row(tmp_path: Path, fault: str) -> None:
    """The others come back under a new identity, as there is a hole now; the old file stays."""
    path = tmp_path / "outbox.db"
    filled(path)
    spoil(path, SPOILED[fault])
    opened = reopened(path)
    report = opened.salvage
    assert report is not None
    assert (report.put_aside, report.rows_saved, report.rows_lost) == ("outbox-damaged-1.db", 34, 1)
    assert report.device_id_renewed
    state = opened.outbox.state()
    assert [each.device_seq for each in state.pending] == list(range(1, 35))
    assert {each.device_id for each in state.pending} == {state.device_id}
    assert ids(opened) == [f"op-{n}" for n in range(5, 40) if n != 7]
    assert (tmp_path / report.put_aside).exists()
    again = reopened(path)
    again.outbox.close()
    assert again.salvage is None


def test_a_bad_verdict_costs_nothing(tmp_path: Path) -> None:
    """The operation itself is whole, so it is saved, and the server is asked again what became of it."""
    path = tmp_path / "outbox.db"
    filled(path)
    spoil(path, "UPDATE operations SET state = 1, seq = 3 WHERE device_seq = 8")
    opened = reopened(path)
    report = opened.salvage
    assert report is not None
    assert (report.rows_saved, report.rows_lost, report.device_id_renewed) == (35, 0, True)
    assert ids(opened) == [f"op-{n}" for n in range(5, 40)]


@pytest.mark.parametrize(
    "statement", ["UPDATE identity SET next_device_seq = 2", "DELETE FROM identity", "DROP TABLE identity"]
)
def test_a_lost_identity_is_replaced(tmp_path: Path, statement: str) -> None:
    """Nothing else is lost with it; how much was lost cannot be known."""
    path = tmp_path / "outbox.db"
    filled(path)
    spoil(path, statement)
    opened = reopened(path)
    report = opened.salvage
    assert report is not None
    assert (report.rows_saved, report.rows_lost, report.device_id_renewed) == (35, None, True)
    assert ids(opened) == [f"op-{n}" for n in range(5, 40)]


def test_a_lost_done_row_loses_nothing(tmp_path: Path) -> None:
    """Without anything held, the last number must at least be among the done ones."""
    path = tmp_path / "outbox.db"
    filled(path, count=5, done=4)
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        outbox.finish(5, 0)
    spoil(path, "DELETE FROM kept WHERE device_seq = 5")
    opened = reopened(path)
    opened.outbox.close()
    report = opened.salvage
    assert report is not None
    assert (report.rows_saved, report.rows_lost) == (0, 1)


@pytest.mark.parametrize("is_gap_above", [True, False])
def test_millions_of_numbers_cost_no_memory(tmp_path: Path, is_gap_above: bool) -> None:
    """Only the rows that are there count, however many numbers were given in a terminal's life."""
    path = tmp_path / "outbox.db"
    filled(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        device_id, following = schema.read_identity(connection) or ("", 0)
        assert following == 41
        if is_gap_above:
            schema.put_identity(connection, device_id, 5_000_000)
        else:
            row = connection.execute(f"SELECT {schema.COLUMNS} FROM operations LIMIT 1").fetchone()
            operation = schema.whole(row).operation
            late = msgspec.structs.replace(operation, op_id="late", device_seq=4_999_999)
            connection.execute(schema.INSERT, schema.row_of(Held(late)))
            schema.put_identity(connection, device_id, 5_000_000)
    tracemalloc.start()
    try:
        opened = reopened(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    opened.outbox.close()
    assert opened.salvage is not None
    assert opened.salvage.rows_lost == 5_000_000 - 41 - (not is_gap_above)
    assert peak < 20_000_000


def test_a_broken_index_costs_nothing(tmp_path: Path) -> None:
    """SQLite's own check finds what no row shows; identity and numbers stay as they were."""
    path = tmp_path / "outbox.db"
    numbered = filled(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_operations_1'"
        page = connection.execute(query).fetchone()[0]
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(path.read_bytes())
    # The number of cells of the index page: one less is an entry that is missing.
    data[(page - 1) * size + 4] -= 1
    path.write_bytes(data)
    opened = reopened(path)
    report = opened.salvage
    assert report is not None
    assert (report.rows_saved, report.rows_lost, report.device_id_renewed) == (35, 0, False)
    assert opened.outbox.state().held[0].verdict == verdict(numbered[5], 77)
    assert opened.outbox.state().pending == numbered[6:]
    opened.outbox.close()


def test_a_file_that_is_no_database_any_more_gives_its_rows(tmp_path: Path) -> None:
    """With the head of the file gone, rows are recognised by their checksums."""
    path = tmp_path / "outbox.db"
    filled(path)
    data = bytearray(path.read_bytes())
    data[:100] = bytes(100)
    path.write_bytes(data)
    opened = reopened(path)
    report = opened.salvage
    assert report is not None
    assert report.rows_lost is None
    saved = ids(opened)
    assert {f"op-{n}" for n in range(5, 40)} <= set(saved)
    assert len(saved) == len(set(saved))


def test_another_programs_file_is_put_aside(tmp_path: Path) -> None:
    """A foreign database under our name is kept for its owner; ours starts new, and says so."""
    path = tmp_path / "outbox.db"
    spoil(path, "CREATE TABLE recipes (name TEXT)")
    opened = reopened(path)
    report = opened.salvage
    assert report is not None
    assert (report.rows_saved, "another program" in report.reason) == (0, True)
    assert ids(opened) == []


@pytest.mark.parametrize("seed", range(30))
def test_no_flipped_bits_pass_unnoticed(tmp_path: Path, seed: int) -> None:
    """Whatever is overwritten: afterwards every operation is as it was made, or its loss is reported."""
    path = tmp_path / "outbox.db"
    numbered = filled(path)
    made = {each.op_id: operation_bytes(each) for each in numbered}
    rng = random.Random(f"damage {seed}")
    data = bytearray(path.read_bytes())
    kind = seed % 3
    if kind == 0:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 1:
        start = rng.randrange(0, len(data), 4096)
        data[start : start + 4096] = bytes(4096)
    else:
        del data[rng.randrange(4096, len(data)) :]
    path.write_bytes(data)
    opened = reopened(path)
    held = [held.operation for held in opened.outbox.state().held]
    opened.outbox.close()
    if opened.salvage is None or not opened.salvage.device_id_renewed:
        assert [operation_bytes(each) for each in held if int(each.op_id[3:]) >= 5] == [
            made[f"op-{n}"] for n in range(5, 40)
        ]
    else:
        restored = {each.op_id: each for each in held}
        assert all(made[op_id] for op_id in restored)
        if opened.salvage.rows_lost == 0:
            assert {f"op-{n}" for n in range(5, 40)} <= set(restored)


def test_an_interrupted_salvage_is_finished_by_the_next_start(tmp_path: Path) -> None:
    """The completed new file waits under its own name until it is installed, old log and all."""
    path = tmp_path / "outbox.db"
    numbered = filled(path)
    ready = path.with_name("outbox.db.ready")
    path.rename(ready)
    path.write_bytes(b"what is left of the old file")
    path.with_name("outbox.db-wal").write_bytes(b"and of its log")
    opened = reopened(path)
    assert opened.salvage is None
    assert opened.outbox.state().pending == numbered[6:]
    assert not ready.exists()
    opened.outbox.close()


def test_a_salvage_that_cannot_write_is_a_problem(tmp_path: Path) -> None:
    """Where the new file cannot be built, the damaged one stays and a sentence says so."""
    path = tmp_path / "outbox.db"
    filled(path)
    spoil(path, "DELETE FROM identity")
    path.with_name("outbox.db.building").mkdir()
    with pytest.raises(ProblemError) as caught:
        reopened(path)
    assert caught.value.problem.code == "OUTBOX_UNUSABLE"
    assert path.exists()


def test_carving_takes_only_what_its_checksum_confirms(tmp_path: Path) -> None:
    """Braces and quotes in a note do not confuse it; a changed byte does."""
    path = tmp_path / "outbox.db"
    note = PutOnHold("other", note='a "quoted" } brace { and a \\ stroke')
    with closing(Outbox.open(path, CountingIds()).outbox) as outbox:
        (numbered,) = outbox.append([draft("op-1", "order-1", note)])
    data = path.read_bytes()
    assert list(carve(data)) == [numbered]
    assert list(carve(data.replace(b"quoted", b"quopted"))) == []
    assert list(carve(data[: data.index(b"stroke")])) == []
