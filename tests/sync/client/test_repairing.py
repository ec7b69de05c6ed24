"""A damaged cache and a server that answers: what is wrong is found and replaced, nothing else is touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from support.boards import ServerBoard
from support.drafts import draft
from support.orders import Made, make_order, make_orders
from support.repairs import Mender, answer_of
from sync.client.cache import Cache
from sync.client.store_values import (
    CacheChange,
    CacheSnapshot,
    CacheState,
    DeltaRefused,
    Repaired,
    SnapshotHeld,
)
from sync.contract.messages import ClientMessage, Compare, Fetch, Reload
from sync.contract.operations import Prioritise
from sync.contract.orders import Order

COUNT = 3_000
DAMAGES = {
    "a hash": "UPDATE orders SET hash = 5 WHERE local_id = 1717",
    "an order": "DELETE FROM orders WHERE local_id = 1717",
    "a body": "DELETE FROM bodies WHERE local_id = 1717; UPDATE orders SET hash = 0 WHERE local_id = 1717",
    "an id": "UPDATE orders SET order_id = 'z' WHERE local_id = 1717",
    "the first": "UPDATE orders SET hash = 5 WHERE local_id = 1",
    "the last": f"DELETE FROM orders WHERE local_id = {COUNT}",
    "some places": "UPDATE orders SET hash = 5 WHERE local_id % 700 = 3",
    "a run": "DELETE FROM orders WHERE local_id BETWEEN 900 AND 1150",
    "only the sum": "UPDATE meta SET value = '7' WHERE key IN ('state_hash', 'crc') AND key <> 'crc'",
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Order], int]:
    """A cache with a board, the board, and its state hash."""
    path = tmp_path_factory.mktemp("whole") / "cache.db"
    # In the order of the server's snapshots.
    board = ServerBoard(sorted(make_orders(COUNT, Made(seed=5)), key=lambda order: order.id), seq=9)
    with closing(Cache.open(path).cache) as cache:
        board.snapshot_into(cache)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path, board.orders, board.state_hash()


@pytest.fixture
def path(whole: tuple[Path, dict[str, Order], int], tmp_path: Path) -> Path:
    """A copy of the cache that a test may spoil."""
    copy = tmp_path / "cache.db"
    copy.write_bytes(whole[0].read_bytes())
    return copy


@pytest.fixture
def orders(whole: tuple[Path, dict[str, Order], int]) -> dict[str, Order]:
    """The server's orders."""
    return dict(whole[1])


def spoil(path: Path, statements: str) -> None:
    """Change the file as only a fault can; its checksum of itself is no help."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(f"{statements}; DELETE FROM meta WHERE key = 'crc'")
        connection.commit()


@pytest.fixture
def cache(path: Path) -> Iterator[Cache]:
    """The cache, whole."""
    with closing(Cache.open(path).cache) as opened:
        yield opened


@pytest.mark.parametrize("damage", DAMAGES)
def test_whatever_differs_is_replaced(
    path: Path, whole: tuple[Path, dict[str, Order], int], damage: str
) -> None:
    """By the server's orders; hash, number and every row are right afterwards, and the cursor stays."""
    spoil(path, DAMAGES[damage])
    with closing(Cache.open(path).cache) as cache:
        mender = Mender(cache, answer_of(whole[1], 9))
        mender.run()
        state = cache.state()
        assert (state.state_hash, state.orders, state.cursor) == (whole[2], COUNT, 9)
        assert cache.range_sums(9, [("", "")]) == ((whole[2], COUNT),)
        after = 0
        while after := cache.check(after):
            pass
        assert not cache.is_suspect
    expected = {"some places": 5, "a run": 251, "only the sum": 0, "an id": 2}
    assert mender.ends == [Repaired(expected.get(damage, 1))]
    assert Reload not in mender.questions
    assert not mender.repairing.is_underway


