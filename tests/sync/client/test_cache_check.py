"""A cached board that is not what was written: found out, put aside, loaded anew."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from support.boards import ServerBoard
from support.clocks import CountingIds
from support.drafts import draft
from support.orders import make_orders
from sync.client.cache import Cache
from sync.client.database_thread import Priority
from sync.client.engine_stores import Stores
from sync.client.profile import open_profile
from sync.client.store_values import CacheRepair, DeltaRefused
from sync.client.stores import cache_check, files
from sync.client.stores.cache_reader import CacheReader
from sync.client.stores.files import DamagedError
from sync.contract.operations import Prioritise
from sync.contract.orders import canonical_bytes, row_hash
from sync.contract.problems import Problem

SPOILED = {
    "body": "UPDATE bodies SET body = CAST(replace(body, 'a', 'b') AS BLOB) WHERE local_id = 7",
    "missing body": "DELETE FROM bodies WHERE local_id = 7",
    "body of another kind": "UPDATE bodies SET body = 5 WHERE local_id = 7",
    "card": "UPDATE orders SET customer = 'Somebody Else' WHERE local_id = 7",
    "place": "UPDATE orders SET sort_key = sort_key + 1 WHERE local_id = 7",
    "id": "UPDATE orders SET order_id = 'another' WHERE local_id = 7",
    "missing order": "DELETE FROM orders WHERE local_id = 7",
    "carrier": "UPDATE carriers SET name = 'Nobody' WHERE id = 1",
}


def board_in(path: Path, count: int = 300) -> ServerBoard:
    """Load a board into a new cache."""
    board = ServerBoard(make_orders(count))
    with closing(Cache.open(path).cache) as cache:
        board.snapshot_into(cache)
    return board


def checked(cache: Cache) -> int:
    """Check everything and return the number of steps."""
    steps, after = 1, 0
    while after := cache.check(after):
        steps += 1
    return steps


def spoil(path: Path, statement: str) -> None:
    """Change the file as only a fault can."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def test_a_whole_board_passes_in_small_steps(tmp_path: Path) -> None:
    """After a snapshot, after a delta, and when there is nothing at all."""
    path = tmp_path / "cache.db"
    board = board_in(path)
    with closing(Cache.open(path).cache) as cache:
        assert checked(cache) >= 6
        order_id = next(iter(board.orders))
        board.decide(draft("op-1", order_id))
        board.send(cache)
        checked(cache)
        cache.forget()
        checked(cache)


@pytest.mark.parametrize("fault", SPOILED)
def test_whatever_changed_is_found(tmp_path: Path, fault: str) -> None:
    """Bodies by their hash, cards by their bodies, missing orders by the sum; what is found stays so."""
    path = tmp_path / "cache.db"
    board = board_in(path, 40)
    spoil(path, SPOILED[fault])
    with closing(Cache.open(path).cache) as cache:
        checked(cache)
        assert cache.is_suspect
        assert cache.state().state_hash != board.state_hash()
        cache.is_suspect = False
        checked(cache)
        # What the server has to give is missed until it came; what is only gone is in no sum any more.
        assert cache.is_suspect is (fault != "missing order")


def test_doubts_add_up(tmp_path: Path) -> None:
    """However many cards are wrong: no two of them look like none, and looking twice changes nothing."""
    path = tmp_path / "cache.db"
    board = board_in(path, 40)
    spoil(path, "UPDATE orders SET customer = 'Somebody Else' WHERE local_id <= 12")
    with closing(Cache.open(path).cache) as cache:
        for _ in range(2):
            checked(cache)
            assert cache.state().state_hash == board.state_hash() + 12
        bounds = cache.split((("", "", 40),))
        own = cache.range_sums(board.seq, bounds)
        assert not isinstance(own, DeltaRefused)
        hashes = [row_hash(canonical_bytes(order)) for order in board.orders.values()]
        assert sum(each[0] in hashes for each in own) == 28


