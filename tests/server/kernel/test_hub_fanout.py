"""Every link gets the whole log of its board, in order and once, at its own speed."""

from __future__ import annotations

import pytest

from server.kernel.connections import BoardAdvanced, Noted
from server.kernel.records import Committed, FirstPage, Head, Joined, Look, Page
from support.hub_bench import EPOCH, SITE, HubBench, committed, entries, hello, move, snapshot
from sync.contract.messages import Delta, SnapshotBegin, SnapshotEnd
from sync.contract.steps import Closed, Job


@pytest.fixture
def bench() -> HubBench:
    """A hub nobody is connected to."""
    return HubBench()


def deltas(bench: HubBench, link: int = 1) -> list[tuple[int, int]]:
    """Return the deltas last sent over a link as (prev_seq, seq); each must be dense."""
    found = [message for message in bench.heard(link) if isinstance(message, Delta)]
    for delta in found:
        assert [entry.seq for entry in delta.entries] == list(range(delta.prev_seq + 1, delta.seq + 1))
    return [(delta.prev_seq, delta.seq) for delta in found]


def commit(bench: HubBench, number: int, prev_seq: int) -> None:
    """Let link 1 hand in one operation and the store decide it."""
    bench.submit(move(number))
    bench.answer(bench.job("commit"), committed(prev_seq, move(number)))


def test_a_commit_reaches_every_link_in_the_same_frame(bench: HubBench) -> None:
    """One encoding serves all who are at the same cursor; the news says how far the board is."""
    bench.go_live(1)
    bench.go_live(2, device_id="device-2")
    commit(bench, 1, 0)
    assert deltas(bench, 1) == deltas(bench, 2) == [(0, 1)]
    assert bench.frames(1)[-1] is bench.frames(2)[-1]
    assert BoardAdvanced(SITE, 1) in bench.news()


def test_a_link_that_still_sends_gets_the_rest_when_it_is_free(bench: HubBench) -> None:
    """No queue: what came meanwhile is one delta from the link's own cursor."""
    bench.go_live(1)
    commit(bench, 1, 0)
    commit(bench, 2, 1)
    commit(bench, 3, 2)
    assert deltas(bench) == []
    bench.drain()
    assert deltas(bench) == [(1, 3)]
    bench.drain()
    assert bench.effects == []


def test_a_batch_that_changed_nothing_is_not_fanned_out(bench: HubBench) -> None:
    """Operations decided before are answered, the log stays as it is."""
    bench.go_live(1)
    bench.submit(move(1))
    bench.answer(bench.job("commit"), Committed(0, 0, (), committed(0, move(1)).verdicts))
    assert deltas(bench) == []
    assert bench.news() == []


def test_a_client_that_is_behind_reads_pages(bench: HubBench) -> None:
    """From the store, page by page, then from memory; two at the same place share one reading."""
    bench.answer(bench.sign_in(1, greeting=hello(cursor=1)), Joined(EPOCH, 5, 0, 0))
    page = bench.job("page")
    assert page.arguments == (SITE, 1)
    bench.answer(bench.sign_in(2, greeting=hello(cursor=1)), Joined(EPOCH, 5, 0, 0))
    assert not bench.has_job("page")
    bench.answer(page, Page(1, 4, entries(1, 3)))
    assert deltas(bench, 1) == deltas(bench, 2) == [(1, 4)]
    bench.drain(1)
    page = bench.job("page")
    bench.drain(1)
    assert bench.effects == []
    bench.feed(Closed(1))
    bench.answer(page, Page(4, 5, entries(4, 1)))
    assert bench.effects == []


def test_a_page_that_cannot_be_read_closes_those_who_wait(bench: HubBench) -> None:
    """They come back and ask again; an empty page says nothing."""
    bench.answer(bench.sign_in(greeting=hello(cursor=1)), Joined(EPOCH, 5, 0, 0))
    bench.answer(bench.job("page"), Page(1, 1, ()))
    assert bench.effects == []
    bench.drain()
    bench.answer(bench.job("page"), error="OperationalError: disk")
    assert bench.refusals() == [(1, 1011, "SERVER_FAULT")]


def test_a_snapshot_goes_out_chunk_by_chunk(bench: HubBench) -> None:
    """Each chunk waits for the one before; what happened meanwhile follows the end as a delta."""
    bench.go_live(1)
    bench.answer(
        bench.sign_in(2, greeting=hello("device-2", epoch="")), Joined(EPOCH, 0, 0, 0, needs_snapshot=True)
    )
    job = bench.job("snapshot")
    assert (job.store, job.arguments) == ("copies", (SITE, "device-2", 0))
    bench.drain(2)
    assert bench.effects == []
    bench.answer(job, snapshot(0))
    assert bench.heard(2) == [SnapshotBegin(EPOCH, 0, 10, 2, 99, 7)]
    assert bench.frames(2)[1:] == [b"chunk 0"]
    commit(bench, 1, 0)
    assert bench.frames(2) == []
    bench.drain(2)
    assert bench.frames(2) == [b"chunk 1"]
    bench.drain(2)
    assert bench.heard(2) == [SnapshotEnd(0)]
    bench.drain(2)
    assert deltas(bench, 2) == [(0, 1)]


