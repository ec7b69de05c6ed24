"""What the hub does as time passes: heartbeats, dead links, slow links, rest, and the end."""

from __future__ import annotations

import pytest

from server.kernel.connections import UNSENT_BYTES, LookNow, Stop
from server.kernel.records import Head, Joined, Look, Page
from support.hub_bench import EPOCH, SITE, HubBench, committed, entries, hello, move
from sync.contract.codec import encode
from sync.contract.messages import Heartbeat, Ping, Pong
from sync.contract.steps import CancelTimer, Closed, Command


@pytest.fixture
def bench() -> HubBench:
    """A hub with one live link."""
    bench = HubBench()
    bench.go_live(head=3)
    return bench


def test_a_heartbeat_says_where_the_log_stands(bench: HubBench) -> None:
    """Every five seconds, numbered for each link."""
    bench.fire("beat")
    assert bench.heard() == [Heartbeat(3, 0, bench.clock.wall, 1)]
    assert bench.timers() == {"beat": 5_000}
    bench.go_live(2, head=3, device_id="device-2")
    bench.fire("beat")
    assert bench.heard(1) == [Heartbeat(3, 0, bench.clock.wall, 2)]
    assert bench.heard(2) == [Heartbeat(3, 0, bench.clock.wall, 1)]


def test_a_heartbeat_says_how_far_a_backup_reaches(bench: HubBench) -> None:
    """What a backup covers is found by looking, also when the log has not moved; terminals let go of that."""
    bench.fire("look")
    bench.answer(bench.job("look"), Look({SITE.site_id: Head(3, EPOCH, 2)}, ()))
    bench.fire("beat")
    assert bench.heard() == [Heartbeat(3, 2, bench.clock.wall, 1)]


def test_a_link_that_still_sends_gets_no_heartbeat(bench: HubBench) -> None:
    """Nothing piles up behind a delta that does not leave; when it has left, one heartbeat follows."""
    bench.submit(move(1))
    bench.answer(bench.job("commit"), committed(3, move(1)))
    bench.fire("beat")
    assert bench.frames() == []
    bench.fire("beat")
    assert bench.frames() == []
    bench.drain()
    assert bench.heard() == [Heartbeat(4, 0, bench.clock.wall, 1)]
    bench.drain()
    assert bench.frames() == []


def beaten(bench: HubBench, times: int) -> list[int | None]:
    """Let so many heartbeats pass and return the state hashes that they said."""
    said: list[int | None] = []
    for _ in range(times):
        bench.say(Ping(1, 1))
        bench.fire("beat")
        said += [message.state_hash for message in bench.heard() if isinstance(message, Heartbeat)]
        bench.drain()
    return said


def test_every_sixtieth_heartbeat_says_the_state_hash() -> None:
    """Five minutes; the hash is that of the newest commit."""
    bench = HubBench()
    bench.answer(bench.sign_in(greeting=hello(cursor=3)), bench.joined(3, head_hash=11))
    assert beaten(bench, 60) == [None] * 59 + [11]
    bench.submit(move(1))
    bench.answer(bench.job("commit"), committed(3, move(1))._replace(state_hash=12))
    bench.drain()
    assert beaten(bench, 60) == [None] * 59 + [12]
    bench.fire("look")
    bench.answer(bench.job("look"), Look({SITE.site_id: Head(4, EPOCH, 0, 12)}, ()))
    assert beaten(bench, 60) == [None] * 59 + [12]


def test_a_state_hash_waits_until_the_link_has_what_it_is_of(bench: HubBench) -> None:
    """A terminal that is behind could not compare; nor can one whose board nobody has summed up."""
    assert beaten(bench, 61) == [None] * 61
    bench.fire("look")
    bench.answer(bench.job("look"), Look({SITE.site_id: Head(5, EPOCH, 0, 13)}, ()))
    wanted = bench.job("page")
    assert beaten(bench, 1) == [None]
    bench.answer(wanted, Page(3, 5, entries(3, 2)))
    bench.drain()
    assert beaten(bench, 2) == [13, None]


