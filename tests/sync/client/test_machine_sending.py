"""The client's machine and its operations: durable, sent in order, sent again, decided, done."""

from __future__ import annotations

import msgspec
import pytest

from support.machine_bench import (
    DEVICE,
    PERSON,
    MachineBench,
    cached,
    decided,
    delta,
    draft,
    numbered,
    verdict,
)
from sync.client.commands import GoOnline
from sync.client.news import (
    BoardChanged,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsSaved,
    OperationsSent,
    ProblemArose,
)
from sync.client.store_values import CacheState, Held, OutboxState
from sync.client.window import Window
from sync.contract.codec import encode
from sync.contract.limits import CLIENT_FRAME_BYTES, SUBMIT_OPERATIONS, SUBMIT_WINDOW
from sync.contract.messages import Decided, Hello, Refused, SnapshotBegin, SnapshotEnd, Submit
from sync.contract.operations import Pick, Prioritise, PutOnHold, Reason
from sync.contract.problems import Problem
from sync.contract.steps import Job


def submits(bench: MachineBench) -> list[list[str]]:
    """Return the op ids of every submit that was sent."""
    return [[each.op_id for each in said.operations] for said in bench.said() if isinstance(said, Submit)]


def held(*names: str, decided_seq: int = 0) -> tuple[Held, ...]:
    """Return operations as a restart finds them; decided at ``decided_seq`` and after, if given."""
    return tuple(
        Held(numbered(name, place), verdict(name, place, decided_seq + place - 1) if decided_seq else None)
        for place, name in enumerate(names, 1)
    )


def reconnect(bench: MachineBench, decided_device_seq: int = 0, epoch: str = "epoch-1") -> None:
    """Lose the link and come back to a server that has decided so much."""
    bench.lose()
    bench.fire("retry")
    bench.clear()
    bench.come_up()
    bench.welcome(epoch=epoch, decided_device_seq=decided_device_seq)


def test_offline_operations_are_saved_and_sent_with_the_welcome() -> None:
    """Saved without a server; sent only after its welcome, as one submit."""
    bench = MachineBench(cache=cached())
    bench.submit(draft("op-1"), draft("op-2", order=2))
    saved = bench.news(OperationsSaved)[0].operations
    assert [(each.op_id, each.device_seq) for each in saved] == [("op-1", 1), ("op-2", 2)]
    bench.connect()
    assert submits(bench) == []
    bench.welcome()
    assert submits(bench) == [["op-1", "op-2"]]
    assert bench.news(OperationsSent) == [OperationsSent(("op-1", "op-2"))]


def test_nothing_is_sent_before_it_is_durable() -> None:
    """The disk comes first."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.is_holding = True
    bench.submit(draft("op-1"))
    assert submits(bench) == []
    bench.let_go()
    assert submits(bench) == [["op-1"]]


def test_drafts_are_filled_with_who_and_when() -> None:
    """The person last welcomed, the clocks and the boot; what the caller gave stays."""
    bench = MachineBench(cache=cached()._replace(person=PERSON))
    given = msgspec.structs.replace(draft("op-2"), actor_id="eva", sign_in_id="s", wall_ms=5, mono_ms=6)
    bench.submit(draft("op-1"), given)
    first, second = bench.news(OperationsSaved)[0].operations
    assert (first.actor_id, first.sign_in_id) == (PERSON.id, PERSON.sign_in_id)
    assert (first.wall_ms, first.mono_ms, first.boot_id) == (bench.clock.wall, bench.clock.mono, "boot-1")
    assert (second.actor_id, second.sign_in_id, second.wall_ms, second.mono_ms) == ("eva", "s", 5, 6)


def test_an_unknown_person_leaves_the_actor_to_the_server() -> None:
    """A profile that has never been welcomed knows no name yet."""
    bench = MachineBench()
    bench.submit(draft("op-1"))
    assert bench.news(OperationsSaved)[0].operations[0].actor_id == ""


def test_a_failed_append_is_reported_and_not_sent() -> None:
    """A full disk: the operations are named as not saved, and a problem says what to do."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.errors["outbox.append"] = "OperationalError: database or disk is full"
    bench.submit(draft("op-1"), draft("op-2"))
    (failed,) = bench.news(OperationsNotSaved)
    assert failed.op_ids == ("op-1", "op-2")
    assert bench.news(ProblemArose) == [ProblemArose(failed.problem)]
    assert failed.problem.code == "NOT_SAVED"
    assert submits(bench) == []


