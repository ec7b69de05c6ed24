"""``python -m server.verification --seeds 20``: simulate, print one line a seed, exit 1 on a violation."""

from __future__ import annotations

import argparse
import sys

from server.verification.simulation import Report, simulate


def main() -> int:
    """Run the seeds; every failing one prints itself and how to run it again."""
    parser = argparse.ArgumentParser(prog="make verify", description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="how many seeds to run")
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    arguments = parser.parse_args()
    failed = 0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        report = simulate(seed)
        print(_line(report))
        failed += bool(report.violations)
        for sentence in report.violations:
            print(f"  {sentence}")
    print(f"{arguments.seeds - failed} passed, {failed} failed")
    return 1 if failed else 0


def _line(report: Report) -> str:
    return (
        f"seed {report.seed}: {report.operations} operations, {report.crashes} crashes, "
        f"{report.cuts} cuts, {report.steps} steps, trace {report.trace_hash}"
    )


if __name__ == "__main__":
    sys.exit(main())
