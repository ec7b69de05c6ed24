"""One operation that cannot be decided holds up its own device, and nobody else."""

from __future__ import annotations

import pytest

from server.kernel.connections import Noted
from server.kernel.records import Batch, Committed
from support.hub_bench import HubBench, committed, move
from sync.contract.messages import Decided, Faulted, ServerMessage, Verdict
from sync.contract.operations import Operation, Outcome, Reason
from sync.contract.steps import Closed, Job

FAULT = "OperationFaultError: IntegrityError: a constraint\nand its parameters"
AWAY = "OperationalError: the database is locked"


@pytest.fixture
def bench() -> HubBench:
    """A hub with live links of two devices, and a commit under way that gathers what comes."""
    bench = HubBench()
    bench.go_live(1)
    bench.go_live(2, device_id="device-2")
    return bench


def operations_of(job: Job) -> list[Operation]:
    """Return what a commit decides."""
    (batch,) = job.arguments
    assert isinstance(batch, Batch)
    return [submission.operation for submission in batch.submissions]


def gathered(bench: HubBench) -> Job:
    """Return the commit of a batch of three: two operations of one device around one of another."""
    bench.submit(move(1))
    first = bench.job("commit")
    bench.submit(move(2))
    bench.submit(move(1, "device-2"), link=2)
    bench.submit(move(3))
    bench.answer(first, committed(0, move(1)))
    return bench.job("commit")


def told(bench: HubBench, link: int) -> list[ServerMessage]:
    """Return what a link was told of its operations."""
    return [message for message in bench.heard(link) if isinstance(message, Decided | Faulted)]


def test_a_batch_that_fails_is_tried_one_by_one(bench: HubBench) -> None:
    """In its order; who is not at fault is answered, and what came meanwhile follows as a batch."""
    bench.answer(gathered(bench), error=FAULT)
    assert bench.refusals() == []
    bench.submit(move(4))
    bench.submit(move(5))
    assert not bench.has_job("commit")
    bench.answer_last_commit(error=FAULT)
    assert told(bench, 1) == [Faulted(2, "op-device-1-2")]
    assert told(bench, 2) == []
    second = bench.job("commit")
    assert operations_of(second) == [move(1, "device-2")]
    bench.answer(second, committed(1, move(1, "device-2")))
    assert len(told(bench, 2)) == 1
    third = bench.job("commit")
    assert operations_of(third) == [move(3)]
    gap = Verdict(3, "op-device-1-3", 0, Outcome.REJECTED, Reason.DEVICE_SEQ_GAP)
    bench.answer(third, Committed(2, 2, (), (gap,)))
    assert told(bench, 1) == [Decided([gap])]
    assert operations_of(bench.job("commit")) == [move(4), move(5)]


def test_a_fault_of_one_is_told_at_once(bench: HubBench) -> None:
    """It is noted, with what the database said in one line, and the link stays."""
    bench.submit(move(1))
    bench.answer(bench.job("commit"), error=FAULT)
    assert told(bench, 1) == [Faulted(1, "op-device-1-1")]
    assert bench.refusals() == []
    assert not bench.has_job("commit")
    assert bench.news() == [
        Noted(
            "operation_failed",
            (
                ("device_id", "device-1"),
                ("op_id", "op-device-1-1"),
                ("error", "OperationFaultError: IntegrityError: a constraint"),
            ),
            is_warning=True,
        )
    ]


def test_a_faulted_operation_waits_no_longer(bench: HubBench) -> None:
    """It is answered: the window of the link is whole again."""
    for _ in range(300):
        bench.submit(move(1))
        bench.answer(bench.job("commit"), error=FAULT)
        bench.clock.advance(20)
    assert bench.refusals() == []


def test_a_fault_of_a_link_that_is_gone_is_told_to_nobody(bench: HubBench) -> None:
    """Its client sends the operation again when it is back."""
    bench.submit(move(1))
    job = bench.job("commit")
    bench.feed(Closed(1))
    bench.answer(job, error=FAULT)
    assert bench.frames(1) == []


def test_a_database_that_goes_away_meanwhile_is_everybodys(bench: HubBench) -> None:
    """Nothing is tried one by one any more, and the links of what was asked are closed."""
    bench.answer(gathered(bench), error=FAULT)
    bench.answer_last_commit(error=AWAY)
    assert bench.refusals() == [(1, 1011, "SERVER_FAULT")]
    assert operations_of(bench.job("commit")) == [move(1, "device-2"), move(3)]


def test_a_batch_of_two_that_fails_is_tried_one_by_one(bench: HubBench) -> None:
    """The second of them is as little at fault as the third of three."""
    bench.submit(move(1), move(2))
    bench.answer(bench.job("commit"), error=FAULT)
    assert told(bench, 1) == []
    alone = bench.job("commit")
    assert operations_of(alone) == [move(1)]
    bench.answer(alone, committed(0, move(1)))
    assert operations_of(bench.job("commit")) == [move(2)]
