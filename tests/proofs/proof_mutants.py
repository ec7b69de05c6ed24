"""Every wrong program must be seen: faults planted by hand, and changes that a tool makes by the hundred.

A unit test has to fail over each, the quickest first; where none does, a few seeds of the simulation are
played with it; where those are content too, and the fault can only be seen from outside, the proof with real
programs. What nobody sees is a survivor. A tool also makes changes that change nothing: those are explained
one by one in ``tests/support/proofs_mutants_same.py``, and may be few.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from proofs.proof_planted import CONTROLS
from support.proofs_mutants import Mutant, sample
from support.proofs_mutants_map import CoverMap, at_once, measured, places
from support.proofs_mutants_page import Tried
from support.proofs_mutants_same import same_as
from support.proofs_mutants_warm import BlindError, Job, Warm, copied, seen_by_tests
from support.proofs_planted import ROOT, Plant, changed_sources, planted
from support.proofs_planted_named import NAMED
from support.proving import Budget, Finding, counted, prove

MADE: Final = 400
"""How many changes the tool makes for the whole table."""
SAMPLE: Final = 1
"""The sample: another number takes other changes."""
MOST_EXPLAINED_PERCENT: Final = 3
SIMULATION_SEEDS: Final = 6
MAP_S: Final = 600.0
SIMULATION_S: Final = 120.0
QUICK: Final = 800
"""So many tests must pass in a fork that changes nothing: what fails there would see anything."""
RESULT: Final = ROOT / "build" / "mutants.json"


@dataclass(frozen=True)
class Wrong:
    """One wrong program before it is tried."""

    plant: Plant | None
    mutant: Mutant | None
    sources: dict[str, str]
    tests: tuple[str, ...]
    cost_s: float

    @property
    def name(self) -> str:
        """Return the words by which a person finds it."""
        if self.plant is not None:
            return self.plant.name
        assert self.mutant is not None
        return self.mutant.name


def run(budget: Budget) -> list[Finding]:
    """Try the named faults, for the whole table also those that the tool makes."""
    started = time.monotonic()
    with copied(ROOT) as root:
        warm = Warm(root, at_once())
        planted_in = {change.path for plant in NAMED for change in plant.changes}
        tests, broken = learn(warm, sorted({*places(), *planted_in}))
        plants = NAMED[: budget.of(ci=len(NAMED), full=len(NAMED))]
        unfit = [plant.name for plant in plants if not fits(root, plant)]
        wrong = [named(root, plant, tests) for plant in plants if plant.name not in unfit]
        if budget.is_full:
            wrong += [made(mutant, tests) for mutant in sample(root, places(), MADE, SAMPLE)]
        places_of = {each.name: place for place, each in enumerate(wrong)}
        tried = sorted(tried_all(warm, wrong), key=lambda each: places_of[each.name])
    seconds = time.monotonic() - started
    _publish(tried)
    return [*findings(tried, broken, seconds), counted("mutants.unfit", unfit, "programs", len(plants))]


def fits(root: Path, plant: Plant) -> bool:
    """Say whether a plant's words are in the code; when they are not, it has to follow the code."""
    try:
        changed_sources(root, plant)
    except (AssertionError, OSError):
        return False
    return True


def learn(warm: Warm, paths: Sequence[str]) -> tuple[CoverMap, list[str]]:
    """Run the unit tests once unchanged: which pass, and which runs which line."""
    seconds, by_line, broken = warm.learn(lambda: measured(paths), MAP_S)
    lines = {path: {int(line): names for line, names in found.items()} for path, found in by_line.items()}
    tests = CoverMap(seconds, lines)
    if not seconds:
        raise BlindError("no unit test passes")
    quick = sorted(seconds, key=lambda test: seconds[test])[:QUICK]
    control = Job("nothing changed", {}, _unit_tests(quick), MAP_S)
    for seen in warm.all([control]):
        if seen.by:
            raise BlindError(f"seen although nothing was changed: {seen.by}")
    return tests, broken


def named(root: Path, plant: Plant, tests: CoverMap) -> Wrong:
    """Return the program with a planted fault."""
    sources = changed_sources(root, plant)
    found: list[str] = []
    for path, source in sources.items():
        found += tests.tests_of_change(path, (root / path).read_text(encoding="utf-8"), source)
    names = tuple(sorted(dict.fromkeys(found), key=lambda test: (tests.seconds[test], test)))
    return Wrong(plant, None, sources, names, tests.cost_s(names))


def made(mutant: Mutant, tests: CoverMap) -> Wrong:
    """Return the program with a change that the tool made."""
    names = tuple(tests.tests_of(mutant.path, mutant.lines))
    return Wrong(None, mutant, {mutant.path: mutant.source}, names, tests.cost_s(names))


