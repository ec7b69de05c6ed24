"""With many links, what several commits add goes out as one delta; few links wait for nothing."""

from __future__ import annotations

import pytest

from server.kernel.connections import LookNow
from server.kernel.records import Head, Look
from support.hub_bench import EPOCH, SITE, HubBench, committed, move
from sync.contract.messages import Delta
from sync.contract.steps import Command


def crowd(links: int) -> HubBench:
    """Return a hub with so many live links, each on a device of its own."""
    bench = HubBench()
    for link in range(1, links + 1):
        bench.go_live(link, device_id=f"device-{link}")
    return bench


def commit(bench: HubBench, number: int) -> None:
    """Let the first device do something."""
    bench.submit(move(number))
    bench.answer(bench.job("commit"), committed(number - 1, move(number)))


def drain_all(bench: HubBench, links: int) -> None:
    """Let everything leave."""
    for link in range(1, links + 1):
        bench.drain(link)


def reached(bench: HubBench) -> dict[int, tuple[int, int]]:
    """Return which links got a delta last, and from where to where it leads."""
    return {
        link: (message.prev_seq, message.seq)
        for link in range(1, bench.hub.links + 1)
        for message in bench.heard(link)
        if isinstance(message, Delta)
    }


def test_below_twenty_links_nobody_waits() -> None:
    """Every commit goes out at once."""
    bench = crowd(19)
    for number in (1, 2):
        commit(bench, number)
        assert "flush:site-1" not in bench.timers()
        assert len(reached(bench)) == 19
        drain_all(bench, 19)


def test_a_burst_of_commits_is_one_delta_for_a_crowd() -> None:
    """The first goes out at once; what follows within the window waits for its end, together."""
    bench = crowd(100)
    commit(bench, 1)
    assert len(reached(bench)) == 100
    drain_all(bench, 100)
    bench.clock.advance(2)
    commit(bench, 2)
    assert bench.timers() == {"flush:site-1": 3}
    assert reached(bench) == {}
    commit(bench, 3)
    assert bench.timers() == {}
    bench.clock.advance(3)
    bench.fire("flush:site-1")
    assert reached(bench) == dict.fromkeys(range(1, 101), (1, 3))
    drain_all(bench, 100)
    bench.clock.advance(5)
    commit(bench, 4)
    assert len(reached(bench)) == 100


def test_verdicts_do_not_wait() -> None:
    """Who asked is answered at once, and gets what is new as soon as the answer has left."""
    bench = crowd(100)
    commit(bench, 1)
    drain_all(bench, 100)
    commit(bench, 2)
    assert len(bench.frames(1)) == 1
    bench.drain(1)
    assert reached(bench) == {1: (1, 2)}


@pytest.mark.parametrize(("links", "span_ms"), [(20, 1), (399, 19), (1_000, 50), (1_400, 50)])
def test_the_window_grows_with_the_crowd_to_a_bound(links: int, span_ms: int) -> None:
    """A millisecond for twenty links, at most fifty."""
    bench = crowd(links)
    commit(bench, 1)
    drain_all(bench, 1)
    commit(bench, 2)
    assert bench.timers() == {"flush:site-1": span_ms}


def test_what_other_processes_wrote_waits_in_the_same_window() -> None:
    """A look is no reason to hurry."""
    bench = crowd(40)
    commit(bench, 1)
    drain_all(bench, 40)
    bench.feed(Command(LookNow()))
    bench.answer(bench.job("look"), Look({SITE.site_id: Head(5, EPOCH, 0)}, ()))
    assert bench.timers() == {"flush:site-1": 2}
    bench.clock.advance(2)
    bench.fire("flush:site-1")
    assert bench.job("page").arguments == (SITE, 1)
