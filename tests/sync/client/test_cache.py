"""The cache: the server's board at one seq, whole, whatever interrupts it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from support.boards import SYSTEM, ServerBoard, applied
from support.drafts import JUDGE, draft
from support.faults import CrashAt, CrashError
from support.orders import Made, make_orders
from sync.client.cache import Cache
from sync.client.store_values import (
    CacheChange,
    CacheSnapshot,
    CacheState,
    DeltaRefused,
    SnapshotHeld,
    SnapshotRefused,
)
from sync.client.stores.files import MEMORY
from sync.contract.messages import Person, Site
from sync.contract.operations import (
    Cancel,
    LogEntry,
    Move,
    Operation,
    Outcome,
    Reason,
    Retire,
    Ship,
    Take,
)
from sync.contract.orders import Order, OrderPatch, canonical_bytes
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

ORDERS = tuple(make_orders(60, Made(seed=3)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the cache of this test lies."""
    return tmp_path / "cache.db"


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    """An empty cache."""
    opened = Cache.open(path)
    assert (opened.put_aside, opened.reason) == ("", "")
    yield opened.cache
    opened.cache.close()


def content(path: Path) -> dict[str, bytes]:
    """Return the bodies by order id, and check that the tables agree about them."""
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT o.order_id, b.body FROM orders o JOIN bodies b USING (local_id)"
        bodies = dict(connection.execute(query).fetchall())
        for query in ("SELECT count(*) FROM orders", "SELECT count(*) FROM bodies"):
            assert connection.execute(query).fetchone()[0] == len(bodies)
    return bodies


def expected(board: ServerBoard) -> dict[str, bytes]:
    """Return the bodies as the server has them."""
    return {order.id: canonical_bytes(order) for order in board.orders.values()}


def test_an_empty_cache_knows_nothing(cache: Cache) -> None:
    """No epoch, cursor 0: the server sends a snapshot."""
    assert cache.state() == CacheState()


def test_an_order_is_read_whole_or_not_at_all(cache: Cache, path: Path) -> None:
    """One that has rotted is no base for anything."""
    board = ServerBoard(ORDERS)
    board.snapshot_into(cache)
    assert cache.order(ORDERS[0].id) == board.orders[ORDERS[0].id]
    assert cache.order("unknown") is None
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE orders SET hash = hash + 1")
    assert cache.order(ORDERS[0].id) is None


def test_deltas_and_snapshot_come_to_the_same_board(tmp_path: Path) -> None:
    """A board told entry by entry equals the board told at once, hash and count included."""
    board = ServerBoard()
    one = Cache.open(tmp_path / "one.db").cache
    other = Cache.open(tmp_path / "other.db").cache
    with closing(one), closing(other):
        for order in ORDERS:
            board.create(order)
        for number, order in enumerate(ORDERS[::3]):
            board.decide(draft(f"move-{number}", order.id, Move(Stage.PICKED)))
            board.decide(draft(f"claim-{number}", order.id, Take()))
        board.send(one)
        board.snapshot_into(other)
        assert content(tmp_path / "one.db") == content(tmp_path / "other.db") == expected(board)
        states = one.state(), other.state()
    assert {state.state_hash for state in states} == {board.state_hash()}
    assert {(state.cursor, state.orders) for state in states} == {(board.seq, len(ORDERS))}


def test_a_page_says_what_changed(cache: Cache) -> None:
    """Local ids of changed and removed orders; several entries on one order are one change."""
    board = ServerBoard(ORDERS)
    board.snapshot_into(cache)
    board.decide(draft("a", ORDERS[0].id, Take()))
    board.decide(draft("b", ORDERS[0].id, Move(Stage.SHIPPED)))
    deleted = msgspec.structs.replace(board.orders[ORDERS[1].id], deleted_ms=9)
    board.seq += 1
    entry = LogEntry(board.seq, draft("c", ORDERS[1].id), Outcome.APPLIED, 1, patch=OrderPatch(deleted_ms=9))
    board._write(entry, board.orders[deleted.id])
    change = board.send(cache)
    assert (len(change.changed), len(change.removed)) == (1, 1)
    assert (change.cursor, change.state_hash) == (board.seq, board.state_hash())
    assert cache.state().orders == len(ORDERS) - 1