def test_one_order_costs_little(path: Path, orders: dict[str, Order]) -> None:
    """Three questions and one short range."""
    spoil(path, DAMAGES["a hash"])
    with closing(Cache.open(path).cache) as cache:
        mender = Mender(cache, answer_of(orders, 9))
        mender.run()
    assert mender.questions.count(Compare) == 3
    assert mender.questions.count(Fetch) == 1
    assert mender.sent_bytes < 10_000
    (change,) = mender.changes
    # Its words could not be taken out, so it goes by another name.
    assert (change.changed, change.removed) == ((COUNT + 1, 1717), ())


def test_a_board_that_is_mostly_another_is_loaded_anew(path: Path, orders: dict[str, Order]) -> None:
    """A question or two, and the wish for a snapshot."""
    spoil(path, "UPDATE orders SET hash = 5 WHERE local_id % 3 = 0")
    with closing(Cache.open(path).cache) as cache:
        mender = Mender(cache, answer_of(orders, 9))
        mender.run()
        assert mender.changes == []
    assert mender.questions[-1] is Reload
    assert mender.ends == [Repaired(None)]


def test_what_the_board_lacks_is_repaired_too(cache: Cache, orders: dict[str, Order]) -> None:
    """Orders that the server does not have go, those that it has come."""
    gone = list(orders)[100:110]
    for order_id in gone:
        del orders[order_id]
    extra = msgspec.structs.replace(make_order(77), id="0")
    orders["0"] = extra
    mender = Mender(cache, answer_of(orders, 9))
    mender.run()
    assert mender.ends == [Repaired(11)]
    assert cache.state().orders == COUNT - 9
    assert {row for change in mender.changes for row in change.removed} == set(range(101, 111))


def test_a_board_that_moves_meanwhile_is_asked_about_again(path: Path, orders: dict[str, Order]) -> None:
    """Sums of another seq say nothing; the answer to the next question does."""
    spoil(path, DAMAGES["a hash"])
    board = ServerBoard(orders.values(), seq=9)
    first = next(iter(orders))
    with closing(Cache.open(path).cache) as cache:

        def answer(message: ClientMessage) -> str | bytes:
            return answer_of(board.orders, board.seq)(message)

        mender = Mender(cache, answer)
        moved: list[int] = []

        def move() -> None:
            if len(moved) < 2:
                moved.append(len(moved))
                board.decide(draft(f"op-{len(moved)}", first, Prioritise(len(moved))))
                if len(moved) == 2:
                    board.send(cache)

        mender.between = move
        mender.run()
        assert cache.state().state_hash == board.state_hash()
    assert mender.ends == [Repaired(1)]
    assert mender.questions.count(Compare) == 4


def test_a_repair_of_another_seq_changes_nothing(cache: Cache, orders: dict[str, Order]) -> None:
    """It is refused, and so are sums."""
    before = cache.state()
    assert cache.repair(8, "", "", list(orders.values())[:5]) == DeltaRefused("gap", 9)
    assert cache.range_sums(10, [("", "")]) == DeltaRefused("gap", 9)
    assert cache.state() == before


def test_orders_outside_of_a_range_are_not_taken(cache: Cache, orders: dict[str, Order]) -> None:
    """Nor those that have left the board: the range holds what belongs there."""
    first, second, third = list(orders.values())[:3]
    retired = msgspec.structs.replace(second, retired_ms=5)
    cache.repair(9, first.id, third.id, [first, retired, third])
    assert cache.state().orders == COUNT - 1
    assert set(cache.range_sums(9, [(second.id, third.id)])) == {(0, 0)}


