"""What waits for a person lies in the outbox: written with its cause, kept until it is answered."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from support.clocks import CountingIds
from support.drafts import draft, verdict
from support.faults import CrashAt, CrashError
from support.orders import make_order
from sync.client.needs_you import NeedsYou, NeedsYouChange, NeedsYouKind, entry_bytes, json_lines
from sync.client.outbox import Outbox
from sync.client.stores import outbox_needs
from sync.contract.messages import Verdict
from sync.contract.operations import (
    Acknowledge,
    Assign,
    LogEntry,
    Move,
    Operation,
    Outcome,
    Reason,
    Skip,
    crc,
)
from sync.contract.stages import Stage


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of this test lies."""
    return tmp_path / "outbox.db"


@pytest.fixture
def outbox(path: Path) -> Iterator[Outbox]:
    """An empty outbox."""
    with closing(Outbox.open(path, CountingIds()).outbox) as made:
        yield made


def ids(outbox: Outbox) -> list[tuple[str, str]]:
    """Return the entries by id and kind."""
    return [(entry.id, str(entry.kind)) for entry in outbox.needs_you()]


def refused(outbox: Outbox, *names: str) -> NeedsYouChange:
    """Let the server refuse operations of these names."""
    numbered = outbox.append([draft(name, "x") for name in names])
    return outbox.decide([verdict(each, 5, Outcome.REJECTED) for each in numbered], 77).change


def quarantined(operation: Operation) -> Verdict:
    """Return what the server says to a skip."""
    return msgspec.structs.replace(verdict(operation, 9, Outcome.REJECTED), reason=Reason.QUARANTINED)


def test_a_refusal_waits_for_a_person(outbox: Outbox, path: Path) -> None:
    """With the operation, the verdict and the time, also after a restart."""
    numbered = outbox.append([draft("a", "x"), draft("b", "x")])
    told = verdict(numbered[0], 5, Outcome.REJECTED)
    change = outbox.decide([told, verdict(numbered[1], 6)], 77).change
    assert change.entries == (NeedsYou("a", NeedsYouKind.REJECTED, 77, numbered[0], told),)
    outbox.close()
    with closing(Outbox.open(path, CountingIds(90)).outbox) as second:
        assert second.needs_you() == change.entries


@pytest.mark.parametrize("change", [Skip(), Acknowledge("op-1")])
def test_some_refusals_tell_nothing_new(outbox: Outbox, change: Skip | Acknowledge) -> None:
    """The skip's original is there already, and that something was seen concerns nobody."""
    (numbered,) = outbox.append([draft("a", "x", change)])
    assert not outbox.decide([quarantined(numbered)]).change
    assert ids(outbox) == []


def test_an_operation_is_set_aside_and_its_place_goes_on(outbox: Outbox) -> None:
    """A skip with its number and id is pending, the original waits; the next refusal changes nothing."""
    first, second = outbox.append([draft("a", "x"), draft("b", "y")])
    aside = outbox.quarantine(1, NeedsYouKind.QUARANTINED, 77)
    assert aside is not None
    assert aside.skip == msgspec.structs.replace(first, change=Skip())
    assert aside.change.entries == (NeedsYou("a", NeedsYouKind.QUARANTINED, 77, first),)
    assert outbox.state().pending == (aside.skip, second)
    outbox.decide([quarantined(aside.skip)])
    assert outbox.needs_you() == aside.change.entries


@pytest.mark.parametrize("is_seen", [False, True])
def test_the_server_may_have_decided_it_after_all(outbox: Outbox, is_seen: bool) -> None:
    """Its fault came after the commit: the stored outcome is the one that counts, refused or not."""
    numbered = outbox.append([draft("a", "x"), draft("b", "x")])
    skips = [outbox.quarantine(each.device_seq, NeedsYouKind.QUARANTINED, 1) for each in numbered]
    if is_seen:
        outbox.answer("b")
    fine, refusal = verdict(numbered[0], 5), verdict(numbered[1], 6, Outcome.REJECTED)
    change = outbox.decide([fine, refusal], 7).change
    (entry,) = outbox.needs_you()
    assert (entry.id, entry.kind, entry.verdict) == ("b", "rejected", refusal)
    skip = skips[1]
    assert skip is not None
    assert entry.operation == (skip.skip if is_seen else numbered[1])
    assert change == NeedsYouChange((entry,), ("a",) if is_seen else ("a", "b"))


