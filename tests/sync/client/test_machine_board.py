"""The client's machine and the board: deltas and snapshots into the cache, and what may go wrong."""

from __future__ import annotations

import pytest

from support.machine_bench import DEVICE, MachineBench, cached, decided, delta, draft, numbered, verdict
from sync.client.news import (
    BoardChanged,
    ConnectionChanged,
    LinkState,
    OperationsDone,
    ProblemArose,
    SnapshotApplied,
)
from sync.client.store_values import DeltaRefused, SnapshotRefused
from sync.contract.messages import Delta, Heartbeat, Hello, SnapshotBegin, SnapshotChunk, SnapshotEnd
from sync.contract.operations import Operation
from sync.contract.steps import Job


def other(seq: int, order: int) -> Operation:
    """Return an operation of another terminal on an order."""
    return Operation(f"other-{seq}", f"order-{order}", draft("x").change, "device-2", seq)


def begin(seq: int = 9, epoch: str = "epoch-1", decided_device_seq: int = 0) -> SnapshotBegin:
    """Return the beginning of a snapshot in one chunk."""
    return SnapshotBegin(epoch, seq, 2, 1, 77, decided_device_seq)


def take_snapshot(bench: MachineBench, first: SnapshotBegin) -> None:
    """Let the server send a whole snapshot."""
    bench.hear(first)
    bench.hear(SnapshotChunk.of(0, []))
    bench.hear(SnapshotEnd(first.seq))


def test_a_page_is_applied_and_told() -> None:
    """The news names exactly the orders that changed."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.hear(delta(3, other(1, 41), other(2, 42)))
    assert bench.news(BoardChanged) == [BoardChanged((41, 42), (), (), 5, 0)]
    assert bench.cache.now.cursor == 5


def test_pages_follow_on_what_was_handed_over_not_on_what_is_written() -> None:
    """The server may send the next page while the cache still writes the first."""
    bench = MachineBench(cache=cached(0))
    bench.go_live()
    bench.is_holding = True
    bench.hear(delta(0, other(1, 1)))
    bench.hear(delta(1, other(2, 2)))
    assert bench.news(BoardChanged) == []
    bench.let_go()
    assert [news.cursor for news in bench.news(BoardChanged)] == [1, 2]
    assert not bench.closes()


@pytest.mark.parametrize("prev_seq", [2, 4])
def test_a_page_that_does_not_follow_is_never_applied(prev_seq: int) -> None:
    """A gap and an overlap alike: a new link asks from where the cache really stands."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.hear(delta(prev_seq, other(1, 1)))
    assert "apply_delta" not in bench.methods("cache")
    assert [close.reason for close in bench.closes()] == [f"delta after {prev_seq}, not 3"]
    bench.fire("retry")
    bench.clear()
    bench.come_up()
    hello = bench.said()[1]
    assert isinstance(hello, Hello)
    assert hello.cursor == 3


def test_hello_waits_for_what_older_links_gave_the_cache_to_do() -> None:
    """The cursor in hello is that after the last page that was under way."""
    bench = MachineBench(cache=cached(0))
    bench.go_live()
    bench.is_holding = True
    bench.hear(delta(0, other(1, 1)))
    bench.lose()
    bench.fire("retry")
    bench.clear()
    bench.come_up()
    bench.let_go()
    hello = bench.said()[1]
    assert isinstance(hello, Hello)
    assert hello.cursor == 1
    assert bench.news(BoardChanged)[0].cursor == 1


def test_a_snapshot_is_staged_and_swapped_in() -> None:
    """Orders are staged chunk by chunk; the board changes once, at the end."""
    bench = MachineBench()
    bench.connect()
    bench.welcome(head=9)
    take_snapshot(bench, begin())
    assert bench.methods("cache")[2:6] == ["begin_snapshot", "add_chunk", "end_snapshot", "tidy"]
    assert bench.news(SnapshotApplied) == [SnapshotApplied(9, 2, (), 0)]
    assert bench.news(ConnectionChanged)[-1].state is LinkState.LIVE
    bench.hear(delta(9, other(10, 1)))
    assert bench.news(BoardChanged)[0].cursor == 10


def test_replaced_tables_are_dropped_piece_by_piece() -> None:
    """As often as the cache says that there is more, and not after an error."""
    bench = MachineBench()
    bench.connect()
    bench.welcome(head=9)
    bench.cache.to_tidy = 3
    take_snapshot(bench, begin())
    assert bench.methods("cache").count("tidy") == 3
    bench.errors["cache.tidy"] = "OperationalError: disk full"
    take_snapshot(bench, begin(10))
    assert bench.methods("cache").count("tidy") == 4


def test_another_epoch_is_caught_up_only_with_its_snapshot() -> None:
    """A cursor of an old history means nothing in a new one, however high it is."""
    bench = MachineBench(cache=cached(500))
    bench.connect()
    bench.welcome(epoch="epoch-2", head=9)
    assert bench.news(ConnectionChanged)[-1].state is LinkState.CATCHING_UP
    take_snapshot(bench, begin(epoch="epoch-2"))
    assert bench.news(ConnectionChanged)[-1].state is LinkState.LIVE


