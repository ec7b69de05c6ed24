"""The recorders keep what they are told, within their limits, from any thread."""

from __future__ import annotations

import threading

import pytest

from sync.contract.ports import Recorder
from telemetry.recorder import NAMES_AT_MOST, MemoryRecorder, NullRecorder


@pytest.mark.parametrize("recorder", [NullRecorder(), MemoryRecorder()])
def test_a_recorder_fulfils_the_port(recorder: Recorder) -> None:
    """Both take all three verbs as the port has them; the type checker holds the signatures."""
    recorder.observe("render_time", 1.5)
    recorder.inc("moves.drag")
    recorder.inc("moves.key", 3)
    recorder.set("outbox.pending", 2)


def test_memory_recorder_keeps_samples_in_order() -> None:
    """Samples come back oldest first, with their count and the newest."""
    recorder = MemoryRecorder()
    for value in (3.0, 1.0, 2.0):
        recorder.observe("render_time", value)
    assert recorder.samples("render_time") == [3.0, 1.0, 2.0]
    assert recorder.count("render_time") == 3
    assert recorder.last("render_time") == 2.0


def test_memory_recorder_knows_nothing_of_what_was_never_told() -> None:
    """Nothing recorded is nothing, not zero samples of something."""
    recorder = MemoryRecorder()
    assert recorder.samples("drag_latency") == []
    assert recorder.count("drag_latency") == 0
    assert recorder.last("drag_latency") is None
    assert recorder.total("moves.drag") == 0
    assert recorder.value("outbox.pending") is None


def test_memory_recorder_drops_the_oldest_samples_and_still_counts_them() -> None:
    """Memory is bounded; the count says how many there were in all."""
    recorder = MemoryRecorder(samples_per_kpi=10)
    for value in range(25):
        recorder.observe("render_time", float(value))
    assert recorder.samples("render_time") == [float(value) for value in range(15, 25)]
    assert recorder.count("render_time") == 25


def test_memory_recorder_adds_up_and_replaces() -> None:
    """``inc`` adds up, ``set`` replaces."""
    recorder = MemoryRecorder()
    recorder.inc("moves.drag")
    recorder.inc("moves.drag", 4)
    recorder.set("outbox.pending", 7)
    recorder.set("outbox.pending", 2)
    assert recorder.total("moves.drag") == 5
    assert recorder.value("outbox.pending") == 2


def test_memory_recorder_limits_the_names() -> None:
    """A name made up at run time cannot fill the memory: names after the limit are dropped."""
    recorder = MemoryRecorder()
    for number in range(NAMES_AT_MOST + 5):
        recorder.observe(f"name.{number}", 1.0)
        recorder.inc(f"name.{number}")
        recorder.set(f"name.{number}", 1.0)
    dropped, kept = f"name.{NAMES_AT_MOST}", f"name.{NAMES_AT_MOST - 1}"
    assert recorder.samples(dropped) == []
    assert (recorder.count(dropped), recorder.total(dropped), recorder.value(dropped)) == (0, 0, None)
    recorder.observe(kept, 2.0)
    recorder.inc(kept)
    recorder.set(kept, 3.0)
    assert recorder.samples(kept) == [1.0, 2.0]
    assert (recorder.count(kept), recorder.total(kept), recorder.value(kept)) == (2, 2, 3.0)


def test_memory_recorder_loses_no_count_between_threads() -> None:
    """Four threads that add to the same names at once lose nothing, also after they have ended."""
    recorder = MemoryRecorder()
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        for value in range(5_000):
            recorder.observe("render_time", float(value))
            recorder.inc("moves.drag")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorder.count("render_time") == 20_000
    assert recorder.total("moves.drag") == 20_000
    assert len(recorder.samples("render_time")) == 4_096
