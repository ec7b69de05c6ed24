"""Open orders follow their schedule: as one batch, from their arrival, and never against a given time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from calendars.schedule import Calendar, Day, Rule, Schedule
from server.cut_offs import recomputing as module
from server.cut_offs.recomputing import Recomputed, Recomputing
from server.cut_offs.rows import calendar_of, change, waiting
from server.kernel.records import Batch, Committed
from support.server_bench import ServerBench
from support.shop import log_of, order_of, put, say
from sync.contract.operations import Cancel, Move, PutOnHold, Source
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

VAN = "Royal Mail 24"
RULES = (
    *(Rule(VAN, weekday, 960) for weekday in range(5)),
    *(Rule("", weekday, 1050) for weekday in range(5)),
)


def at(text: str) -> int:
    """Return a UTC time as milliseconds."""
    return round(datetime.fromisoformat(f"{text}+00:00").timestamp() * 1000)


MORNING = at("2026-01-05T09:00")
"""A Monday."""


@pytest.fixture
def bench(tmp_path: Path, database_url: str) -> Iterator[ServerBench]:
    """A site in London on a Monday morning."""
    bench = ServerBench(tmp_path / "data", url=database_url)
    bench.clock.wall = MORNING
    yield bench
    bench.close()


def edit(bench: ServerBench, *rules: Rule, days: tuple[Day, ...] = ()) -> Schedule:
    """Change the schedule of the site."""
    with bench.database.engine.begin() as connection:
        return change(connection, bench.site.key, lambda before: before.with_rules(rules).with_days(days))


def desk(bench: ServerBench) -> Recomputing:
    """Return what brings orders in line."""
    return Recomputing(bench.database.engine, bench.database.store, lambda: False)


def recompute(bench: ServerBench) -> Recomputed:
    """Bring the orders of the site in line."""
    return desk(bench).run(bench.site.key)


def is_waiting(bench: ServerBench) -> bool:
    """Say whether the site's orders do not follow its schedule yet."""
    with bench.database.engine.begin() as connection:
        return bench.site.key in waiting(connection)


def test_an_order_gets_its_cut_off_as_it_arrives(bench: ServerBench) -> None:
    """In the transaction that makes it, by the newest schedule of its site; a given one stays."""
    (before,) = put(bench, {"ship_method": VAN})
    assert order_of(bench, before).cut_off_ms is None
    edit(bench, *RULES)
    van, given, other = put(bench, {"ship_method": VAN}, {"cut_off_ms": 5, "ship_method": VAN}, {}, first=1)
    assert order_of(bench, van).cut_off_ms == at("2026-01-05T16:00")
    assert order_of(bench, van).cut_off_rule == "Royal Mail 24, mon 16:00"
    assert (order_of(bench, given).cut_off_ms, order_of(bench, given).cut_off_rule) == (5, "")
    assert order_of(bench, other).cut_off_rule == "every other, mon 17:30"
    edit(bench, Rule(VAN, 0, 600))
    (later,) = put(bench, {"ship_method": VAN}, first=4)
    assert order_of(bench, later).cut_off_ms == at("2026-01-05T10:00")
    second = bench.crowd("Organization", "Second")
    bench.import_orders(1, second, first=50)
    assert order_of(bench, f"{second.key.site_id}-A-50", second.key).cut_off_rule == ""


def test_changing_a_rule_moves_open_orders_as_one_batch(bench: ServerBench) -> None:
    """Finished orders, given cut-offs and those that stay the same have no part in it."""
    edit(bench, *RULES)
    van, other, given, shipped, cancelled, held = put(
        bench,
        {"ship_method": VAN},
        {},
        {"cut_off_ms": 5},
        {"stage": Stage.SHIPPED},
        {"ship_method": VAN},
        {"ship_method": VAN},
    )
    say(bench, cancelled, Cancel())
    say(bench, held, PutOnHold("other"))
    said = order_of(bench, other)
    bench.clock.wall = MORNING + 8 * 3_600_000
    edit(bench, Rule(VAN, 0, 990))
    assert is_waiting(bench)
    assert recompute(bench) == Recomputed(orders=3, changed=2)
    assert not is_waiting(bench)
    entries = log_of(bench, "schedule")
    assert [entry.operation.order_id for entry in entries] == [van, held]
    assert len({entry.operation.batch_id for entry in entries}) == 1
    assert {(entry.operation.source, entry.actor_name) for entry in entries} == {(Source.SYSTEM, "System")}
    # From the arrival, not from now, when that cut-off is over.
    assert order_of(bench, van).cut_off_ms == at("2026-01-05T16:30")
    assert order_of(bench, other) == said
    assert [order_of(bench, each).cut_off_ms for each in (given, shipped)] == [5, at("2026-01-05T17:30")]
    seq = bench.database.reader.head(bench.site.key).seq
    assert recompute(bench) == Recomputed(orders=3)
    assert bench.database.reader.head(bench.site.key).seq == seq


