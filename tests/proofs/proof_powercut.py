"""Power cuts lose nothing that was promised: outbox and server file on a disk that forgets.

Real stores work on a disk that remembers what was synced (``support/proofs_disk.py``). In a random
moment, also in the middle of a commit or a checkpoint, the files are made that a machine could find
after the power came back: of every write since the last sync all, nothing or some sectors. The program
opens them, and every operation that had been answered must be there as it was, nothing half done.

The control is the same with ``synchronous=NORMAL``: it must lose, or this proof could not have found
anything.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final
from unittest import mock

import server.database
from support.proofs_disk import Disk
from support.proofs_work import OutboxWorker, ServerTemplate, ServerWorker, Worker, on_disk
from support.proving import Budget, Finding, counted, prove
from sync.client import outbox
from sync.client.stores.outbox_mark import mark_path

CUTS_EACH: Final = 50
"""So many cuts are looked at in the life of one file; a life ends in a checkpoint or some."""
APART: Final = (2, 150)
"""So many changes of the file lie between two cuts."""
_FULL: Final = "PRAGMA synchronous = FULL"
_NORMAL: Final = "PRAGMA synchronous = NORMAL"


def run(budget: Budget) -> list[Finding]:
    """Cut the power and look."""
    runs = budget.of(200, 2_000)
    # Few cuts may lose nothing by chance.
    controls = max(100, budget.of(100, 400))
    wrong = _all_lives(budget.first, runs, is_control=False)
    lost = _all_lives(budget.first, controls, is_control=True)
    return [
        Finding("powercut.runs", runs, "cuts", runs),
        counted("powercut.lost", wrong, "cuts", runs),
        Finding(
            "powercut.control_lost",
            len(lost),
            "cuts",
            controls,
            "synchronous=NORMAL: " + "; ".join(lost[:3]),
        ),
        # The other way round, because a finding can only be too high: both controls have to lose.
        counted("powercut.control_blind", _blind(lost), "stores", controls),
    ]


def _blind(lost: Sequence[str]) -> list[str]:
    stores = (OutboxWorker.__name__, ServerWorker.__name__)
    return [
        f"{name} lost nothing with {_NORMAL}" for name in stores if not any(name in each for each in lost)
    ]


def _all_lives(first: int, runs: int, *, is_control: bool) -> list[str]:
    """Cut ``runs`` times over as many lives as it takes; return what was wrong."""
    wrong: list[str] = []
    with tempfile.TemporaryDirectory(prefix="powercut-") as name:
        folder = Path(name)
        template = ServerTemplate(folder / "template")
        makers: tuple[Callable[[Path], Worker], ...] = (
            OutboxWorker,
            lambda life: ServerWorker(life, template),
        )
        seed, done = first, 0
        while done < runs:
            for make in makers:
                count = min(CUTS_EACH, (runs + 1) // 2, runs - done)
                if count:
                    wrong += life(folder / f"life-{seed}", make, seed, count, is_control=is_control)
                done += count
                seed += 1
            sys.stderr.write(f"powercut: {done} of {runs} cuts{' (control)' * is_control}\n")
    return wrong


def life(
    folder: Path, make: Callable[[Path], Worker], seed: int, cuts: int, *, is_control: bool = False
) -> list[str]:
    """Let one worker write until the power was cut ``cuts`` times; return what was wrong."""
    folder.mkdir(parents=True)
    chance = random.Random(seed)
    wrong: list[str] = []
    state = {"cuts": 0, "wait": chance.randint(*APART)}
    at_work: list[Worker] = []

    def point(_what: str, _file: str) -> None:
        state["wait"] -= 1
        if state["wait"] > 0 or state["cuts"] >= cuts or not at_work:
            return
        state["wait"] = chance.randint(*APART)
        state["cuts"] += 1
        found = folder.with_name(f"{folder.name}-cut")
        disk.image(found, chance)
        # Nobody waits for the mark, so it may be there as it is now, as it was, or not at all. As it is now
        # is the hardest: it must not accuse an outbox of having lost what never was promised.
        mark = mark_path(folder / "outbox.db")
        if mark.exists() and chance.random() < 0.8:
            shutil.copy(mark, found)
        sentence = at_work[0].broken(found)
        if sentence:
            wrong.append(f"{type(at_work[0]).__name__} seed {seed} cut {state['cuts']}: {sentence}")
        shutil.rmtree(found)

    disk = Disk(point)
    with ExitStack() as stack:
        stack.enter_context(closing(disk))
        stack.enter_context(on_disk(disk, folder))
        if is_control:
            stack.enter_context(mock.patch.object(outbox, "_PRAGMAS", _weakened(outbox._PRAGMAS)))
            pragmas = _weakened(server.database._PRAGMAS)
            stack.enter_context(mock.patch.object(server.database, "_PRAGMAS", pragmas))
        worker = stack.enter_context(closing(make(folder)))
        at_work.append(worker)
        while state["cuts"] < cuts:
            worker.step(chance)
        at_work.clear()
    shutil.rmtree(folder)
    return wrong


def _weakened(pragmas: tuple[str, ...]) -> tuple[str, ...]:
    assert _FULL in pragmas
    return tuple(_NORMAL if pragma == _FULL else pragma for pragma in pragmas)


if __name__ == "__main__":
    prove(run)
