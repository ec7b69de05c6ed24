"""A real disk of 40 MB in a mount of its own: filled up, and then made read-only (Linux, as root)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.repository import ROOT

SCRIPT = """
import asyncio, sys
from pathlib import Path
from support.clocks import CountingIds
from support.drafts import draft
from sync.client.database_thread import Priority
from sync.client.engine_stores import Stores
from sync.client.outbox import Outbox
from sync.client.profile import open_profile
from sync.contract.problems import ProblemError
from sync.contract.steps import Job
import subprocess

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", str(disk)], check=True)
profile = open_profile(disk / "profile")

async def live():
    told = []
    stores = Stores(profile, CountingIds(), told.append)
    await stores.open()
    await stores._call(lambda: None, Priority.TELEMETRY)
    loop = asyncio.get_running_loop()

    async def run(store, method, *arguments):
        answer = loop.create_future()
        stores.run_job(
            Job(1, store, method, arguments),
            lambda result, error: loop.call_soon_threadsafe(answer.set_result, (result, error)),
        )
        return await answer

    async def moves(first):
        drafts = [draft(f"op-{n}", "order-1") for n in range(first, first + 20)]
        return [await run("outbox", "append", (each,)) for each in drafts]

    print("with room:", {error for _, error in await moves(0)}, (profile.folder / "ballast").exists())
    with (disk / "other").open("wb", buffering=0) as other:
        try:
            while other.write(bytes(4096)):
                pass
        except OSError:
            pass
    print("full:", {error for _, error in await moves(20)}, [problem.code for problem in told])
    print("board:", (await run("cache", "apply_delta", "device", 0, 0, ()))[1].partition(":")[0])
    stores.close(5)

asyncio.run(live())
opened = Outbox.open(profile.outbox, CountingIds(900))
print("after:", opened.salvage, len(opened.outbox.state().held))
opened.outbox.close()
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
try:
    open_profile(profile.folder)
except ProblemError as error:
    print("read-only:", error.problem.code, error.problem.sentence.partition(": ")[2])
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="a disk of its own needs Linux and root",
)
def test_a_full_and_a_read_only_disk_lose_nothing_in_silence(tmp_path: Path) -> None:
    """Room is given back for moves and it is said; the board stops first; what was promised is there."""
    disk = tmp_path / "disk"
    disk.mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, str(script), str(disk)],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )
    if "mount" in done.stderr and "permission" in done.stderr.lower():
        pytest.skip("this container may not mount")
    assert done.stdout.splitlines() == [
        "with room: {''} True",
        "full: {''} ['DISK_FULL']",
        "board: DiskFullError",
        "after: None 40",
        "read-only: PROFILE_UNREADABLE the disk is read-only, so no move could be kept on it.",
    ], done.stderr
