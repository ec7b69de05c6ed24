"""The client's machine and what the server fails on or does not know: set aside, told, answered."""

from __future__ import annotations

import msgspec
import pytest

from support.machine_bench import (
    DEVICE,
    PERSON,
    MachineBench,
    cached,
    decided,
    draft,
    numbered,
    verdict,
)
from support.orders import make_order
from sync.client.commands import Acknowledge, RetryQuarantined, SubmitDrafts
from sync.client.environment import KINDS_SINCE
from sync.client.needs_you import NeedsYou, NeedsYouChange, NeedsYouKind
from sync.client.news import (
    BatchDecided,
    BatchOutcome,
    NeedsYouChanged,
    OperationFaulted,
    OperationsNotSaved,
    OperationsSaved,
    ProblemArose,
)
from sync.client.quarantine import AGAIN, MOST_FAULTS
from sync.client.store_values import Held, OutboxState
from sync.client.window import Window
from sync.contract.messages import Decided, Delta, Faulted, Submit
from sync.contract.operations import Acknowledge as Acknowledged
from sync.contract.operations import (
    Assign,
    Edit,
    LogEntry,
    Move,
    Operation,
    Outcome,
    PutOnHold,
    Reason,
    Skip,
    Source,
    Unknown,
)
from sync.contract.orders import OrderPatch, lines_crc
from sync.contract.problems import Problem
from sync.contract.stages import Stage


def submits(bench: MachineBench) -> list[list[str]]:
    """Return the op ids of every submit that was sent."""
    return [[each.op_id for each in said.operations] for said in bench.said() if isinstance(said, Submit)]


def live(*names: str) -> MachineBench:
    """Return a live machine that has sent these operations."""
    bench = MachineBench(cache=cached())
    bench.go_live()
    if names:
        bench.submit(*(draft(name) for name in names))
    bench.clear()
    return bench


def fault(bench: MachineBench, name: str, device_seq: int) -> None:
    """Let the server fail on an operation."""
    bench.hear(Faulted(device_seq, name))


def gap(name: str, device_seq: int) -> Decided:
    """Return the answer to an operation behind one that is missing."""
    return Decided([verdict(name, device_seq, 0, Reason.DEVICE_SEQ_GAP)])


# ---------------------------------------------------------------------- faults of the server


def test_a_faulted_operation_is_sent_again_alone_after_a_while() -> None:
    """What is behind it is not looked at, so nothing of it goes until the first is decided."""
    bench = live("op-1", "op-2", "op-3")
    bench.hear(decided(verdict("op-1", 1, 1)))
    fault(bench, "op-2", 2)
    bench.submit(draft("op-4"))
    assert bench.news(OperationFaulted) == [OperationFaulted("op-2", 1)]
    assert submits(bench) == []
    bench.fire(AGAIN)
    assert submits(bench) == [["op-2"]]
    bench.hear(decided(verdict("op-2", 2, 2)))
    assert submits(bench) == [["op-2"], ["op-3", "op-4"]]
    assert bench.closes() == []


def test_a_gap_behind_a_fault_does_not_cost_the_link() -> None:
    """The server misses what it failed on; everything behind it is sent again by itself."""
    bench = live("op-1", "op-2")
    fault(bench, "op-1", 1)
    bench.hear(gap("op-1", 1))
    bench.hear(gap("op-2", 2))
    bench.fire(AGAIN)
    bench.hear(gap("op-2", 2))
    assert bench.closes() == []
    assert submits(bench) == [["op-1"]]


def test_the_waits_grow() -> None:
    """A server in trouble is not hammered."""
    bench = live("op-1")
    waits = []
    for _ in range(MOST_FAULTS - 1):
        before = bench.clock.mono
        fault(bench, "op-1", 1)
        waits.append(bench.timers[AGAIN] - before)
        bench.fire(AGAIN)
    assert waits == [125, 250, 500, 1_000]