def loading(bench: HubBench, cursor: int) -> tuple[Job | None, Job]:
    """Bring a link up that loads the board; return the jobs of its first page, if any, and its snapshot."""
    join = bench.sign_in(2, greeting=hello("device-2", cursor=cursor))
    bench.answer(join, Joined(EPOCH, 9, 0, 0, needs_snapshot=True))
    return bench.job("first_page") if bench.has_job("first_page") else None, bench.job("snapshot")


def test_an_empty_terminal_sees_a_first_page_before_the_whole_board(bench: HubBench) -> None:
    """A board takes seconds to make and to send; a page of each stage does not."""
    page, whole = loading(bench, 0)
    assert page is not None
    assert (page.store, page.arguments) == ("copies", (SITE,))
    assert page.ticket < whole.ticket
    bench.answer(page, FirstPage("page one"))
    assert bench.frames(2) == ["page one"]
    bench.drain(2)
    assert bench.frames(2) == []
    bench.answer(whole, snapshot(9))
    assert isinstance(bench.heard(2)[0], SnapshotBegin)


@pytest.mark.parametrize("result", [None, FirstPage("")])
def test_without_a_first_page_the_board_comes_all_the_same(bench: HubBench, result: object) -> None:
    """There is none of an empty board, nor when it cannot be read."""
    page, whole = loading(bench, 0)
    assert page is not None
    bench.answer(page, result)
    assert bench.frames(2) == []
    bench.answer(whole, snapshot(9))
    assert isinstance(bench.heard(2)[0], SnapshotBegin)


def test_a_first_page_for_a_link_that_is_gone_is_dropped(bench: HubBench) -> None:
    """Nobody is there to see it."""
    page, _ = loading(bench, 0)
    assert page is not None
    bench.feed(Closed(2))
    bench.answer(page, FirstPage("page one"))
    assert bench.effects == []


def test_who_has_a_board_gets_no_first_page(bench: HubBench) -> None:
    """It would hide what is there already."""
    page, _ = loading(bench, 5)
    assert page is None


def test_a_snapshot_that_cannot_be_made_closes_the_link(bench: HubBench) -> None:
    """And one that is made for a link that is gone goes nowhere."""
    bench.answer(bench.sign_in(1), Joined(EPOCH, 0, 0, 0, needs_snapshot=True))
    bench.answer(bench.job("snapshot"), error="OperationalError: disk")
    assert bench.refusals() == [(1, 1011, "SERVER_FAULT")]
    bench.answer(bench.sign_in(2), Joined(EPOCH, 0, 0, 0, needs_snapshot=True))
    job = bench.job("snapshot")
    bench.feed(Closed(2))
    bench.answer(job, snapshot(0))
    assert bench.effects == []


def test_operations_that_nobody_holds_any_more_are_noted(bench: HubBench) -> None:
    """The terminal goes on behind them, and IT can see that they are gone."""
    bench.answer(bench.sign_in(), Joined(EPOCH, 0, 0, 4, skipped=4))
    noted = Noted("operations_missing", (("device_id", "device-1"), ("count", 4)), is_warning=True)
    assert noted in bench.news()
    assert bench.refusals() == []


@pytest.mark.parametrize("is_new", [True, False])
def test_a_cursor_beyond_the_log_is_noted(bench: HubBench, is_new: bool) -> None:
    """Whether everybody begins anew because of it, or the terminal alone."""
    joined = Joined("epoch-2" if is_new else EPOCH, 5, 0, 0, is_new_epoch=is_new, needs_snapshot=True)
    bench.answer(bench.sign_in(greeting=hello(cursor=9)), joined)
    words = (("device_id", "device-1"), ("cursor", 9), ("is_new_epoch", is_new))
    assert Noted("cursor_beyond_log", words, is_warning=True) in bench.news()
    assert bench.has_job("snapshot")


def test_a_cursor_of_another_history_is_none_beyond_the_log(bench: HubBench) -> None:
    """After a restore every terminal has one."""
    joined = Joined("epoch-2", 5, 0, 0, needs_snapshot=True)
    bench.answer(bench.sign_in(greeting=hello(cursor=9)), joined)
    assert [news.what for news in bench.news() if isinstance(news, Noted) and news.is_warning] == []


