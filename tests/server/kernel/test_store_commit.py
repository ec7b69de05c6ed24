"""A batch is durable as a whole or leaves no trace; what is on disk is what was answered."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from server.database import FILE_NAME, open_database
from server.kernel.records import Batch, OperationFaultError, SiteKey, Submission
from server.kernel.signed import unsigned
from server.kernel.store import Store
from server.system import SystemClock, SystemRandom
from support.clocks import CountingIds, FakeClock
from support.faults import CrashAt, CrashError
from support.server_bench import ServerBench, create, fresh_order, numbered
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import Create, Import, LogEntry, Move, Operation, Outcome, Pick, Reason, Take
from sync.contract.orders import HASH_MODULUS, LineItem, canonical_bytes, order_from_bytes, patched, row_hash
from sync.contract.ports import NoFaults
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

POINTS = ("before_write", "before_fsync", "after_commit")
WRITERS = 2
BATCHES = 25


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site on a file of its own."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    yield bench
    bench.close()


def log(bench: ServerBench) -> list[LogEntry]:
    """Return the log of the site as terminals get it."""
    rows = bench.raw("SELECT entry FROM operation_log ORDER BY site_id, seq")
    return [msgspec.json.decode(row[0], type=LogEntry) for row in rows]


def test_a_commit_writes_log_orders_lines_marks_and_counter(bench: ServerBench) -> None:
    """All tables tell the same story, and the hash is that of the orders."""
    ana = bench.principal()
    bench.join(ana)
    done = bench.commit(ana, create(1), numbered(2, Move(Stage.PICKING)))
    assert (done.prev_seq, done.seq, len(done.entries)) == (0, 2, 2)
    assert [verdict.outcome for verdict in done.verdicts if verdict] == [Outcome.APPLIED, Outcome.APPLIED]
    ((body, status, hashed, claimed),) = bench.raw("SELECT body, status, row_hash, claimed_by FROM orders")
    order = order_from_bytes(body)
    assert (order.stage, status, claimed) == (Stage.PICKING, "picking", ana.person.id)
    assert unsigned(hashed) == row_hash(body)
    assert bench.raw("SELECT count(*) FROM order_line_items") == [(len(order.lines),)]
    assert bench.raw("SELECT name FROM customers") == [(order.customer,)]
    assert bench.raw("SELECT decided_device_seq FROM device_identities") == [(2,)]
    assert bench.raw("SELECT seq, state_hash FROM boards") == [(2, hashed)]
    first, second = log(bench)
    assert first.order is not None
    assert second.patch is not None
    assert patched(first.order, second.patch) == order


def test_lines_are_written_when_they_change_and_only_then(bench: ServerBench) -> None:
    """A move leaves their rows alone; a revision replaces them, also in one batch with a move."""
    ana = bench.principal()
    bench.join(ana)
    order = fresh_order(1)
    name = "order-1"

    def bring(lines: tuple[LineItem, ...], key: str) -> Submission:
        return Submission(Operation(key, name, Import(msgspec.structs.replace(order, lines=lines))))

    skus = "SELECT sku FROM order_line_items ORDER BY position"
    first = (LineItem(1, "CUP", "Cup", 2), LineItem(2, "JUG", "Jug", 1))
    bench.database.store.commit(Batch(bench.site.key, (bring(first, "a"),)))
    bench.raw("UPDATE order_line_items SET sku = 'untouched' WHERE position = 2")
    bench.commit(ana, numbered(1, Move(Stage.PICKING)))
    assert bench.raw(skus) == [("CUP",), ("untouched",)]
    bench.commit(ana, numbered(2, Move(Stage.CONFIRMED)))
    moved = Submission(numbered(3, Move(Stage.PICKING)), ana)
    done = bench.database.store.commit(
        Batch(bench.site.key, (bring((LineItem(1, "POT", "Pot", 5),), "b"), moved))
    )
    assert [verdict.outcome for verdict in done.verdicts if verdict] == [Outcome.MERGED, Outcome.APPLIED]
    assert bench.raw(skus) == [("POT",)]


def test_whose_the_picked_pieces_are_is_on_disk(bench: ServerBench) -> None:
    """Two people picked the same line in two commits: the exception names both, with their counts."""
    ana = bench.principal()
    bench.join(ana)
    bench.database.identities.add_user(bench.site.key, "Joy", "picker")
    joy = bench.sign_ins().sign_in("here", bench.device(user="Joy")).principal
    bench.join(joy, "device-2")
    order = msgspec.structs.replace(fresh_order(1), lines=(LineItem(1, "CUP", "Cup", 3, "A-1"),))
    bench.database.store.commit(
        Batch(bench.site.key, (Submission(Operation("a", "order-1", Import(order))),))
    )
    bench.commit(ana, numbered(1, Pick(1, 2, "CUP")))
    bench.commit(joy, numbered(1, Pick(1, 2, "CUP"), device="device-2"))
    ((body,),) = bench.raw("SELECT body FROM orders")
    kept = order_from_bytes(body)
    assert [(each.name, each.quantity) for each in kept.lines[0].picked_by] == [("Ana", 2), ("Joy", 2)]
    words = "Too many picked. Put back: 1 × CUP (A-1), picked by Ana 2, Joy 2."
    assert [each.sentence for each in kept.exceptions] == [words]
    bench.commit(ana, numbered(2, Pick(1, -1, "CUP")))
    ((body,),) = bench.raw("SELECT body FROM orders")
    assert order_from_bytes(body).exceptions == ()


def test_a_repeated_batch_is_answered_with_the_stored_outcome(bench: ServerBench) -> None:
    """Also a rejected one, also with who was in the way; the log does not grow."""
    ana, joy = bench.principal(), bench.principal()
    bench.join(ana)
    bench.join(joy, "device-2")
    bench.database.identities.add_user(bench.site.key, "Joy", "picker")
    token = bench.device(user="Joy")
    joy = bench.sign_ins().sign_in("here", token).principal
    bench.join(joy, "device-3")
    bench.commit(ana, create(1), numbered(2, Take()))
    take = numbered(1, Take(), device="device-3")
    first = bench.commit(joy, take)
    (verdict,) = first.verdicts
    assert verdict is not None
    assert (verdict.reason, verdict.by, verdict.at_ms) == (Reason.ALREADY_CLAIMED, "Ana", bench.clock.wall)
    bench.clock.advance(1_000)
    again = bench.commit(joy, take)
    assert again.verdicts == first.verdicts
    assert (again.entries, again.seq) == ((), 3)
    assert len(log(bench)) == 3


def test_a_gap_and_a_clone_leave_no_trace(bench: ServerBench) -> None:
    """The gap has a verdict of seq 0, the clone none."""
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    done = bench.commit(
        ana, numbered(3, Take()), msgspec.structs.replace(numbered(1, Take()), op_id="another")
    )
    gap, cloned = done.verdicts
    assert gap is not None
    assert (gap.seq, gap.reason, cloned) == (0, Reason.DEVICE_SEQ_GAP, None)
    assert bench.raw("SELECT count(*) FROM operation_log") == [(1,)]
    assert bench.raw("SELECT decided_device_seq FROM device_identities") == [(1,)]


def test_an_actor_counts_by_a_sign_in_on_the_same_device(bench: ServerBench) -> None:
    """Somebody who was signed in there earlier may be named, also after the sign-in ended."""
    bench.database.identities.add_user(bench.site.key, "Olga", "office")
    token = bench.device(user="Olga")
    earlier = bench.sign_ins().sign_in("here", token).principal
    elsewhere = bench.principal()
    bench.sign_ins().sign_out(earlier.person.sign_in_id)
    later = bench.sign_ins().sign_in("here", token).principal
    later = later._replace(person=msgspec.structs.replace(later.person, id="somebody-else"))
    bench.join(later)
    named = [
        msgspec.structs.replace(create(1), actor_id=earlier.person.id, sign_in_id=earlier.person.sign_in_id),
        msgspec.structs.replace(
            create(2, "order-2"), actor_id=elsewhere.person.id, sign_in_id=elsewhere.person.sign_in_id
        ),
    ]
    verdicts = bench.commit(later, *named).verdicts
    assert [verdict.reason for verdict in verdicts if verdict] == [Reason.NONE, Reason.FORBIDDEN]
    assert [entry.actor_name for entry in log(bench)] == ["Olga", ""]


def test_who_was_shut_out_counts_no_more(bench: ServerBench) -> None:
    """The operations that somebody left on a terminal are judged by the rights of now: none."""
    bench.database.identities.add_user(bench.site.key, "Olga", "office")
    token = bench.device(user="Olga")
    olga = bench.sign_ins().sign_in("here", token).principal
    later = olga._replace(person=msgspec.structs.replace(olga.person, id="somebody-else"))
    bench.join(later)
    bench.database.identities.disable_user(bench.site.key, "Olga")
    left = msgspec.structs.replace(create(1), actor_id=olga.person.id, sign_in_id=olga.person.sign_in_id)
    (verdict,) = bench.commit(later, left).verdicts
    assert verdict is not None
    assert verdict.reason is Reason.FORBIDDEN


@pytest.mark.parametrize("point", POINTS)
def test_a_crash_leaves_all_or_nothing(tmp_path: Path, database_url: str, point: str) -> None:
    """At each hook the store may die; whoever opens the database finds the batch whole or not at all."""
    folder = tmp_path / "data"
    faults = CrashAt()
    bench = ServerBench(folder, faults, database_url)
    ana = bench.principal()
    bench.join(ana)
    bench.commit(ana, create(1))
    assert faults.passed == list(POINTS)
    tables = ("operation_log", "orders", "order_line_items", "customers", "boards", "device_identities")
    questions = [f"SELECT * FROM {table}" for table in tables]
    before = [bench.raw(question) for question in questions]
    faults.point = point
    with pytest.raises(CrashError):
        bench.commit(ana, create(2, "order-2"), numbered(3, Move(Stage.PICKING)))
    bench.close()
    after = [bench.raw(question) for question in questions]
    if point == "after_commit":
        assert bench.raw("SELECT seq FROM boards") == [(3,)]
        assert bench.raw("SELECT decided_device_seq FROM device_identities") == [(3,)]
    else:
        assert after == before
    with open_database(folder, FakeClock(), CountingIds(), url=database_url) as database:
        done = database.store.commit(Batch(ana.site.key, (Submission(create(2, "order-2"), ana),)))
        assert done.seq == (3 if point == "after_commit" else 2)


def test_import_takes_its_operations_lazily_and_in_chunks(bench: ServerBench) -> None:
    """More than one chunk, one verdict each in their order; the batch id is in the log."""
    operations = (
        Operation(bench.ids.new(), f"order-{place}", Import(fresh_order(place))) for place in range(1_001)
    )
    verdicts = bench.database.store.import_orders(bench.site.key, operations, "batch-7")
    assert [verdict.seq for verdict in verdicts] == list(range(1, 1_002))
    assert {entry.operation.batch_id for entry in log(bench)} == {"batch-7"}
    bodies = [row[0] for row in bench.raw("SELECT body FROM orders")]
    total = sum(row_hash(body) for body in bodies) % HASH_MODULUS
    assert unsigned(bench.raw("SELECT state_hash FROM boards")[0][0]) == total


def test_references_are_one_order_of_an_organisation(bench: ServerBench) -> None:
    """What a source said is told to the order's own site, by source, also beyond one question's worth."""
    bench.import_orders(3)
    other = bench.crowd("Organization", "Second")
    refs = [f"A-{place}" for place in range(600)]
    assert set(bench.database.store.said(bench.site.key, "test", refs)) == {"A-0", "A-1", "A-2"}
    assert bench.database.store.said(bench.site.key, "elsewhere", refs) == {}
    assert bench.database.store.said(other.key, "test", refs) == {}
    verdicts = bench.database.store.import_orders(
        other.key, [Operation("again", "new", Import(fresh_order(1)))], "b"
    )
    assert [verdict.reason for verdict in verdicts] == [Reason.DUPLICATE_ORDER]
    stranger = bench.crowd("Other organization", "Main")
    assert bench.database.store.said(stranger.key, "test", refs) == {}


def test_equal_positions_of_lines_are_numbered_anew(bench: ServerBench) -> None:
    """A line's place is the server's to give; two lines of one sku stay two."""
    line = LineItem(1, "sku", "Mug", 1)
    order = msgspec.structs.replace(fresh_order(1), lines=(line, line))
    bench.database.store.import_orders(bench.site.key, [Operation("op", "order-1", Import(order))], "b")
    assert bench.raw("SELECT position FROM order_line_items ORDER BY position") == [(1,), (2,)]


def test_an_unknown_site_is_a_problem(bench: ServerBench) -> None:
    """Also a site under the wrong organisation."""
    for key in (SiteKey("x", "y"), bench.site.key._replace(organization_id="x")):
        with pytest.raises(ProblemError) as caught:
            bench.database.store.commit(Batch(key, (Submission(create(1)),)))
        assert caught.value.problem.code == "SITE_UNKNOWN"


def test_two_sites_never_touch(bench: ServerBench) -> None:
    """Each has its own seq, marks and hash; an id of the other's order is an unknown order."""
    other = bench.crowd("Other organization", "Main")
    ana, eva = bench.principal(), bench.principal(other)
    bench.join(ana)
    bench.join(eva, "device-2")
    bench.commit(ana, create(1, "order-1"))
    before = bench.raw("SELECT * FROM orders")
    done = bench.commit(
        eva,
        numbered(1, Move(Stage.PICKING), "order-1", "device-2"),
        create(2, "order-1", "device-2"),
    )
    assert [verdict.reason for verdict in done.verdicts if verdict] == [
        Reason.UNKNOWN_ORDER,
        Reason.DUPLICATE_ORDER,
    ]
    assert bench.raw("SELECT * FROM orders") == before
    assert bench.raw("SELECT seq FROM boards ORDER BY seq") == [(1,), (2,)]
    assert bench.database.reader.order(other.key, "order-1") is None
    assert bench.database.reader.page(other.key, 0).seq == 2


