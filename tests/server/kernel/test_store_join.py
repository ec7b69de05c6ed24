"""At hello the store knows the device, its numbers, and whether its copy of the board can be continued."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from server.kernel.records import SiteRow
from support.server_bench import ServerBench, create, fresh_order, numbered
from sync.contract.codec import decode_server
from sync.contract.limits import DELTA_BYTES
from sync.contract.messages import SnapshotChunk
from sync.contract.operations import Import, Move, Operation, Take
from sync.contract.orders import HASH_MODULUS, LineItem, canonical_bytes, row_hash
from sync.contract.stages import Stage


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site on a file of its own."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


def epoch_of(bench: ServerBench, site: SiteRow | None = None) -> str:
    """Return the epoch of a board."""
    return bench.database.reader.head((site or bench.site).key).epoch


def state_hash_of(bench: ServerBench) -> int:
    """Return the hash of a whole board."""
    return bench.database.copies.snapshot(bench.site.key, "x").snapshot.state_hash


def test_a_new_device_starts_where_it_says(bench: ServerBench) -> None:
    """It is registered at first sight; what it no longer holds counts as decided."""
    ana = bench.principal()
    joined = bench.join(ana, next_device_seq=8)
    assert (joined.decided_device_seq, joined.needs_snapshot, joined.is_cloned) == (7, True, False)
    assert joined.skipped == 7
    again = bench.join(ana, next_device_seq=3)
    assert (again.decided_device_seq, again.skipped) == (7, 0)
    later = bench.join(ana, next_device_seq=10)
    assert (later.decided_device_seq, later.skipped) == (9, 2)
    bench.commit(ana, create(10))
    last = bench.join(ana, next_device_seq=10)
    assert (last.decided_device_seq, last.skipped) == (10, 0)


def test_what_a_device_keeps_is_asked_of_it_again(bench: ServerBench) -> None:
    """A log that was set back gets back what any terminal still holds; only what none holds is missing."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    kept = bench.join(ana, next_device_seq=9, kept_device_seq=2)
    assert (kept.decided_device_seq, kept.skipped) == (1, 0)
    missing = bench.join(ana, next_device_seq=9, kept_device_seq=5)
    assert (missing.decided_device_seq, missing.skipped) == (4, 3)


def test_a_device_belongs_to_its_enrolment(bench: ServerBench) -> None:
    """Announced under another one, or on another site, it is a copy."""
    bench.join(bench.principal())
    assert bench.join(bench.principal()).is_cloned
    assert bench.join(bench.principal(bench.crowd("Other", "Main"))).is_cloned


def test_a_client_with_the_right_hash_at_its_cursor_continues(bench: ServerBench) -> None:
    """At the head and behind it: each log row remembers the hash of its time."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    early = state_hash_of(bench)
    bench.commit(ana, numbered(2, Move(Stage.PICKING)))
    late = state_hash_of(bench)
    assert early != late
    epoch = epoch_of(bench)
    for cursor, state_hash in ((0, 0), (1, early), (2, late)):
        joined = bench.join(ana, epoch=epoch, cursor=cursor, state_hash=state_hash)
        assert (joined.needs_snapshot, joined.is_damaged, joined.head) == (False, False, 2)


def test_a_client_with_another_hash_is_told_the_right_one(bench: ServerBench) -> None:
    """It goes on from its cursor and mends its copy; that something was damaged is noted."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    joined = bench.join(ana, epoch=epoch_of(bench), cursor=1, state_hash=1)
    assert (joined.needs_snapshot, joined.is_damaged) == (False, True)
    assert joined.state_hash == joined.head_hash == state_hash_of(bench)
    assert bench.join(ana, epoch=epoch_of(bench), cursor=0, state_hash=0).state_hash == 0


def test_another_epoch_loads_anew(bench: ServerBench) -> None:
    """Nothing is wrong with it: it is another history."""
    joined = bench.join(bench.principal(), epoch="older", cursor=40)
    assert (joined.needs_snapshot, joined.is_damaged, joined.is_new_epoch) == (True, False, False)