def test_what_a_failing_disk_may_have_kept_is_not_called_gone_for_certain() -> None:
    """It may be in the log all the same; the next start finds it, and the person is told to look."""
    bench = MachineBench()
    bench.errors["outbox.append"] = "OperationalError: disk I/O error"
    bench.submit(draft("a"))
    (failed,) = bench.news(OperationsNotSaved)
    assert failed.problem.code == "NOT_SAVED"
    assert "after the next start" in failed.problem.what_to_do


def test_an_operation_that_could_never_be_sent_is_refused_at_once() -> None:
    """It would stop everything behind it for ever."""
    bench = MachineBench()
    long = msgspec.structs.replace(draft("op-1"), change=PutOnHold("other", "x" * CLIENT_FRAME_BYTES))
    bench.submit(long)
    assert bench.news(OperationsNotSaved)[0].problem.code == "OPERATION_TOO_LONG"
    assert bench.methods("outbox") == []


@pytest.mark.parametrize(
    "wrong",
    [{"change": Prioritise(9)}, {"change": Pick(1, 2_000_000)}, {"undoes": "\0"}, {"order_id": "x" * 65}],
)
def test_an_operation_that_the_server_never_takes_is_refused_at_once(wrong: dict[str, object]) -> None:
    """The server closes the link on it, so the next link would end on it as well, and so on."""
    bench = MachineBench()
    bench.submit(draft("op-0"), msgspec.structs.replace(draft("op-1"), **wrong))
    (failed,) = bench.news(OperationsNotSaved)
    assert (failed.op_ids, failed.problem.code) == (("op-0", "op-1"), "OPERATION_UNUSABLE")
    assert bench.methods("outbox") == []


def test_a_submit_holds_at_most_64_operations() -> None:
    """And what does not fit follows in the next."""
    bench = MachineBench(held=held(*map(str, range(70))), next_device_seq=71, cache=cached())
    bench.go_live()
    assert [len(batch) for batch in submits(bench)] == [SUBMIT_OPERATIONS, 6]


def test_at_most_256_operations_wait_for_an_answer() -> None:
    """Each verdict makes room for one more, in order."""
    names = [f"op-{place}" for place in range(1, 301)]
    bench = MachineBench(held=held(*names), next_device_seq=301, cache=cached())
    bench.go_live()
    assert sum(map(len, submits(bench))) == SUBMIT_WINDOW
    bench.clear()
    bench.hear(decided(verdict("op-1", 1, 1), verdict("op-2", 2, 2)))
    assert submits(bench) == [["op-257", "op-258"]]


def test_a_submit_fits_into_a_frame() -> None:
    """Long notes make short submits."""
    note = PutOnHold("other", "x" * 20_000)
    drafts = [msgspec.structs.replace(draft(f"op-{place}"), change=note) for place in range(7)]
    bench = MachineBench(cache=cached())
    bench.submit(*drafts)
    bench.go_live()
    assert [len(batch) for batch in submits(bench)] == [3, 3, 1]
    frames = [encode(said) for said in bench.said()]
    assert max(map(len, frames)) <= CLIENT_FRAME_BYTES


def test_verdicts_are_told_and_kept() -> None:
    """Also a rejection, with its reason, for the person who made the move."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    rejected = verdict("op-1", 1, 1, Reason.ALREADY_CLAIMED)
    bench.hear(decided(rejected))
    assert bench.news(OperationsDecided) == [OperationsDecided((rejected,))]
    job = next(each for each in bench.effects if isinstance(each, Job) and each.method == "decide")
    assert job.arguments == ((rejected,), bench.clock.wall)


def test_a_verdict_that_comes_twice_is_told_once() -> None:
    """The server answers again what it is asked again."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    for _ in range(2):
        bench.hear(decided(verdict("op-1", 1, 1), verdict("stranger", 1, 1)))
    assert len(bench.news(OperationsDecided)) == 1


def test_done_comes_also_when_the_page_was_faster_than_the_verdict() -> None:
    """Both are needed, in either order."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    bench.hear(delta(0, numbered("op-1", 1)))
    assert bench.news(OperationsDone) == []
    bench.hear(decided(verdict("op-1", 1, 1)))
    assert bench.news(OperationsDone) == [OperationsDone(("op-1",))]
    assert bench.methods("outbox") == ["kept", "append", "decide", "finish"]
    job = next(each for each in bench.effects if isinstance(each, Job) and each.method == "finish")
    assert job.arguments == (0, 1, "epoch-1")


def test_a_new_link_sends_everything_undecided_again() -> None:
    """Also what the server has decided already: it answers with the stored outcome."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"), draft("op-2"), draft("op-3"))
    bench.hear(decided(verdict("op-1", 1, 1)))
    reconnect(bench, decided_device_seq=2)
    assert submits(bench) == [["op-2", "op-3"]]