def test_a_deleted_stranger_changes_nothing(cache: Cache) -> None:
    """An order that was made and deleted within a page never was on this board."""
    order = msgspec.structs.replace(ORDERS[0], deleted_ms=4)
    entry = LogEntry(1, draft("a", order.id), Outcome.APPLIED, 1, order=order)
    change = applied(cache, [entry])
    assert (change.changed, change.removed, change.state_hash) == ((), (), 0)


def test_a_retired_order_leaves_the_board(cache: Cache, path: Path) -> None:
    """At the seq of its retirement: rows, words, count and hash are those of the server."""
    board = ServerBoard(ORDERS)
    board.snapshot_into(cache)
    order = next(each for each in ORDERS if each.stage is Stage.SHIPPED and each.cancelled_ms is None)
    board.decide(draft("a", order.id, Retire()), SYSTEM)
    late = msgspec.structs.replace(draft("b", order.id, Take()), device_id="device", device_seq=1)
    board.decide(late)
    change = board.send(cache)
    assert (len(change.changed), len(change.removed)) == (0, 1)
    assert [verdict.reason for verdict in change.own] == [Reason.UNKNOWN_ORDER]
    state = cache.state()
    assert (state.state_hash, state.orders) == (board.state_hash(), len(ORDERS) - 1)
    assert content(path) == expected(board)
    query = "SELECT rowid FROM orders_fts WHERE orders_fts MATCH ?"
    assert cache._connection.execute(query, (f'number:"{order.number}"',)).fetchall() == []


def test_a_retired_order_stays_out_of_a_snapshot(cache: Cache, path: Path) -> None:
    """Count and hash are announced without it, so a chunk that has it brings nothing."""
    board = ServerBoard(ORDERS[:5])
    cache.begin_snapshot(board.begin(1))
    retired = msgspec.structs.replace(ORDERS[5], retired_ms=9)
    assert cache.add_chunk(0, (*ORDERS[:5], retired)) is None
    assert isinstance(cache.end_snapshot("device", board.seq, 5), CacheSnapshot)
    assert content(path) == expected(board)
    assert cache.state().orders == 5


def test_own_operations_are_found_in_the_page(cache: Cache) -> None:
    """Verdicts and the highest own number come with the page, also for rejected ones."""
    board = ServerBoard(ORDERS)
    board.snapshot_into(cache)
    taken = msgspec.structs.replace(draft("a", ORDERS[0].id, Take()), device_id="device", device_seq=4)
    strange = msgspec.structs.replace(draft("b", "nowhere", Take()), device_id="device", device_seq=5)
    foreign = msgspec.structs.replace(draft("c", ORDERS[2].id, Take()), device_id="other", device_seq=90)
    entries = [board.decide(each) for each in (taken, strange, foreign)]
    change = board.send(cache)
    assert [(each.op_id, each.seq, each.reason) for each in change.own] == [
        ("a", entries[0].seq, entries[0].reason),
        ("b", entries[1].seq, Reason.UNKNOWN_ORDER),
    ]
    assert change.decided_device_seq == cache.state().decided_device_seq == 5
    nothing = applied(cache, [LogEntry(board.seq + 1, foreign, Outcome.NOOP, 1)], "renewed")
    assert (nothing.own, nothing.decided_device_seq) == ((), 0)
    assert cache.state().device_id == "renewed"


def test_a_page_that_only_claims_to_be_long_costs_nothing(cache: Cache) -> None:
    """A number in a message must not decide how much memory is taken."""
    assert cache.apply_delta("device", 0, 1 << 60, []) == DeltaRefused("gap", 0)