def test_what_is_decided_or_set_aside_is_not_set_aside(outbox: Outbox) -> None:
    """Asked twice, or too late, it changes nothing."""
    numbered = outbox.append([draft("a", "x"), draft("b", "x")])
    outbox.decide([verdict(numbered[0], 5)])
    outbox.quarantine(2, NeedsYouKind.UPGRADE, 1)
    for device_seq in (1, 2, 3):
        assert outbox.quarantine(device_seq, NeedsYouKind.QUARANTINED, 2) is None
    assert ids(outbox) == [("b", "upgrade")]


def test_a_refusal_from_before_gives_way_to_the_quarantine(outbox: Outbox) -> None:
    """Offered again after a restore, it may fail: then the entry is the only copy."""
    refused(outbox, "a")
    outbox.finish(1, 0, "epoch-1")
    outbox.reoffer(0, "epoch-2", "unused")
    aside = outbox.quarantine(1, NeedsYouKind.QUARANTINED, 2)
    assert aside is not None
    assert ids(outbox) == [("a", "quarantined")]


def test_an_answer_is_durable_as_the_entry_goes(outbox: Outbox) -> None:
    """Both or neither; who answers second changes nothing."""
    refused(outbox, "a", "b")
    answered = outbox.answer("a", (draft("seen", "x", Acknowledge("a")),))
    assert [each.device_seq for each in answered.operations] == [3]
    assert answered.change == NeedsYouChange(removed=("a",))
    assert outbox.answer("a", (draft("again", "x"),)).operations == ()
    assert outbox.answer("b", ()).operations == ()
    assert ids(outbox) == []
    assert [each.op_id for each in outbox.state().pending] == ["seen"]


def test_an_entry_is_there_once(outbox: Outbox) -> None:
    """The same again is no news."""
    entry = NeedsYou("a", NeedsYouKind.SALVAGED)
    assert outbox.add_entry(entry) == NeedsYouChange((entry,))
    assert not outbox.add_entry(entry)


def test_the_list_is_bounded_but_not_for_only_copies(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest refusals give way, as the server's log has them; what is only here stays."""
    monkeypatch.setattr(outbox_needs, "ENTRIES", 2)
    outbox.append([draft("poison", "x")])
    outbox.quarantine(1, NeedsYouKind.QUARANTINED, 1)
    assert refused(outbox, "a").removed == ()
    change = refused(outbox, "b", "c")
    assert [entry.id for entry in change.entries] == ["c"]
    assert change.removed == ("a",)
    assert ids(outbox) == [("poison", "quarantined"), ("c", "rejected")]
    outbox.append([draft("worse", "x")])
    aside = outbox.quarantine(5, NeedsYouKind.UPGRADE, 1)
    assert aside is not None
    assert aside.change.removed == ("c",)
    outbox.append([draft("worst", "x")])
    assert outbox.quarantine(6, NeedsYouKind.UPGRADE, 1) is not None
    assert ids(outbox) == [("poison", "quarantined"), ("worse", "upgrade"), ("worst", "upgrade")]


def test_entries_are_exported_as_lines(outbox: Outbox) -> None:
    """Whole, one a line, for whoever has to enter them elsewhere."""
    refused(outbox, "a", "b")
    lines = json_lines(outbox.needs_you()).splitlines()
    assert [json.loads(line)["operation"]["op_id"] for line in lines] == ["a", "b"]


def test_an_entry_that_has_rotted_is_said(path: Path) -> None:
    """It may have been the only copy of its operation: counted as lost, the others saved, nothing else."""
    with closing(Outbox.open(path, CountingIds()).outbox) as made:
        refused(made, "a", "b")
        made.append([draft("c", "x")])
        state = made.state()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "UPDATE needs_you SET body = replace(body, 'FORBIDDEN', 'CANCELLED') WHERE place = 1"
        )
        connection.commit()
    opened = Outbox.open(path, CountingIds(900))
    with closing(opened.outbox) as saved:
        assert opened.salvage is not None
        assert (opened.salvage.rows_lost, opened.salvage.device_id_renewed) == (1, False)
        assert ids(saved) == [("b", "rejected"), (opened.salvage.entry_id, "salvaged")]
        assert saved.needs_you()[1].problem == opened.salvage.problem
        assert saved.state() == state


def test_a_body_that_is_no_entry_is_none() -> None:
    """A good checksum over something else does not make an entry."""
    body = b"{}"
    assert outbox_needs.entry_of(body, crc(body)) is None
    assert outbox_needs.entry_of("text", 1) is None
    assert outbox_needs.entry_of(b"{}", 1) is None


