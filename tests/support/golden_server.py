"""Makes ``tests/golden/server/v<n>.sqlite``: a server's data as a release left it.

Every later release has to open it.

Run once for a release that changes the tables, and commit the file::

    PYTHONPATH=tests python -m support.golden_server tests/golden/server/v1.sqlite

Small pages keep the file small; nothing else differs from what the server writes.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from server.database import FILE_NAME
from support.server_bench import ServerBench, create, numbered
from sync.contract.operations import Move, PutOnHold
from sync.contract.stages import Stage

DEVICE_TOKEN = "device-token-1"
ORDERS = 5


def make(target: Path) -> None:
    """Write the golden file."""
    with tempfile.TemporaryDirectory() as folder:
        bench = ServerBench(Path(folder))
        ana = bench.principal()
        bench.join(ana)
        bench.import_orders(ORDERS)
        bench.commit(ana, create(1), numbered(2, Move(Stage.PICKING)), numbered(3, PutOnHold("other")))
        bench.close()
        source = Path(folder) / FILE_NAME
        with closing(sqlite3.connect(source)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA page_size = 1024")
            connection.execute("VACUUM")
        shutil.copyfile(source, target)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
