"""What a terminal's copy is made of and compared with: whole boards, first pages, sums, ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import event

from server.kernel.records import Answered
from support.server_bench import ServerBench, create, fresh_order, numbered
from sync.contract.codec import decode_server
from sync.contract.limits import DELTA_ENTRIES, REPAIR_ORDERS
from sync.contract.messages import Compared, Repair, SnapshotPage
from sync.contract.operations import Import, Move, Operation, Retire, Take
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, order_from_bytes, row_hash
from sync.contract.stages import Stage

Range = tuple[str, str]
END = "\U0010ffff"


def on_board(bench: ServerBench) -> dict[str, Order]:
    """Return the orders of the board by id."""
    rows = bench.raw("SELECT body FROM orders WHERE retired_at IS NULL")
    orders = [order_from_bytes(bytes(row[0])) for row in rows]
    return {order.id: order for order in orders}


def expected(orders: dict[str, Order], bounds: Range) -> tuple[int, int]:
    """Return the sum of a range of these orders."""
    found = [
        row_hash(canonical_bytes(order))
        for order_id, order in orders.items()
        if bounds[0] <= order_id < (bounds[1] or END)
    ]
    return sum(found) % HASH_MODULUS, len(found)


def compared(bench: ServerBench, *ranges: Range, cursor: int = 0) -> tuple[Answered, Compared]:
    """Return the answer to a question about these ranges."""
    answer = bench.database.copies.compare(bench.site.key, cursor, 7, ranges)
    assert answer.frame is not None
    message = decode_server(answer.frame)
    assert isinstance(message, Compared)
    return answer, message


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A database with one site, of each kind."""
    made = ServerBench(tmp_path, url=database_url)
    yield made
    made.close()


@pytest.fixture
def mixed(bench: ServerBench) -> ServerBench:
    """A board with ids that people and computers sort differently, and one that left it."""
    for order_id in ("a", "B", "b", "ä", "a-1", "a1", "A 2", "Z", "z", "0197a3-7", "0197A3-8", "retired"):
        order = msgspec.structs.replace(fresh_order(1), external_ref="")
        bench.database.store.import_orders(
            bench.site.key, [Operation(f"op-{order_id}", order_id, Import(order))], "b"
        )
    bench.raw("UPDATE orders SET retired_at = 5 WHERE id = 'retired'")
    return bench


@pytest.mark.parametrize(
    "marks", [["", ""], ["", "a", ""], ["", "0197B", "Z", "a", "a-", "a1", "b", "y", ""], ["A", "a1"]]
)
def test_sums_go_by_code_points(mixed: ServerBench, marks: list[str]) -> None:
    """Whatever order the database sorts text in: both sides have to mean the same range."""
    ranges = list(pairwise(marks))
    orders = on_board(mixed)
    if marks == ["", ""]:
        # The sum of all is known without reading the orders; the row above was not retired by the log.
        mixed.raw(f"UPDATE boards SET state_hash = {_signed(expected(orders, ('', ''))[0])}")
    answer, message = compared(mixed, *ranges)
    assert (message.n, message.seq, answer.seq) == (7, 12, 12)
    assert message.sums == [expected(orders, bounds) for bounds in ranges]


def _signed(number: int) -> int:
    return number - HASH_MODULUS if number >= HASH_MODULUS // 2 else number


def test_ranges_may_leave_something_out(mixed: ServerBench) -> None:
    """They need not follow on each other; one may be empty."""
    ranges = [("0", "1"), ("1", "2"), ("a", "b")]
    _, message = compared(mixed, *ranges)
    assert message.sums == [expected(on_board(mixed), bounds) for bounds in ranges]
    assert message.sums[1] == (0, 0)