def test_an_entry_counts_only_under_its_own_checksum() -> None:
    """A flipped bit that still reads as an entry passes for none."""
    entry = NeedsYou("a", NeedsYouKind.REJECTED, 77, draft("a", "x"))
    body = entry_bytes(entry)
    assert outbox_needs.entry_of(body, crc(body)) == entry
    assert outbox_needs.entry_of(body, crc(body) ^ 1) is None


def test_entries_are_saved_from_the_bytes_of_a_ruin(path: Path) -> None:
    """Where SQLite reads nothing any more, an entry is recognised by its checksum."""
    with closing(Outbox.open(path, CountingIds()).outbox) as made:
        refused(made, "a")
    data = bytearray(path.read_bytes())
    data[:100] = b"%PDF-1.7".ljust(100)
    path.write_bytes(data)
    opened = Outbox.open(path, CountingIds(900))
    with closing(opened.outbox) as saved:
        assert ("a", "rejected") in ids(saved)


def assigned(
    seq: int, operation: Operation, outcome: Outcome = Outcome.APPLIED, name: str = "Eva"
) -> LogEntry:
    """Return the log entry of an assignment."""
    return LogEntry(seq, operation, outcome, 500 + seq, name)


def assign(op_id: str, to: str, actor_id: str = "user-1", device_id: str = "elsewhere") -> Operation:
    """Return somebody's assignment."""
    operation = draft(op_id, "x", Assign(to, to.title()), actor_id=actor_id)
    return msgspec.structs.replace(operation, device_id=device_id)


def test_an_overruled_assignment_is_told(outbox: Outbox) -> None:
    """Who gave the order to whom after me; once, and also after a restart in between."""
    mine = assign("mine", "ana", device_id=outbox.state().device_id)
    assert not outbox.assigns((assigned(1, mine),), 70)
    other = assign("other", "ali", "user-2")
    change = outbox.assigns((assigned(2, other, Outcome.MERGED),), 77)
    (entry,) = change.entries
    assert (entry.id, entry.kind, entry.operation, entry.other) == ("mine", "overruled", mine, other)
    assert entry.other_name == "Eva"
    assert entry.verdict is not None
    assert (entry.verdict.reason, entry.verdict.by, entry.verdict.at_ms) == (
        Reason.ASSIGNED_MEANWHILE,
        "Eva",
        502,
    )
    assert not outbox.assigns((assigned(3, assign("third", "max", "user-3")),), 78)


def test_an_assignment_that_a_whole_board_overrules_is_told_once(outbox: Outbox) -> None:
    """By whom and to whom; when that was, no board says. It is remembered from its verdict on."""
    outbox.append([draft("mine", "x", Assign("ana", "Ana"), actor_id="user-1")])
    outbox.decide([Verdict(1, "mine", 5, Outcome.APPLIED)])
    assert outbox.assigned(4) == (), "a board without it says nothing about it"
    (mine,) = outbox.assigned(5)
    assert mine.op_id == "mine"
    theirs = make_order(id="x", assignee_id="ali", assignee="Ali", assigned_by="Eva")
    (entry,) = outbox.overruled(mine, theirs, 77).entries
    assert (entry.id, entry.kind, entry.operation, entry.other_name) == ("mine", "overruled", mine, "Eva")
    assert entry.other is not None
    assert entry.other.change == Assign("ali", "Ali")
    assert entry.verdict is not None
    assert (entry.verdict.by, entry.verdict.at_ms) == ("Eva", 0)
    assert outbox.assigned(9) == ()
    assert not outbox.overruled(mine, theirs, 78)


def test_a_verdict_that_is_here_before_the_log_overrules_whoever_came_first(outbox: Outbox) -> None:
    """Eva assigned before: her entry comes late, and says nothing against the one that stands."""
    outbox.append([draft("mine", "x", Assign("ana", "Ana"), actor_id="user-1")])
    outbox.decide([Verdict(1, "mine", 5, Outcome.MERGED)])
    device_id = outbox.state().device_id
    former = assign("former", "max", device_id=device_id)
    assert not outbox.assigns((assigned(3, former), assigned(4, assign("other", "ali", "user-2"))), 77)
    (mine,) = outbox.assigned(5)
    assert mine.op_id == "mine"
    assert outbox.assigns((assigned(6, assign("later", "ali", "user-2")),), 78).entries


