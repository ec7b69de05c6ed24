"""Finished orders leave the board when the site's day is over; everybody agrees, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from threading import Event

import pytest

from databases.schema import FINISHED
from server.kernel.records import Batch, Committed
from server.modules import retirement as module
from server.modules.retirement import Closing, Retirement
from server.registration import JobContext
from support.http_bench import HttpBench
from support.shop import log_of, order_of, put, say
from sync.contract.codec import decode_server
from sync.contract.messages import Hello, SnapshotChunk
from sync.contract.operations import LogEntry, Move, Source
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, order_from_bytes, patched, row_hash
from sync.contract.stages import Stage

HOUR_MS = 3_600_000
SHIPPED = {"stage": Stage.SHIPPED}


def at(text: str) -> int:
    """Return a UTC time as milliseconds."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


NOW = at("2026-03-30T09:00")
"""A Monday in London, the day after the clocks went forward: its day began at 23:00 UTC."""
MIDNIGHT = NOW - 10 * HOUR_MS


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[HttpBench]:
    """A site in London."""
    with HttpBench(tmp_path / "data", url=database_url) as bench:
        bench.clock.wall = NOW
        yield bench


def desk(bench: HttpBench) -> Retirement:
    """Return what lets orders leave."""
    return Retirement(bench.database.engine, bench.database.store, bench.ids)


def closing(bench: HttpBench) -> Closing:
    """Return where the site's day begins."""
    return next(each for each in desk(bench).closings(bench.clock.wall) if each.site == bench.site.key)


def run(bench: HttpBench, at_most: int = 1_000) -> int:
    """Let orders leave."""
    return desk(bench).run(closing(bench), lambda: False, at_most)


def board(bench: HttpBench) -> tuple[set[str], int]:
    """Return the ids and the state hash of a snapshot as a terminal would get it; they must fit."""
    snapshot = bench.database.copies.snapshot(bench.site.key, "nobody").snapshot
    chunks = [decode_server(frame) for frame in snapshot.frames]
    orders = [order for chunk in chunks if isinstance(chunk, SnapshotChunk) for order in chunk.orders]
    assert sum(row_hash(canonical_bytes(order)) for order in orders) % HASH_MODULUS == snapshot.state_hash
    return {order.id for order in orders}, snapshot.state_hash


def replayed(entries: list[LogEntry]) -> int:
    """Return the state hash that a terminal has that followed the log."""
    orders: dict[str, Order] = {}
    for entry in entries:
        order = entry.order or orders.get(entry.operation.order_id)
        if order is not None:
            orders[order.id] = patched(order, entry.patch) if entry.patch else order
    shown = [canonical_bytes(order) for order in orders.values() if order.is_on_board]
    return sum(row_hash(body) for body in shown) % HASH_MODULUS


def test_what_was_finished_before_today_leaves(bench: HttpBench) -> None:
    """Shipped or cancelled before the site's midnight; open orders and today's stay."""
    orders = put(
        bench,
        {**SHIPPED, "stage_ms": MIDNIGHT - 1},
        {**SHIPPED, "stage_ms": MIDNIGHT},
        {"stage_ms": 1},
        {"cancelled_ms": MIDNIGHT - 1},
        {"cancelled_ms": MIDNIGHT, "stage_ms": 1},
        {**SHIPPED, "stage_ms": 1, "cancelled_ms": NOW},
        {**SHIPPED, "stage_ms": 1, "cancelled_ms": 2},
        # Cancelled long ago, although the order itself came only now.
        {"cancelled_ms": 5},
        {**SHIPPED},
    )
    gone = {orders[place] for place in (0, 3, 6, 7)}
    assert desk(bench).count(closing(bench)) == 4
    assert run(bench) == 4
    entries = log_of(bench, "retire")
    assert {entry.operation.order_id for entry in entries} == gone
    assert len({entry.operation.batch_id for entry in entries}) == 1
    assert {(entry.operation.source, entry.actor_name) for entry in entries} == {(Source.SYSTEM, "System")}
    assert board(bench)[0] == set(orders) - gone
    assert order_of(bench, orders[0]).retired_ms == NOW
    assert run(bench) == 0


def test_a_time_to_come_keeps_no_order_on_the_board(bench: HttpBench) -> None:
    """A source's clock may be wrong by years: on the next day the order was finished before."""
    orders = put(bench, {**SHIPPED, "stage_ms": NOW * 2}, {"cancelled_ms": NOW * 2}, {"stage_ms": NOW * 2})
    assert run(bench) == 0
    bench.clock.wall = NOW + 24 * HOUR_MS
    assert run(bench) == 2
    assert board(bench)[0] == {orders[2]}


def test_the_next_day_takes_todays_and_a_site_may_keep_more_days(bench: HttpBench) -> None:
    """The board of two days keeps yesterday; what left does not come back with more days."""
    yesterday, today = put(bench, {**SHIPPED, "stage_ms": MIDNIGHT - HOUR_MS}, {**SHIPPED, "stage_ms": NOW})
    bench.database.identities.keep_shipped(bench.site.key, 2)
    assert run(bench) == 0
    bench.clock.advance(24 * HOUR_MS)
    assert run(bench) == 1
    assert board(bench)[0] == {today}
    bench.database.identities.keep_shipped(bench.site.key, 31)
    assert run(bench) == 0
    assert board(bench)[0] == {today}
    assert order_of(bench, yesterday).retired_ms == bench.clock.wall


