"""``fulfillment-kanban-server verify``: play the simulation on this machine, away from all data.

Exit code 1 when a seed fails; each failing one prints what was wrong and how to play it again.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Final

from server.registration import Command, CommandContext, Module

if TYPE_CHECKING:
    from server.verification.running import Summary

EVERY_CELL: Final = 1_000
"""So many seeds have to meet every cell of the conflict table."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--seeds", type=_count, default=20, metavar="N", help="how many seeds to play (20)")
    parser.add_argument("--first", type=int, default=1, metavar="K", help="the first seed (1)")
    parser.add_argument(
        "--processes", type=_count, default=2, metavar="N", help="how many processes share the work (2)"
    )
    parser.add_argument(
        "--looped", action="store_true", help="play them through the asyncio drivers on a virtual clock"
    )
    parser.add_argument("--json", action="store_true", help="print findings as JSON lines, the rest beside")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Play the seeds."""
    from server.verification import running

    tell = context.warn if arguments.json else context.say
    first, seeds = arguments.first, arguments.seeds
    wanted = running.jobs(seeds, first)
    if arguments.looped:
        wanted = [running.Job(seed, is_looped=True) for seed in range(first, first + seeds)]
    summary = running.run(wanted, tell, arguments.processes)
    if arguments.json:
        for finding in findings(summary):
            context.say(json.dumps(finding))
    uncovered = summary.cells.uncovered()
    is_complete = not uncovered or summary.seeds < EVERY_CELL
    if uncovered:
        tell("Not met: " + "; ".join(f"{kind} on {state}" for kind, state in uncovered))
    good = summary.seeds + summary.looped - len(summary.failed)
    tell(
        f"{good:,} of {good + len(summary.failed):,} seeds without a violation, "
        f"{summary.operations:,} operations, {summary.seconds:.1f} s."
    )
    return 0 if is_complete and not summary.failed else 1


def findings(summary: Summary) -> list[dict[str, object]]:
    """Return the metrics for ``build/bench.json``, as every proof prints them."""
    sentences = [f"{again}: {found[0]}" for again, found in summary.failed.items()]
    uncovered = [f"{kind} on {state}" for kind, state in summary.cells.uncovered()]
    most = 0 if summary.seeds >= EVERY_CELL else None
    return [
        _finding("sim.seeds", summary.seeds, "seeds", summary.seeds, f"{summary.operations} operations"),
        _finding("sim.looped_seeds", summary.looped, "seeds", summary.looped, "through the asyncio drivers"),
        _finding("sim.seconds", round(summary.seconds, 1), "s", summary.seeds),
        _finding("sim.violations", len(sentences), "seeds", summary.seeds, "; ".join(sentences)[:4_000], 0),
        _finding("sim.cells_uncovered", len(uncovered), "cells", summary.seeds, "; ".join(uncovered), most),
    ]


def _finding(
    metric: str, value: float, unit: str, runs: int, detail: str = "", most: float | None = None
) -> dict[str, object]:
    return {"metric": metric, "value": value, "unit": unit, "runs": runs, "detail": detail, "most": most}


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


COMMAND: Final = Command("verify", "prove on this machine that sync loses nothing", configure, run)
MODULE: Final = Module("verification", commands=(COMMAND,))