def test_a_verdict_that_comes_after_the_log_does_not_bring_the_notice_again(outbox: Outbox) -> None:
    """The link broke between the two: what was told is told once."""
    outbox.append([draft("mine", "x", Assign("ana", "Ana"), actor_id="user-1")])
    (mine,) = outbox.state().pending
    other = assigned(6, assign("other", "ali", "user-2"))
    assert outbox.assigns((assigned(5, mine), other), 77).entries
    outbox.decide([Verdict(1, "mine", 5, Outcome.APPLIED)])
    assert outbox.assigned(9) == ()
    assert not outbox.assigns((assigned(7, assign("third", "max", "user-3")),), 78)


def test_so_many_assignments_are_remembered(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest; of an older one the order itself shows for whom it is."""
    monkeypatch.setattr(outbox_needs, "ASSIGNED", 1)
    device_id = outbox.state().device_id
    first = msgspec.structs.replace(assign("first", "ana", device_id=device_id), order_id="y")
    outbox.assigns((assigned(1, first), assigned(2, assign("mine", "ana", device_id=device_id))), 70)
    others = [assign("a", "ali", "user-2"), assign("b", "ali", "user-2")]
    others[0] = msgspec.structs.replace(others[0], order_id="y")
    change = outbox.assigns((assigned(3, others[0]), assigned(4, others[1])), 77)
    assert [entry.id for entry in change.entries] == ["mine"]


def test_assignments_that_overrule_nobody(outbox: Outbox) -> None:
    """To the same person, by the same person, a refused one, one without effect, on another's order."""
    device_id = outbox.state().device_id
    mine = assign("mine", "ana", device_id=device_id)
    other = draft("move", "x", Move(Stage.PICKING), actor_id="user-2")
    pages = (
        assigned(1, mine),
        assigned(2, assign("b", "ali", "user-2"), Outcome.REJECTED),
        assigned(3, assign("c", "ali", "user-2"), Outcome.NOOP),
        LogEntry(4, other, Outcome.APPLIED, 1),
        assigned(5, assign("d", "ana", "user-2")),
        assigned(6, assign("e", "ali", "user-2")),
        assigned(7, assign("mine-2", "ana", device_id=device_id)),
        assigned(8, assign("f", "ali", "user-1")),
    )
    assert not outbox.assigns(pages, 77)
    assert ids(outbox) == []


def test_a_remembered_assignment_that_has_rotted_costs_one_notice(outbox: Outbox) -> None:
    """The order itself still shows for whom it is."""
    outbox.assigns((assigned(1, assign("mine", "ana", device_id=outbox.state().device_id)),), 70)
    outbox._connection.execute("UPDATE assigned SET crc = crc + 1")
    assert not outbox.assigns((assigned(2, assign("other", "ali", "user-2")),), 77)


def test_what_came_and_went_was_never_there() -> None:
    """Changes that follow one another come to one."""
    one = NeedsYou("a", NeedsYouKind.REJECTED)
    two = NeedsYou("b", NeedsYouKind.REJECTED)
    changes = (NeedsYouChange((one, two)), NeedsYouChange(removed=("a", "z")))
    assert outbox_needs.joined(changes) == NeedsYouChange((two,), ("z",))


@pytest.mark.parametrize("method", ["quarantine", "answer", "add_entry", "assigns"])
@pytest.mark.parametrize("point", ["before_write", "before_fsync", "after_commit"])
def test_a_crash_leaves_entry_and_cause_together(path: Path, method: str, point: str) -> None:
    """Before the commit nothing has happened, after it everything."""
    with closing(Outbox.open(path, CountingIds()).outbox) as first:
        refused(first, "a")
        first.append([draft("b", "x")])
        device_id = first.state().device_id
        first.assigns((assigned(1, assign("mine", "ana", device_id=device_id)),), 1)
        before = first.state(), ids(first)
    crashing = Outbox.open(path, CountingIds(), CrashAt(f"outbox.{method}.{point}")).outbox
    entry = NeedsYou("z", NeedsYouKind.SALVAGED)
    calls: dict[str, Callable[[], object]] = {
        "quarantine": lambda: crashing.quarantine(2, NeedsYouKind.QUARANTINED, 1),
        "answer": lambda: crashing.answer("a", (draft("seen", "x", Acknowledge("a")),)),
        "add_entry": lambda: crashing.add_entry(entry),
        "assigns": lambda: crashing.assigns((assigned(2, assign("o", "ali", "user-2")),), 1),
    }
    with pytest.raises(CrashError):
        calls[method]()
    crashing.close()
    opened = Outbox.open(path, CountingIds())
    with closing(opened.outbox) as second:
        assert opened.salvage is None
        assert ((second.state(), ids(second)) == before) is (point != "after_commit")
