"""The check of a server's data: nothing to say of a whole one, a line for each thing that a disk changed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from databases.schema import operation_log
from server.checking import AT_MOST, Report, check
from server.checksums import COVERED
from server.database import FILE_NAME, open_database
from support.clocks import CountingIds, FakeClock
from support.proofs_work import any_change
from support.server_bench import ServerBench, numbered
from sync.contract.operations import Edit, Note, Retire, ShortLine, ShortPick
from sync.contract.orders import OrderPatch

ORDERS = 60


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """Two boards; one was worked on."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    bench.crowd("Another", "Elsewhere")
    bench.import_orders(ORDERS)
    principal = bench.principal()
    bench.join(principal)
    chance = random.Random(1)
    changes = [any_change(chance) for _ in range(60)]
    changes += [ShortPick((ShortLine(1, 1),), "damaged"), Note("a\0b"), Retire()]
    changes += [Edit(OrderPatch(customer="Nobody yet"), OrderPatch())]
    for number, change in enumerate(changes, 1):
        bench.commit(principal, numbered(number, change, f"{bench.site.key.site_id}-A-{number % ORDERS}"))
    yield bench
    bench.close()


def found(bench: ServerBench) -> list[str]:
    """Return the codes of what a check finds."""
    return [finding.code for finding in check(bench.database.engine).findings]


def test_a_whole_database_has_nothing_wrong(bench: ServerBench) -> None:
    """Every board is counted, with everything that its log made."""
    heard: list[str] = []
    report = check(bench.database.engine, heard.append)
    assert report.is_whole, report.findings
    assert heard
    boards = {board.site_id: board for board in report.boards}
    assert len(boards) == 2
    head = bench.database.reader.head(bench.site.key)
    board = boards[bench.site.key.site_id]
    assert (board.seq, board.entries, board.epoch) == (head.seq, head.seq, head.epoch)
    assert board.orders == sum(bench.database.reader.counts(bench.site.key).values()) > 0
    assert min(boards.values(), key=lambda each: each.seq)[2:] == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("sql", "codes"),
    [
        ("UPDATE operation_log SET outcome = 'noop' WHERE seq = 3", {"ENTRY_DAMAGED", "ORDER_UNMADE"}),
        ("UPDATE operation_log SET state_hash = state_hash + 1 WHERE seq = 40", {"ENTRY_DAMAGED"}),
        ("UPDATE operation_log SET in_the_way = 'Eve' WHERE seq = 40", {"ENTRY_DAMAGED"}),
        ("DELETE FROM operation_log WHERE seq = 35", {"LOG_GAP"}),
        ("UPDATE orders SET number = 'SO-9' WHERE number = 'SO-3'", {"ORDER_DIFFERS"}),
        ("UPDATE orders SET stage_at = stage_at + 1 WHERE number = 'SO-3'", {"ORDER_DIFFERS"}),
        ("UPDATE orders SET retired_at = 5 WHERE number = 'SO-3'", {"ORDER_DIFFERS", "ORDER_UNMADE"}),
        ("UPDATE order_line_items SET sku = 'x' WHERE position = 1", {"LINES_DIFFER"}),
        ("DELETE FROM order_line_items WHERE position = 1", {"LINES_DIFFER"}),
        ("UPDATE order_search SET words = 'x'", {"SEARCH_DIFFERS"}),
        ("DELETE FROM order_search", {"SEARCH_DIFFERS"}),
        ("UPDATE boards SET state_hash = state_hash + 1", {"HASH_DIFFERS"}),
        ("UPDATE boards SET seq = seq + 1", {"LOG_GAP", "HASH_DIFFERS"}),
        ("UPDATE boards SET durable_seq = 10000", {"LOG_GAP"}),
        ("UPDATE device_identities SET decided_device_seq = 2", {"DEVICE_BEHIND"}),
        ("DELETE FROM device_identities", {"DEVICE_BEHIND"}),
        ("UPDATE customers SET name = name || '.'", {"CUSTOMER_DAMAGED"}),
        ("UPDATE order_sources SET digest = digest + 1 WHERE external_ref = 'A-3'", {"SOURCE_DAMAGED"}),
    ],
)
def test_what_a_disk_changed_is_found(bench: ServerBench, sql: str, codes: set[str]) -> None:
    """Each kind of row has something that it must agree with."""
    bench.raw(sql)
    assert codes <= set(found(bench))


def test_an_entry_that_is_no_entry_is_one_finding(bench: ServerBench) -> None:
    """It stands in the way of nothing else."""
    value = "'\\x00'::bytea" if bench.url else "x'00'"
    bench.raw(f"UPDATE operation_log SET entry = {value} WHERE kind = 'note'")
    report = check(bench.database.engine)
    assert "ENTRY_DAMAGED" in {finding.code for finding in report.findings}
    assert all(len(finding.sentence.splitlines()) == 1 for finding in report.findings)


def test_an_order_gone_from_its_table_is_found(bench: ServerBench) -> None:
    """With it goes the board's count."""
    for table, key in (("order_line_items", "order_id"), ("order_sources", "order_id"), ("orders", "id")):
        bench.raw(f"DELETE FROM {table} WHERE {key} = '{bench.site.key.site_id}-A-3'")
    assert {"ORDER_GONE", "ORDER_UNMADE"} <= set(found(bench))


def test_rows_of_an_earlier_release_are_compared_with_their_entry(bench: ServerBench) -> None:
    """They have no checksum; what else can be known of them is."""
    bench.raw("UPDATE operation_log SET crc = NULL")
    assert found(bench) == []
    bench.raw("UPDATE operation_log SET op_id = 'other' WHERE seq = 40")
    assert "ENTRY_DAMAGED" in found(bench)


def test_much_damage_is_told_in_few_lines(bench: ServerBench) -> None:
    """A screen full is enough to know that it is bad; the rest is a number."""
    bench.raw("UPDATE operation_log SET crc = 1")
    bench.raw("UPDATE orders SET number = ''")
    report: Report = check(bench.database.engine)
    assert len(report.findings) == AT_MOST + 1
    assert report.findings[-1].code == "MORE"


@pytest.mark.parametrize(
    ("name", "place", "code"),
    [("idx_orders_updated", 4090, "FILE_DAMAGED"), ("order_search", 0, "DATA_UNREADABLE")],
)
def test_a_damaged_file_is_found(tmp_path: Path, name: str, place: int, code: str) -> None:
    """Also where an index alone is damaged, and where a table cannot be read to its end."""
    bench = ServerBench(tmp_path / "data")
    bench.import_orders(ORDERS)
    ((page,),) = bench.raw(f"SELECT rootpage FROM sqlite_master WHERE name = '{name}'")
    bench.close()
    with (tmp_path / "data" / FILE_NAME).open("r+b") as file:
        file.seek((int(page) - 1) * 4096 + place)
        file.write(bytes(6))
    with open_database(tmp_path / "data", FakeClock(), CountingIds()) as database:
        assert code in {finding.code for finding in check(database.engine).findings}


def test_the_checksum_covers_every_column() -> None:
    """A column that comes later is named here on purpose, or left out on purpose."""
    assert {*COVERED, "entry", "crc"} == set(operation_log.c.keys())
