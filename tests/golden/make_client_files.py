"""Make the golden client files of the present version: ``python tests/golden/make_client_files.py``.

Run once per version of a ladder, never again for an old one: the files in ``tests/golden/client`` are
what terminals in the field have on their disks, and every later release must open them.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from support.boards import ServerBoard  # noqa: E402
from support.clocks import CountingIds  # noqa: E402
from support.drafts import draft, verdict  # noqa: E402
from support.orders import Made, make_orders  # noqa: E402
from sync.client.cache import Cache  # noqa: E402
from sync.client.needs_you import NeedsYou, NeedsYouKind  # noqa: E402
from sync.client.outbox import Outbox  # noqa: E402
from sync.client.stores.cache_schema import LADDER  # noqa: E402
from sync.client.stores.outbox_ladder import ladder  # noqa: E402
from sync.contract.messages import Person, Site  # noqa: E402
from sync.contract.operations import Move, Outcome, PutOnHold  # noqa: E402
from sync.contract.orders import canonical_bytes  # noqa: E402
from sync.contract.stages import Stage  # noqa: E402

GOLDEN = Path(__file__).parent / "client"


def make_outbox(path: Path) -> None:
    """Two done operations, one decided, two pending, and since version 2 one that waits for a person."""
    outbox = Outbox.open(path, CountingIds()).outbox
    hold = PutOnHold("other", note="Waits for the van.")
    drafts = [draft(f"op-{number}", f"order-{number}", Move(Stage.PICKING)) for number in range(1, 5)]
    numbered = outbox.append([*drafts, draft("op-5", "order-5", hold)])
    outbox.decide([verdict(operation, 10 + operation.device_seq) for operation in numbered[:3]])
    outbox.finish(0, 12, "epoch-1")
    refused = draft("op-0", "order-9", hold)
    told = verdict(refused, 9, Outcome.REJECTED)
    outbox.add_entry(NeedsYou("op-0", NeedsYouKind.REJECTED, 1_700_000_000_000, refused, told))
    outbox.close()


def make_cache(path: Path) -> None:
    """Twelve orders from a snapshot, one of them moved by a page afterwards."""
    cache = Cache.open(path).cache
    board = ServerBoard(make_orders(12, Made(seed=7)), seq=40)
    board.snapshot_into(cache)
    board.decide(draft("op-1", next(iter(board.orders)), Move(Stage.PICKED)))
    board.send(cache)
    site = Site("site-1", "Hall 3", "Europe/London", "organization-1", "Alder & Finch")
    cache.remember(site, Person("user-1", "Ana K.", "picker", "sign-in-1"), 1_700_000_000_000)
    cache.close()
    assert all(canonical_bytes(order) for order in board.orders.values())


def main() -> int:
    """Write the files of versions that have none yet."""
    GOLDEN.mkdir(exist_ok=True)
    wanted = {
        GOLDEN / f"outbox-v{len(ladder(CountingIds()))}.db": make_outbox,
        GOLDEN / f"cache-v{len(LADDER)}.db": make_cache,
    }
    with tempfile.TemporaryDirectory() as folder:
        for goal, make in wanted.items():
            if goal.exists():
                continue
            made = Path(folder) / goal.name
            make(made)
            connection = sqlite3.connect(made)
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("VACUUM")
            connection.close()
            shutil.copy(made, goal)
    return 0


if __name__ == "__main__":
    sys.exit(main())