def test_ranges_are_read_along_an_index(mixed: ServerBench) -> None:
    """On either database: 63 damaged places are 63 short walks, not 63 passes over the whole board."""
    engine, asked = mixed.database.engine, list[tuple[str, Any]]()

    @event.listens_for(engine, "before_cursor_execute")
    def _note(_c: object, _cursor: object, sql: str, values: object, _context: object, _many: object) -> None:
        asked.append((sql, values))

    compared(mixed, ("1", "2"), ("a", "b"))
    sums = [each for each in asked if "row_hash" in each[0]]
    assert len(sums) == 2
    is_postgresql = engine.dialect.name == "postgresql"
    with engine.connect() as connection:
        if is_postgresql:
            # Twelve orders would be read at once. All of this is rolled back.
            connection.exec_driver_sql(
                "INSERT INTO orders SELECT (jsonb_populate_record(o, jsonb_build_object('id', 'x' || n))).*"
                " FROM orders AS o, generate_series(1, 5000) AS n WHERE id = 'a'"
            )
            connection.exec_driver_sql("ANALYZE orders")
        explain, wanted = ("EXPLAIN ", _BY_CODE_POINTS) if is_postgresql else ("EXPLAIN QUERY PLAN ", _ANY)
        for sql, values in sums:
            rows = connection.exec_driver_sql(explain + sql, values)
            assert re.search(wanted, " ".join(str(row[-1]) for row in rows))


_BY_CODE_POINTS = r"idx_orders_range .*Index Cond: .*>= .* < "
_ANY = r"idx_orders_board .*id>\? AND id<\?"


def test_the_sum_of_all_is_the_state_hash(bench: ServerBench) -> None:
    """Of the board at the head, without the orders that left it."""
    bench.import_orders(5)
    ana = bench.principal()
    bench.join(ana)
    victim = next(iter(on_board(bench)))
    bench.commit(ana, *(numbered(place, Move(stage), victim) for place, stage in enumerate(Stage, 1)))
    bench.database.store.import_orders(bench.site.key, [Operation("r", victim, Retire())], "b")
    _, message = compared(bench, ("", ""))
    orders = on_board(bench)
    assert len(orders) == 4
    assert message.sums == [expected(orders, ("", ""))]
    assert compared(bench, ("", "5"), ("5", ""))[1].sums == [
        expected(orders, ("", "5")),
        expected(orders, ("5", "")),
    ]


def test_an_answer_comes_with_the_log_up_to_it(bench: ServerBench) -> None:
    """From the link's cursor, at most a page: when that is less than the head, it is asked again."""
    bench.import_orders(DELTA_ENTRIES + 10)
    site, copies = bench.site.key, bench.database.copies
    behind = copies.compare(site, 0, 1, [("", "")])
    assert behind.page.prev_seq == 0 < behind.page.seq <= DELTA_ENTRIES < behind.seq == DELTA_ENTRIES + 10
    near = copies.fetch(site, DELTA_ENTRIES, 1, "", "0")
    assert (near.page.seq, near.seq, len(near.page.entries)) == (near.seq, DELTA_ENTRIES + 10, 10)
    assert copies.compare(site, near.seq, 1, [("", "")]).page.entries == ()


def test_a_range_is_given_whole(mixed: ServerBench) -> None:
    """All orders of it that are on the board, and none besides."""
    answer = mixed.database.copies.fetch(mixed.site.key, 12, 9, "a", "b")
    assert isinstance(answer.frame, bytes)
    message = decode_server(answer.frame)
    assert isinstance(message, Repair)
    assert (message.n, message.seq, message.lo, message.hi) == (9, 12, "a", "b")
    assert sorted(order.id for order in message.orders) == ["a", "a-1", "a1"]
    assert answer.orders == 3
    to_the_end = mixed.database.copies.fetch(mixed.site.key, 12, 9, "b", "")
    assert to_the_end.orders == 3


