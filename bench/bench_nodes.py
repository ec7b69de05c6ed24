"""How long a move needs from the one server to a terminal of another, both on one PostgreSQL.

Two server processes and a bare client at each: from handing the move in at the one to the delta at the
other. In between lie the commit, the hint, the other's look and its read of the log. Floor: the wait for
the verdict at the server that decides. Without a PostgreSQL on this machine it is left out.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from bench.shape import percentile, report
from support.postgres_cluster import NoPostgresError, running_postgres
from support.real_server import started_server
from support.server_bench import create, numbered
from support.sync_client import SyncClient
from sync.contract.messages import Ping
from sync.contract.operations import Move
from sync.contract.stages import Stage

MOVES = 150
PAUSE_S = 0.03
"""Between moves: below the pace of a device, and not in step with the half second of a look."""


def main() -> None:
    """Move one order back and forth at one server and listen at the other."""
    try:
        with running_postgres(is_durable=True) as postgres, tempfile.TemporaryDirectory() as folder:
            url = postgres.migrated()
            with (
                started_server(Path(folder) / "a", url) as one,
                started_server(Path(folder) / "b", url) as two,
            ):
                token = one.sign_in()["access_token"]
                with SyncClient(one.sync_url) as mover, SyncClient(two.sync_url) as watcher:
                    mover.join(token, "device-1")
                    watcher.join(token, "device-2")
                    _measure(mover, watcher)
    except NoPostgresError as error:
        print(f"PostgreSQL is left out: {error}", file=sys.stderr)


def _measure(mover: SyncClient, watcher: SyncClient) -> None:
    mover.submit(create(1))
    watcher.log_until(1)
    decided: list[float] = []
    seen: list[float] = []
    for number in range(2, MOVES + 2):
        time.sleep(PAUSE_S)
        # Whoever only listens is taken for dead after a while.
        watcher.say(Ping(number, 0))
        began = time.perf_counter()
        stage = Stage.PICKING if number % 2 == 0 else Stage.CONFIRMED
        mover.submit(numbered(number, Move(stage)))
        decided.append((time.perf_counter() - began) * 1000)
        watcher.log_until(number)
        seen.append((time.perf_counter() - began) * 1000)
    floor = round(percentile(decided, 95), 3)
    report("nodes.move_to_other_server_ms_p95", seen, "ms", percent=95, floor=floor)


if __name__ == "__main__":
    main()