def test_a_link_without_a_welcome_gets_no_heartbeat(bench: HubBench) -> None:
    """It does not know yet what the numbers mean."""
    bench.connect(2)
    bench.fire("beat")
    assert bench.frames(2) == []


def test_a_link_that_is_still_asked_about_gets_no_heartbeat(bench: HubBench) -> None:
    """Also when others look at its board already: nothing comes before the welcome."""
    bench.sign_in(2, greeting=hello("device-2", cursor=3))
    bench.fire("beat")
    assert len(bench.heard(1)) == 1
    assert bench.frames(2) == []


def test_a_link_that_loads_is_told_that_the_server_lives(bench: HubBench) -> None:
    """But not what the board it does not have yet sums up to."""
    bench.answer(
        bench.sign_in(2, greeting=hello("device-2")),
        Joined(EPOCH, 3, 0, 0, needs_snapshot=True, head_hash=11),
    )
    bench.fire("beat")
    assert bench.heard(2) == [Heartbeat(3, 0, bench.clock.wall, 1)]


def test_a_silent_link_is_closed(bench: HubBench) -> None:
    """After 15 s without a frame, whatever it is."""
    bench.clock.advance(15_000)
    bench.fire("beat")
    assert bench.refusals() == []
    bench.clock.advance(1)
    bench.fire("beat")
    assert bench.refusals() == [(1, 1001, "SILENT")]


def test_a_link_that_asks_and_does_not_read_is_closed(bench: HubBench) -> None:
    """Answers pile up to 1 MiB, not further; a link that reads may ask for ever."""
    answer = len(encode(Pong(1, 1, bench.clock.wall)))
    for _ in range(UNSENT_BYTES // answer + 2):
        bench.say(Ping(1, 1))
        assert bench.refusals() == []
        bench.drain()
    for _ in range(UNSENT_BYTES // answer + 1):
        bench.say(Ping(1, 1))
        assert bench.refusals() == []
    bench.say(Ping(1, 1))
    assert bench.refusals() == [(1, 1013, "TOO_SLOW")]


def test_a_link_that_takes_nothing_for_half_a_minute_is_closed(bench: HubBench) -> None:
    """It resumes from its cursor."""
    bench.submit(move(1))
    bench.answer(bench.job("commit"), committed(3, move(1)))
    bench.clock.advance(30_001)
    bench.say(Ping(1, 1))
    bench.fire("beat")
    assert bench.refusals() == [(1, 1013, "TOO_SLOW")]
    bench.fire("beat")
    assert bench.refusals() == []


def test_nobody_there_means_rest(bench: HubBench) -> None:
    """Without links there is no heartbeat and no look; the next link wakes the hub up."""
    bench.feed(Closed(1))
    bench.fire("beat")
    assert bench.effects == [CancelTimer("look")]
    bench.feed(Command(LookNow()))
    assert bench.effects == []
    bench.go_live(2, head=3)
    assert bench.timers() == {"beat": 5_000, "look": 500}


def test_a_look_can_be_asked_for(bench: HubBench) -> None:
    """Whoever wrote in this process need not wait for the next one."""
    bench.feed(Command(LookNow()))
    assert bench.has_job("look")


def test_a_look_asked_for_during_another_is_done_after_it(bench: HubBench) -> None:
    """The one under way may have read where the log stood before whoever asks wrote; twice is once."""
    bench.feed(Command(LookNow()))
    first = bench.job("look")
    for _ in range(2):
        bench.feed(Command(LookNow()))
        assert not bench.has_job("look")
    bench.answer(first, Look({}, ()))
    bench.answer(bench.job("look"), Look({}, ()))
    assert not bench.has_job("look")


def test_a_link_that_nobody_signed_in_on_does_not_stop_a_look(bench: HubBench) -> None:
    """Only who is signed in is asked about."""
    bench.connect(2)
    bench.fire("look")
    assert bench.job("look").arguments[1] == ("sign-in-1",)


def test_the_end_is_told_to_every_link(bench: HubBench) -> None:
    """Clients connect again by themselves."""
    bench.connect(2)
    bench.feed(Command(Stop()))
    assert bench.refusals() == [(1, 1001, "SERVER_STOPPING"), (2, 1001, "SERVER_STOPPING")]
