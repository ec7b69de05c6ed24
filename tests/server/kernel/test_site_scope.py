"""One file holds many sites and organisations: no question and no operation reaches over the fence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import NoResultFound

from server.board_pages import read_board
from server.kernel.records import SiteKey, SiteRow
from support.server_bench import ServerBench, create
from sync.contract.operations import Operation, Outcome
from sync.contract.stages import Stage


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site with three orders."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    bench.import_orders(3)
    yield bench
    bench.close()


@pytest.fixture(params=["the same organisation", "another organisation"])
def other(request: pytest.FixtureRequest, bench: ServerBench) -> SiteRow:
    """A second site with one order of its own."""
    is_same = request.param == "the same organisation"
    site = bench.crowd("Organization", "Second") if is_same else bench.crowd("Other", "Main")
    bench.import_orders(1, site, first=10)
    return site


def test_what_is_read_is_of_the_site(bench: ServerBench, other: SiteRow) -> None:
    """Board, counts, log, snapshot and single orders know the asking site only."""
    reader, stage = bench.database.reader, Stage.CONFIRMED
    ours = f"{bench.site.key.site_id}-A-0"
    theirs = f"{other.key.site_id}-A-10"
    (page,), counts = read_board(bench.reading, other.key, [stage], "", 50)
    assert (page.orders_total, len(page.orders)) == (1, 1)
    assert reader.counts(other.key) == counts == {stage: 1}
    assert reader.order(other.key, theirs) is not None
    assert reader.order(other.key, ours) is None
    assert len(reader.page(other.key, 0).entries) == 1
    assert bench.database.copies.snapshot(other.key, "device-1").snapshot.orders == 1
    assert reader.head(other.key).seq == 1
    assert reader.look((other.key.site_id,), ()).heads.keys() == {other.key.site_id}


def test_a_site_of_another_organisation_is_no_site(bench: ServerBench, other: SiteRow) -> None:
    """A key that mixes two organisations finds nothing, should one ever be made."""
    mixed = SiteKey("organisation-of-nobody", other.key.site_id)
    (page,), _ = read_board(bench.reading, mixed, [Stage.CONFIRMED], "", 50)
    assert page.orders == ()
    with pytest.raises(NoResultFound):
        bench.database.reader.head(mixed)


def test_the_same_operation_id_at_two_sites_is_two_operations(bench: ServerBench, other: SiteRow) -> None:
    """A stored outcome answers only at the site that stored it."""
    ana, eva = bench.principal(), bench.principal(other)
    bench.join(ana)
    bench.join(eva, "device-2")
    bench.commit(ana, create(1, "order-1"))
    alike = Operation("op-device-1-1", "order-2", create(20).change, "device-2", 1)
    (verdict,) = bench.commit(eva, alike).verdicts
    assert verdict is not None
    assert (verdict.outcome, verdict.seq) == (Outcome.APPLIED, 2)


def test_two_organisations_may_number_their_orders_alike(bench: ServerBench) -> None:
    """An external reference is one order's within an organisation, not within the file."""
    other = bench.crowd("Other", "Main")
    bench.import_orders(3, other)
    assert bench.database.reader.counts(other.key) == {Stage.CONFIRMED: 3}
