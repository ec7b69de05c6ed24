"""The client's machine and a damaged copy of the board: when it is found out, and what comes of it."""

from __future__ import annotations

import msgspec
import pytest

from support.machine_bench import RIGHT, MachineBench, cached, delta
from support.orders import make_order
from sync.client.news import BoardChanged, BoardRepaired, ProblemArose, SnapshotApplied
from sync.client.store_values import CacheChange, DeltaRefused, SnapshotHeld
from sync.contract.messages import (
    Compare,
    Compared,
    Fetch,
    Heartbeat,
    Reload,
    Repair,
    SnapshotBegin,
    SnapshotChunk,
    SnapshotEnd,
    SnapshotPage,
)
from sync.contract.operations import Operation, Take

WRONG = 13
ORDER = make_order(1)


def other(seq: int) -> Operation:
    """Return an operation of another terminal."""
    return Operation(f"other-{seq}", f"order-{seq}", Take(), "device-2", seq)


def welcomed(state_hash: int | None, own: int = WRONG, epoch: str = "epoch-1") -> MachineBench:
    """Return a machine at seq 3, just welcomed by a server whose board sums up to ``state_hash`` there."""
    bench = MachineBench(cache=cached(3, own))
    bench.connect()
    welcome = bench.welcome_message(epoch, 3)
    bench.hear(msgspec.structs.replace(welcome, state_hash=state_hash))
    return bench


def asked(bench: MachineBench) -> list[Compare | Fetch | Reload]:
    """Return what was asked to mend the board."""
    return [message for message in bench.said() if isinstance(message, Compare | Fetch | Reload)]


def beat(bench: MachineBench, head: int, state_hash: int) -> None:
    """Let a heartbeat tell the hash."""
    bench.hear(Heartbeat(head, 0, bench.clock.wall, 1, state_hash))


def codes(bench: MachineBench) -> list[str]:
    """Return the problems that were told."""
    return [news.problem.code for news in bench.news(ProblemArose)]


def test_a_welcome_with_another_hash_starts_the_search() -> None:
    """The first question is about the whole board, in parts."""
    assert asked(welcomed(RIGHT)) == [Compare(1, [("", "")])]


@pytest.mark.parametrize(("state_hash", "epoch"), [(WRONG, "epoch-1"), (None, "epoch-1"), (RIGHT, "epoch-2")])
def test_a_welcome_without_another_hash_asks_nothing(state_hash: int | None, epoch: str) -> None:
    """The same hash, none, or one of another history, whose board comes whole."""
    assert asked(welcomed(state_hash, epoch=epoch)) == []


def test_a_repair_is_told_and_logged() -> None:
    """The rows that changed are painted; that a disk forgets, somebody should know."""
    bench = MachineBench(cache=cached(3, WRONG))
    bench.results["cache.split"] = (("", "3"), ("3", "4"), ("4", "5"), ("5", "6"), ("6", ""))
    bench.connect()
    bench.hear(msgspec.structs.replace(bench.welcome_message("epoch-1", 3), state_hash=RIGHT))
    bench.hear(Compared(1, 3, [*[(WRONG, 10)] * 4, (RIGHT, 10)]))
    assert asked(bench)[-1] == Fetch(3, "6", "")
    bench.hear(Repair(3, 3, "6", "", [ORDER, ORDER]))
    assert asked(bench)[-1] == Compare(5, [("", "")])
    bench.hear(Compared(5, 3, [(RIGHT, 10)]))
    assert bench.news(BoardRepaired) == [BoardRepaired(2)]
    assert BoardChanged((1, 2), (), (), 3, 0) in bench.news(BoardChanged)
    assert codes(bench) == ["BOARD_REPAIRED"]
    assert not bench.closes()


def test_a_hash_that_was_only_wrong_by_itself_is_no_problem() -> None:
    """No order differed: it is news, not trouble."""
    bench = welcomed(RIGHT)
    bench.hear(Compared(1, 3, [(WRONG, 10)]))
    assert bench.news(BoardRepaired) == [BoardRepaired(0)]
    assert codes(bench) == []


def test_too_much_damage_loads_the_board_anew() -> None:
    """The server is asked for all of it; a snapshot follows on the same link."""
    bench = welcomed(RIGHT)
    bench.hear(Compared(1, 3, [(RIGHT, 20)]))
    assert asked(bench)[-1] == Reload()
    assert codes(bench) == ["BOARD_REPAIRED"]
    bench.hear(SnapshotBegin("epoch-1", 3, 0, 1, RIGHT, 0))
    bench.hear(SnapshotChunk.of(0, []))
    bench.hear(SnapshotEnd(3))
    assert bench.news(SnapshotApplied)
    assert not bench.closes()


@pytest.mark.parametrize(
    ("head", "state_hash", "is_asked"), [(3, RIGHT, True), (3, WRONG, False), (4, 1, False)]
)
def test_a_heartbeat_tells_damage_on_a_quiet_board(head: int, state_hash: int, is_asked: bool) -> None:
    """Only at the very seq of the cache: elsewhere two hashes say nothing about each other."""
    bench = welcomed(WRONG)
    beat(bench, head, state_hash)
    assert bool(asked(bench)) is is_asked


def test_a_heartbeat_does_not_begin_a_search_anew() -> None:
    """One is on its way; the server answers one question at a time."""
    bench = welcomed(RIGHT)
    beat(bench, 3, RIGHT)
    assert len(asked(bench)) == 1