def test_a_holiday_on_the_day_itself(bench: ServerBench) -> None:
    """What arrived in the morning leaves tomorrow; without the rule nothing has a cut-off; and back again."""
    edit(bench, *RULES)
    (van,) = put(bench, {"ship_method": VAN})
    edit(bench, days=(Day("", date(2026, 1, 5), None, "Strike"),))
    assert recompute(bench).changed == 1
    assert order_of(bench, van).cut_off_ms == at("2026-01-06T16:00")
    with bench.database.engine.begin() as connection:
        change(connection, bench.site.key, lambda before: Schedule(revision=before.revision))
    assert recompute(bench).changed == 1
    assert (order_of(bench, van).cut_off_ms, order_of(bench, van).cut_off_rule) == (None, "")
    edit(bench, *RULES)
    assert recompute(bench).changed == 1
    assert order_of(bench, van).cut_off_ms == at("2026-01-05T16:00")


def test_many_orders_are_committed_in_parts(bench: ServerBench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part at a time; ended in between it goes on where it was, in the same batch."""
    monkeypatch.setattr(module, "AT_ONCE", 3)
    monkeypatch.setattr(module, "READ_AT_ONCE", 4)
    put(bench, *[{} for _ in range(10)])
    edit(bench, *RULES)
    seen: list[Recomputed] = []
    stops = iter([False, True])
    first = Recomputing(bench.database.engine, bench.database.store, lambda: next(stops), seen.append)
    assert first.run(bench.site.key) == Recomputed(orders=4, changed=4, is_done=False)
    assert [each.changed for each in seen] == [3, 4]
    assert is_waiting(bench)
    assert recompute(bench) == Recomputed(orders=10, changed=6)
    entries = log_of(bench, "schedule")
    assert len(entries) == 10
    assert len({entry.operation.batch_id for entry in entries}) == 1


class Meddling:
    """A store beside which something happens before its first commit."""

    def __init__(self, bench: ServerBench, meddle: object) -> None:
        self._store = bench.database.store
        self._meddle = meddle

    def commit(self, batch: Batch) -> Committed:
        """Let it happen, then commit."""
        meddle, self._meddle = self._meddle, None
        if callable(meddle):
            meddle()
        return self._store.commit(batch)


def meddled(bench: ServerBench, meddle: object) -> Recomputed:
    """Recompute while something else happens."""
    return Recomputing(bench.database.engine, Meddling(bench, meddle), lambda: False).run(bench.site.key)  # type: ignore[arg-type]


def test_an_order_that_is_changed_in_the_same_moment_is_looked_at_again(bench: ServerBench) -> None:
    """What was worked out on the order as it was is refused, and worked out anew."""
    edit(bench, *RULES)
    (van,) = put(bench, {"ship_method": VAN})
    edit(bench, Rule(VAN, 0, 990))
    assert meddled(bench, lambda: say(bench, van, Move(Stage.PICKING))).changed == 1
    order = order_of(bench, van)
    assert (order.stage, order.cut_off_ms) == (Stage.PICKING, at("2026-01-05T16:30"))
    edit(bench, Rule(VAN, 0, 995))
    assert meddled(bench, lambda: say(bench, van, Cancel())) == Recomputed()
    assert order_of(bench, van).cut_off_ms == at("2026-01-05T16:30")


def test_two_processes_do_it_once(bench: ServerBench) -> None:
    """The same work has the same operation ids: no second entry in the log."""
    put(bench, {}, {})
    edit(bench, *RULES)
    meddled(bench, lambda: recompute(bench))
    assert len(log_of(bench, "schedule")) == 2


def test_a_schedule_that_is_changed_meanwhile_wins(bench: ServerBench) -> None:
    """Whoever comes later with the older schedule looks again before saying that it is done."""
    edit(bench, *RULES)
    (van,) = put(bench, {"ship_method": VAN})
    edit(bench, Rule(VAN, 0, 990))
    meddled(bench, lambda: edit(bench, Rule(VAN, 0, 995)))
    assert order_of(bench, van).cut_off_ms == at("2026-01-05T16:35")
    assert not is_waiting(bench)


def test_a_preview_writes_nothing(bench: ServerBench) -> None:
    """It counts what a run would change."""
    put(bench, {"ship_method": VAN}, {})
    seq = bench.database.reader.head(bench.site.key).seq
    with bench.database.engine.begin() as connection:
        zone = calendar_of(connection, bench.site.key).zone
    calendar = Calendar(Schedule().with_rules(RULES[:5]), zone)
    assert desk(bench).preview(bench.site.key, calendar) == Recomputed(orders=2, changed=1)
    assert bench.database.reader.head(bench.site.key).seq == seq


def test_a_change_of_something_older_is_refused(bench: ServerBench) -> None:
    """Two people at the schedule: the second is told; the same again is no change at all."""
    after = edit(bench, *RULES)
    assert after.revision == 1
    assert edit(bench, *RULES).revision == 1
    with bench.database.engine.begin() as connection, pytest.raises(ProblemError) as caught:
        change(connection, bench.site.key, lambda before: before, revision=0)
    assert caught.value.problem.code == "CUT_OFFS_CHANGED"


def test_an_import_reads_the_schedule_once(bench: ServerBench) -> None:
    """Each transaction asks for its revision; the rules are read again only after a change."""
    edit(bench, *RULES)
    asked: list[str] = []

    def seen(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(bench.database.engine, "before_cursor_execute", seen)
    for place in range(4):
        put(bench, {"ship_method": VAN}, first=place)
    event.remove(bench.database.engine, "before_cursor_execute", seen)
    assert sum("FROM cut_off_schedules" in statement for statement in asked) == 5
    assert sum("FROM cut_off_rules" in statement for statement in asked) == 1