def test_reopened_orders_stay(bench: HttpBench) -> None:
    """They are open, whenever they had been shipped."""
    reopened, _ = put(bench, {**SHIPPED, "stage_ms": 1}, {**SHIPPED, "stage_ms": 1})
    say(bench, reopened, Move(Stage.PICKED))
    assert run(bench) == 1
    assert board(bench)[0] == {reopened}


class Meddling:
    """A store beside which something happens before its first commit."""

    def __init__(self, bench: HttpBench, meddle: object) -> None:
        self._store = bench.database.store
        self._meddle = meddle

    def commit(self, batch: Batch) -> Committed:
        """Let it happen, then commit."""
        meddle, self._meddle = self._meddle, None
        if callable(meddle):
            meddle()
        return self._store.commit(batch)


def test_what_is_reopened_in_the_same_moment_stays(bench: HttpBench) -> None:
    """Also when it is shipped again: it was shipped today then."""
    first, second = put(bench, {**SHIPPED, "stage_ms": 1}, {**SHIPPED, "stage_ms": 1})

    def meddle() -> None:
        say(bench, first, Move(Stage.PICKED))
        say(bench, second, Move(Stage.PICKED))
        say(bench, second, Move(Stage.SHIPPED))

    store = Meddling(bench, meddle)
    retirement = Retirement(bench.database.engine, store, bench.ids)  # type: ignore[arg-type]
    assert retirement.run(closing(bench), lambda: False) == 0
    assert board(bench)[0] == {first, second}


def test_two_processes_retire_an_order_once(bench: HttpBench) -> None:
    """The log has one entry of it, whoever was first."""
    put(bench, {**SHIPPED, "stage_ms": 1})
    store = Meddling(bench, lambda: run(bench))
    Retirement(bench.database.engine, store, bench.ids).run(closing(bench), lambda: False)  # type: ignore[arg-type]
    assert len(log_of(bench, "retire")) == 1
    assert len(log_of(bench)) == 2


def test_a_run_is_bounded_and_takes_the_oldest_first(
    bench: HttpBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts, between which it can be ended; the next run goes on."""
    monkeypatch.setattr(module, "AT_ONCE", 2)
    orders = put(bench, *[{**SHIPPED, "stage_ms": 100 - place} for place in range(8)])
    assert run(bench, at_most=3) == 3
    assert [entry.operation.order_id for entry in log_of(bench, "retire")] == orders[:4:-1]
    stops = iter([True])
    assert desk(bench).run(closing(bench), lambda: next(stops)) == 2
    assert run(bench) == 3
    assert board(bench) == (set(), 0)


def test_terminals_agree_after_orders_left(bench: HttpBench) -> None:
    """Who followed the log, who comes fresh and who comes back all have the kept hash."""
    put(bench, *[{**SHIPPED, "stage_ms": 1} if place % 3 else {} for place in range(9)])
    principal = bench.principal()
    before = bench.database.reader.head(bench.site.key)
    hash_before = board(bench)[1]
    assert run(bench) == 6
    head = bench.database.reader.head(bench.site.key)
    shown, state_hash = board(bench)
    assert len(shown) == 3
    assert replayed(log_of(bench)) == state_hash != hash_before
    hellos = {before.seq: hash_before, head.seq: state_hash}
    for cursor, known in hellos.items():
        hello = Hello(2, 2, "1.0", "device-1", 1, head.epoch, cursor, known)
        joined = bench.database.store.join(principal, hello)
        assert (joined.needs_snapshot, joined.is_damaged) == (False, False)


def test_a_retired_order_is_still_answered(bench: HttpBench) -> None:
    """Over HTTP by its id; the board does not count it."""
    (gone,) = put(bench, {**SHIPPED, "stage_ms": 1})
    run(bench)
    headers = bench.bearer()
    answer = bench.client.get(f"/orders/{gone}", headers=headers)
    assert answer.status_code == 200
    assert order_from_bytes(answer.content).retired_ms == NOW
    counts = bench.client.get("/orders/fulfillment-kanban", headers=headers).json()["counts"]
    assert counts["shipped"] == 0


def test_the_job_looks_after_every_site(bench: HttpBench) -> None:
    """Each by its own clocks; a server that stops begins no site anew."""
    far = bench.database.identities.ensure_site("Organization", "Far", "Pacific/Auckland")
    put(bench, {**SHIPPED, "stage_ms": MIDNIGHT - 1})
    starts = {each.site: each.before_ms for each in desk(bench).closings(NOW)}
    assert starts == {bench.site.key: MIDNIGHT, far.key: at("2026-03-29T11:00")}
    (job,) = module.MODULE.jobs
    context = JobContext(bench.database, bench.services, Event())
    context.stopping.set()
    job.run(context)
    assert len(board(bench)[0]) == 1
    context.stopping.clear()
    job.run(context)
    assert board(bench) == (set(), 0)


def test_the_index_serves_the_question(bench: HttpBench) -> None:
    """Every minute, on a board of a hundred thousand open orders."""
    if bench.url:
        pytest.skip("a planner of PostgreSQL takes no index for an empty table")
    plan = bench.raw(
        f"EXPLAIN QUERY PLAN SELECT id FROM orders WHERE site_id = 'x' AND {FINISHED}"
        " AND stage_at < 5 ORDER BY stage_at, id"
    )
    assert any("idx_orders_finished" in row[3] for row in plan)