def test_after_five_faults_it_waits_for_a_person_and_the_others_flow() -> None:
    """A skip goes in its place; the person is told once the disk has both."""
    bench = live("op-1", "op-2")
    for _ in range(MOST_FAULTS - 1):
        fault(bench, "op-1", 1)
        bench.fire(AGAIN)
    bench.clear()
    bench.is_holding = True
    fault(bench, "op-1", 1)
    bench.submit(draft("op-3"))
    assert submits(bench) == []
    assert bench.news(NeedsYouChanged) == []
    bench.let_go()
    (change,) = bench.news(NeedsYouChanged)
    assert [(entry.id, entry.kind) for entry in change.entries] == [("op-1", "quarantined")]
    (submit,) = (said for said in bench.said() if isinstance(said, Submit))
    assert submit.operations == [msgspec.structs.replace(bench.outbox.held[0].operation, change=Skip())]
    bench.hear(decided(verdict("op-1", 1, 1, Reason.QUARANTINED)))
    assert submits(bench) == [["op-1"], ["op-2", "op-3"]]
    assert bench.closes() == []


def test_a_skip_that_the_server_fails_on_is_only_sent_again() -> None:
    """There is nothing left to set aside."""
    skip = msgspec.structs.replace(numbered("op-1", 1), change=Skip())
    bench = MachineBench(held=(Held(skip),), next_device_seq=2, cache=cached())
    bench.go_live()
    for _ in range(MOST_FAULTS + 2):
        fault(bench, "op-1", 1)
        bench.fire(AGAIN)
    assert "quarantine" not in bench.methods("outbox")
    assert len(submits(bench)) == MOST_FAULTS + 3


def test_a_disk_that_fails_to_set_aside_is_tried_again() -> None:
    """Said, and nothing is lost: the operation is still the one that is sent."""
    bench = live("op-1")
    bench.errors["outbox.quarantine"] = "OperationalError: disk I/O error"
    for _ in range(MOST_FAULTS):
        fault(bench, "op-1", 1)
        bench.fire(AGAIN)
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["OUTBOX_NOT_WRITTEN"]
    bench.errors.clear()
    fault(bench, "op-1", 1)
    assert len(bench.news(NeedsYouChanged)) == 1


def test_what_the_file_holds_as_decided_is_reopened_before_it_is_set_aside() -> None:
    """Giving up its verdict could not be written when the server's history became another one."""
    bench = live("op-1")
    bench.results["outbox.quarantine"] = None
    for _ in range(MOST_FAULTS):
        fault(bench, "op-1", 1)
        bench.fire(AGAIN)
    assert bench.outbox.reopened == [1]
    del bench.results["outbox.quarantine"]
    fault(bench, "op-1", 1)
    assert len(bench.news(NeedsYouChanged)) == 1


def test_a_fault_on_what_is_not_under_way_is_nothing() -> None:
    """A stranger's, or one that has its verdict."""
    bench = live("op-1")
    bench.hear(decided(verdict("op-1", 1, 1)))
    fault(bench, "op-1", 1)
    fault(bench, "stranger", 7)
    assert bench.news(OperationFaulted) == []


def test_what_is_before_the_faulted_one_is_still_under_way() -> None:
    """Its answer may come yet; it is not sent twice."""
    bench = live("op-1", "op-2", "op-3")
    fault(bench, "op-2", 2)
    bench.fire(AGAIN)
    bench.hear(decided(verdict("op-1", 1, 1), verdict("op-2", 2, 2)))
    assert submits(bench) == [["op-2"], ["op-3"]]


def test_a_skip_for_what_is_decided_or_gone_changes_nothing() -> None:
    """The window holds what it held."""
    told = verdict("op-1", 1, 1)
    window = Window(OutboxState(DEVICE, 3, (Held(numbered("op-1", 1), told), Held(numbered("op-2", 2)))))
    for place in (1, 9):
        window.exchange(msgspec.structs.replace(numbered("op-1", place), change=Skip()))
    assert window.operations() == (numbered("op-1", 1), numbered("op-2", 2))


def test_a_new_link_does_not_wait_for_the_last_ones_fault() -> None:
    """Everything undecided goes out with the welcome; the count goes on."""
    bench = live("op-1", "op-2")
    for _ in range(2):
        fault(bench, "op-1", 1)
        bench.fire(AGAIN)
    fault(bench, "op-1", 1)
    bench.lose()
    bench.fire("retry")
    assert bench.clock.mono < bench.timers[AGAIN]
    bench.clear()
    bench.come_up()
    bench.welcome()
    assert submits(bench) == [["op-1", "op-2"]]
    fault(bench, "op-1", 1)
    assert bench.news(OperationFaulted) == [OperationFaulted("op-1", 4)]


def test_the_wait_ends_without_a_link_too() -> None:
    """The timer may fire when nothing is connected."""
    bench = live("op-1")
    fault(bench, "op-1", 1)
    bench.lose()
    bench.fire(AGAIN)
    assert submits(bench) == []