@pytest.mark.parametrize(
    ("prev_seq", "seq", "numbers"), [(1, 2, [2]), (0, 2, [1]), (0, 2, [2, 1]), (0, 1, [])]
)
def test_a_page_that_does_not_go_on_is_refused(
    cache: Cache, prev_seq: int, seq: int, numbers: list[int]
) -> None:
    """A gap, an overlap or a page with holes writes nothing."""
    entries = [LogEntry(number, draft("a", "x"), Outcome.NOOP, 1) for number in numbers]
    assert cache.apply_delta("device", prev_seq, seq, entries) == DeltaRefused("gap", 0)
    assert cache.state() == CacheState()


def test_a_patch_on_an_unknown_order_is_passed_over(cache: Cache) -> None:
    """The rest of the page counts, and the board says that it is not the server's."""
    board = ServerBoard()
    good = board.create(ORDERS[0])
    bad = LogEntry(2, draft("a", ORDERS[1].id), Outcome.APPLIED, 1, patch=OrderPatch(priority=1))
    change = cache.apply_delta("device", 0, 2, [good, bad])
    assert isinstance(change, CacheChange)
    assert (change.cursor, change.changed, change.is_whole) == (2, (1,), False)
    late = board.create(ORDERS[1])
    again = LogEntry(4, draft("b", ORDERS[1].id), Outcome.APPLIED, 1, patch=OrderPatch(priority=1))
    both = cache.apply_delta("device", 2, 4, [msgspec.structs.replace(late, seq=3), again])
    assert isinstance(both, CacheChange)
    assert both.is_whole


def test_orders_keep_their_local_id_over_snapshots(cache: Cache) -> None:
    """Selection and focus survive a reconnect; a new order never gets a used id."""
    board = ServerBoard(ORDERS)
    board.snapshot_into(cache)
    query = "SELECT order_id, local_id FROM orders"
    before = dict(cache._connection.execute(query).fetchall())
    board.orders.pop(ORDERS[5].id)
    fresh = next(make_orders(1, Made(seed=99)))
    board.orders[fresh.id] = fresh
    board.snapshot_into(cache)
    after = dict(cache._connection.execute(query).fetchall())
    assert {key: after[key] for key in before if key in after} == {
        key: value for key, value in before.items() if key != ORDERS[5].id
    }
    assert after[fresh.id] not in before.values()


def _spoiled(board: ServerBoard, how: str) -> Callable[[Cache], object]:
    orders = list(board.orders.values())
    begin = board.begin(1)

    def run(cache: Cache) -> object:
        if how == "not begun":
            assert cache.add_chunk(0, orders) == SnapshotRefused("not begun")
            return cache.end_snapshot("device", board.seq, 1)
        cache.begin_snapshot(begin)
        if how == "order":
            assert cache.add_chunk(1, orders) == SnapshotRefused("order")
        if how == "count":
            cache.add_chunk(0, orders[1:])
        if how == "hash":
            cache.add_chunk(0, [*orders[1:], msgspec.structs.replace(orders[0], note="changed")])
        return cache.end_snapshot("device", board.seq, 1)

    return run


@pytest.mark.parametrize("how", ["not begun", "order", "count", "hash"])
def test_a_snapshot_that_is_not_as_announced_is_refused(cache: Cache, path: Path, how: str) -> None:
    """The old board stays, and the next good snapshot goes in."""
    board = ServerBoard(ORDERS[:20], seq=7)
    board.snapshot_into(cache)
    before, state = content(path), cache.state()
    newer = ServerBoard(ORDERS, seq=9)
    assert _spoiled(newer, how)(cache) == SnapshotRefused(how)
    assert (content(path), cache.state()) == (before, state)
    newer.snapshot_into(cache)
    assert content(path) == expected(newer)


