"""The simulation: sync loses nothing under all kinds of trouble, and a planted bug does not pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import msgspec
import pytest

from server.kernel.decisions import Loaded
from server.verification import memory_server
from server.verification.cells import STATES, table
from server.verification.memory_cache import MemoryCache
from server.verification.simulation import Plan, Report, simulate, simulated
from sync.client.outbox import Outbox
from sync.client.overlay import Overlay
from sync.client.window import Window
from sync.contract.operations import KINDS, LogEntry, Operation, Outcome, Retire

MEMORY = Plan(on_files=False)
SEEDS = range(5, 11)
"""The tenth is on files."""
Entries = tuple[LogEntry, ...]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_or_doubled(seed: int) -> None:
    """Five terminals and a server, with everything that can go wrong: no check complains."""
    report = simulate(seed)
    assert report.violations == ()
    assert report.operations > 700
    assert sum(report.troubles.values()) > 10


def test_the_same_seed_gives_the_same_trace() -> None:
    """A failure can be replayed: every event and every effect is the same again."""
    first = simulate(7, MEMORY)
    again = simulate(7, MEMORY)
    assert again == first
    assert again.log == first.log
    assert simulate(8, MEMORY).trace_hash != first.trace_hash


def test_nothing_starts_after_the_end() -> None:
    """Restarts may be planned still, and what a process would open is closed then."""
    with simulated(5, replace(MEMORY, operations=1, is_calm=True)) as simulation:
        simulation.run()
        simulation.end()
        simulation.room.restart()
        for station in simulation.stations:
            station.restart()
        assert not simulation.room.node.is_alive
        assert not any(station.terminal.is_alive for station in simulation.stations)


@pytest.mark.parametrize("plan", [Plan(is_calm=True), Plan(operations=60)])
def test_memory_and_files_are_the_same_world(plan: Plan) -> None:
    """What the fast stores do is what the real ones do, step by step and byte by byte."""
    on_files, in_memory = (simulate(5, replace(plan, on_files=on_files)) for on_files in (True, False))
    assert in_memory.log == on_files.log
    assert in_memory.trace_hash == on_files.trace_hash


def test_the_runs_meet_every_kind_of_operation_and_outcome() -> None:
    """A simulation in which everything is applied would prove little."""
    reports = [simulate(seed, MEMORY) for seed in range(21, 29)]
    met = {kind for report in reports for kind, _, _ in report.cells.outcomes}
    assert met == set(KINDS)
    outcomes = {outcome for report in reports for _, outcome, _ in report.cells.outcomes}
    assert outcomes == set(Outcome)
    reasons = {reason for report in reports for _, _, reason in report.cells.outcomes}
    assert len(reasons) > 20
    troubles = {name for report in reports for name in report.troubles}
    assert {"restore", "poison", "later", "update", "worker", "server", "terminal", "cut"} <= troubles
    assert len(table()) == len(KINDS) * len(STATES)


# ---------------------------------------------------------------- planted bugs


def _found(seeds: Sequence[int], plan: Plan = MEMORY) -> str:
    """Return every violation of these seeds in one text."""
    reports: list[Report] = [simulate(seed, plan) for seed in seeds]
    return "\n".join(sentence for report in reports for sentence in report.violations)


def test_an_outbox_that_only_says_it_saved_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the outbox forgets its rows when the process ends."""
    original = Outbox.__init__

    def forgetful(self: Outbox, connection: object, *rest: object) -> None:
        connection.execute("DELETE FROM operations")  # type: ignore[attr-defined]
        original(self, connection, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Outbox, "__init__", forgetful)
    assert "was promised" in _found(range(5, 7))


def test_a_terminal_that_never_sends_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what was on its way when the link broke counts as sent."""
    original = Window.open_link

    def forgetful(self: Window, decided_device_seq: int, *, is_same_epoch: bool) -> bool:
        held = self.first_device_seq + len(self)
        answer = original(self, decided_device_seq, is_same_epoch=is_same_epoch)
        self._to_send = held
        return answer

    monkeypatch.setattr(Window, "open_link", forgetful)
    assert "not done after quiet" in _found(range(1, 4))


def test_a_server_that_does_not_know_what_it_decided_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: stored outcomes are not looked up, so what comes twice is decided twice or called a clone."""
    original = memory_server.MemoryStore._loaded

    def forgetful(self: memory_server.MemoryStore, batch: object) -> Loaded:
        loaded = original(self, batch)  # type: ignore[arg-type]
        loaded.verdicts.clear()
        loaded.marks = dict.fromkeys(loaded.marks, 0)
        return loaded

    monkeypatch.setattr(memory_server.MemoryStore, "_loaded", forgetful)
    assert _found(range(1, 3))


def test_a_terminal_that_offers_nothing_again_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what a restored server lacks stays in the outbox."""
    monkeypatch.setattr(Outbox, "reoffer", lambda self, *_: self.state())
    assert "was promised" in _found(range(1, 8))


def _skipping(is_skipped: Callable[[LogEntry], bool]) -> Callable[..., object]:
    original = MemoryCache.apply_delta

    def skipping(self: MemoryCache, device_id: str, prev_seq: int, seq: int, entries: Entries) -> object:
        kept = tuple(
            msgspec.structs.replace(entry, patch=None) if is_skipped(entry) else entry for entry in entries
        )
        return original(self, device_id, prev_seq, seq, kept)

    return skipping


def test_a_cache_that_skips_a_page_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the cache moves its cursor on without the rows."""
    monkeypatch.setattr(MemoryCache, "apply_delta", _skipping(lambda _: True))
    assert "its hash is not that of the log" in _found(range(1, 3))


def test_a_cache_that_keeps_what_left_the_board_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the cache takes a retired order for any other change, until its sums are compared."""
    is_retired = lambda entry: isinstance(entry.operation.change, Retire)  # noqa: E731 - a word for a condition
    monkeypatch.setattr(MemoryCache, "apply_delta", _skipping(is_retired))
    assert "its log up to" in _found(range(1, 4))


def test_a_screen_that_loses_open_operations_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: what is saved is no longer shown until the server has told it back."""

    def dropped(self: Overlay, operations: Sequence[Operation], _judge: object) -> list[str]:
        return self.drop(operation.op_id for operation in operations)

    monkeypatch.setattr(Overlay, "saved", dropped)
    assert "own operations make" in _found(range(1, 3))


def test_what_was_refused_and_not_put_before_anybody_is_found() -> None:
    """Planted: a terminal's list of what needs somebody is emptied by itself."""
    with simulated(1, MEMORY) as simulation:
        for station in simulation.stations:
            station.was_in_needs_you = _Nothing()
        assert any("nobody was told" in sentence for sentence in simulation.run().violations)


class _Nothing(set[str]):
    """A set that forgets."""

    def update(self, *_others: object) -> None:
        """Take nothing."""