# ---------------------------------------------------------------------- a server that is too old


def test_what_the_server_does_not_know_waits_for_an_upgrade() -> None:
    """What is before it goes first, a skip in its place, what is behind it after that."""
    later = {**KINDS_SINCE, "hold": 3}
    bench = MachineBench(cache=cached(), kinds_since=later, protocols=(2, 3))
    hold = msgspec.structs.replace(draft("op-2"), change=PutOnHold("other"))
    bench.submit(draft("op-1"), hold, draft("op-3"))
    bench.go_live()
    assert submits(bench) == [["op-1"], ["op-2", "op-3"]]
    (change,) = bench.news(NeedsYouChanged)
    assert [(entry.id, entry.kind) for entry in change.entries] == [("op-2", "upgrade")]
    hello = bench.said()[1]
    assert (getattr(hello, "protocol_min", 0), getattr(hello, "protocol_max", 0)) == (2, 3)


def test_an_outbox_with_nothing_to_set_aside_is_not_asked_again_and_again() -> None:
    """It knows better what is decided; after a while it is asked once more."""
    bench = MachineBench(cache=cached(), kinds_since={"move": 9})
    bench.results["outbox.quarantine"] = None
    bench.submit(draft("op-1"))
    bench.go_live()
    assert bench.methods("outbox").count("quarantine") == 1
    bench.fire(AGAIN)
    assert bench.methods("outbox").count("quarantine") == 2


def test_a_kind_that_is_in_no_table_is_not_sent() -> None:
    """Since when a server knows it, nobody can say."""
    bench = MachineBench(cache=cached(), kinds_since={})
    bench.submit(draft("op-1"))
    bench.go_live()
    assert [entry.kind for entry in bench.news(NeedsYouChanged)[0].entries] == ["upgrade"]


def test_operations_of_later_releases_are_said_once() -> None:
    """Their effects are shown; that they have no name here is worth a word."""
    bench = live()
    unknown = Operation("op-9", "order-1", Unknown("teleport"))
    for seq in (1, 2):
        bench.hear(Delta(seq - 1, seq, [LogEntry(seq, unknown, Outcome.APPLIED, 0)]))
    assert [news.problem.code for news in bench.news(ProblemArose)] == ["UPGRADE_RECOMMENDED"]


# ---------------------------------------------------------------------- what waits for a person


ENTRY = NeedsYou("op-1", NeedsYouKind.QUARANTINED, 5, numbered("op-1", 1))


def waiting(*entries: NeedsYou) -> MachineBench:
    """Return a machine that was started with these entries."""
    return MachineBench(next_device_seq=2, cache=cached()._replace(person=PERSON), needs_you=entries)


def test_a_refusal_is_told_when_the_disk_has_it() -> None:
    """The verdict at once, the entry when it cannot be lost any more."""
    bench = live("op-1")
    bench.is_holding = True
    bench.hear(decided(verdict("op-1", 1, 1, Reason.ALREADY_CLAIMED)))
    assert bench.news(NeedsYouChanged) == []
    bench.let_go()
    (change,) = bench.news(NeedsYouChanged)
    assert [(entry.id, entry.kind) for entry in change.entries] == [("op-1", "rejected")]


def test_what_was_refused_just_now_can_be_answered() -> None:
    """Not only what the last run of the program left."""
    bench = live("op-1")
    bench.hear(decided(verdict("op-1", 1, 1, Reason.ALREADY_CLAIMED)))
    bench.command(Acknowledge("op-1"))
    assert bench.news(NeedsYouChanged)[-1] == NeedsYouChanged(removed=("op-1",))


def test_an_acknowledged_entry_goes_as_the_server_is_told() -> None:
    """An operation of its own, from whoever is signed in now."""
    bench = waiting(ENTRY)
    bench.command(Acknowledge("op-1"))
    (saved,) = bench.news(OperationsSaved)
    (told,) = saved.operations
    assert (told.change, told.order_id, told.source) == (Acknowledged("op-1"), "order-1", Source.MENU)
    assert (told.device_seq, told.actor_id) == (2, PERSON.id)
    assert bench.news(NeedsYouChanged) == [NeedsYouChanged(removed=("op-1",))]
    bench.clear()
    bench.command(Acknowledge("op-1"))
    assert bench.effects == []