def _write(folder: Path, url: str, site: SiteKey, writer: int) -> None:
    clock = SystemClock()
    with open_database(folder, clock, Uuid7Ids(clock, SystemRandom()), url=url) as database:
        for number in range(BATCHES):
            name = f"{writer}-{number}"
            order = msgspec.structs.replace(fresh_order(1), external_ref=name)
            database.store.import_orders(site, [Operation(name, name, Import(order))], "b")


def test_seq_is_gapless_under_two_processes(bench: ServerBench) -> None:
    """Both write at once to one database; nothing is lost, doubled or skipped, and the hash still fits."""
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=_write, args=(bench.folder, bench.url, bench.site.key, writer))
        for writer in range(WRITERS)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(50)
        assert writer.exitcode == 0
    entries = log(bench)
    assert [entry.seq for entry in entries] == list(range(1, WRITERS * BATCHES + 1))
    assert len({entry.operation.op_id for entry in entries}) == WRITERS * BATCHES
    orders = [entry.order for entry in entries if entry.order is not None]
    total = sum(row_hash(canonical_bytes(order)) for order in orders) % HASH_MODULUS
    assert unsigned(bench.raw("SELECT state_hash FROM boards")[0][0]) == total
    if not bench.url:
        assert bench.raw("PRAGMA integrity_check") == [("ok",)]
        assert (bench.folder / FILE_NAME).is_file()


