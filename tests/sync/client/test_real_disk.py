"""A real disk of 40 MB in a mount of its own: filled up, and then made read-only (Linux, as root)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.repository import ROOT

ENGINE = """
import os, random, sys
from pathlib import Path
from support.clocks import FakeClock
from support.drafts import draft
from support.waiting import eventually
from sync.client.board_view import BoardView
from sync.client.cache import Cache
from sync.client.engine import Engine
from sync.client.news import OperationsNotSaved, OperationsSaved, ProblemArose, Started
from sync.client.profile import open_profile
from sync.contract.ids import Uuid7Ids
from sync.contract.messages import Site
from telemetry.recorder import NullRecorder

profile = open_profile(Path(sys.argv[1]))
lock = profile.lock()
if not profile.hindrance:
    cache = Cache.open(profile.cache).cache
    cache.remember(Site("site", "Hall", "Europe/London", "shop", "Shop"), None, 1234)
    if sys.argv[2] == "kill":
        kept_open = cache
    else:
        cache.close()
ids = Uuid7Ids(FakeClock(), random.SystemRandom())
news = []
engine = Engine(
    profile, None, news.append, clock=FakeClock(), ids=ids, random=random.Random(1),
    recorder=NullRecorder(), version="1.0",
)
engine.start()

def told(*kinds):
    return eventually(lambda: next((each for each in list(news) if isinstance(each, kinds)), None), 10)

started = told(Started)
engine.submit([draft(ids.new(), "order-1")])
fate = told(OperationsSaved, OperationsNotSaved)
problems = [each.problem.code for each in news if isinstance(each, ProblemArose)]
site = BoardView(profile.cache).info().site
code = getattr(getattr(fate, "problem", None), "code", "")
seen = (len(started.operations), started.site.name, site.name, started.last_contact_ms)
print(type(fate).__name__, *seen, problems, code, lock is not None, flush=True)
if sys.argv[2] == "kill":
    os._exit(0)
engine.stop()
"""

SCRIPT = """
import asyncio, sys
from pathlib import Path
from support.clocks import CountingIds
from support.drafts import draft
from sync.client.database_thread import Priority
from sync.client.engine_stores import Stores
from sync.client.outbox import Outbox
from sync.client.profile import open_profile
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
(disk / "other").unlink()

def engine(end):
    sys.stdout.flush()
    program = [sys.executable, sys.argv[2], str(profile.folder), end]
    subprocess.run(program, check=end == "stop")

engine("kill")
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
engine("stop")
for left in profile.folder.glob("*-shm"):
    print(left.name)
subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
engine("kill")
(profile.folder / "cache.db-shm").unlink()
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
engine("stop")
subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
engine("stop")
subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
engine("stop")
"""


@pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0 or shutil.which("unshare") is None,
    reason="a disk of its own needs Linux and root",
)
def test_a_full_and_a_read_only_disk_lose_nothing_in_silence(tmp_path: Path) -> None:
    """Room is given back for moves and it is said; the board stops first; what was promised is there.

    Read-only, the board is shown with the moves that wait, no move is kept, and the next start on a disk that
    is well goes on: after a kill with the log's index, after one without it, and after an orderly end.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    engine = tmp_path / "engine.py"
    engine.write_text(ENGINE, encoding="utf-8")
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, str(script), str(disk), str(engine)],
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
        "OperationsSaved 40 Hall Hall 1234 []  True",
        "OperationsNotSaved 41 Hall Hall 1234 ['PROFILE_READ_ONLY'] PROFILE_READ_ONLY True",
        "cache.db-shm",
        "OperationsSaved 41 Hall Hall 1234 []  True",
        "OperationsNotSaved 42 Hall Hall 1234 ['PROFILE_READ_ONLY'] PROFILE_READ_ONLY True",
        "OperationsSaved 42 Hall Hall 1234 []  True",
        "OperationsNotSaved 43 Hall Hall 1234 ['PROFILE_READ_ONLY'] PROFILE_READ_ONLY True",
    ], done.stderr