def test_a_salvage_is_seen_without_telling_anybody() -> None:
    """It is this computer's own affair."""
    bench = waiting(NeedsYou("salvage-1", NeedsYouKind.SALVAGED, problem=Problem("OUTBOX_SALVAGED", "…")))
    bench.command(Acknowledge("salvage-1"))
    bench.command(RetryQuarantined("salvage-2"))
    assert bench.news(OperationsSaved) == []
    assert bench.news(NeedsYouChanged) == [NeedsYouChanged(removed=("salvage-1",))]


def test_a_retry_is_a_new_operation_of_whoever_asks_for_it() -> None:
    """Same order and change, its own id and time, and it says what it repeats."""
    old = msgspec.structs.replace(
        ENTRY.operation or draft("op-1"),
        actor_id="somebody",
        batch_id="batch-1",
        wall_ms=3,
        mono_ms=3,
        boot_id="old",
    )
    bench = waiting(msgspec.structs.replace(ENTRY, operation=old))
    bench.command(RetryQuarantined("op-1"))
    (again,) = bench.news(OperationsSaved)[0].operations
    assert again.op_id != "op-1"
    assert (again.retry_of, again.change, again.order_id) == ("op-1", old.change, old.order_id)
    assert (again.actor_id, again.batch_id, again.boot_id) == (PERSON.id, "", "boot-1")
    assert (again.device_id, again.device_seq) == (DEVICE, 2)
    assert (again.wall_ms, again.mono_ms) == (bench.clock.wall, bench.clock.mono)


def test_a_retry_is_based_on_the_order_as_it_is_shown_now() -> None:
    """With this terminal's own moves on top; the first try's bases would be refused again."""
    entry = msgspec.structs.replace(
        ENTRY,
        operation=msgspec.structs.replace(
            draft("op-1"),
            change=Move(Stage.PICKED),
            base_stage=Stage.CONFIRMED,
            base_revision=1,
            base_lines=1,
        ),
    )
    bench = waiting(entry)
    free = make_order(1, id="order-1", stage=Stage.CONFIRMED, claimed_by=None, hold=None, cancelled_ms=None)
    order = bench.cache.orders["order-1"] = free
    bench.submit(draft("mine"), msgspec.structs.replace(draft("no"), change=Move(Stage.SHIPPED)))
    bench.hear(decided(verdict("no", 3, 1, Reason.FORBIDDEN)))
    bench.clear()
    bench.command(RetryQuarantined("op-1"))
    (again,) = bench.news(OperationsSaved)[0].operations
    bases = (again.base_stage, again.base_revision, again.base_lines)
    assert bases == (Stage.PICKING, order.revision + 1, lines_crc(order))


def test_a_retry_before_anybody_has_signed_in_is_based_on_nothing() -> None:
    """What their own moves make of the order is not known yet; the server says whether it still fits."""
    bench = MachineBench(next_device_seq=2, cache=cached(), needs_you=(ENTRY,))
    bench.cache.orders["order-1"] = make_order(1, id="order-1", stage=Stage.CONFIRMED)
    bench.command(RetryQuarantined("op-1"))
    (again,) = bench.news(OperationsSaved)[0].operations
    assert (again.base_stage, again.base_revision, again.actor_id) == (None, 0, "")


def test_a_retry_of_somebody_whose_role_a_later_release_made() -> None:
    """What they may do is the server's to say; the program goes on."""
    person = msgspec.structs.replace(PERSON, role="night shift")
    bench = MachineBench(next_device_seq=2, cache=cached()._replace(person=person), needs_you=(ENTRY,))
    bench.cache.orders["order-1"] = make_order(1, id="order-1", stage=Stage.CONFIRMED)
    bench.command(RetryQuarantined("op-1"))
    (again,) = bench.news(OperationsSaved)[0].operations
    assert (again.base_stage, again.actor_id) == (None, PERSON.id)


def test_a_retry_that_could_never_be_sent_is_not_kept() -> None:
    """What the order holds now is part of it: one that no frame takes would close every link from then on."""
    change = Edit(OrderPatch(note="n" * 40_000), OrderPatch(note=""))
    entry = msgspec.structs.replace(ENTRY, operation=msgspec.structs.replace(draft("op-1"), change=change))
    bench = waiting(entry)
    bench.cache.orders["order-1"] = make_order(1, id="order-1", note="o" * 40_000)
    bench.clear()
    bench.command(RetryQuarantined("op-1"))
    (failed,) = bench.news(OperationsNotSaved)
    assert failed.problem.code == "OPERATION_TOO_LONG"
    assert bench.news(NeedsYouChanged) == []
    assert "answer" not in bench.methods("outbox")
    bench.cache.orders["order-1"] = make_order(1, id="order-1", note="o")
    bench.command(RetryQuarantined("op-1"))
    assert len(bench.news(OperationsSaved)) == 1


