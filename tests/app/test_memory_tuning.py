"""What the C library is told about memory, in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from app.memory_tuning import give_memory_back
from support.processes import ProcessRunner

USE = """
import json, sys
from app.memory_tuning import give_memory_back
from telemetry.process import memory_sample
is_set = give_memory_back()
# Large pieces that were freed make the library keep the next ones, and a small one on top keeps them all.
for _ in range(3):
    large = bytearray(b"x") * 8_000_000
    del large
before = memory_sample().private_dirty_bytes
pieces = [bytearray(b"x") * 200_000 for _ in range(100)]
pins = [bytearray(b"x") * 2_000 for _ in range(100)]
del pieces
print(json.dumps({"is_set": is_set, "kept": memory_sample().private_dirty_bytes - before}))
"""


@pytest.mark.skipif(
    not Path("/proc/self/smaps_rollup").exists(), reason="this system does not say its memory"
)
def test_what_was_large_goes_back_to_the_system(processes: ProcessRunner) -> None:
    """Twenty megabytes that were used and freed are not kept, whatever was made after them."""
    process = processes.run(sys.executable, "-c", USE)
    assert process.wait() == 0, process.stderr
    told = json.loads(process.stdout)
    if told["is_set"]:
        assert told["kept"] < 2_000_000


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their libraries have no such switches, or give memory back by themselves."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert not give_memory_back()
