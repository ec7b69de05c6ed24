"""The simulation: sync loses nothing under cuts and crashes, and a planted bug does not pass."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from server.verification import checks
from server.verification.simulation import Simulation, simulate
from support.server_bench import fresh_order
from sync.client.cache import Cache
from sync.client.outbox import Outbox
from sync.client.window import Window
from sync.contract.operations import Import, LogEntry, Operation, Outcome, Retire, Take
from sync.contract.orders import diff

SEEDS = range(1, 21)
Entries = tuple[LogEntry, ...]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled(seed: int) -> None:
    """Two terminals and a server, cuts, offline spans and crashes on both sides: no check complains."""
    report = simulate(seed)
    assert report.violations == ()
    assert report.operations > 100
    assert report.crashes + report.cuts > 5


def test_the_same_seed_gives_the_same_trace() -> None:
    """A failure can be replayed: every event and every effect is the same again."""
    first = simulate(7)
    assert simulate(7) == first
    assert simulate(8).trace_hash != first.trace_hash


def test_the_runs_meet_every_kind_of_outcome(tmp_path: Path) -> None:
    """A simulation in which everything is applied would prove little."""
    simulation = Simulation(3, tmp_path, terminals=2, orders=12)
    try:
        simulation.run()
        log = simulation.room.log()
    finally:
        simulation.close()
    outcomes = {entry.outcome for entry in log}
    assert {Outcome.APPLIED, Outcome.NOOP, Outcome.REJECTED} <= outcomes
    assert {Outcome.MERGED, Outcome.EXCEPTION} <= outcomes
    assert len({entry.reason for entry in log}) >= 5
    kinds = {entry.operation.change.__struct_config__.tag for entry in log}
    assert {"import", "move", "schedule", "retire"} <= kinds


def _found(seeds: Sequence[int]) -> list[str]:
    """Return every violation, or what the planted bug crashed with."""
    found: list[str] = []
    for seed in seeds:
        found += simulate(seed).violations
    return found


def test_an_outbox_that_only_says_it_saved_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the outbox forgets its rows when the process ends."""
    original = Outbox.open

    def forgetful(path: Path, *rest: object) -> object:
        opened = original(path, *rest)  # type: ignore[arg-type]
        opened.outbox._connection.execute("DELETE FROM operations")
        return opened

    monkeypatch.setattr(Outbox, "open", forgetful)
    assert any("was promised" in sentence for sentence in _found(range(5, 7)))


def test_a_terminal_that_never_sends_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what was on its way when the link broke counts as sent."""
    original = Window.open_link

    def forgetful(self: Window, decided_device_seq: int, *, is_same_epoch: bool) -> bool:
        held = self.first_device_seq + len(self)
        answer = original(self, decided_device_seq, is_same_epoch=is_same_epoch)
        self._to_send = held
        return answer

    monkeypatch.setattr(Window, "open_link", forgetful)
    assert any("not done after quiet" in sentence for sentence in _found(range(1, 4)))


def test_a_server_that_does_not_know_what_it_decided_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: stored outcomes are not looked up, so what comes twice gets no answer."""
    monkeypatch.setattr("server.kernel.store._stored", lambda *_: {})
    assert any("store.commit failed" in sentence for sentence in _found(range(1, 2)))


def test_a_cache_that_skips_a_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the cache moves its cursor on without the rows."""
    original = Cache.apply_delta

    def skipping(self: Cache, device_id: str, prev_seq: int, seq: int, entries: Entries) -> object:
        kept = tuple(msgspec.structs.replace(entry, patch=None) for entry in entries)
        return original(self, device_id, prev_seq, seq, kept)

    monkeypatch.setattr(Cache, "apply_delta", skipping)
    assert any("not the board of the log" in sentence for sentence in _found(range(1, 4)))


def test_a_cache_that_keeps_what_left_the_board_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the cache takes a retired order for any other change."""
    original = Cache.apply_delta

    def keeping(self: Cache, device_id: str, prev_seq: int, seq: int, entries: Entries) -> object:
        kept = tuple(
            msgspec.structs.replace(entry, patch=None)
            if isinstance(entry.operation.change, Retire)
            else entry
            for entry in entries
        )
        return original(self, device_id, prev_seq, seq, kept)

    monkeypatch.setattr(Cache, "apply_delta", keeping)
    assert any("not the board of the log" in sentence for sentence in _found(range(1, 4)))


def _entry(seq: int, op_id: str, device_seq: int) -> LogEntry:
    operation = Operation(op_id, "o", Take(), "d", device_seq)
    return LogEntry(seq, operation, Outcome.NOOP, 1)


def test_each_check_of_the_log_can_complain() -> None:
    """A gap in seq and a device out of order are both told."""
    assert checks._log_is_gapless([_entry(1, "a", 1), _entry(3, "b", 2)])
    assert list(checks._devices_keep_their_order([_entry(1, "a", 2)]))
    assert not list(checks._devices_keep_their_order([_entry(1, "a", 1)]))


def test_an_open_order_that_left_the_board_is_told() -> None:
    """Only what is shipped or cancelled may leave."""
    order = fresh_order(1)
    made = LogEntry(1, Operation("a", order.id, Import()), Outcome.APPLIED, 1, order=order)
    gone = msgspec.structs.replace(order, retired_ms=5, revision=order.revision + 1)
    left = LogEntry(2, Operation("b", order.id, Retire()), Outcome.APPLIED, 1, patch=diff(order, gone))
    assert list(checks._log_replays([made, left])) == ["seq 2: an open order left the board"]
    assert checks.log_hash([made, left]) == 0 != checks.log_hash([made])
