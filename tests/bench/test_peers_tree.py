"""All processes of a program count, and all of them end."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil

from bench.peers.tree import ProcessTree, private_kb
from support.processes import ProcessRunner
from support.waiting import eventually

PARENT = """
import subprocess, sys, time
held = bytearray(b"x" * 20_000_000)
child = "import time; held = bytearray(b'x' * 10_000_000); print('ready', flush=True); time.sleep(60)"
words = [sys.executable, "-c", child, sys.argv[1]]
far = subprocess.Popen(words, start_new_session=True, stdout=subprocess.PIPE)
far.stdout.readline()
print("ready", flush=True)
time.sleep(60)
"""


def test_all_processes_count_and_end(processes: ProcessRunner, tmp_path: Path) -> None:
    """A child is found by the folder in its command line, also when its parent is gone."""
    mark = str(tmp_path / "profile")
    parent = processes.start(sys.executable, "-c", PARENT, mark)
    parent.wait_for_line("ready")
    tree = ProcessTree(parent.pid, mark)
    assert len(tree.processes()) == 2
    assert tree.private_dirty_mb() > 30
    assert tree.cpu_ms() > 0
    parent.kill()
    left = tree.processes()
    assert [each.pid for each in left if each.pid != parent.pid]
    tree.end()
    eventually(lambda: not any(psutil.pid_exists(each.pid) for each in left), what="the end of the child")
    assert tree.processes() == []


def test_what_has_ended_holds_nothing() -> None:
    """A process that is gone counts as nothing instead of failing the measurement."""
    assert private_kb(2**22 + 1) == 0
    assert ProcessTree(2**22 + 1).private_dirty_mb() == 0
