"""Moves made while the server is down, the terminal killed at random afterwards: none is lost.

A terminal is live; the server goes away; a hundred moves are made and called saved, in two or three lives
of the terminal: it is killed at once or a little later, and perhaps again in the middle of its next start. At
last the server comes back: each move is in its log exactly once, and the terminal's board is the log's
board.
"""

from __future__ import annotations

import contextlib
import itertools
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from support.proofs_checks import Faults, examine
from support.proofs_floor import Floor, opened_floor
from support.proving import Budget, Finding, counted, prove
from support.waiting import eventually

MOVES: Final = 100
ORDERS: Final = 50
WORLDS_AT_ONCE: Final = 2
SAVED_S: Final = 10.0


class Played(NamedTuple):
    """One outage: how many moves were saved in it, and what was wrong."""

    saved: int
    faults: Faults


def play(seed: int, moves: int = MOVES, code: Path | None = None, quiet_s: float = 40.0) -> Played:
    """Play one outage to its end and examine it."""
    chance = random.Random(f"offline {seed}")
    with opened_floor(code) as floor:
        floor.set_up(("one",), ORDERS)
        floor.start()
        if chance.random() < 0.5:
            floor.server.kill()
        else:
            floor.server.stop()
        for part in _parts(chance, moves):
            _work_and_die(floor, chance, part)
        floor.server.begin()
        floor.server.await_ready()
        stuck = floor.await_quiet(quiet_s)
        faults = examine(floor)
        faults.other += stuck
        saved = len(floor.terminals[0].saved())
        if saved < moves:
            faults.other.append(f"only {saved} of {moves} moves were ever called saved")
        if faults and code is None:
            floor.keep(f"offline_kill-{seed}")
    return Played(saved, faults)


def _parts(chance: random.Random, moves: int) -> list[int]:
    """Cut the moves into two or three lives."""
    cuts = sorted(chance.randint(1, moves - 1) for _ in range(chance.randint(1, 2)))
    edges = [0, *cuts, moves]
    return [after - before for before, after in itertools.pairwise(edges) if after > before]


def _work_and_die(floor: Floor, chance: random.Random, moves: int) -> None:
    """Make moves until so many are saved, then die, perhaps once more while starting, and start."""
    terminal = floor.terminals[0]
    goal = len(terminal.saved()) + moves
    floor.stream(chance, moves)
    with contextlib.suppress(AssertionError):
        # Those that are missing are counted at the end.
        eventually(lambda: len(terminal.saved()) >= goal, SAVED_S, f"{goal} moves are saved")
    time.sleep(chance.uniform(0.0, 0.1))
    terminal.kill()
    if chance.random() < 0.3:
        terminal.begin()
        time.sleep(chance.uniform(0.0, 0.5))
        terminal.kill()
    terminal.begin()
    terminal.now.wait("ready", within_s=30)


def _tried(seed: int) -> Played:
    """Play an outage; a program that does not even come up is a fault like others."""
    try:
        return play(seed)
    except AssertionError as error:
        return Played(0, Faults(other=[str(error)[-1000:]]))


def run(budget: Budget) -> list[Finding]:
    """Play outages until the budget's moves are made."""
    worlds = -(-budget.of(ci=300, full=1_000) // MOVES)
    seeds = range(budget.first, budget.first + worlds)
    faults = Faults()
    moves = 0
    with ThreadPoolExecutor(WORLDS_AT_ONCE) as pool:
        for seed, played in zip(seeds, pool.map(_tried, seeds), strict=True):
            faults.add(played.faults, f"outage {seed}: ")
            moves += played.saved
            sys.stderr.write(f"outage {seed}: {played.saved} moves saved\n")
    return [
        Finding("offline_kill.moves", moves, "moves", worlds),
        counted("offline_kill.lost", faults.lost, "moves", moves),
        counted("offline_kill.doubled", faults.doubled, "moves", moves),
        counted("offline_kill.other", faults.other, "faults", worlds),
    ]


if __name__ == "__main__":
    prove(run)
