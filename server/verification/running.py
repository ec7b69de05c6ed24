"""Many seeds on several processes, and what they came to together."""

from __future__ import annotations

import gc
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from server.verification.cells import Cells
from server.verification.simulation import Plan, Report, simulate

PROCESSES: Final = 2
CHUNK: Final = 4
TOLD: Final = 20
"""How many sentences of one seed are printed."""
TOLD_SEEDS: Final = 50
"""So often it is said how far a long run has come."""
LOOPED_EVERY: Final = 20
"""One seed in so many is played once more through the asyncio drivers."""

Tell = Callable[[str], None]


class Job(NamedTuple):
    """One seed to be played; ``is_looped``: through the asyncio drivers, on a virtual loop."""

    seed: int
    is_looped: bool = False


@dataclass
class Summary:
    """What all seeds of one kind came to."""

    seeds: int = 0
    operations: int = 0
    seconds: float = 0.0
    failed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """The sentences of each seed that failed, by how to run it again."""
    cells: Cells = field(default_factory=Cells)

    def add(self, job: Job, report: Report) -> None:
        """Add one run."""
        self.seeds += 1
        self.operations += report.operations
        self.cells.add(report.cells)
        if report.violations:
            self.failed[again(job)] = report.violations


def again(job: Job) -> str:
    """Return the words that play one seed again."""
    looped = " --looped" if job.is_looped else ""
    return f"fulfillment-kanban-server verify --seeds 1 --first {job.seed}{looped}"


def plain(seeds: int, first: int) -> list[Job]:
    """Return every seed, stepped by the world itself."""
    return [Job(seed) for seed in range(first, first + seeds)]


def looped(seeds: int, first: int) -> list[Job]:
    """Return one seed in twenty, through the drivers."""
    return [Job(seed, is_looped=True) for seed in range(first, first + seeds // LOOPED_EVERY)]


def play(job: Job) -> Report:
    """Play one seed; garbage waits until it is over. What breaks the play itself is a violation too.

    What stays after a seed is modules and their caches: the next sweep does not look at them again.
    """
    gc.disable()
    try:
        return _played(job)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to this seed
        where = traceback.extract_tb(error.__traceback__)[-1]
        broke = (
            f"the play broke in {Path(where.filename).name}:{where.lineno}: {type(error).__name__}: {error}"
        )
        return Report(job.seed, "", 0, 0, 0, {}, (broke,), Cells())
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()


def _played(job: Job) -> Report:
    if job.is_looped:
        from server.verification.looped import simulate_looped

        report = simulate_looped(job.seed)
    else:
        report = simulate(job.seed, Plan())
    # A thousand entries a seed, which nobody reads on the other side.
    return replace(report, log=())


def run(wanted: Sequence[Job], tell: Tell, processes: int = PROCESSES) -> Summary:
    """Play ``wanted`` on several processes; ``tell`` gets a line for each."""
    started = time.monotonic()
    summary = Summary()
    for job, report in zip(wanted, _reports(wanted, processes), strict=True):
        summary.add(job, report)
        tell(line(job, report))
        for sentence in report.violations[:TOLD]:
            tell(f"  {sentence}")
        if report.violations:
            tell(f"  again: {again(job)}")
        if summary.seeds % TOLD_SEEDS == 0 and summary.seeds < len(wanted):
            tell(progress(summary, len(wanted), time.monotonic() - started))
    summary.seconds = time.monotonic() - started
    return summary


def progress(summary: Summary, wanted: int, seconds: float) -> str:
    """Return in a line how far a run has come, and about how long it will take yet."""
    left = seconds / summary.seeds * (wanted - summary.seeds)
    failed = f", {len(summary.failed)} failed" if summary.failed else ""
    return f"== {summary.seeds:,} of {wanted:,} seeds in {seconds:.0f} s{failed}; about {left:.0f} s left"


def _reports(wanted: Sequence[Job], processes: int) -> Iterator[Report]:
    if processes < 2 or len(wanted) < 2:
        yield from map(play, wanted)
        return
    # Spawned, not forked: nothing of this process is in the seeds.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(play, wanted, chunksize=CHUNK)


def line(job: Job, report: Report) -> str:
    """Return one run in a line."""
    troubles = ", ".join(f"{count} {name}" for name, count in report.troubles.items())
    how = " looped" if job.is_looped else ""
    return (
        f"seed {job.seed}{how}: {report.operations} operations, {report.entries} entries, "
        f"{report.steps} steps, trace {report.trace_hash[:16]}; {troubles or 'no trouble'}"
    )
