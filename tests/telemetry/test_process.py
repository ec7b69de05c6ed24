"""The probes say what the kernel knows of this process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from telemetry import process
from telemetry.process import (
    MemorySample,
    memory_sample,
    process_age_seconds,
    process_created_monotonic,
)

ROOT = Path(__file__).parents[2]
BALLAST_BYTES = 64_000_000

needs_proc = pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="this system has no /proc/self/smaps_rollup"
)


@needs_proc
def test_a_ballast_shows_in_every_private_figure() -> None:
    """64 MB written to are 64 MB more private dirty, USS and RSS, and gone again after."""
    before = memory_sample()
    ballast = bytearray(os.urandom(1_000)) * (BALLAST_BYTES // 1_000)
    during = memory_sample()
    del ballast
    after = memory_sample()
    for figure in ("private_dirty_bytes", "uss_bytes", "rss_bytes"):
        grown = getattr(during, figure) - getattr(before, figure)
        assert grown == pytest.approx(BALLAST_BYTES, rel=0.1), figure
        assert getattr(after, figure) < getattr(during, figure) - BALLAST_BYTES * 0.9, figure
    assert during.cost_bytes - before.cost_bytes == pytest.approx(BALLAST_BYTES, rel=0.1)


@needs_proc
def test_memory_figures_agree_with_each_other() -> None:
    """Private dirty is part of USS, USS part of RSS, and a Python process is not free."""
    sample = memory_sample()
    assert 1_000_000 < sample.private_dirty_bytes <= sample.uss_bytes * 1.1
    assert sample.uss_bytes <= sample.rss_bytes


def test_the_cost_is_private_dirty_and_swap() -> None:
    """What was swapped out still costs the machine; what is shared or can be read again does not."""
    sample = MemorySample(private_dirty_bytes=30, uss_bytes=40, rss_bytes=100, swap_bytes=5)
    assert sample.cost_bytes == 35


def test_without_a_rollup_uss_stands_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the kernel gives no private dirty, the next larger true figure is used, never zero."""
    monkeypatch.setattr(process, "_SMAPS_ROLLUP", tmp_path / "missing")
    sample = memory_sample()
    assert sample.private_dirty_bytes == sample.uss_bytes > 0


def test_a_rollup_without_a_line_is_no_figure(tmp_path: Path) -> None:
    """A file that lacks a sum answers None, not zero; a whole one answers in bytes."""
    rollup = tmp_path / "smaps_rollup"
    head = "00400000-7ff000 ---p 00000000 00:00 0 [rollup]\n"
    lines = ["Rss: 100 kB", "Private_Clean: 4 kB", "Private_Dirty:      12 kB", "Private_Hugetlb: 8 kB"]
    rollup.write_text(head + "\n".join(lines) + "\n")
    assert process._rolled_up(rollup) is None
    rollup.write_text(head + "\n".join([*lines, "Swap: 2 kB"]) + "\n")
    assert process._rolled_up(rollup) == MemorySample(12 * 1024, 24 * 1024, 100 * 1024, 2 * 1024)
    rollup.write_text("")
    assert process._rolled_up(rollup) is None


@needs_proc
def test_where_there_is_a_rollup_no_library_is_loaded_to_read_it() -> None:
    """What measures memory must not be a good part of it."""
    code = "import sys; from telemetry.process import memory_sample; memory_sample(); print(*sys.modules)"
    child = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "psutil" not in child.stdout.split()


_CHILD = """
import sys, time
from telemetry.process import process_age_seconds, process_created_monotonic
print(process_age_seconds(), process_created_monotonic(), time.monotonic(), "psutil" in sys.modules)
"""


@needs_proc
def test_the_age_counts_from_the_creation_of_the_process() -> None:
    """A child that says its age lies between when we started it and when we heard of it.

    It includes the interpreter's own start, which a clock started by the first import would miss.
    """
    before = time.monotonic()
    child = subprocess.run(
        [sys.executable, "-c", _CHILD], cwd=ROOT, capture_output=True, text=True, check=True
    )
    lived_at_most = time.monotonic() - before
    age, created, said_at, has_psutil = child.stdout.split()
    tick = 0.010
    assert 0 < float(age) <= lived_at_most + tick
    assert before - tick <= float(created) <= float(said_at)
    assert has_psutil == "False"


@needs_proc
def test_the_age_grows_with_the_monotonic_clock() -> None:
    """Two readings are as far apart as the clock says, and the creation stands still."""
    first_age, first_clock = process_age_seconds(), time.monotonic()
    created = process_created_monotonic()
    while time.monotonic() < first_clock + 0.02:
        pass
    second_age, second_clock = process_age_seconds(), time.monotonic()
    assert first_age is not None
    assert second_age is not None
    assert created is not None
    assert second_age - first_age == pytest.approx(second_clock - first_clock, abs=0.005)
    assert process_created_monotonic() == pytest.approx(created, abs=0.005)


@pytest.mark.parametrize(
    "content",
    [None, "", "1 (short) S 1", "1 (name) S " + "x " * 40],
    ids=["missing", "empty", "cut", "words"],
)
def test_an_unreadable_stat_is_no_age(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system that does not say gives None, never a made-up figure."""
    stat = tmp_path / "stat"
    if content is not None:
        stat.write_text(content)
    monkeypatch.setattr(process, "_STAT", stat)
    assert process_age_seconds() is None
    assert process_created_monotonic() is None


@needs_proc
def test_a_name_with_brackets_and_blanks_does_not_shift_the_fields(tmp_path: Path) -> None:
    """The program's name is free text; the field is counted from its last bracket."""
    real = Path("/proc/self/stat").read_text(encoding="utf-8")
    stat = tmp_path / "stat"
    stat.write_text(real.partition("(")[0] + "(a) odd (name) 1 2 3)" + real.rpartition(")")[2])
    ours, odd = process_age_seconds(), process._age_seconds(stat)
    assert ours is not None
    assert odd == pytest.approx(ours, abs=0.05)