@pytest.mark.parametrize("parts", [1, 2, 7, 64, 10_000])
def test_parts_are_of_equal_size_and_make_the_whole(cache: Cache, parts: int) -> None:
    """They follow on each other, and none is longer than it has to be."""
    ranges = cache.split((("", "", parts),))
    assert (ranges[0][0], ranges[-1][1]) == ("", "")
    assert all(one[1] == other[0] for one, other in pairwise(ranges))
    found = cache.range_sums(9, ranges)
    assert not isinstance(found, DeltaRefused)
    assert sum(count for _, count in found) == COUNT
    assert max(count for _, count in found) == -(-COUNT // min(parts, COUNT))
    assert len(ranges) <= parts
    inner = ranges[len(ranges) // 2]
    assert cache.split(((*inner, 1),)) == (inner,)


def test_nothing_has_no_parts() -> None:
    """An empty board is one range."""
    with closing(Cache.open(Path(":memory:")).cache) as empty:
        assert empty.split((("", "", 64),)) == (("", ""),)
        assert empty.range_sums(0, [("", ""), ("a", "b")]) == ((0, 0), (0, 0))
        assert empty.resum() == 0


def test_a_first_page_is_shown_until_the_board_is_whole() -> None:
    """A later page replaces it, the snapshot all of it; a cache with a board keeps that."""
    board = ServerBoard(make_orders(30, Made(seed=5)), seq=4)
    page = list(board.orders.values())
    with closing(Cache.open(Path(":memory:")).cache) as cache:
        change = cache.put_page(page[:5])
        assert (change.changed, change.removed, change.cursor) == ((1, 2, 3, 4, 5), (), 0)
        assert cache.state() == CacheState()
        again = cache.put_page(page[3:6])
        assert (again.changed, set(again.removed)) == ((6,), {1, 2, 3})
        board.snapshot_into(cache)
        assert cache.state().orders == 30
        assert cache.put_page(page[:5]) == CacheChange(4, board.state_hash(), 0)


def test_a_first_page_holds_no_board_back() -> None:
    """Its orders may be gone by the time the board comes: it was no board that lost them."""
    old = ServerBoard(make_orders(60, Made(seed=5)), seq=4)
    new = ServerBoard(make_orders(30, Made(seed=6)), seq=9)
    with closing(Cache.open(Path(":memory:")).cache) as cache:
        cache.put_page(list(old.orders.values()))
        assert isinstance(new.try_snapshot(cache), CacheSnapshot)
        assert isinstance(old.try_snapshot(cache), SnapshotHeld)


def test_an_ended_search_hears_no_answers(cache: Cache, orders: dict[str, Order]) -> None:
    """A new link or a snapshot ended it; nothing more is asked, and nobody is told."""
    mender = Mender(cache, answer_of(orders, 9))
    mender.between = mender.repairing.stop
    mender.run()
    assert (mender.ends, mender.questions) == ([], [Compare])


def test_an_answer_to_another_question_is_not_heard(path: Path, orders: dict[str, Order]) -> None:
    """Each has a number; one that comes twice counts once."""
    spoil(path, DAMAGES["a hash"])
    with closing(Cache.open(path).cache) as cache:
        right = answer_of(orders, 9)

        def answer(message: ClientMessage) -> str | bytes:
            assert isinstance(message, Compare | Fetch)
            frame = right(msgspec.structs.replace(message, n=message.n + 1))
            for stray in (frame, frame):
                mender.hear(stray)
            mender.hear(right(message))
            return right(message)

        mender = Mender(cache, answer)
        mender.run()
    assert mender.ends == [Repaired(1)]
    assert len(mender.questions) == 4


def test_a_snapshot_meanwhile_leaves_what_was_replaced(path: Path, orders: dict[str, Order]) -> None:
    """The rows that changed are told, although the search is over."""
    spoil(path, DAMAGES["a hash"])
    with closing(Cache.open(path).cache) as cache:
        mender = Mender(cache, answer_of(orders, 9))
        mender.before_job["repair"] = mender.repairing.stop
        mender.run()
    assert [change.changed for change in mender.changes] == [(COUNT + 1, 1717)]
    assert mender.ends == []


def test_what_the_cache_cannot_do_is_told_with_the_link(cache: Cache, orders: dict[str, Order]) -> None:
    """The follower drops the link; the next hello finds what is left to do."""
    mender = Mender(cache, answer_of(orders, 9))
    mender.errors["split"] = "OperationalError: disk I/O error"
    mender.run()
    assert mender.failures == [(1, "OperationalError: disk I/O error")]
    assert mender.questions == []
