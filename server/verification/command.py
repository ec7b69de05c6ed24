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

TOLD_CELLS: Final = 20
"""More than so many cells are missing in a short run only."""
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
    """Play the seeds, then one in twenty again through the drivers; or all of them only so."""
    from server.verification import running

    tell = context.warn if arguments.json else context.say
    first, seeds = arguments.first, arguments.seeds
    played: list[Summary] = []
    if not arguments.looped:
        played.append(running.run(running.plain(seeds, first), tell, arguments.processes))
    wanted = running.looped(seeds * running.LOOPED_EVERY if arguments.looped else seeds, first)
    played.append(running.run(wanted, tell, arguments.processes))
    if arguments.json:
        for finding in findings(played[0], played[-1]):
            context.say(json.dumps(finding))
    uncovered = played[0].cells.uncovered()
    if uncovered and len(uncovered) <= TOLD_CELLS:
        tell("Not met: " + "; ".join(f"{kind} on {state}" for kind, state in uncovered))
    bad = sum(len(each.failed) for each in played)
    good = sum(each.seeds for each in played) - bad
    operations, seconds = sum(each.operations for each in played), sum(each.seconds for each in played)
    tell(f"{good:,} of {good + bad:,} runs without a violation, {operations:,} operations, {seconds:.1f} s.")
    return 1 if bad or (uncovered and played[0].seeds >= EVERY_CELL) else 0


def findings(stepped: Summary, looped: Summary) -> list[dict[str, object]]:
    """Return the metrics for ``build/bench.json``, as every proof prints them."""
    failed = {**stepped.failed, **looped.failed}
    sentences = [f"{again}: {found[0]}" for again, found in failed.items()]
    uncovered = [f"{kind} on {state}" for kind, state in stepped.cells.uncovered()]
    most = 0 if stepped.seeds >= EVERY_CELL else None
    seeds, seconds = stepped.seeds, stepped.seconds
    return [
        _finding("sim.seeds", seeds, "seeds", seeds, f"{stepped.operations} operations"),
        _finding("sim.seconds", round(seconds, 1), "s", seeds),
        _finding("sim.looped_seeds", looped.seeds, "seeds", looped.seeds),
        _finding("sim.violations", len(sentences), "seeds", seeds, "; ".join(sentences)[:4_000], 0),
        _finding("sim.cells_uncovered", len(uncovered), "cells", seeds, "; ".join(uncovered), most),
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