def test_a_slow_snapshot_is_not_started_again() -> None:
    """Every chunk is progress, and so is every chunk written; standing still for 10 s is not."""
    bench = MachineBench()
    bench.connect()
    bench.welcome(head=9)
    bench.hear(begin())
    for index in range(5):
        bench.clock.advance(9_000)
        bench.hear(SnapshotChunk.of(index, []))
        bench.fire("look")
    assert not bench.closes()
    bench.is_holding = True
    bench.hear(SnapshotChunk.of(5, []))
    bench.clock.advance(9_000)
    bench.fire("look")
    assert not bench.closes()
    bench.let_go()
    bench.clock.advance(9_000)
    bench.hear(Heartbeat(9, 0, bench.clock.wall))
    bench.fire("look")
    assert not bench.closes()
    bench.fire("look")
    assert bench.closes()[0].reason == "stuck"


@pytest.mark.parametrize(
    "message",
    [SnapshotChunk.of(0, []), SnapshotEnd(9)],
    ids=["chunk", "end"],
)
def test_a_snapshot_without_its_beginning_drops_the_link(message: SnapshotChunk | SnapshotEnd) -> None:
    """Half a snapshot never reaches the cache."""
    bench = MachineBench()
    bench.connect()
    bench.welcome(head=9)
    bench.hear(message)
    assert bench.closes()
    assert bench.methods("cache") == ["state", "remember"]


def test_a_snapshot_that_ends_elsewhere_than_it_began_drops_the_link() -> None:
    """The end names the seq of the beginning."""
    bench = MachineBench()
    bench.connect()
    bench.welcome(head=9)
    bench.hear(begin(9))
    bench.hear(SnapshotEnd(8))
    assert bench.closes()
    assert "end_snapshot" not in bench.methods("cache")


def test_a_page_inside_a_snapshot_drops_the_link() -> None:
    """Pages go on only after the snapshot's end."""
    bench = MachineBench(cache=cached(9))
    bench.connect()
    bench.welcome(head=9)
    bench.hear(begin(9))
    bench.hear(delta(9, other(10, 1)))
    assert bench.closes()


def test_a_refused_snapshot_is_asked_for_again() -> None:
    """A hash that does not fit is never swapped in, and said; the next link starts anew."""
    bench = MachineBench()
    bench.results["cache.end_snapshot"] = SnapshotRefused("hash")
    bench.connect()
    bench.welcome(head=9)
    take_snapshot(bench, begin())
    assert bench.news(SnapshotApplied) == []
    assert bench.closes()[0].reason == "snapshot refused: hash"
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["BOARD_NOT_WHOLE"]
    bench.fire("retry")
    assert bench.connects() == 2


def test_a_page_that_the_cache_finds_too_far_ahead_makes_a_new_link() -> None:
    """The cache has the last word on where it stands."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.results["cache.apply_delta"] = DeltaRefused("gap", 2)
    bench.hear(delta(3, other(1, 1)))
    assert bench.closes()[0].reason == "delta refused: gap"
    assert bench.cache.forgotten == 0


def test_a_cache_that_cannot_be_written_is_told_once() -> None:
    """Disk full: the link is dropped, tried again, and the sentence comes once."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.errors["cache.apply_delta"] = "OperationalError: database or disk is full"
    bench.is_holding = True
    bench.hear(delta(3, other(1, 1)))
    bench.hear(delta(4, other(2, 1)))
    bench.let_go()
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["CACHE_NOT_WRITTEN"]
    assert len(bench.closes()) == 1
    assert bench.news(BoardChanged) == []


def test_what_an_older_link_failed_at_does_not_drop_the_new_one() -> None:
    """The new link's hello comes from the cache itself."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.is_holding = True
    bench.hear(delta(3, other(1, 1)))
    bench.lose()
    bench.fire("retry")
    bench.results["cache.apply_delta"] = DeltaRefused("gap", 3)
    bench.come_up()
    bench.let_go()
    assert not bench.closes()


def test_own_operations_become_done_with_the_page_that_contains_them() -> None:
    """Decided alone is not done; the page's news names the own operations in it."""
    bench = MachineBench(cache=cached(0))
    bench.go_live()
    bench.submit(draft("op-1"))
    bench.hear(decided(verdict("op-1", 1, 1)))
    assert bench.news(OperationsDone) == []
    bench.hear(delta(0, numbered("op-1", 1)))
    assert bench.news(BoardChanged) == [BoardChanged((1,), (), ("op-1",), 1, 1)]
    assert bench.news(OperationsDone) == [OperationsDone(("op-1",))]


def test_own_operations_become_done_with_a_snapshot() -> None:
    """A snapshot contains everything up to its seq."""
    bench = MachineBench()
    bench.connect()
    bench.welcome(head=9)
    bench.submit(draft("op-1"))
    bench.hear(decided(verdict("op-1", 1, 9)))
    take_snapshot(bench, begin(decided_device_seq=1))
    assert bench.news(SnapshotApplied) == [SnapshotApplied(9, 2, ("op-1",), 1)]
    assert bench.news(OperationsDone) == [OperationsDone(("op-1",))]


def test_an_empty_page_moves_the_cursor_nowhere() -> None:
    """It is no reason to drop the link."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.hear(Delta(3, 3, []))
    assert not bench.closes()


def test_jobs_name_the_store_and_carry_plain_values() -> None:
    """A simulation can carry a page out without knowing the machine."""
    bench = MachineBench(cache=cached(3))
    bench.go_live(head=3)
    bench.hear(delta(3, other(4, 1)))
    job = next(each for each in bench.effects if isinstance(each, Job) and each.method == "apply_delta")
    assert job.arguments[:3] == (DEVICE, 3, 4)
    assert isinstance(job.arguments[3], tuple)