def test_a_client_ahead_of_the_log_renews_the_epoch(bench: ServerBench) -> None:
    """The server forgot something: everybody has to say what they still hold."""
    before = epoch_of(bench)
    joined = bench.join(bench.principal(), epoch=before, cursor=40)
    assert joined.is_new_epoch
    assert joined.needs_snapshot
    assert joined.epoch == epoch_of(bench) != before


@pytest.mark.parametrize("has_heard_by", ["commit", "join", "look"])
def test_a_log_that_is_set_back_again_renews_the_epoch_again(bench: ServerBench, has_heard_by: str) -> None:
    """A database may fail over to a copy that lags, under a process that goes on; and then once more."""
    ana, site_id = bench.principal(), bench.site.key.site_id
    renewed = bench.join(ana, epoch=epoch_of(bench), cursor=40).epoch
    if has_heard_by == "commit":
        bench.commit(ana, create(1))
    else:
        # Another process wrote it, this one has only heard of it.
        bench.raw("UPDATE boards SET seq = 1")
        if has_heard_by == "join":
            bench.join(ana)
        else:
            bench.database.store.look((site_id,), ())
    bench.raw("DELETE FROM operation_log")
    bench.raw("UPDATE boards SET seq = 0, state_hash = 0")
    joined = bench.join(ana, epoch=renewed, cursor=1)
    assert joined.is_new_epoch
    assert joined.epoch == epoch_of(bench) != renewed
    # Once for each time: nothing makes the next one who claims it true.
    assert not bench.join(ana, epoch=joined.epoch, cursor=1).is_new_epoch


@pytest.mark.parametrize("goes_on", ["idle", "commits", "commits more than before"])
def test_a_log_that_is_set_back_under_its_terminals_begins_a_new_epoch(
    bench: ServerBench, goes_on: str
) -> None:
    """They stay connected and would never show that they know more; they have to be asked what they hold."""
    ana, site_id = bench.principal(), bench.site.key.site_id
    bench.join(ana)
    bench.commit(ana, create(1), numbered(2, Move(Stage.PICKING)))
    before = epoch_of(bench)
    assert bench.database.store.look((site_id,), ()).heads[site_id].epoch == before
    bench.raw("DELETE FROM operation_log WHERE seq = 2")
    bench.raw("UPDATE device_identities SET decided_device_seq = 1")
    bench.raw("UPDATE boards SET seq = 1")
    if goes_on != "idle":
        bench.commit(ana, numbered(2, Take()))
    if goes_on == "commits more than before":
        bench.commit(ana, numbered(3, Take()), numbered(4, Take()))
    bench.database.store.look((site_id,), ())
    after = epoch_of(bench)
    assert after != before
    bench.database.store.look((site_id,), ())
    assert epoch_of(bench) == bench.join(ana, epoch=after).epoch == after, "once"


def test_who_is_ahead_again_loads_alone(bench: ServerBench) -> None:
    """Where the log has not gone back under the process, whoever claims it makes nobody else load anew."""
    ana, ben = bench.principal(), bench.principal()
    before = epoch_of(bench)
    renewed = bench.join(ana, epoch=before, cursor=40).epoch
    joined = bench.join(ben, "device-2", epoch=renewed, cursor=40)
    assert (joined.is_new_epoch, joined.needs_snapshot, joined.is_damaged) == (False, True, False)
    assert joined.epoch == epoch_of(bench) == renewed
    assert joined.state_hash is None
    # A file that was put back has the epoch of before: then it is believed, whatever this process did.
    bench.raw(f"UPDATE boards SET epoch = '{before}'")
    assert bench.join(ben, "device-2", epoch=before, cursor=40).is_new_epoch


def test_a_snapshot_is_the_whole_board_at_one_seq(bench: ServerBench) -> None:
    """Chunks of 200; the orders together have the hash that it names."""
    bench.import_orders(450)
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    made = bench.database.copies.snapshot(bench.site.key, "device-1")
    chunks = [decode_server(frame) for frame in made.snapshot.frames]
    orders = [order for chunk in chunks if isinstance(chunk, SnapshotChunk) for order in chunk.orders]
    assert [chunk.index for chunk in chunks if isinstance(chunk, SnapshotChunk)] == [0, 1, 2]
    assert (len(orders), made.snapshot.orders, made.snapshot.seq) == (451, 451, 451)
    total = sum(row_hash(canonical_bytes(order)) for order in orders) % HASH_MODULUS
    assert made.snapshot.state_hash == total
    assert made.decided_device_seq == 1
    assert bench.database.copies.snapshot(bench.site.key, "another").decided_device_seq == 0


