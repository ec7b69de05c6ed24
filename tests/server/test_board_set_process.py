"""Cut-offs and retirement beside a running server: every terminal hears of them at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from calendars.schedule import Rule
from server.cut_offs.recomputing import Recomputing
from server.cut_offs.rows import change
from server.database import Database, open_database
from server.modules.retirement import Retirement
from support.clocks import CountingIds, FakeClock
from support.real_server import RealServer, started_server
from support.server_bench import ServerBench, fresh_order
from support.shop import log_of, put
from support.sync_client import SyncClient
from sync.contract.ids import Uuid7Ids
from sync.contract.messages import SnapshotBegin
from sync.contract.operations import Create, Import, Operation, Outcome, Retire, Schedule
from sync.contract.stages import Stage


@pytest.fixture
def server(tmp_path: Path, database_url: str) -> Iterator[RealServer]:
    """A running server."""
    with started_server(tmp_path, database_url) as server:
        yield server


def test_terminals_hear_of_what_other_processes_do_to_the_board(server: RealServer) -> None:
    """Open orders get their cut-off, an old shipped order goes, and a fresh terminal agrees."""
    token = server.sign_in()["access_token"]
    with SyncClient(server.sync_url) as terminal:
        terminal.join(token)
        order = msgspec.structs.replace(fresh_order(1), cut_off_ms=None)
        terminal.submit(Operation("op-1", "order-1", Create(order), "device-1", 1))
        said = server.command("cut-off", "set", "--weekdays", "mon-sun", "--time", "23:59")
        assert said.endswith("1 open order recomputed, 1 changed.")
        entry = terminal.log_until(2)[-1]
        assert isinstance(entry.operation.change, Schedule)
        assert entry.patch is not None
        assert str(entry.patch.cut_off_rule).startswith("every other, ")
        with open_database(server.data, FakeClock(), CountingIds(1_000), url=server.database_url) as database:
            site = database.identities.choose_site()
            old = msgspec.structs.replace(fresh_order(2), stage=Stage.SHIPPED, stage_ms=5)
            database.store.import_orders(site.key, [Operation("op-2", "order-2", Import(old))], "batch")
        server.command("retire")
        last = terminal.log_until(4)[-1]
        assert isinstance(last.operation.change, Retire)
    with SyncClient(server.sync_url) as fresh:
        begin = fresh.join(token, "device-2")[1]
        assert isinstance(begin, SnapshotBegin)
        assert (begin.orders, begin.seq) == (1, 4)


def test_a_server_retires_by_itself_when_it_starts(server: RealServer) -> None:
    """What was finished while it was down leaves the board without anybody asking."""
    token = server.sign_in()["access_token"]
    with open_database(server.data, FakeClock(), CountingIds(1_000), url=server.database_url) as database:
        site = database.identities.choose_site()
        old = msgspec.structs.replace(fresh_order(2), stage=Stage.SHIPPED, stage_ms=5)
        database.store.import_orders(site.key, [Operation("op-2", "order-2", Import(old))], "batch")
    server.kill()
    server.start()
    with SyncClient(server.sync_url) as terminal:
        begin = terminal.join(token)[1]
        assert isinstance(begin, SnapshotBegin)
        if begin.orders:
            assert isinstance(terminal.log_until(2)[-1].operation.change, Retire)
        else:
            assert begin.seq == 2


def test_two_servers_do_the_work_of_the_system_once(tmp_path: Path, database_url: str) -> None:
    """At the very same time: each order leaves once and is scheduled once, and the log has no gap."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    put(bench, *[{"stage": Stage.SHIPPED, "stage_ms": 1} if place % 2 else {} for place in range(500)])
    with bench.database.engine.begin() as connection:
        rules = [Rule("", weekday, 600) for weekday in range(7)]
        change(connection, bench.site.key, lambda before: before.with_rules(rules))
    together = threading.Barrier(4)

    def at_once(work: Callable[[Database], object]) -> None:
        with open_database(bench.folder, bench.clock, Uuid7Ids(bench.clock, Random()), url=bench.url) as own:
            together.wait()
            work(own)

    def retire(own: Database) -> None:
        retirement = Retirement(own.engine, own.store, bench.ids)
        (closing,) = retirement.closings(bench.clock.wall)
        retirement.run(closing, lambda: False)

    def follow(own: Database) -> None:
        Recomputing(own.engine, own.store, lambda: False).run(bench.site.key)

    threads = [threading.Thread(target=at_once, args=(work,)) for work in (retire, retire, follow, follow)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = log_of(bench)
    assert [entry.seq for entry in log] == list(range(1, 1_001))
    assert len(log_of(bench, "retire")) == len(log_of(bench, "schedule")) == 250
    assert {entry.outcome for entry in log} == {Outcome.APPLIED}
    bench.close()