def tried_all(warm: Warm, wrong: Sequence[Wrong]) -> Iterator[Tried]:
    """Try each wrong program until somebody sees it, and tell of each."""
    by_name = {each.name: each for each in wrong}
    assert len(by_name) == len(wrong), "two wrong programs have one name"
    unseen: list[Wrong] = []
    for seen in warm.all(_unit_jobs(wrong)):
        each = by_name[seen.job.name]
        if seen.by:
            yield _told(each, seen.by)
        else:
            unseen.append(each)
    seeds = good_seeds(warm) if unseen else []
    for seen in warm.all(_simulation_jobs(unseen, seeds)):
        each = by_name[seen.job.name]
        yield _told(each, seen.by or _seen_by_programs(each))


def findings(tried: Sequence[Tried], broken: Sequence[str], seconds: float) -> list[Finding]:
    """Return what it came to."""
    by_tool = [each for each in tried if each.function]
    explained = [each for each in tried if each.explained]
    survivors = [each.name for each in tried if not each.by and not each.explained]
    most = len(by_tool) * MOST_EXPLAINED_PERCENT // 100
    words = "; ".join(f"{each.name} ({each.explained})" for each in explained)
    return [
        Finding("mutants.total", len(tried), "programs", len(tried)),
        Finding("mutants.named", len(tried) - len(by_tool), "programs", len(tried)),
        counted("mutants.survivors", survivors, "programs", len(tried)),
        Finding("mutants.explained", len(explained), "programs", len(by_tool), words, most),
        counted("mutants.broken_tests", broken, "tests", len(tried)),
        Finding("mutants.seconds", round(seconds, 1), "s", len(tried)),
    ]


def _unit_jobs(wrong: Iterable[Wrong]) -> Iterator[Job]:
    for each in wrong:
        # Ten times what the tests take when nothing is wrong: then it hangs, and that is seen.
        deadline_s = 30 + 10 * each.cost_s
        yield Job(each.name, each.sources, _unit_tests(each.tests), deadline_s)


def _unit_tests(tests: Sequence[str]) -> Callable[[], str]:
    files = sorted({test.split("::")[0] for test in tests})
    return lambda: seen_by_tests(files, tests) if tests else ""


def good_seeds(warm: Warm) -> list[int]:
    """Return some seeds of the simulation that see nothing in the unchanged program."""
    seeds = range(1, SIMULATION_SEEDS + 1)
    jobs = [Job(str(seed), {}, partial(simulated, [seed]), SIMULATION_S) for seed in seeds]
    good = []
    for seen in warm.all(jobs):
        if seen.by:
            sys.stderr.write(f"not used, because it sees something in the unchanged program: {seen.by}\n")
        else:
            good.append(int(seen.job.name))
    return sorted(good)


def _simulation_jobs(wrong: Iterable[Wrong], seeds: Sequence[int]) -> Iterator[Job]:
    for each in wrong:
        is_same = bool(_why_same(each)) or not seeds
        yield Job(
            each.name,
            {} if is_same else each.sources,
            str if is_same else partial(simulated, seeds),
            SIMULATION_S,
        )


def simulated(seeds: Iterable[int]) -> str:
    """Play some seeds of the simulation; return which of them saw something wrong."""
    from server.verification.simulation import simulate

    for seed in seeds:
        try:
            report = simulate(seed)
        except Exception as error:  # noqa: BLE001 - whatever a wrong program raises has been seen
            return f"simulation seed {seed}: {type(error).__name__}"
        if report.violations:
            return f"simulation seed {seed}: {report.violations[0][:80]}"
    return ""


def _seen_by_programs(wrong: Wrong) -> str:
    """Play the proof with real programs that is to see a planted fault, if there is one."""
    for control in CONTROLS:
        if control.plant is wrong.plant:
            with planted(control.plant) as code:
                if any(control.sees(seed, code) for seed in range(1, control.tries + 1)):
                    return control.proof
    return ""


def _why_same(wrong: Wrong) -> str:
    return "" if wrong.mutant is None else same_as(wrong.mutant)


def _told(wrong: Wrong, by: str) -> Tried:
    """Return what came of one, and say it."""
    explained = "" if by else _why_same(wrong)
    if not by:
        sys.stderr.write(f"{wrong.name}: {explained or 'NOT SEEN'}\n")
    if wrong.mutant is None:
        return Tried(wrong.name, tuple(wrong.sources), "", "", "", 1, by, explained)
    mutant = wrong.mutant
    words = (mutant.before, mutant.after, mutant.nth)
    return Tried(mutant.name, (mutant.path,), mutant.function, *words, by, explained)


def _publish(tried: Iterable[Tried]) -> None:
    """Keep the list for ``tools/mutants.py``, which writes it into the documents."""
    RESULT.parent.mkdir(exist_ok=True)
    content = [each._asdict() for each in tried]
    RESULT.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    prove(run)