def test_too_much_is_no_answer(bench: ServerBench) -> None:
    """Neither too many orders nor too long ones."""
    site, copies = bench.site.key, bench.database.copies
    bench.import_orders(REPAIR_ORDERS)
    assert copies.fetch(site, 0, 1, "", "").orders == REPAIR_ORDERS
    bench.import_orders(1, first=REPAIR_ORDERS)
    assert copies.fetch(site, 0, 1, "", "").frame is None
    for place in range(3):
        order = msgspec.structs.replace(fresh_order(900 + place), note="x" * 2_000_000)
        bench.database.store.import_orders(site, [Operation(f"l-{place}", f"zz-{place}", Import(order))], "b")
    assert copies.fetch(site, 0, 1, "zz-0", "zz-2").orders == 2
    assert copies.fetch(site, 0, 1, "zz-0", "").frame is None


def test_the_first_page_has_the_head_of_each_column(bench: ServerBench) -> None:
    """Fifty of each stage, by cut-off, urgency and age, the shipped ones newest first."""
    base = fresh_order(1)
    for stage in Stage:
        given = [
            msgspec.structs.replace(
                base,
                external_ref=f"{stage}-{place}",
                stage=stage,
                stage_ms=1_000 + place,
                cut_off_ms=None if place == 0 else 10_000 - place // 2,
                priority=place % 2,
            )
            for place in range(60)
        ]
        operations = [
            Operation(f"op-{order.external_ref}", order.external_ref, Import(order)) for order in given
        ]
        bench.database.store.import_orders(bench.site.key, operations, "b")
    frame = bench.database.copies.first_page(bench.site.key).frame
    page = decode_server(frame)
    assert isinstance(page, SnapshotPage)
    confirmed = {order.id for order in page.orders if order.stage is Stage.CONFIRMED}
    orders = sorted(
        (order for order in on_board(bench).values() if order.stage is Stage.CONFIRMED),
        key=lambda order: (order.cut_off_ms is None, order.cut_off_ms or 0, -order.priority),
    )
    assert confirmed == {order.id for order in orders[:50]}
    assert len(page.orders) <= 200
    assert bench.database.copies.first_page(bench.site.key).frame is frame
    bench.import_orders(257, first=100)
    assert bench.database.copies.first_page(bench.site.key).frame is not frame


def test_the_first_page_of_long_orders_is_a_frame_that_a_terminal_takes(bench: ServerBench) -> None:
    """A page of fifty wholesale orders a column would be refused, and an empty terminal stay empty."""
    for place in range(5):
        order = msgspec.structs.replace(fresh_order(place), note="x" * 1_900_000)
        bench.database.store.import_orders(
            bench.site.key, [Operation(f"l-{place}", f"l-{place}", Import(order))], "b"
        )
    page = decode_server(bench.database.copies.first_page(bench.site.key).frame)
    assert isinstance(page, SnapshotPage)
    assert len(page.orders) == 1


def test_nothing_has_no_first_page(bench: ServerBench) -> None:
    """Nothing is sent for it."""
    assert bench.database.copies.first_page(bench.site.key).frame == ""


def test_a_snapshot_is_not_older_than_what_was_seen(bench: ServerBench) -> None:
    """Whoever asks for the board anew has seen the log up to somewhere, and goes on from there."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    copies, site = bench.database.copies, bench.site.key
    first = copies.snapshot(site, "device-1").snapshot
    bench.commit(ana, numbered(2, Take()))
    assert copies.snapshot(site, "device-1", 1).snapshot is first
    assert copies.snapshot(site, "device-1", 2).snapshot.seq == 2


def test_sites_do_not_see_each_other(bench: ServerBench) -> None:
    """Neither their orders nor their sums."""
    other = bench.crowd("Organization", "Second")
    bench.import_orders(3)
    bench.import_orders(2, other, first=10)
    copies = bench.database.copies
    answer = copies.fetch(other.key, 0, 1, "", "")
    assert (answer.orders, answer.seq) == (2, 2)
    frame = copies.compare(other.key, 0, 1, [("", "00000000-0000-0000-0000-000000000001"), ("1", "")]).frame
    assert frame is not None
    sums = decode_server(frame)
    assert isinstance(sums, Compared)
    assert sum(count for _, count in sums.sums) <= 2
    assert copies.snapshot(other.key, "d").snapshot.orders == 2
