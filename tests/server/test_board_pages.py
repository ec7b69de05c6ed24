"""Pages of the board come from the kanban index, newest first, on a table that is full."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from databases.schema import KANBAN, orders
from databases.statements import insert_rows
from server.board_pages import read_board
from server.kernel.records import SiteRow
from support.server_bench import ServerBench
from sync.contract.problems import ProblemError
from sync.contract.stages import STAGES, Stage

ON_BOARD = 400
RETIRED = 300
MANY = 8_000
NO_OTHER_WAY = "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off"
"""A table this small is read as a whole otherwise."""
ALL = [str(stage) for stage in STAGES]


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """Two sites, each with a board and with shipped orders that have left it."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    fill(bench, bench.site, 0)
    fill(bench, bench.crowd("Other", "Main"), 1_000_000)
    yield bench
    bench.close()


def fill(bench: ServerBench, site: SiteRow, first: int, on_board: int = ON_BOARD) -> None:
    """Write rows of orders as bare as the tables allow."""
    rows = []
    for place in range(RETIRED + on_board):
        is_retired = place < RETIRED
        columns: dict[str, Any] = {column.name: None for column in orders.columns}
        columns |= dict.fromkeys(("source", "number", "carrier", "ship_method"), "")
        columns |= dict.fromkeys(
            ("priority", "placed_at", "stage_at", "revision", "updated_at", "row_hash"), 0
        )
        columns |= {
            "id": f"order-{first + place:07}",
            "external_ref": f"{first + place}",
            "organization_id": site.key.organization_id,
            "site_id": site.key.site_id,
            "status": "shipped" if is_retired else ALL[place % 4],
            # Pairs of the same moment: their ids decide.
            "created_at": place // 2,
            "retired_at": 1 if is_retired else None,
            "body": f"{first + place}".encode(),
        }
        rows.append({name: value for name, value in columns.items() if name in orders.c})
    with bench.database.engine.begin() as connection:
        insert_rows(connection, orders, rows)


@contextmanager
def statements(bench: ServerBench) -> Iterator[list[tuple[str, Any]]]:
    """Collect what is executed: text and parameters."""
    seen: list[tuple[str, Any]] = []

    def collect(_c: Connection, _cursor: object, statement: str, parameters: Any, *_: object) -> None:  # noqa: ANN401
        seen.append((statement, parameters))

    event.listen(bench.database.engine, "before_cursor_execute", collect)
    yield seen
    event.remove(bench.database.engine, "before_cursor_execute", collect)


def plan_of(bench: ServerBench, statement: str, parameters: Any, before: str = "") -> str:  # noqa: ANN401 - the driver's own
    """Return what the database says that it does for a statement, after another one."""
    word = "EXPLAIN" if bench.url else "EXPLAIN QUERY PLAN"
    with bench.reading.begin() as connection:
        if before:
            connection.exec_driver_sql(before)
        rows = connection.exec_driver_sql(f"{word} {statement}", parameters).all()
    return "\n".join(str(row[-1]) for row in rows)


def test_every_column_is_one_walk_of_the_kanban_index(bench: ServerBench) -> None:
    """One statement for all columns; each stops when its page is full, without sorting the column."""
    busy = bench.crowd("Organization", "Busy")
    fill(bench, busy, 2_000_000, MANY)
    bench.raw("ANALYZE orders")
    with statements(bench) as seen:
        pages, counts = read_board(bench.reading, busy.key, ALL, "", 50)
    assert counts == dict.fromkeys(ALL, MANY // 4)
    assert [len(page.orders) for page in pages] == [50] * 4
    ((statement, parameters),) = [each for each in seen if "LIMIT" in each[0]]
    plan = plan_of(bench, statement, parameters)
    if bench.url:
        assert "LATERAL" in statement
        # One scan in the plan, done once for each row of the list of stages.
        assert plan.count("using idx_orders_kanban_status") == 1, plan
        assert "created_at >=" in re.search(r"Index Cond: (.*)", plan)[1], plan  # type: ignore[index]
        assert "Incremental Sort" in plan
        assert "Seq Scan" not in plan
    else:
        assert plan.count("USING INDEX idx_orders_kanban_status") == 4, plan
        # The order of the index is kept: only orders of one moment are sorted, by their ids.
        words = ("RIGHT PART OF ORDER BY", "LAST TERM OF ORDER BY")
        assert sum(plan.count(word) for word in words) == 4, plan
        assert "SCAN orders" not in plan


def test_a_board_is_counted_without_reading_its_orders(bench: ServerBench) -> None:
    """From the board's index alone: the rows of a hundred thousand orders are a hundred megabytes."""
    with statements(bench) as seen:
        read_board(bench.reading, bench.site.key, ALL, "", 50)
    ((statement, parameters),) = [each for each in seen if "count(*)" in each[0]]
    if bench.url:
        bench.raw("ANALYZE orders")
        plan = plan_of(bench, statement, parameters, NO_OTHER_WAY)
        assert "Index Only Scan using idx_orders_board" in plan, plan
    else:
        plan = plan_of(bench, statement, parameters)
        assert "USING COVERING INDEX idx_orders_board" in plan, plan


def test_the_index_is_the_one_of_the_specification(bench: ServerBench) -> None:
    """Its name, its columns, its condition."""
    where = "pg_indexes WHERE indexname" if bench.url else "sqlite_master WHERE name"
    what = "indexdef" if bench.url else "sql"
    ((sql,),) = bench.raw(f"SELECT {what} FROM {where} = 'idx_orders_kanban_status'")
    assert "(organization_id, status, created_at DESC)" in sql
    for word in ("deleted_at IS NULL", "confirmed", "picking", "picked", "shipped"):
        assert word in sql
        assert word in KANBAN


def test_pages_join_without_a_gap(bench: ServerBench) -> None:
    """Newest first; orders of the same moment are parted by their ids; the last page says that it is one."""
    seen: list[int] = []
    after, pages = "", 0
    while after or not pages:
        (page,), _ = read_board(bench.reading, bench.site.key, [Stage.SHIPPED], after, 33)
        seen += [int(body) for body in page.orders]
        after, pages = page.next_after, pages + 1
        assert page.orders_total == ON_BOARD // 4
    assert pages == 4
    wanted = [place for place in range(RETIRED, RETIRED + ON_BOARD) if place % 4 == 3]
    assert seen == sorted(wanted, key=lambda place: (-(place // 2), place))


def test_an_order_that_is_not_on_the_board_is_no_place_to_go_on_from(bench: ServerBench) -> None:
    """Retired, of somebody else, or never there."""
    for after in ("order-0000000", "order-1000300", "nobody"):
        with pytest.raises(ProblemError) as caught:
            read_board(bench.reading, bench.site.key, [Stage.SHIPPED], after, 10)
        assert caught.value.problem.code == "NOT_FOUND"


def test_an_empty_board_has_empty_pages(bench: ServerBench) -> None:
    """And needs no statement for them."""
    empty = bench.crowd("Third", "Main")
    pages, counts = read_board(bench.reading, empty.key, ALL, "", 10)
    assert counts == {}
    assert [(page.stage, page.orders_total, page.orders, page.next_after) for page in pages] == [
        (stage, 0, (), "") for stage in ALL
    ]