def test_tidying_leaves_only_the_current_tables(cache: Cache, path: Path) -> None:
    """What a swap or an abandoned snapshot left behind goes piece by piece."""
    board = ServerBoard(ORDERS)
    board.snapshot_into(cache)
    board.snapshot_into(cache)
    cache.begin_snapshot(board.begin(1))
    assert not cache.tidy()
    cache.end_snapshot("device", 99, 1)
    while cache.tidy():
        pass
    names = [row[0] for row in cache._connection.execute("SELECT name FROM sqlite_master")]
    assert [name for name in names if name.startswith(("old_", "staging_"))] == []
    assert content(path) == expected(board)


def test_what_is_remembered_is_found_again(path: Path) -> None:
    """Site, person and last contact; None leaves a value alone."""
    site = Site("s", "Hall 3", "Europe/London", "o", "Acme")
    person = Person("p", "Ana K.", "picker", "sign-in")
    with closing(Cache.open(path).cache) as cache:
        cache.remember(site, person, 12)
        cache.remember(None, None, 13)
        cache.remember(None, None, None)
    with closing(Cache.open(path).cache) as cache:
        state = cache.state()
    assert (state.site, state.person, state.last_contact_ms) == (site, person, 13)


def test_forgetting_empties_the_board_and_keeps_the_rest(cache: Cache) -> None:
    """Cursor 0 and no epoch; whose board it is stays, and so do used local ids."""
    board = ServerBoard(ORDERS[:5], seq=3)
    board.snapshot_into(cache)
    cache.remember(Site("s", "Hall 3", "Europe/London", "o", "Acme"), None, 12)
    cache.forget()
    state = cache.state()
    assert (state.epoch, state.cursor, state.state_hash, state.orders) == ("", 0, 0, 0)
    assert state.site is not None
    change = applied(cache, [ServerBoard().create(ORDERS[0])])
    assert change.changed == (6,)


def test_a_backorder_repaints_its_first_order(cache: Cache) -> None:
    """The card of the short order names the new one, so it is among the changed."""
    board = ServerBoard(ORDERS[:1])
    board.snapshot_into(cache)
    rest = msgspec.structs.replace(ORDERS[1], backorder_of=ORDERS[0].id)
    board.create(rest)
    assert board.send(cache).changed == (2, 1)
    # When the rest leaves, the card names it no longer; when both leave, neither is to be painted.
    board.decide(draft("c", rest.id, Cancel()))
    board.decide(draft("r", rest.id, Retire()), SYSTEM)
    change = board.send(cache)
    assert (change.changed, change.removed) == ((1,), (2,))
    board.create(msgspec.structs.replace(rest, id="again", external_ref="again"))
    board.send(cache)
    for order_id in ("again", ORDERS[0].id):
        board.decide(draft(f"c-{order_id}", order_id, Cancel()))
        board.decide(draft(f"r-{order_id}", order_id, Retire()), SYSTEM)
    change = board.send(cache)
    assert (change.changed, sorted(change.removed)) == ((), [1, 3])


def test_changed_words_are_found_and_old_ones_are_not(cache: Cache) -> None:
    """The search index follows the order."""
    board = ServerBoard(ORDERS[:3])
    board.snapshot_into(cache)
    entry = LogEntry(
        1, draft("a", ORDERS[0].id), Outcome.APPLIED, 1, patch=OrderPatch(number="changed-1", revision=2)
    )
    applied(cache, [entry])
    query = "SELECT rowid FROM orders_fts WHERE orders_fts MATCH ?"
    ask = cache._connection.execute
    assert ask(query, ('"changed-1"*',)).fetchall() == [(1,)]
    assert ask(query, (f'number:"{ORDERS[0].number}"',)).fetchall() == []


