"""How long the server's store needs to make 64 moves durable, on SQLite and on PostgreSQL.

One batch of 64 operations on 64 orders: decided, logged, orders and lines written, committed to the disk.
Floors: one write that must reach the disk, and one round trip to PostgreSQL, which reaches its disk on the
way. Without a PostgreSQL on this machine its metric is left out.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psycopg

from bench.floors import sync_ms
from bench.shape import percentile, report
from support.postgres_cluster import NoPostgresError, running_postgres
from support.server_bench import ServerBench, numbered
from sync.contract.operations import Move
from sync.contract.stages import Stage

MOVES = 64
BATCHES = 60
WARM_UP = 5


def main() -> None:
    """Measure both."""
    with tempfile.TemporaryDirectory() as folder:
        report("store.commit_64_ms", _commits(Path(folder), ""), "ms", floor=round(sync_ms(50), 3))
    try:
        with running_postgres(is_durable=True) as server, tempfile.TemporaryDirectory() as folder:
            url = server.migrated()
            samples = _commits(Path(folder), url)
            report("store.commit_64_postgresql_ms", samples, "ms", floor=round(_round_trip_ms(url), 3))
            server.drop(url)
    except NoPostgresError as error:
        print(f"PostgreSQL is left out: {error}", file=sys.stderr)


def _commits(folder: Path, url: str) -> list[float]:
    """Return the time in ms of each batch; the orders go back and forth between two columns."""
    bench = ServerBench(folder / "data", url=url)
    ana = bench.principal()
    bench.join(ana)
    orders = [f"{bench.site.key.site_id}-{order.external_ref}" for order in bench.import_orders(MOVES)]
    samples = []
    number = 0
    for batch in range(WARM_UP + BATCHES):
        stage = Stage.CONFIRMED if batch % 2 else Stage.PICKING
        operations = [
            numbered(number + place, Move(stage), order_id) for place, order_id in enumerate(orders, 1)
        ]
        number += MOVES
        started_ns = time.perf_counter_ns()
        done = bench.commit(ana, *operations)
        samples.append((time.perf_counter_ns() - started_ns) / 1e6)
        assert done.seq == MOVES + number
    bench.close()
    return samples[WARM_UP:]


def _round_trip_ms(url: str) -> float:
    """Return the median time of a statement that does nothing."""
    samples = []
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(500):
            started_ns = time.perf_counter_ns()
            connection.execute("SELECT 1").fetchone()
            samples.append((time.perf_counter_ns() - started_ns) / 1e6)
    return percentile(samples, 50)


if __name__ == "__main__":
    main()