@pytest.mark.parametrize("fault", SPOILED)
def test_what_was_found_is_mended_by_the_orders_of_the_server(tmp_path: Path, fault: str) -> None:
    """Afterwards the board is whole, and every card is that of its order."""
    path = tmp_path / "cache.db"
    board = board_in(path, 40)
    spoil(path, SPOILED[fault])
    with closing(Cache.open(path).cache) as cache:
        checked(cache)
        repair = cache.repair(board.seq, "", "", list(board.orders.values()))
        assert isinstance(repair, CacheRepair)
        assert (cache.state().state_hash, cache.state().orders) == (board.state_hash(), 40)
        # Where the body is whole its words are known, and the order keeps its name.
        is_renamed = 7 in repair.change.changed and 41 in repair.change.changed
        assert is_renamed is (fault not in {"card", "place", "carrier", "missing order", "id"})
        cache.is_suspect = False
        checked(cache)
        assert not cache.is_suspect


def test_an_index_that_is_not_the_tables_is_found(tmp_path: Path) -> None:
    """The columns of the board are read from an index alone."""
    path = tmp_path / "cache.db"
    board_in(path, 40)
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name LIKE 'orders_by_place%'"
        page = connection.execute(query).fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 + 4] -= 1
    path.write_bytes(data)
    with closing(Cache.open(path).cache) as cache, pytest.raises(DamagedError, match="index"):
        checked(cache)


@pytest.mark.parametrize("is_small", [True, False])
def test_an_index_of_words_that_is_broken_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_small: bool
) -> None:
    """A search would miss orders; on a large board that check would hold up moves."""
    path = tmp_path / "cache.db"
    board_in(path, 40)
    with closing(sqlite3.connect(path)) as connection:
        ((number, block),) = connection.execute(
            "SELECT id, block FROM orders_fts_data ORDER BY length(block) DESC LIMIT 1"
        )
        noise = b"\xff" * len(block)
        connection.execute("UPDATE orders_fts_data SET block = ? WHERE id = ?", (noise, number))
        connection.commit()
    if not is_small:
        monkeypatch.setattr(cache_check, "WORDS_OF", 39)
    with closing(Cache.open(path).cache) as cache:
        if is_small:
            with pytest.raises(sqlite3.DatabaseError) as caught:
                checked(cache)
            assert files.is_damage(caught.value)
        else:
            checked(cache)


def test_what_cannot_be_read_is_left_out_until_it_is_mended(tmp_path: Path) -> None:
    """Whoever looks at the board before the check is through sees the rest of it, and no traceback."""
    path = tmp_path / "cache.db"
    board_in(path, 10)
    ids = list(range(1, 11))
    with closing(CacheReader(path)) as reader:
        names = {spot.local_id: spot.order_id for spot in reader.spots(ids)}
        spoil(path, "UPDATE bodies SET body = CAST('{' AS BLOB) WHERE local_id = 3")
        spoil(path, "UPDATE orders SET tags = 'x', is_cancelled = 1 WHERE local_id IN (3, 4)")
        assert reader.order(3) is None
        assert set(reader.truths(list(names.values()))) == {names[each] for each in ids if each != 3}
        assert {card.local_id for card in reader.cards(ids)} == set(ids) - {3, 4}
        assert all(order.id != names[3] for order in reader.exceptional())
        assert sum(len(column) for column in reader.columns()) == 10
        spoil(path, "UPDATE orders SET sort_key = 'x' WHERE local_id = 5")
        reader.columns()
        assert not reader.is_readable


