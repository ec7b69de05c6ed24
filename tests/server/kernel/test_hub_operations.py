"""The hub collects operations into batches, hands them to the store in order, and answers each link."""

from __future__ import annotations

import pytest

from server.kernel.connections import Noted
from server.kernel.records import Batch, Committed
from support.hub_bench import HubBench, committed, move, principal, verdict
from support.orders import make_order
from sync.contract.messages import Decided, Refused
from sync.contract.operations import (
    Acknowledge,
    Change,
    Create,
    Edit,
    Import,
    Operation,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Resolve,
    ShortLine,
    ShortPick,
    Skip,
    Tag,
    Unknown,
)
from sync.contract.orders import LineItem, OrderPatch
from sync.contract.steps import Closed, Drained, Job


@pytest.fixture
def bench() -> HubBench:
    """A hub with one live link."""
    bench = HubBench()
    bench.go_live()
    return bench


def batch_of(job: Job) -> list[Operation]:
    """Return the operations that a commit job carries."""
    (batch,) = job.arguments
    assert isinstance(batch, Batch)
    return [submission.operation for submission in batch.submissions]


def decided(bench: HubBench, link: int = 1) -> list[int]:
    """Return the numbers that a link was told to be decided last."""
    return [
        each.device_seq
        for message in bench.heard(link)
        if isinstance(message, Decided)
        for each in message.verdicts
    ]


def test_an_idle_board_commits_at_once(bench: HubBench) -> None:
    """Nobody waits for others who may not come."""
    bench.submit(move(1))
    assert batch_of(bench.job("commit")) == [move(1)]


def test_a_busy_board_commits_in_batches(bench: HubBench) -> None:
    """What comes during a commit goes together afterwards, 64 operations at most."""
    bench.submit(move(1))
    first = bench.job("commit")
    bench.submit(*(move(number) for number in range(2, 66)))
    bench.submit(move(66))
    bench.answer(first, committed(0, move(1)))
    second = bench.job("commit")
    assert batch_of(second) == [move(number) for number in range(2, 66)]
    bench.answer(second, committed(1, *(move(number) for number in range(2, 66))))
    assert batch_of(bench.job("commit")) == [move(66)]


def test_one_commit_at_a_time(bench: HubBench) -> None:
    """What arrives during a commit is the next batch; none starts beside it."""
    bench.submit(move(1))
    first = bench.job("commit")
    bench.submit(move(2))
    assert bench.effects == []
    bench.answer(first, committed(0, move(1)))
    assert decided(bench) == [1]
    second = bench.job("commit")
    assert batch_of(second) == [move(2)]
    bench.answer(second, committed(1, move(2)))
    assert decided(bench) == [2]


def test_every_link_gets_its_own_verdicts_in_its_order(bench: HubBench) -> None:
    """One batch may hold the operations of several links."""
    bench.go_live(2, device_id="device-2")
    bench.submit(move(1))
    first = bench.job("commit")
    bench.submit(move(2), move(3))
    bench.submit(move(1, "device-2"), link=2)
    bench.answer(first, committed(0, move(1)))
    bench.answer(bench.job("commit"), committed(1, move(2), move(3), move(1, "device-2")))
    assert decided(bench, 1) == [2, 3]
    assert decided(bench, 2) == [1]


def test_a_link_that_is_gone_gets_no_verdict_but_its_operations_are_decided(bench: HubBench) -> None:
    """The client hears of them when it comes back."""
    bench.go_live(2, device_id="device-2")
    bench.submit(move(1))
    first = bench.job("commit")
    bench.submit(move(2))
    bench.submit(move(1, "device-2"), link=2)
    bench.feed(Closed(1))
    bench.answer(first, committed(0, move(1)))
    bench.answer(bench.job("commit"), committed(1, move(2), move(1, "device-2")))
    assert bench.frames(1) == []
    assert decided(bench, 2) == [1]


def test_a_cloned_device_is_told_after_what_was_decided(bench: HubBench) -> None:
    """Verdicts first, then the refusal that makes the client take a new identity."""
    bench.submit(move(1), move(2))
    bench.answer(bench.job("commit"), Committed(0, 0, (), (verdict(move(1), 1), None)))
    decision, refused = bench.heard()
    assert isinstance(decision, Decided)
    assert isinstance(refused, Refused)
    assert refused.problem.code == "DEVICE_CLONED"
    assert any(isinstance(news, Noted) and news.what == "device_cloned" for news in bench.news())


def test_a_device_cloned_in_all_its_operations_hears_no_verdict(bench: HubBench) -> None:
    """An empty answer is not sent."""
    bench.submit(move(1))
    bench.answer(bench.job("commit"), Committed(0, 0, (), (None,)))
    assert bench.refusals() == [(1, 1008, "DEVICE_CLONED")]
    assert decided(bench) == []


def test_a_store_that_fails_closes_the_links_of_the_batch_and_goes_on(bench: HubBench) -> None:
    """Nothing was written; those clients send again. The others are not touched."""
    bench.go_live(2, device_id="device-2")
    bench.go_live(3, device_id="device-3")
    bench.submit(move(1))
    first = bench.job("commit")
    bench.submit(move(2))
    bench.submit(move(1, "device-3"), link=3)
    bench.answer(first, committed(0, move(1)))
    failing = bench.job("commit")
    bench.submit(move(1, "device-2"), link=2)
    bench.feed(Closed(3))
    bench.answer(failing, error="OperationalError: disk full")
    assert bench.refusals() == [(1, 1011, "SERVER_FAULT")]
    assert batch_of(bench.job("commit")) == [move(1, "device-2")]