def test_what_no_table_can_hold_is_the_fault_of_its_batch(bench: ServerBench) -> None:
    """It leaves no trace, is told from a database that is away, and the next batch is decided."""
    ana = bench.principal()
    bench.join(ana)
    beyond = Operation(
        "op", "order-9", Create(msgspec.structs.replace(fresh_order(9), cut_off_ms=1 << 70)), "device-1", 1
    )
    with pytest.raises(OperationFaultError):
        bench.commit(ana, beyond)
    assert log(bench) == []
    bench.commit(ana, create(1))
    assert len(log(bench)) == 1


def test_a_problem_stays_what_it_is(bench: ServerBench) -> None:
    """It has its own words for people."""
    with pytest.raises(ProblemError, match="not on this server"):
        bench.database.store.commit(Batch(SiteKey("nobody", "nowhere"), ()))


def test_who_waits_for_commits_hears_of_each_that_grew_a_log(tmp_path: Path) -> None:
    """After it: what is told may be read. A batch without news is not told."""
    bench = ServerBench(tmp_path / "data")
    heard: list[tuple[str, int]] = []
    database = bench.database
    store = Store(
        database.engine,
        database.reader,
        bench.clock,
        bench.ids,
        NoFaults(),
        committed=lambda site_id: heard.append((site_id, database.reader.head(bench.site.key).seq)),
    )
    ana = bench.principal()
    bench.join(ana)
    batch = Batch(bench.site.key, (Submission(create(1), ana),))
    store.commit(batch)
    store.commit(batch)
    assert heard == [(bench.site.key.site_id, 1)]
    bench.close()
