"""``make check``: every gate that needs no test run, each with its seconds.

All gates run even when one fails: a person wants the whole list at once. ``tools/check.py mypy`` runs
one of them.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
WHEELS = Path("build") / "wheel"


@dataclass(frozen=True)
class Gate:
    """One thing that must hold: its name and the commands that say whether it does."""

    name: str
    commands: tuple[tuple[str, ...], ...]


GATES = (
    Gate("format", (("ruff", "format", "--check", "--output-format", "concise", "."),)),
    Gate("lint", (("ruff", "check", "--output-format", "concise", "."),)),
    Gate("mypy", (("mypy",),)),
    Gate("layers", (("lint-imports", "--no-logo", "--cache-dir", "build/import-linter"),)),
    Gate("spelling", (("codespell",),)),
    Gate(
        "wheel",
        (
            ("python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(WHEELS)),
            ("check-wheel-contents", str(WHEELS)),
        ),
    ),
)


def run_gate(gate: Gate, root: Path = ROOT, bin_folder: Path = BIN) -> str | None:
    """Run the commands of a gate until one fails; return what it said, None when all is well."""
    for program, *arguments in gate.commands:
        done = subprocess.run(
            [str(bin_folder / program), *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if done.returncode != 0:
            return done.stdout.strip() or f"{program} exited with {done.returncode}"
    return None


def check(gates: Iterable[Gate]) -> int:
    """Run gates, print a line for each and the words of those that failed; return the exit code."""
    failed = []
    for gate in gates:
        started = time.monotonic()
        problem = run_gate(gate)
        verdict = "ok" if problem is None else "FAILED"
        print(f"{gate.name:<10} {verdict:<7} {time.monotonic() - started:6.1f} s", flush=True)
        if problem is not None:
            failed.append(gate.name)
            print(problem, flush=True)
    if failed:
        print(f"make check: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


def main() -> int:
    """Run the gates named on the command line, all of them without a name."""
    names = sys.argv[1:]
    known = {gate.name for gate in GATES}
    if not known.issuperset(names):
        print(f"The gates are: {', '.join(sorted(known))}.", file=sys.stderr)
        return 2
    shutil.rmtree(ROOT / WHEELS, ignore_errors=True)  # an old wheel must not be checked for the new one
    return check(gate for gate in GATES if not names or gate.name in names)


if __name__ == "__main__":
    sys.exit(main())