def test_a_heartbeat_that_comes_while_the_cache_works_waits_for_it() -> None:
    """The hash is compared with that of the seq, or with none."""
    bench = welcomed(WRONG)
    bench.is_holding = True
    beat(bench, 3, RIGHT)
    bench.cache.now = bench.cache.now._replace(cursor=4)
    bench.let_go()
    assert asked(bench) == []
    bench.errors["cache.state"] = "OperationalError: disk I/O error"
    beat(bench, 3, RIGHT)
    assert asked(bench) == []


def test_what_an_older_link_was_told_starts_no_search() -> None:
    """The next welcome tells it again."""
    bench = welcomed(WRONG)
    bench.is_holding = True
    beat(bench, 3, RIGHT)
    bench.lose()
    bench.let_go()
    assert asked(bench) == []


def test_a_page_that_does_not_fit_the_orders_starts_the_search() -> None:
    """It is applied as far as it goes; further ones meanwhile change nothing about the search."""
    bench = welcomed(WRONG)
    bench.results["cache.apply_delta"] = CacheChange(4, 5, 0, (1,), is_whole=False)
    bench.hear(delta(3, other(4)))
    assert asked(bench) == [Compare(1, [("", "")])]
    bench.results["cache.apply_delta"] = CacheChange(5, 5, 0, (1,), is_whole=False)
    bench.hear(delta(4, other(5)))
    assert len(asked(bench)) == 1
    assert not bench.closes()


def test_nothing_is_searched_for_without_a_link() -> None:
    """The page of a link that is gone counts; the next welcome finds the damage."""
    bench = welcomed(WRONG)
    bench.is_holding = True
    bench.hear(delta(3, other(4)))
    bench.lose()
    bench.results["cache.apply_delta"] = CacheChange(4, 5, 0, (1,), is_whole=False)
    bench.let_go()
    assert asked(bench) == []


def test_a_snapshot_ends_the_search() -> None:
    """All that could be found comes with it; a hash that is told meanwhile is of another board."""
    bench = welcomed(RIGHT)
    bench.hear(SnapshotBegin("epoch-1", 3, 0, 1, RIGHT, 0))
    beat(bench, 3, RIGHT)
    bench.hear(Compared(1, 3, [(RIGHT, 10)]))
    assert len(asked(bench)) == 1
    assert "range_sums" not in bench.methods("cache")


def test_a_board_that_is_held_back_is_not_compared() -> None:
    """What is here is not the server's, and a person knows it."""
    bench = welcomed(WRONG)
    bench.cache.holds = SnapshotHeld(50, 100)
    bench.hear(SnapshotBegin("epoch-1", 3, 0, 1, RIGHT, 0))
    bench.hear(SnapshotChunk.of(0, []))
    bench.hear(SnapshotEnd(3))
    beat(bench, 3, RIGHT)
    bench.hear(Compared(1, 3, [(RIGHT, 10)]))
    assert asked(bench) == []


def test_a_log_that_goes_on_beside_a_board_that_is_held_back_drops_no_link() -> None:
    """The next link would bring the whole board again, to be held back again, every few seconds."""
    bench = welcomed(RIGHT)
    bench.cache.holds = SnapshotHeld(50, 100)
    bench.hear(SnapshotBegin("epoch-1", 3, 0, 1, RIGHT, 0))
    bench.hear(SnapshotChunk.of(0, []))
    bench.hear(SnapshotEnd(3))
    for head in (4, 5, 6):
        bench.hear(Heartbeat(head, 0, bench.clock.wall))
    assert not bench.closes()


def test_what_follows_on_a_board_that_is_held_back_drops_no_link() -> None:
    """It was on its way before the cache said so, and belongs to the other board."""
    bench = welcomed(WRONG)
    bench.cache.holds = SnapshotHeld(50, 100)
    bench.results["cache.apply_delta"] = DeltaRefused("gap", 3)
    bench.is_holding = True
    bench.hear(SnapshotBegin("epoch-1", 9, 0, 1, RIGHT, 0))
    bench.hear(SnapshotChunk.of(0, []))
    bench.hear(SnapshotEnd(9))
    bench.hear(delta(9, other(10)))
    bench.let_go()
    assert not bench.closes()


def test_a_cache_that_cannot_be_repaired_is_told() -> None:
    """As with everything that it cannot write."""
    bench = welcomed(RIGHT)
    bench.errors["cache.range_sums"] = "OperationalError: disk I/O error"
    bench.hear(Compared(1, 3, [(RIGHT, 10)]))
    assert codes(bench) == ["CACHE_NOT_WRITTEN"]
    assert bench.closes()


def test_sums_of_another_seq_are_asked_for_again() -> None:
    """The cache says that it stands elsewhere."""
    bench = welcomed(RIGHT)
    bench.results["cache.range_sums"] = DeltaRefused("gap", 4)
    bench.hear(Compared(1, 3, [(RIGHT, 10)]))
    assert asked(bench)[-1] == Compare(3, [("", "")])


def test_a_first_page_is_shown_at_once() -> None:
    """As rows that came; the board itself is not there yet."""
    bench = MachineBench()
    bench.go_live(head=7)
    bench.hear(SnapshotPage([ORDER, ORDER]))
    assert bench.news(BoardChanged) == [BoardChanged((1, 2), (), (), 0, 0)]
    assert bench.cache.now.cursor == 0