def test_nothing_is_sent_on_a_link_before_its_welcome() -> None:
    """Operations made while a link comes up wait for it."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.lose()
    bench.fire("retry")
    bench.clear()
    bench.submit(draft("op-1"))
    bench.come_up()
    assert submits(bench) == []
    bench.welcome()
    assert submits(bench) == [["op-1"]]


def test_decided_but_not_done_is_not_sent_again() -> None:
    """The page will come."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    bench.hear(decided(verdict("op-1", 1, 1)))
    reconnect(bench, decided_device_seq=1)
    assert submits(bench) == []
    bench.submit(draft("op-2"))
    assert submits(bench) == [["op-2"]]


def test_what_waited_on_the_last_link_does_not_count_on_the_next() -> None:
    """A decided operation whose page is late must not cost a link that came up a moment ago."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"))
    bench.hear(decided(verdict("op-1", 1, 1)))
    bench.lose()
    bench.clock.advance(60_000)
    bench.fire("retry")
    bench.come_up()
    bench.welcome(decided_device_seq=1)
    bench.clear()
    bench.fire("look")
    assert bench.closes() == []


def test_a_server_that_has_forgotten_a_verdict_is_sent_the_operation_again() -> None:
    """It came back from a backup under the same epoch: its word is the one that counts."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    bench.submit(draft("op-1"), draft("op-2"))
    bench.hear(decided(verdict("op-1", 1, 1), verdict("op-2", 2, 2)))
    reconnect(bench, decided_device_seq=1)
    assert submits(bench) == [["op-2"]]
    assert bench.outbox.reopened == [2]


@pytest.mark.parametrize("decided_device_seq", [0, 2])
def test_another_epoch_is_sent_everything_that_is_not_done(decided_device_seq: int) -> None:
    """Verdicts of another history say nothing; neither does a cursor of it make anything done."""
    bench = MachineBench(held=held("op-1", "op-2", decided_seq=498), next_device_seq=3, cache=cached(497))
    bench.connect()
    bench.welcome(epoch="epoch-2", head=9, decided_device_seq=decided_device_seq)
    assert submits(bench) == [["op-1", "op-2"]]
    assert bench.outbox.reopened == [1]
    bench.hear(decided(verdict("op-1", 1, 7)))
    assert bench.news(OperationsDone) == []


def test_what_a_crash_left_decided_and_shown_is_done_with_the_welcome() -> None:
    """Outbox and cache are two files: the one may be ahead of the other."""
    bench = MachineBench(held=held("op-1", decided_seq=5), next_device_seq=2, cache=cached(5))
    bench.go_live(head=5, decided_device_seq=1)
    assert bench.news(OperationsDone) == [OperationsDone(("op-1",))]
    assert submits(bench) == []


def test_a_gap_makes_a_new_link_that_declares_what_is_held() -> None:
    """The server misses numbers that nobody holds any more; hello says where this terminal starts."""
    bench = MachineBench(held=(Held(numbered("op-9", 9)),), next_device_seq=10, cache=cached())
    bench.go_live()
    bench.hear(Decided([verdict("op-9", 9, 0, Reason.DEVICE_SEQ_GAP)]))
    assert bench.closes()[0].reason == "gap"
    assert bench.news(OperationsDecided) == []
    assert bench.news(OperationsDone) == []
    bench.fire("retry")
    bench.clear()
    bench.come_up()
    hello = bench.said()[1]
    assert isinstance(hello, Hello)
    assert hello.next_device_seq == 9
    bench.welcome(decided_device_seq=8)
    assert submits(bench) == [["op-9"]]


def test_a_cloned_device_takes_a_new_identity_and_sends_everything_anew() -> None:
    """Same operations, new device, numbers from 1; connecting waits for the disk."""
    bench = MachineBench(held=(Held(numbered("op-9", 9)),), next_device_seq=10, cache=cached())
    bench.connect()
    bench.is_holding = True
    bench.hear(Refused(Problem("DEVICE_CLONED", "Somebody else goes by this identity.")))
    bench.fire("retry")
    assert bench.connects() == 1
    bench.let_go()
    assert bench.connects() == 2
    (renumbered,) = bench.news(OperationsRenumbered)
    assert [(each.op_id, each.device_seq) for each in renumbered.operations] == [("op-9", 1)]
    bench.clear()
    bench.come_up()
    hello = bench.said()[1]
    assert isinstance(hello, Hello)
    assert hello.device_id == renumbered.operations[0].device_id != "device-1"
    bench.welcome()
    assert submits(bench) == [["op-9"]]
    bench.hear(decided(verdict("op-9", 9, 3)))
    assert len(bench.news(OperationsDecided)) == 1


