"""Files of every former release open in this one, with everything that was in them."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import pytest

from support.clocks import CountingIds
from support.repository import ROOT
from sync.client.board_view import BoardView
from sync.client.cache import Cache
from sync.client.outbox import Outbox
from sync.client.store_values import Kept
from sync.client.stores.cache_schema import LADDER
from sync.client.stores.outbox_ladder import ladder
from sync.contract.operations import Outcome, PutOnHold
from sync.contract.orders import HASH_MODULUS, canonical_bytes, row_hash
from sync.contract.stages import STAGES

GOLDEN = ROOT / "tests" / "golden" / "client"


def test_every_version_has_a_golden_file() -> None:
    """Whoever adds a step to a ladder leaves the file of the version before it."""
    names = {path.name for path in GOLDEN.glob("*.db")}
    assert {f"outbox-v{number}.db" for number in range(1, len(ladder(CountingIds())) + 1)} <= names
    assert {f"cache-v{number}.db" for number in range(1, len(LADDER) + 1)} <= names


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("outbox-*.db")))
def test_an_old_outbox_loses_nothing(tmp_path: Path, name: str) -> None:
    """Decided and pending operations are there, done ones are not offered again."""
    path = tmp_path / "outbox.db"
    shutil.copy(GOLDEN / name, path)
    opened = Outbox.open(path, CountingIds(50))
    with closing(opened.outbox) as outbox:
        state = outbox.state()
        again = outbox.append([state.held[0].operation, *state.pending])
        kept, waiting = outbox.kept(), outbox.needs_you()
    assert opened.salvage is None
    assert (state.device_id, state.next_device_seq) == (CountingIds().new(), 6)
    assert [held.operation.op_id for held in state.held] == ["op-3", "op-4", "op-5"]
    assert state.held[0].verdict is not None
    assert (state.held[0].verdict.seq, state.held[0].verdict.outcome) == (13, Outcome.APPLIED)
    assert state.held[2].operation.change == PutOnHold("other", note="Waits for the van.")
    assert again == (state.held[0].operation, *state.pending)
    # The first version knew neither the epoch of what is kept nor what waits for a person.
    is_first = name == "outbox-v1.db"
    assert kept == Kept("" if is_first else "epoch-1", 1)
    assert [entry.id for entry in waiting] == ([] if is_first else ["op-0"])


@pytest.mark.parametrize("name", sorted(path.name for path in GOLDEN.glob("cache-*.db")))
def test_an_old_cache_shows_its_board(tmp_path: Path, name: str) -> None:
    """Orders, cursor, hash, site and person are there; the hash is that of the orders."""
    path = tmp_path / "cache.db"
    shutil.copy(GOLDEN / name, path)
    opened = Cache.open(path)
    view = BoardView(path)
    with closing(opened.cache) as cache, closing(view):
        view.reload()
        state = cache.state()
        orders = [view.order(local_id) for stage in STAGES for local_id in view.ids(stage)]
        hashes = [row_hash(canonical_bytes(order)) for order in orders if order is not None]
        assert len(view.search("40011")) == 1
        # By the shop's reference too, which the first version did not look at.
        assert len(view.search("7-11")) == 1
    assert opened.put_aside == ""
    assert (state.cursor, state.orders, len(hashes)) == (41, 12, 12)
    assert state.state_hash == sum(hashes) % HASH_MODULUS
    assert state.site is not None
    assert state.person is not None
    assert (state.site.name, state.person.name) == ("Hall 3", "Ana K.")