def test_an_answer_that_the_disk_does_not_take_leaves_the_entry() -> None:
    """And says so."""
    bench = waiting(ENTRY)
    bench.errors["outbox.answer"] = "OperationalError: database or disk is full"
    bench.command(RetryQuarantined("op-1"))
    (failed,) = bench.news(OperationsNotSaved)
    assert failed.problem.code == "NOT_SAVED"
    assert bench.news(NeedsYouChanged) == []
    bench.errors.clear()
    bench.command(RetryQuarantined("op-1"))
    assert len(bench.news(OperationsSaved)) == 1


def test_somebody_elses_assignment_is_looked_at() -> None:
    """The outbox knows whom this terminal assigned; other operations are none of its business."""
    bench = live()
    other = msgspec.structs.replace(draft("op-9"), change=Assign("ali", "Ali"), device_id="elsewhere")
    page = [LogEntry(1, other, Outcome.MERGED, 0), LogEntry(2, draft("op-8"), Outcome.APPLIED, 0)]
    bench.hear(Delta(0, 2, page))
    (change,) = bench.news(NeedsYouChanged)
    assert [entry.id for entry in change.entries] == ["op-9"]
    bench.results["outbox.assigns"] = NeedsYouChange()
    bench.hear(Delta(2, 3, [LogEntry(3, other, Outcome.MERGED, 0)]))
    assert len(bench.news(NeedsYouChanged)) == 1


# ---------------------------------------------------------------------- batches


def batch(*names: str) -> tuple[Operation, ...]:
    """Return drafts that were made at once."""
    return tuple(
        msgspec.structs.replace(draft(name, order), batch_id="batch-1") for order, name in enumerate(names, 1)
    )


def test_a_batch_is_one_transaction_and_is_told_as_one() -> None:
    """When its last operation has its outcome, each order's is told."""
    bench = live()
    bench.command(SubmitDrafts((*batch("op-1", "op-2"), draft("op-3"))))
    assert bench.methods("outbox") == ["append"]
    first, second = verdict("op-1", 1, 1), verdict("op-2", 2, 2, Reason.ON_HOLD)
    bench.hear(decided(first))
    assert bench.news(BatchDecided) == []
    bench.hear(decided(second, verdict("op-3", 3, 3)))
    outcomes = (BatchOutcome("order-1", first), BatchOutcome("order-2", second))
    assert bench.news(BatchDecided) == [BatchDecided("batch-1", outcomes)]


@pytest.mark.parametrize("is_first_decided", [True, False])
def test_a_batch_goes_on_after_a_restart(is_first_decided: bool) -> None:
    """With what is still held of it; one that was decided to the end before is not told again."""
    held = [msgspec.structs.replace(each, device_id=DEVICE) for each in batch("op-1", "op-2")]
    held = [msgspec.structs.replace(each, device_seq=place) for place, each in enumerate(held, 1)]
    done = msgspec.structs.replace(numbered("op-3", 3), batch_id="batch-2")
    told = verdict("op-1", 1, 8) if is_first_decided else None
    bench = MachineBench(
        held=(Held(held[0], told), Held(held[1]), Held(done, verdict("op-3", 3, 9))),
        next_device_seq=4,
        cache=cached(),
    )
    bench.go_live(decided_device_seq=3)
    bench.hear(decided(verdict("op-1", 1, 8), verdict("op-2", 2, 10)))
    (whole,) = bench.news(BatchDecided)
    assert [outcome.order_id for outcome in whole.outcomes] == ["order-1", "order-2"]


def test_an_answer_that_comes_before_the_next_try_is_enough() -> None:
    """A fault that was told twice sends nothing back that is decided: what is behind it flows on."""
    bench = live("op-1", "op-2")
    fault(bench, "op-1", 1)
    bench.fire(AGAIN)
    fault(bench, "op-1", 1)
    bench.hear(decided(verdict("op-1", 1, 1)))
    bench.fire(AGAIN)
    assert submits(bench) == [["op-1"], ["op-2"]]
