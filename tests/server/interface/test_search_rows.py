"""The search index holds what the orders say: after an upgrade, and after whatever changes an order."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from databases.schema import orders
from server.database import FILE_NAME, Database, open_database
from server.interface.search_rows import order_search, row_of
from server.search_words import folded, search_words
from support.clocks import CountingIds, FakeClock
from support.orders import make_order
from support.repository import ROOT
from support.server_bench import ServerBench, fresh_order
from sync.contract.operations import Cancel, Change, Create, Import, Move, Operation, Ship, Take
from sync.contract.orders import Address, LineItem, order_from_bytes
from sync.contract.stages import Stage

GOLDEN = sorted((ROOT / "tests" / "golden" / "server").glob("v*.sqlite"))


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """An empty board on either database."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


def assert_true(database: Database) -> int:
    """Compare every row of the index with its order; return how many there are."""
    with database.engine.connect() as connection:
        rows = {row.order_id: dict(row._mapping) for row in connection.execute(select(order_search))}
        bodies = connection.execute(select(orders.c.body)).scalars()
        wanted = {order.id: row_of(order) for order in map(order_from_bytes, bodies)}
    assert rows == wanted
    return len(rows)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_data_of_every_release_can_be_searched(path: Path, tmp_path: Path) -> None:
    """What was there before the index is in it after the upgrade."""
    shutil.copy(path, tmp_path / FILE_NAME)
    with open_database(tmp_path, FakeClock(), CountingIds()) as database:
        assert assert_true(database) > 0


def test_whatever_changes_an_order_changes_its_words(bench: ServerBench) -> None:
    """Operations of people, and what a source says anew."""
    ana = bench.principal()
    bench.import_orders(3)
    site = bench.site.key
    changes: list[Change] = [Take(), Move(Stage.PICKING), Ship("TRK-1", "Northline"), Cancel("late")]
    for number, change in enumerate(changes):
        bench.commit(ana, Operation(f"op-{number}", f"{site.site_id}-A-0", change))
        assert_true(bench.database)
    changed = msgspec.structs.replace(
        fresh_order(1),
        customer="Änne Öst",
        ship_to=Address(city="Ørsted"),
        lines=(LineItem(1, "Z", "Zip", 1),),
    )
    bench.database.store.import_orders(site, [Operation("again", "other", Import(changed))], "b")
    new = Operation("new", "typed-1", Create(fresh_order(9)))
    later = Operation("moved", "typed-1", Move(Stage.PICKING))
    bench.commit(ana, new, later)
    assert assert_true(bench.database) == 4


def test_words_are_folded() -> None:
    """Case, accents and marks do not count; every word stands behind a blank, every field on its line."""
    assert folded("SO-1042/b") == " so 1042 b"
    assert folded("Évora GÜLAY Straße Łódź ﬁne") == " evora gulay strasse łodz fine"
    assert folded("--") == ""
    order = make_order(
        1,
        number="SO-1",
        external_ref="SO-1",
        tracking_number="",
        customer="Ada",
        ship_to=Address(name="Ada", city="Bath"),
        lines=(LineItem(1, "A", "Jug", 1), LineItem(2, "A", "Jug", 1)),
    )
    assert search_words(order) == " so 1\n ada\n bath\n a\n jug"