@pytest.mark.parametrize(
    "operations",
    [
        [],
        [move(number) for number in range(1, 66)],
        [move(1, "another")],
        [move(0)],
        [move(1, order_id="")],
        [Operation("x" * 65, "order", move(1).change, "device-1", 1)],
        [Operation("x\0", "order", move(1).change, "device-1", 1)],
        [move(1, order_id="order\0")],
        [Operation("x", "order", Create(make_order(external_ref="A\0")), "device-1", 1)],
        [Operation("x", "order", Create(make_order(external_ref="A" * 201)), "device-1", 1)],
        [Operation("x", "order", Import(make_order(source="\0")), "device-1", 1)],
        [Operation("x", "order", Create(make_order(priority=1 << 31)), "device-1", 1)],
        [move(1 << 53)],
        [Operation("x", "order", Create(make_order(cut_off_ms=1 << 63)), "device-1", 1)],
        [
            Operation(
                "x", "order", Create(make_order(lines=(LineItem(1, "a", "b", -(1 << 70)),))), "device-1", 1
            )
        ],
    ],
)
def test_what_is_not_a_submit_closes_the_link(bench: HubBench, operations: list[Operation]) -> None:
    """Too few, too many, of another device, without number or usable ids, with numbers beyond all tables."""
    bench.submit(*operations)
    assert bench.refusals() == [(1, 1002, "PROTOCOL_ERROR")]


def changed(change: Change) -> Operation:
    """Return the first operation of the device, with this change."""
    return Operation("op", "order", change, "device-1", 1)


@pytest.mark.parametrize(
    "change",
    [
        Pick(1, 1_000_001),
        Pick(1, -1_000_001),
        Pick(1 << 31, 1),
        Pick(1, 1, "A" * 201),
        Pick(1, 1, "A\0"),
        ShortPick((ShortLine(1, 1),) * 1_001),
        ShortPick((ShortLine(1, -1),)),
        ShortPick((ShortLine(1, 1), ShortLine(2, 1_000_001))),
        Pack(-1),
        Pack(1_000_001),
        Prioritise(-1),
        Prioritise(4),
        Edit(OrderPatch(priority=1 << 31), OrderPatch()),
        Edit(OrderPatch(cut_off_ms=1 << 53), OrderPatch()),
        Tag(("x" * 101,)),
        Tag(("x",) * 50, ("y",) * 51),
        Acknowledge(""),
        Acknowledge("x" * 65),
        Resolve("x\0"),
        PutOnHold("other", until_ms=-(1 << 53)),
        Unknown("teleport"),
    ],
)
def test_a_change_beyond_every_hall_closes_the_link(bench: HubBench, change: Change) -> None:
    """No program of ours makes it, and some could not be stored."""
    bench.submit(changed(change))
    assert bench.refusals() == [(1, 1002, "PROTOCOL_ERROR")]


@pytest.mark.parametrize(
    "change",
    [
        Pick(1, -1_000_000, "A" * 200),
        ShortPick((ShortLine(1, 0), ShortLine(2, 1_000_000)), "damaged"),
        Pack(0),
        Prioritise(3),
        Edit(OrderPatch(number="7"), OrderPatch(number="8")),
        Edit(OrderPatch(priority=2), OrderPatch(priority=1)),
        Tag(("x" * 100,) * 50, ("y",) * 50),
        Resolve("x" * 64),
        Skip(),
    ],
)
def test_a_change_of_a_hall_is_handed_on(bench: HubBench, change: Change) -> None:
    """Whether it fits the order is for the contract to say."""
    bench.submit(changed(change))
    assert batch_of(bench.job("commit")) == [changed(change)]


def test_an_order_typed_in_is_handed_on(bench: HubBench) -> None:
    """With its lines and numbers as they are."""
    made = Operation("op", "order", Create(make_order()), "device-1", 1)
    bench.submit(made)
    assert batch_of(bench.job("commit")) == [made]


def test_more_than_the_window_closes_the_link(bench: HubBench) -> None:
    """256 operations may wait for an answer, not one more; answered ones count no longer."""
    bench.submit(*(move(number) for number in range(1, 65)))
    job = bench.job("commit")
    for first in (65, 129, 193):
        bench.submit(*(move(number) for number in range(first, first + 64)))
    bench.answer(job, committed(0, *(move(number) for number in range(1, 65))))
    bench.submit(*(move(number) for number in range(257, 321)))
    assert bench.refusals() == []
    bench.submit(move(321))
    assert bench.refusals() == [(1, 1008, "TOO_MANY_OPERATIONS")]


def test_sites_are_decided_apart(bench: HubBench) -> None:
    """Each board has its own batch and commit."""
    other = principal(site=principal().site.key._replace(site_id="site-2"), enrolment="other")
    bench.go_live(2, who=other, device_id="device-2")
    bench.submit(move(1))
    assert batch_of(bench.job("commit")) == [move(1)]
    bench.submit(move(1, "device-2"), link=2)
    assert batch_of(bench.job("commit")) == [move(1, "device-2")]
    bench.answer(bench.job("commit"), committed(0, move(1, "device-2")))
    bench.feed(Drained(1))
    assert bench.frames(1) == []


def test_a_store_that_forgets_a_verdict_is_found_out() -> None:
    """Otherwise its link would wait for an answer for ever."""
    bench = HubBench()
    bench.go_live()
    bench.submit(move(1), move(2))
    with pytest.raises(ValueError, match="shorter"):
        bench.answer(bench.job("commit"), committed(0, move(1)))
