"""``make verify [SEEDS=200] [FIRST=7] [ONLY=kill9] [FULL=1]``: prove that sync loses nothing.

First the deterministic simulation (``server/verification``), then every ``tests/proofs/proof_*.py``, each as
a program of its own with a deadline. Their findings are merged into ``build/bench.json`` and
``build/bench-details.json`` beside the measurements of ``make bench``. The exit code is 1 when a promise is
broken or a proof could not be run; ``docs/verification.md`` says what each of them proves.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parent.parent
sys.path += [str(ROOT), str(ROOT / "tests")]

from tools import results  # noqa: E402 - this file is started as a script

if TYPE_CHECKING:
    from support.proving import Finding

SIMULATION = "simulation"
FULL_SEEDS = 1_000
DEADLINE_S = 1_200
FULL_DEADLINE_S = 4 * 3_600


Finder = Callable[[], "list[Finding]"]
"""Finds something, or raises :class:`ProofError`."""


class ProofError(Exception):
    """Why a proof could not be made, as a sentence."""


def proof_files(folder: Path, only: str) -> list[Path]:
    """Return the proofs to run, ``proof_kill9.py`` alone for ``kill9``.

    Raises:
        ProofError: when there is no proof of that name.
    """
    files = sorted(folder.glob("proof_*.py"))
    chosen = [path for path in files if only in {"", _name(path)}]
    if not chosen and only != SIMULATION:
        names = ", ".join([SIMULATION, *(_name(path) for path in files)])
        raise ProofError(f"There is no proof {only!r}; there are: {names}.")
    return chosen


def find(path: Path, words: Sequence[str], deadline_s: float) -> list[Finding]:
    """Run one proof and return what it found.

    Raises:
        ProofError: when it breaks, hangs, finds nothing, or prints something of another shape.
    """
    return found_by([sys.executable, str(path), *words], deadline_s)


def found_by(command: Sequence[str], deadline_s: float) -> list[Finding]:
    """Run a program that prints findings; it speaks about its progress on standard error.

    Raises:
        ProofError: when it breaks, hangs, finds nothing, or prints something of another shape.
    """
    from support.proving import parse

    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            timeout=deadline_s,
        )
    except subprocess.TimeoutExpired:
        raise ProofError(f"was not done within {deadline_s:g} s") from None
    try:
        found = [finding for line in done.stdout.splitlines() if (finding := parse(line))]
    except ValueError as error:
        raise ProofError(str(error)) from error
    if not found:
        raise ProofError(f"found nothing and exited with {done.returncode}")
    if done.returncode != (0 if all(finding.is_good for finding in found) else 1):
        raise ProofError(f"exited with {done.returncode}")
    return found


def find_all(
    files: Iterable[Path], words: Sequence[str], deadline_s: float
) -> tuple[dict[str, Finding], list[str]]:
    """Run proofs one after the other; return the findings by metric and the sentences of failures."""
    finders = {path.name: partial(find, path, words, deadline_s) for path in files}
    return run_all(finders)


def run_all(finders: Mapping[str, Finder]) -> tuple[dict[str, Finding], list[str]]:
    """Run what finds something, by name, one after the other."""
    findings: dict[str, Finding] = {}
    failures: list[str] = []
    for name, finder in finders.items():
        started = time.monotonic()
        print(f"== {_name(Path(name))}", flush=True)
        try:
            found = finder()
        except ProofError as error:
            failures.append(f"{name} {error}")
            continue
        for finding in found:
            findings[finding.metric] = finding
            print(_row(finding), flush=True)
            if not finding.is_good:
                failures.append(f"{finding.metric} is {finding.value:g}: {finding.detail}")
        print(f"{time.monotonic() - started:.1f} s", flush=True)
    return findings, failures


def environment() -> dict[str, str]:
    """Return the variables of a proof: no screen, no person's keyring; ``support`` of the tests.

    What is started hundreds of times is compiled once, so nothing may keep Python from writing that down.
    """
    path = [str(ROOT), str(ROOT / "tests"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": os.pathsep.join(part for part in path if part),
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "QT_QPA_PLATFORM": "offscreen",
    }


def simulation(seeds: int, first: int) -> list[str]:
    """Return the command that plays these seeds and prints findings."""
    seeds_of = ["--seeds", str(seeds), "--first", str(first)]
    return [sys.executable, "-m", "server.verification", *seeds_of, "--json"]


def _name(path: Path) -> str:
    """Return the name that ONLY takes."""
    return path.stem.removeprefix("proof_")


def _row(finding: Finding) -> str:
    """Return the line that a person reads."""
    words = "" if finding.is_good else "   BROKEN"
    return f"{finding.metric:<32} {finding.value:>10g} {finding.unit:<8} {finding.runs:>6} runs{words}"


def main(words: Sequence[str] | None = None) -> int:
    """Run what was asked for and return the exit code."""
    parser = argparse.ArgumentParser(prog="make verify", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds of the simulation; proofs go with it")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--full", action="store_true", help="every proof at the size of the whole table")
    parser.add_argument("--only", default="", help="one proof, or simulation")
    arguments = parser.parse_args(words)
    try:
        files = proof_files(ROOT / "tests" / "proofs", arguments.only)
    except ProofError as error:
        print(error, file=sys.stderr)
        return 2
    deadline_s = FULL_DEADLINE_S if arguments.full else DEADLINE_S
    findings: dict[str, Finding] = {}
    failures: list[str] = []
    if arguments.only in {"", SIMULATION}:
        seeds = max(arguments.seeds, FULL_SEEDS) if arguments.full else arguments.seeds
        command = simulation(seeds, arguments.first)
        findings, failures = run_all({SIMULATION: partial(found_by, command, deadline_s)})
    handed_on = ["--seeds", str(arguments.seeds), "--first", str(arguments.first)]
    if arguments.full:
        handed_on.append("--full")
    more, broken = find_all(files, handed_on, deadline_s)
    results.merge(ROOT / "build", findings | more)
    for failure in [*failures, *broken]:
        print(f"FAILED {failure}", file=sys.stderr)
    return 1 if failures or broken else 0


if __name__ == "__main__":
    sys.exit(main())