def test_a_snapshot_in_use_serves_the_next_client(bench: ServerBench) -> None:
    """As long as one page brings it up to date; it says what it holds of each device at its own seq."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    held = bench.database.copies.snapshot(bench.site.key, "device-1")
    bench.commit(ana, numbered(2, Move(Stage.PICKING)))
    again = bench.database.copies.snapshot(bench.site.key, "device-1")
    assert again.snapshot is held.snapshot
    assert again.decided_device_seq == 1
    bench.import_orders(256, first=10)
    assert bench.database.copies.snapshot(bench.site.key, "device-1").snapshot is not held.snapshot


def test_pages_are_limited_in_entries_and_bytes(bench: ServerBench) -> None:
    """At most 256 entries and 256 KiB, at least one entry, and they join without a gap."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, *(numbered(number, Take()) for number in range(1, 301)))
    assert bench.database.reader.page(bench.site.key, 0).seq == 256
    assert bench.database.reader.page(bench.site.key, 256).seq == 300
    assert bench.database.reader.page(bench.site.key, 300).entries == ()
    for place in range(2):
        order = msgspec.structs.replace(fresh_order(place), note="x" * (DELTA_BYTES - 100))
        operation = Operation(f"long-{place}", f"long-{place}", Import(order))
        bench.database.store.import_orders(bench.site.key, [operation], "b")
    page = bench.database.reader.page(bench.site.key, 300)
    assert (page.prev_seq, page.seq, len(page.entries)) == (300, 301, 1)


def test_a_look_tells_heads_and_ended_sign_ins(bench: ServerBench) -> None:
    """Of the boards and sign-ins that were asked about, whoever ended them however."""
    one, two, three = (bench.principal() for _ in range(3))
    bench.import_orders(2)
    asked = tuple(who.person.sign_in_id for who in (one, two, three))
    look = bench.database.store.look((bench.site.key.site_id, "unknown"), asked)
    assert {site: head.seq for site, head in look.heads.items()} == {bench.site.key.site_id: 2}
    assert look.ended_sign_ins == ()
    bench.sign_ins().sign_out(one.person.sign_in_id)
    bench.database.identities.revoke_device(bench.site.key, two.enrolment_id)
    look = bench.database.store.look((), (*asked, "nobody"))
    assert look.ended_sign_ins == (one.person.sign_in_id, two.person.sign_in_id, "nobody")
    bench.database.identities.disable_user(bench.site.key, "Ana")
    assert bench.database.store.look((), asked).ended_sign_ins == asked


def test_long_orders_make_more_chunks_that_a_client_can_read(bench: ServerBench) -> None:
    """Two hundred orders of a wholesaler are too long for one frame; every order comes once, in order."""
    lines = tuple(LineItem(place, f"SKU-{place}", "x" * 1_000, 1) for place in range(1, 401))
    orders = [msgspec.structs.replace(fresh_order(place), lines=lines) for place in range(30)]
    operations = [
        Operation(f"op-{place}", f"order-{place:02}", Import(order)) for place, order in enumerate(orders)
    ]
    bench.database.store.import_orders(bench.site.key, operations, "batch-1")
    snapshot = bench.database.copies.snapshot(bench.site.key, "device-1").snapshot
    chunks = [decode_server(frame) for frame in snapshot.frames]
    assert len(chunks) > 1
    assert [chunk.index for chunk in chunks if isinstance(chunk, SnapshotChunk)] == list(range(len(chunks)))
    sent = [order.id for chunk in chunks if isinstance(chunk, SnapshotChunk) for order in chunk.orders]
    assert sent == [f"order-{place:02}" for place in range(30)]
    assert snapshot.orders == 30
