"""What every proof in ``tests/proofs/proof_*.py`` shares: how much to run, and what was found.

A proof is a module with ``run(budget) -> list[Finding]`` that ends with::

    if __name__ == "__main__":
        prove(run)

Run as a program it prints each finding as one JSON line, ``{"metric", "value", "unit", "runs", "detail",
"most"}``, and exits with 1 when a value is above what is allowed (``most``). ``make verify`` runs them all
and merges what they print into ``build/bench.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from tools import results

CI_SEEDS: Final = 200
"""``make verify SEEDS=200`` runs every proof at the size meant for each change."""
DETAIL_LENGTH: Final = 4_000


@dataclass(frozen=True)
class Budget:
    """How much of a proof to run: in proportion to the seeds of the simulation, or the whole table."""

    seeds: int = 20
    first: int = 1
    is_full: bool = False

    def of(self, ci: int, full: int) -> int:
        """Return how many runs to make, where ``ci`` belong to 200 seeds and ``full`` to the whole table."""
        return full if self.is_full else max(1, math.ceil(ci * self.seeds / CI_SEEDS))


@dataclass(frozen=True)
class Finding:
    """One metric of a proof; ``detail`` says in words what was wrong and how to see it again."""

    metric: str
    value: float
    unit: str
    runs: int
    detail: str = ""
    most: float | None = None
    """The highest value that keeps the promise; None when the metric promises nothing by itself."""

    @property
    def is_good(self) -> bool:
        """Say whether the promise is kept."""
        return self.most is None or self.value <= self.most

    def line(self) -> str:
        """Return the JSON line."""
        return json.dumps(asdict(self), ensure_ascii=False)


def counted(metric: str, sentences: Sequence[str], unit: str, runs: int) -> Finding:
    """Return the finding of something that must never happen; ``sentences`` name where it did."""
    detail = "; ".join(sentences)[:DETAIL_LENGTH]
    return Finding(metric, len(sentences), unit, runs, detail, most=0)


def parse(line: str) -> Finding | None:
    """Return the finding in a line of output, None when it is not one.

    Raises:
        ValueError: when it names a metric but is not of the shape.
    """
    return results.parse(line, Finding, "support/proving.py")


def prove(run: Callable[[Budget], list[Finding]], words: Sequence[str] | None = None) -> None:
    """Run a proof as a program and exit: 0 when every promise is kept, 1 when not."""
    parser = argparse.ArgumentParser(description=sys.modules[run.__module__].__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="the share of the proof: 200 for each change")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--full", action="store_true", help="the whole table")
    arguments = parser.parse_args(words)
    findings = run(Budget(arguments.seeds, arguments.first, arguments.full))
    for finding in findings:
        sys.stdout.write(finding.line() + "\n")
    sys.stdout.flush()
    sys.exit(0 if all(finding.is_good for finding in findings) else 1)