def test_a_changed_order_is_not_built_on(tmp_path: Path) -> None:
    """A patch would be laid over something else than the server's order; the rest of the page counts."""
    path = tmp_path / "cache.db"
    board = board_in(path, 3)
    damaged, other, _ = board.orders
    spoil(path, "UPDATE bodies SET body = CAST(replace(body, 'a', 'b') AS BLOB) WHERE local_id = 1")
    for number in range(2):
        board.decide(draft(f"op-{number}", damaged, Prioritise(number + 1)))
        board.decide(draft(f"other-{number}", other, Prioritise(number + 1)))
    with closing(Cache.open(path).cache) as cache:
        change = board.send(cache)
        assert (change.is_whole, change.changed, change.cursor) == (False, (2,), board.seq)
        assert change.state_hash == cache.state().state_hash != board.state_hash()
        fetched = [board.orders[damaged]]
        bounds = (damaged, f"{damaged}!")
        repair = cache.repair(board.seq, *bounds, fetched)
        assert isinstance(repair, CacheRepair)
        assert (repair.orders, repair.change.changed, repair.change.removed) == (1, (4, 1), ())
        assert cache.state().state_hash == repair.change.state_hash == board.state_hash()


@pytest.mark.parametrize("key", ["decided_device_seq", "cursor", "device_id"])
def test_a_wrong_number_lets_go_of_no_move(tmp_path: Path, key: str) -> None:
    """With a higher number moves would count as done that the server never got: the board comes anew."""
    path = tmp_path / "cache.db"
    board_in(path, 3)
    spoil(path, f"UPDATE meta SET value = '9' WHERE key = '{key}'")
    opened = Cache.open(path)
    with closing(opened.cache) as cache:
        assert opened.put_aside == "cache-damaged-1.db"
        assert cache.state().decided_device_seq == 0


def test_a_cache_of_before_the_checksum_is_believed(tmp_path: Path) -> None:
    """The next thing written gives it one."""
    path = tmp_path / "cache.db"
    board_in(path, 3)
    spoil(path, "DELETE FROM meta WHERE key = 'crc'")
    opened = Cache.open(path)
    with closing(opened.cache) as cache:
        assert opened.put_aside == ""
        cache.remember(None, None, 9)
    spoil(path, "UPDATE meta SET value = '8' WHERE key = 'last_contact_ms'")
    again = Cache.open(path)
    again.cache.close()
    assert again.put_aside


def test_damaged_carriers_are_no_reason_not_to_start(tmp_path: Path) -> None:
    """They are a part of the cache, which can be had anew."""
    path = tmp_path / "cache.db"
    board_in(path, 3)
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'carriers'"
        page = connection.execute(query).fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = bytes(4096)
    path.write_bytes(data)
    opened = Cache.open(path)
    opened.cache.close()
    assert opened.put_aside


@pytest.mark.parametrize("fault", ["card", "column"])
def test_the_engine_checks_by_itself_and_says_what_it_found(tmp_path: Path, fault: str) -> None:
    """After the start, when nothing else is to be done; a file that cannot be read stays for IT."""
    profile = open_profile(tmp_path / "profile")
    board_in(profile.cache)
    if fault == "card":
        spoil(profile.cache, SPOILED["card"])
    else:
        # A flipped bit in the schema: SQLite knows no column of the right name any more.
        profile.cache.write_bytes(
            profile.cache.read_bytes().replace(b"has_note INTEGER", b"has_notf INTEGER")
        )
    told: list[Problem] = []
    rebuilt: list[bool] = []

    async def live() -> int:
        stores = Stores(profile, CountingIds(), told.append, lambda: rebuilt.append(True))
        try:
            opened = await stores.open()
            assert opened.problems == ()
            for _ in range(12):
                await stores._call(lambda: None, Priority.TELEMETRY)
            state = await stores.state()
        finally:
            await asyncio.to_thread(stores.close, 5.0)
        return state.cache.orders

    is_card = fault == "card"
    assert asyncio.run(live()) == (300 if is_card else 0)
    assert rebuilt == [True]
    assert [problem.code for problem in told] == ["CACHE_DAMAGED" if is_card else "CACHE_PUT_ASIDE"]
    assert is_card or "has_note" in told[0].sentence
    assert (profile.folder / "cache-damaged-1.db").exists() is not is_card