def test_a_tracking_number_is_found_from_its_delta_on(cache: Cache) -> None:
    """Whoever scans the label of what has just left finds it."""
    order = next(each for each in ORDERS if each.is_open and each.hold is None)
    board = ServerBoard([order])
    board.snapshot_into(cache)
    query = "SELECT rowid FROM orders_fts WHERE orders_fts MATCH ?"
    assert cache._connection.execute(query, ('"JD7781"*',)).fetchall() == []
    board.decide(draft("a", order.id, Ship("JD7781")))
    board.send(cache)
    assert cache._connection.execute(query, ('"JD7781"*',)).fetchall() == [(1,)]
    board.decide(draft("b", order.id, Ship("JD7782")))
    board.send(cache)
    assert cache._connection.execute(query, ('"JD7781"*',)).fetchall() == []


def _told(cache: Cache, board: ServerBoard, method: str) -> None:
    """Bring a cache from its first board to the next one, by the method under test."""
    if method == "apply_delta":
        board.send(cache)
    elif method == "remember":
        cache.remember(None, None, 77)
    elif method == "forget":
        cache.forget()
    else:
        board.snapshot_into(cache)


METHODS = ("apply_delta", "begin_snapshot", "add_chunk", "end_snapshot", "tidy", "remember", "forget")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("point", ["before_write", "before_fsync", "after_commit"])
def test_a_crash_leaves_one_whole_board(path: Path, method: str, point: str) -> None:
    """Rows, cursor and hash belong together after any crash; going on leads to the server's board."""
    board = ServerBoard()
    for order in ORDERS[:10]:
        board.create(order)
    with closing(Cache.open(path).cache) as cache:
        board.send(cache)
    older = expected(board)
    for order in ORDERS[10:]:
        board.create(order)
    crashing = Cache.open(path, CrashAt(f"cache.{method}.{point}")).cache
    with pytest.raises(CrashError):
        _told(crashing, board, method)
    crashing.close()
    with closing(Cache.open(path).cache) as cache:
        state = cache.state()
        boards = {0: {}, 10: older, len(ORDERS): expected(board)}
        assert content(path) == boards[state.cursor]
        board.snapshot_into(cache)
        assert content(path) == expected(board)


def test_names_of_a_failed_transaction_are_free_again(path: Path) -> None:
    """A carrier that was numbered in a page that never happened gets a number later."""
    board = ServerBoard()
    board.create(msgspec.structs.replace(ORDERS[0], carrier="Firstway"))
    hook = CrashAt("cache.apply_delta.before_fsync")
    with closing(Cache.open(path, hook).cache) as cache:
        with pytest.raises(CrashError):
            board.send(cache)
        hook.point = ""
        board.send(cache)
        assert cache._connection.execute("SELECT * FROM carriers").fetchall() == [(1, "Firstway")]


def test_carriers_beyond_all_numbers_share_the_last(cache: Cache) -> None:
    """A site with more carriers than the key can tell apart still gets its board."""
    board = ServerBoard()
    orders: list[Order] = []
    for number in range(520):
        order = msgspec.structs.replace(
            ORDERS[0], id=f"order-{number}", carrier=f"carrier {number}", stage=Stage.CONFIRMED
        )
        orders.append(order)
        board.create(order)
    board.send(cache)
    row = cache._connection.execute("SELECT count(*), max(id) FROM carriers").fetchone()
    assert row == (510, 510)
    assert cache.state().orders == 520


@pytest.mark.parametrize(
    "spoil",
    ["PRAGMA user_version = 99", "DROP TABLE bodies", "UPDATE meta SET value = 'x' WHERE key = 'cursor'"],
)
def test_an_unusable_file_is_put_aside(path: Path, spoil: str) -> None:
    """Too new or damaged: the cache starts empty and says where the old file is."""
    with closing(Cache.open(path).cache) as cache:
        ServerBoard(ORDERS[:3]).snapshot_into(cache)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(spoil)
    opened = Cache.open(path)
    with closing(opened.cache) as cache:
        assert opened.put_aside == "cache-damaged-1.db"
        assert opened.reason
        assert cache.state() == CacheState()
        ServerBoard(ORDERS).snapshot_into(cache)
    assert path.with_name(opened.put_aside).exists()


