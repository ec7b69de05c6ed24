"""A device that hands in too much is not refused: what is beyond its burst waits in the connection."""

from __future__ import annotations

import pytest

from server.kernel.connections import Stop
from server.kernel.records import Batch
from support.hub_bench import HubBench, committed, move
from sync.contract.operations import Operation
from sync.contract.steps import CancelTimer, Closed, Command, Job

PER_SUBMIT = 64


@pytest.fixture
def bench() -> HubBench:
    """A hub with one live link."""
    bench = HubBench()
    bench.go_live()
    return bench


def taken(bench: HubBench) -> list[int]:
    """Answer commits until nothing waits, and return the numbers that came in, in their order."""
    numbers: list[int] = []
    while bench.has_job("commit"):
        job = bench.job("commit")
        operations = operations_of(job)
        bench.answer(job, committed(len(numbers), *operations))
        numbers += [operation.device_seq for operation in operations]
    return numbers


def operations_of(job: Job) -> list[Operation]:
    """Return what a commit decides."""
    (batch,) = job.arguments
    assert isinstance(batch, Batch)
    return [submission.operation for submission in batch.submissions]


def hand_in(bench: HubBench, count: int, link: int = 1, first: int = 1) -> list[int]:
    """Hand operations in and return the numbers that were decided at once."""
    numbers: list[int] = []
    for start in range(first, first + count, PER_SUBMIT):
        end = min(start + PER_SUBMIT, first + count)
        bench.submit(*(move(number) for number in range(start, end)), link=link)
        numbers += taken(bench)
    return numbers


def test_beyond_the_burst_operations_wait_for_a_timer(bench: HubBench) -> None:
    """200 at once, then 5 every 100 ms, in their order and without a refusal."""
    assert hand_in(bench, 192) == list(range(1, 193))
    bench.submit(*(move(number) for number in range(193, 213)))
    assert bench.timers() == {"pace:1": 100}
    assert taken(bench) == list(range(193, 201))
    bench.clock.advance(100)
    bench.fire("pace:1")
    assert bench.timers() == {"pace:1": 100}
    assert taken(bench) == [201, 202, 203, 204, 205]
    bench.clock.advance(1_000)
    bench.fire("pace:1")
    assert bench.timers() == {}
    assert taken(bench) == [206, 207, 208, 209, 210, 211, 212]
    assert bench.refusals() == []


def test_what_waits_goes_before_what_comes(bench: HubBench) -> None:
    """A submit that arrives meanwhile queues behind."""
    hand_in(bench, 192)
    bench.submit(*(move(number) for number in range(193, 203)))
    taken(bench)
    bench.clock.advance(40)
    bench.submit(move(203))
    assert taken(bench) == [201, 202]
    bench.clock.advance(100)
    bench.fire("pace:1")
    assert taken(bench) == [203]


def test_waiting_operations_count_to_the_window(bench: HubBench) -> None:
    """Not more than 256 without an answer, so a link cannot fill the memory."""
    hand_in(bench, 192)
    bench.submit(*(move(number) for number in range(193, 257)))
    taken(bench)
    for start in (257, 321, 385):
        bench.submit(*(move(number) for number in range(start, start + PER_SUBMIT)))
        assert bench.refusals() == []
    bench.submit(*(move(number) for number in range(449, 458)))
    assert bench.refusals() == [(1, 1008, "TOO_MANY_OPERATIONS")]


def test_a_burst_is_the_devices_not_the_links(bench: HubBench) -> None:
    """A second link of the same device does not help."""
    bench.go_live(2)
    assert len(hand_in(bench, 200)) == 200
    assert hand_in(bench, 10, link=2) == []
    bench.go_live(3, device_id="device-2")
    bench.submit(move(1, "device-2"), link=3)
    assert bench.has_job("commit")


def test_what_waits_on_a_link_goes_with_it(bench: HubBench) -> None:
    """Its client has it and sends it again."""
    hand_in(bench, 200)
    bench.submit(move(201))
    assert not bench.has_job("commit")
    bench.feed(Closed(1))
    assert CancelTimer("pace:1") in bench.effects
    bench.clock.advance(1_000)
    bench.fire("pace:1")
    assert bench.effects == []


def test_what_waits_on_a_refused_link_is_not_decided(bench: HubBench) -> None:
    """The timer may fire before the socket is gone."""
    hand_in(bench, 200)
    bench.submit(move(201))
    bench.feed(Command(Stop()))
    bench.clock.advance(1_000)
    bench.fire("pace:1")
    assert bench.effects == []


def test_a_busy_board_takes_what_waited_into_its_next_batch(bench: HubBench) -> None:
    """A timer that fires during a commit starts none beside it."""
    hand_in(bench, 199)
    bench.submit(move(200), move(201))
    job = bench.job("commit")
    bench.clock.advance(100)
    bench.fire("pace:1")
    assert bench.effects == []
    bench.answer(job, committed(199, move(200)))
    assert operations_of(bench.job("commit")) == [move(201)]


def test_a_device_that_comes_again_finds_its_pace_remembered(bench: HubBench) -> None:
    """Heartbeats forget only devices that have rested."""
    hand_in(bench, 200)
    bench.feed(Closed(1))
    bench.fire("beat")
    bench.go_live(2)
    assert hand_in(bench, 10, link=2) == []