@pytest.mark.parametrize("method", ["decide", "finish", "renew_identity"])
def test_an_outbox_that_cannot_be_updated_is_a_problem(method: str) -> None:
    """Nothing is lost by it, and it is not silent."""
    bench = MachineBench(cache=cached())
    bench.errors[f"outbox.{method}"] = "OperationalError: disk I/O error"
    bench.go_live()
    bench.submit(draft("op-1"))
    bench.hear(decided(verdict("op-1", 1, 1)))
    bench.hear(delta(0, numbered("op-1", 1)))
    bench.hear(Refused(Problem("DEVICE_CLONED", "No.")))
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["OUTBOX_NOT_WRITTEN"]


def test_a_draft_given_twice_is_held_once() -> None:
    """The outbox answers with the first number; the window knows it."""
    bench = MachineBench(held=held("op-1"), next_device_seq=2, cache=cached())
    bench.results["outbox.append"] = (numbered("op-1", 1),)
    bench.submit(draft("op-1"))
    bench.go_live()
    assert submits(bench) == [["op-1"]]


def test_a_window_without_a_link_sends_nothing() -> None:
    """Its next number is the one after the last."""
    window = Window(OutboxState("device-1", 4))
    assert window.next_batch(0) == []
    assert window.next_to_send == window.first_device_seq == 4
    assert len(window) == 0
    assert window.oldest_sent_ms() is None


def test_operations_made_during_the_first_connection_go_out_in_order() -> None:
    """Whatever the moment, numbers leave ascending and dense."""
    bench = MachineBench(cache=cached())
    bench.submit(draft("op-1"))
    bench.command(GoOnline("token"))
    bench.submit(draft("op-2"))
    bench.come_up()
    bench.submit(draft("op-3"))
    bench.welcome()
    bench.submit(draft("op-4"))
    assert submits(bench) == [["op-1", "op-2", "op-3"], ["op-4"]]


def test_what_the_board_has_by_a_former_identity_is_not_shown_twice() -> None:
    """Sent before the renewal, and in a page before or after it, while its verdict is still to come."""
    at = CacheState("epoch-1", 1, device_id=DEVICE, decided_device_seq=1)
    bench = MachineBench(held=held("op-1", "op-2"), next_device_seq=3, cache=at)
    bench.connect()
    bench.hear(Refused(Problem("DEVICE_CLONED", "Somebody else goes by this name.")))
    (renumbered,) = bench.news(OperationsRenumbered)
    assert [each.device_id for each in renumbered.operations] == [bench.outbox.device_id] * 2
    assert renumbered.contained == ("op-1",)
    bench.fire("retry")
    bench.come_up()
    bench.welcome(head=1)
    bench.is_holding = True
    bench.hear(delta(1, numbered("op-2", 2)))
    bench.hear(delta(2, numbered("op-9", 9)))
    bench.let_go()
    assert [each.op_ids for each in bench.news(BoardChanged)] == [("op-2",), ()]


def test_another_identitys_board_contains_nothing_by_its_numbers() -> None:
    """The cache may be that of an identity before this one, or not readable."""
    at = CacheState("epoch-1", 1, device_id="before", decided_device_seq=9)
    for result in (at, None):
        bench = MachineBench(held=held("op-1"), next_device_seq=2, cache=cached(1))
        bench.connect()
        bench.results["cache.state"] = result
        bench.hear(Refused(Problem("DEVICE_CLONED", "Somebody else goes by this name.")))
        assert [each.contained for each in bench.news(OperationsRenumbered)] == [()]


def test_a_whole_board_ends_the_wait_for_pages_of_a_former_identity() -> None:
    """What was on its way is in it."""
    bench = MachineBench(held=held("op-1"), next_device_seq=2, cache=cached(1))
    bench.go_live(head=1)
    other = msgspec.structs.replace(numbered("op-1", 4), device_id="before")
    bench.is_holding = True
    bench.hear(delta(1, other))
    bench.hear(SnapshotBegin("epoch-1", 5, 0, 0, 0, 0))
    bench.hear(SnapshotEnd(5))
    bench.held_jobs = [job for job in bench.held_jobs if job.method != "apply_delta"]
    bench.let_go()
    bench.hear(delta(5, numbered("op-9", 9)))
    assert [each.op_ids for each in bench.news(BoardChanged)] == [()]