def test_garbage_is_put_aside_too(path: Path) -> None:
    """A file that never was a database, twice: each keeps its own name."""
    for number in (1, 2):
        path.write_bytes(b"no database at all" * 300)
        opened = Cache.open(path)
        opened.cache.close()
        assert opened.put_aside == f"cache-damaged-{number}.db"


def test_rebuilding_starts_empty_beside_the_old_file(path: Path) -> None:
    """After damage at run time the same object goes on with a new file."""
    with closing(Cache.open(path).cache) as cache:
        board = ServerBoard(ORDERS)
        board.snapshot_into(cache)
        assert cache.rebuild() == "cache-damaged-1.db"
        assert cache.state() == CacheState()
        board.snapshot_into(cache)
    assert content(path) == expected(board)


def test_a_cache_without_a_place_is_a_problem(tmp_path: Path) -> None:
    """A folder that is missing, or stands where the file belongs: a sentence, not a traceback."""
    (tmp_path / "folder.db").mkdir()
    for path in (tmp_path / "missing" / "cache.db", tmp_path / "folder.db"):
        with pytest.raises(ProblemError) as caught:
            Cache.open(path)
        assert caught.value.problem.code == "CACHE_UNUSABLE"


def test_a_file_that_stays_unusable_is_a_problem(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a new file is no better than the old, the program says so."""
    path.write_bytes(b"no database at all" * 300)
    monkeypatch.setattr("sync.client.cache._put_aside", lambda _: "")
    with pytest.raises(ProblemError) as caught:
        Cache.open(path)
    assert caught.value.problem.code == "CACHE_UNUSABLE"


def test_a_cache_in_memory_needs_no_file() -> None:
    """The simulation runs the same code without a disk."""
    with closing(Cache.open(MEMORY).cache) as cache:
        ServerBoard(ORDERS).snapshot_into(cache)
        assert cache.state().orders == len(ORDERS)


def test_an_operation_without_effect_moves_only_the_cursor(cache: Cache) -> None:
    """Rejected and void entries change no order."""
    entry = LogEntry(1, Operation("a", "x", Take()), Outcome.REJECTED, JUDGE.now_ms)
    change = applied(cache, [entry])
    assert isinstance(change, CacheChange)
    assert (change.changed, change.removed, cache.state().cursor) == ((), (), 1)


def test_a_board_that_lacks_too_many_open_orders_is_held_back(path: Path) -> None:
    """A wiped server: the board stays until a person lets the other one in."""
    with closing(Cache.open(path).cache) as cache:
        full = ServerBoard(make_orders(60, Made(seed=3)), seq=100)
        full.snapshot_into(cache)
        there = sum(order.is_open for order in full.orders.values())
        fewer = ServerBoard(list(full.orders.values())[50:], seq=100, epoch="another")
        gone = there - sum(order.is_open for order in fewer.orders.values())
        before = cache.state()
        assert fewer.try_snapshot(cache) == SnapshotHeld(gone, there)
        assert cache.state() == before
        assert isinstance(fewer.try_snapshot(cache, is_accepted=True), CacheSnapshot)
        assert cache.state().orders == 10


@pytest.mark.parametrize(("kept", "seq", "is_held"), [(50, 100, False), (10, 130, True), (10, 160, False)])
def test_what_the_log_accounts_for_is_no_mass_removal(path: Path, kept: int, seq: int, is_held: bool) -> None:
    """Few orders may go at any time, many only with as many operations in the same history."""
    with closing(Cache.open(path).cache) as cache:
        orders = [each for each in make_orders(200, Made(seed=3)) if each.is_open][:60]
        ServerBoard(orders, seq=100).snapshot_into(cache)
        result = ServerBoard(orders[:kept], seq=seq).try_snapshot(cache)
        assert isinstance(result, SnapshotHeld) is is_held