def test_a_board_that_differs_is_noted_and_loaded_anew(bench: HubBench) -> None:
    """A wrong state hash is data corruption: repaired, and said."""
    joined = Joined(EPOCH, 5, 0, 0, is_damaged=True, needs_snapshot=True)
    bench.answer(bench.sign_in(greeting=hello(cursor=3)), joined)
    noted = Noted("state_hash_differs", (("device_id", "device-1"), ("cursor", 3)), is_warning=True)
    assert noted in bench.news()
    assert bench.has_job("snapshot")


def test_another_process_that_wrote_is_found_by_looking(bench: HubBench) -> None:
    """Every 500 ms, one look at a time; its entries are read like any others."""
    bench.go_live(1)
    bench.fire("look")
    assert bench.timers() == {"look": 500}
    look = bench.job("look")
    bench.fire("look")
    assert not bench.has_job("look")
    bench.answer(look, Look({"site-1": Head(3, EPOCH, 2)}, ()))
    page = bench.job("page")
    bench.answer(page, Page(0, 3, entries(0, 3)))
    assert deltas(bench) == [(0, 3)]
    commit(bench, 1, 3)
    bench.drain()
    assert deltas(bench) == [(3, 4)]


def test_a_look_that_is_older_than_what_is_known_changes_nothing(bench: HubBench) -> None:
    """And one that fails is noted; the next one comes anyway. A board that is gone is passed over."""
    bench.go_live(1, head=5)
    bench.fire("look")
    bench.answer(bench.job("look"), Look({"site-1": Head(4, EPOCH, 2)}, ()))
    assert bench.effects == []
    bench.fire("look")
    bench.answer(bench.job("look"), Look({}, ()))
    assert bench.effects == []
    bench.fire("look")
    bench.answer(bench.job("look"), error="OperationalError: locked")
    failed = Noted("look_failed", (("error", "OperationalError: locked"),), is_warning=True)
    assert [news for news in bench.news() if isinstance(news, Noted)] == [failed]
    bench.fire("look")
    bench.answer(bench.job("look"), None)
    assert [news.what for news in bench.news() if isinstance(news, Noted)] == ["look_failed"]


def test_a_commit_behind_another_process_is_read_from_where_that_began(bench: HubBench) -> None:
    """The store's own entries do not follow what this process knows: the gap is read first."""
    bench.go_live(1)
    bench.submit(move(1))
    bench.answer(bench.job("commit"), committed(4, move(1)))
    assert deltas(bench) == []
    page = bench.job("page")
    assert page.arguments == (SITE, 0)
    bench.answer(page, Page(0, 4, entries(0, 4)))
    bench.drain()
    assert deltas(bench) == [(4, 5)]


def test_a_new_epoch_closes_everybody_else(bench: HubBench) -> None:
    """A client that knows more than the server: its welcome names a new epoch, the others come again."""
    bench.go_live(1, head=5)
    joined = Joined("epoch-2", 5, 0, 0, is_new_epoch=True, needs_snapshot=True)
    bench.answer(bench.sign_in(2, greeting=hello("device-2", cursor=9)), joined)
    assert bench.refusals() == [(1, 1012, "NEW_EPOCH")]
    bench.answer(bench.job("snapshot"), snapshot(5, 0, "epoch-2"))
    assert isinstance(bench.heard(2)[1], SnapshotEnd)


def test_memory_holds_one_page_of_the_newest(bench: HubBench) -> None:
    """Older entries are read from the store."""
    bench.go_live(1)
    bench.go_live(2, device_id="device-2")
    commit(bench, 1, 0)
    bench.drain(2)
    seq = 1
    for first in range(2, 322, 64):
        moves = [move(number) for number in range(first, first + 64)]
        bench.submit(*moves)
        bench.answer(bench.job("commit"), committed(seq, *moves))
        seq += 64
        bench.clock.advance(64 * 20)
    bench.drain(1)
    assert bench.job("page").arguments == (SITE, 1)
    # Link 2 was sent one delta after its first and was never free again.
    bench.drain(2)
    assert deltas(bench, 2) == [(65, 321)]


def test_after_a_new_epoch_the_log_goes_on_from_its_head(bench: HubBench) -> None:
    """What is committed then reaches whoever came for it."""
    bench.go_live(1, head=5)
    joined = Joined("epoch-2", 5, 0, 0, is_new_epoch=True, needs_snapshot=True)
    bench.answer(bench.sign_in(2, greeting=hello("device-2", cursor=9)), joined)
    bench.answer(bench.job("snapshot"), snapshot(5, 0, "epoch-2"))
    bench.drain(2)
    bench.submit(move(1, "device-2"), link=2)
    bench.answer(bench.job("commit"), committed(5, move(1, "device-2")))
    assert deltas(bench, 2) == [(5, 6)]
