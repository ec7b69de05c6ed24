"""The outbox: nothing is left out or collected twice, each order in its order, and patience has an end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from databases import statements
from server.telling import outbox as outbox_module
from server.telling.outbox import (
    ATTEMPTS,
    BACKLOG,
    DEAD_KEPT_MS,
    DONE_KEPT_MS,
    LEASE_MS,
    LONGEST_WAIT_MS,
    PAGE,
    wait_ms,
)
from support.telling_bench import TellingBench
from sync.contract.operations import Cancel, Import, Move, Operation, PutOnHold, Release, Ship, Take
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[TellingBench]:
    """Three orders that were there before anybody was told of them."""
    with TellingBench(tmp_path / "data", database_url) as bench:
        yield bench


def words(bench: TellingBench) -> list[str]:
    """Return what waits: events and stages."""
    told = [json.loads(each.body) for each in bench.waiting()]
    return [f"{each['event']} {each['order']['external_ref']} {each['order']['stage']}" for each in told]


def test_only_what_happens_from_now_on_is_told(bench: TellingBench) -> None:
    """A new target is not flooded with the past."""
    target = bench.target()
    assert bench.outbox.behind() == []
    assert bench.collect(target) == []
    bench.do(Move(Stage.PICKING))
    assert bench.outbox.behind() == [target]
    assert len(bench.collect(target)) == 1
    assert bench.outbox.behind() == []


def test_every_event_is_told_with_the_order_as_it_then_was(bench: TellingBench) -> None:
    """Also when it is collected long after."""
    target = bench.target()
    bench.do(Move(Stage.PICKING))
    bench.do(PutOnHold("other"), 1)
    bench.do(Move(Stage.PICKED))
    bench.do(Release(), 1)
    bench.do(Ship("1Z999", "UPS"))
    bench.do(Cancel(), 1)
    bench.collect(target)
    assert words(bench) == [
        "moved A-0 picking",
        "held A-1 confirmed",
        "moved A-0 picked",
        "released A-1 confirmed",
        "moved A-0 shipped",
        "shipped A-0 shipped",
        "cancelled A-1 confirmed",
    ]
    numbers = [json.loads(each.body)["order"]["tracking_number"] for each in bench.waiting()]
    assert numbers == ["", "", "", "", "1Z999", "1Z999", ""]


def test_what_nobody_asked_for_is_not_told(bench: TellingBench) -> None:
    """Nor what changed nothing, nor what was refused."""
    target = bench.target(events="shipped")
    bench.do(Take())
    bench.do(Move(Stage.PICKING))
    bench.do(PutOnHold("other"), 1)
    assert bench.collect(target) == []
    assert bench.outbox.behind() == []


def test_new_orders_are_told_to_whoever_wants_them(bench: TellingBench) -> None:
    """A large import is passed over for the others, page by page."""
    wants, does_not = bench.target("Wants", events="created"), bench.target("Not")
    bench.targets.remove(bench.site.key, "Not")
    does_not = bench.target("Not", events="moved,shipped")
    bench.import_orders(PAGE + 50, first=10)
    assert bench.outbox.collect(does_not) is True
    assert bench.outbox.collect(does_not) is False
    assert bench.waiting() == []
    assert len(bench.collect(wants)) == PAGE + 50
    assert {each.target_id for each in bench.waiting()} == {wants}


def test_what_a_source_changes_is_told(bench: TellingBench) -> None:
    """The order was found by its reference, not by the id of the request."""
    target = bench.target()
    (order,) = bench.import_orders(1, first=20)
    shipped = msgspec.structs.replace(order, stage=Stage.SHIPPED)
    operation = Operation(bench.ids.new(), "another id", Import(shipped))
    bench.database.store.import_orders(bench.site.key, [operation], "batch-2")
    bench.collect(target)
    assert words(bench) == ["created A-20 confirmed", "moved A-20 shipped", "shipped A-20 shipped"]


def test_a_crash_while_collecting_leaves_nothing_out_and_nothing_doubled(
    bench: TellingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows and the cursor are one transaction."""
    target = bench.target()
    for _ in range(2):
        bench.do(Move(Stage.PICKING))
        bench.do(Move(Stage.CONFIRMED))
    real = statements.insert_rows

    def crash(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise MemoryError

    monkeypatch.setattr(outbox_module, "insert_rows", crash)
    with pytest.raises(MemoryError):
        bench.outbox.collect(target)
    assert bench.waiting() == []
    monkeypatch.setattr(outbox_module, "insert_rows", real)
    bench.collect(target)
    bench.collect(target)
    assert len(bench.waiting()) == 4
    assert len({each.id for each in bench.waiting()}) == 4


def test_an_order_is_told_in_its_order_and_others_flow_on(bench: TellingBench) -> None:
    """The first of each order is due; while it fails, the rest of that order waits, and only that."""
    target = bench.target()
    bench.do(Move(Stage.PICKING))
    bench.do(Move(Stage.PICKED))
    bench.do(Move(Stage.PICKING), 1)
    bench.collect(target)
    claimed = bench.outbox.claim(target, 10)
    assert [each.seq for each in claimed] == [4, 6]
    assert bench.outbox.claim(target, 10) == []
    first, other = claimed
    bench.outbox.settle(first, "HTTP 500")
    bench.outbox.settle(other, "")
    assert bench.outbox.claim(target, 10) == []
    bench.clock.advance(10_000)
    (again,) = bench.outbox.claim(target, 10)
    assert (again.id, again.attempts, again.body) == (first.id, 2, first.body)
    bench.outbox.settle(again, "")
    (last,) = bench.outbox.claim(target, 10)
    assert last.seq == 5


def test_what_a_dead_sender_had_claimed_is_sent_again(bench: TellingBench) -> None:
    """By anybody, under the same id; whatever the dead one still says does not count."""
    target = bench.target()
    bench.do(Move(Stage.PICKING))
    bench.collect(target)
    (lost,) = bench.outbox.claim(target, 10)
    bench.clock.advance(LEASE_MS - 1)
    assert bench.outbox.claim(target, 10) == []
    bench.clock.advance(1)
    (again,) = bench.outbox.claim(target, 10)
    assert again.id == lost.id
    claimed = bench.waiting()
    bench.outbox.settle(lost, "HTTP 500")
    assert bench.waiting() == claimed
    bench.outbox.settle(again, "")
    bench.outbox.settle(again, "HTTP 500")
    assert [(each.id, each.answer) for each in bench.done()] == [(lost.id, "")]


def test_a_waiting_time_grows_to_about_a_day_in_all() -> None:
    """A few seconds at first, an hour at last, spread so that not all come back at once."""
    waits = [wait_ms("delivery-1", attempts) for attempts in range(1, ATTEMPTS)]
    assert 4_000 < waits[0] < 6_000
    assert max(waits) <= LONGEST_WAIT_MS * 1.1
    assert 20 * 3_600_000 < sum(waits) < 27 * 3_600_000
    assert len({wait_ms(f"delivery-{place}", 5) for place in range(50)}) > 40


@pytest.mark.expects_log_warnings
def test_what_fails_again_and_again_is_given_up(bench: TellingBench) -> None:
    """Then the next of its order goes; a person can send it again, or forget it."""
    target, site = bench.target(), bench.site.key
    bench.do(Move(Stage.PICKING))
    bench.do(Move(Stage.PICKED))
    bench.collect(target)
    for attempt in range(1, ATTEMPTS + 1):
        (claimed,) = bench.outbox.claim(target, 10)
        assert claimed.attempts == attempt
        bench.outbox.settle(claimed, "HTTP 400")
        if attempt < ATTEMPTS:
            assert bench.dead() == []
            bench.clock.advance(round(LONGEST_WAIT_MS * 1.1))
    (dead,) = bench.dead()
    assert (dead.answer, dead.attempts, dead.event) == ("HTTP 400", ATTEMPTS, "moved")
    ((_, waiting, count),) = bench.targets.of_site(site)
    assert (waiting, count) == (1, 1)
    (following,) = bench.outbox.claim(target, 10)
    assert following.seq == dead.seq + 1
    assert bench.outbox.retry(site, [following.id, "nobody"]) == 0
    assert bench.outbox.retry(site, [dead.id]) == 1
    (again,) = bench.outbox.claim(target, 10)
    assert (again.id, again.attempts, again.body) == (dead.id, 1, dead.body)
    assert bench.outbox.retry(site, None) == 0
    assert bench.outbox.drop(site, None) == 0


def test_the_backlog_waits_in_the_log(bench: TellingBench) -> None:
    """A target that is away for days fills no table."""
    target = bench.target()
    bench.import_orders(BACKLOG + 2 * PAGE, first=100)
    assert len(bench.collect(target)) == BACKLOG
    assert bench.outbox.behind() == [target]
    ((_, waiting, dead),) = bench.targets.of_site(bench.site.key)
    assert (waiting, dead) == (BACKLOG, 0)
    for claimed in bench.outbox.claim(target, 10):
        bench.outbox.settle(claimed, "")
    assert len(bench.collect(target)) == BACKLOG - 10 + PAGE


@pytest.mark.expects_log_warnings
def test_what_was_told_is_forgotten_after_a_week(
    bench: TellingBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And dead letters after a month."""
    monkeypatch.setattr(outbox_module, "ATTEMPTS", 1)
    target = bench.target()
    bench.do(Move(Stage.PICKING))
    bench.do(Move(Stage.PICKING), 1)
    bench.do(Move(Stage.PICKING), 2)
    bench.collect(target)
    told, dead, _ = bench.outbox.claim(target, 10)
    bench.outbox.settle(told, "")
    bench.outbox.settle(dead, "HTTP 500")
    bench.clock.advance(DONE_KEPT_MS - 1)
    bench.outbox.prune()
    assert len(bench.done()) == 1
    bench.clock.advance(1)
    bench.outbox.prune()
    assert (len(bench.done()), len(bench.dead()), len(bench.waiting())) == (0, 1, 1)
    bench.clock.advance(DEAD_KEPT_MS)
    bench.outbox.prune()
    assert (len(bench.dead()), len(bench.waiting())) == (0, 1)


def test_a_target_that_is_removed_takes_its_deliveries_with_it(bench: TellingBench) -> None:
    """Also while one is on its way."""
    target = bench.target()
    bench.do(Move(Stage.PICKING))
    bench.collect(target)
    (claimed,) = bench.outbox.claim(target, 10)
    bench.targets.remove(bench.site.key, "Shop")
    bench.outbox.settle(claimed, "")
    assert bench.outbox.collect(target) is False
    assert (bench.waiting(), bench.done()) == ([], [])
    with pytest.raises(ProblemError):
        bench.outbox.find(bench.site.key, claimed.id)


def test_sites_do_not_hear_of_each_other(bench: TellingBench) -> None:
    """Neither of what happens, nor of what could not be told."""
    other = bench.crowd("Other", "Main")
    theirs = bench.targets.add(other.key, "Theirs", "http://127.0.0.1:1/", ("moved",), "x" * 20)
    bench.do(Move(Stage.PICKING))
    assert bench.outbox.collect(theirs) is False
    ours = bench.target()
    bench.do(Move(Stage.PICKED))
    (delivery,) = bench.collect(ours)
    assert bench.outbox.deliveries(other.key, "", 10) == []
    with pytest.raises(ProblemError):
        bench.outbox.find(other.key, delivery.id)
