"""SIGKILL for real client and server processes at random points while moves stream through them.

A world is a server and two terminals. Ten times, moves are asked for, and somewhere in the middle the
server or a terminal is killed; sometimes once more while it starts again, sometimes the next is killed
before it is back. Then everything runs and is quiet: each move that a terminal called saved is in the
server's log exactly once, each outcome that was told stands in it as it was told, and all boards are the
log's board.

The schedule of a world comes from its seed: ``make verify ONLY=kill9 FIRST=17 SEEDS=1`` plays world 17 again.
"""

from __future__ import annotations

import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from support.proofs_checks import Faults, examine
from support.proofs_floor import Floor, FloorServer, FloorTerminal, opened_floor
from support.proving import Budget, Finding, counted, prove

TERMINALS: Final = ("one", "two")
ORDERS: Final = 40
KILLS: Final = 10
WORLDS_AT_ONCE: Final = 3


class Kill(NamedTuple):
    """One kill: whom, how many moves are asked for before, and when."""

    victim: str
    moves: int
    after_s: float
    again_s: float | None
    """When it is killed once more while it starts; None: it is left in peace."""
    is_awaited: bool
    """Whether the next kill waits until it is up again; else the next may be struck while nobody is there."""


class Played(NamedTuple):
    """One world: how many kills and saved moves, and what was wrong."""

    client_kills: int
    server_kills: int
    saved: int
    faults: Faults


def schedule(seed: int, kills: int = KILLS) -> list[Kill]:
    """Return the kills of a world: half of them for the server."""
    chance = random.Random(f"kill9 {seed}")
    victims = ["server", "client"] * (kills // 2) + ["server"] * (kills % 2)
    chance.shuffle(victims)
    plan: list[Kill] = []
    while victims:
        victim = victims.pop()
        again_s = None
        if victim in victims and chance.random() < 0.25:
            victims.remove(victim)
            again_s = chance.uniform(0.0, 0.6)
        name = victim if victim == "server" else chance.choice(TERMINALS)
        is_awaited = chance.random() < 0.7
        plan.append(Kill(name, chance.randint(4, 40), chance.uniform(0.0, 0.12), again_s, is_awaited))
    return plan


def play(seed: int, kills: int = KILLS, code: Path | None = None, quiet_s: float = 40.0) -> Played:
    """Play one world to its end and examine it."""
    plan = schedule(seed, kills)
    with opened_floor(code) as floor:
        floor.set_up(TERMINALS, ORDERS)
        floor.start()
        chance = random.Random(f"moves {seed}")
        for kill in plan:
            _carry_out(floor, kill, chance)
        floor.server.await_ready()
        stuck = floor.await_quiet(quiet_s)
        faults = examine(floor)
        faults.other += stuck
        if faults and code is None:
            floor.keep(f"kill9-{seed}")
        server = sum(1 + (kill.again_s is not None) for kill in plan if kill.victim == "server")
        saved = sum(len(terminal.saved()) for terminal in floor.terminals)
    return Played(kills - server, server, saved, faults)


def _carry_out(floor: Floor, kill: Kill, chance: random.Random) -> None:
    by_name: dict[str, FloorServer | FloorTerminal] = {each.name: each for each in floor.terminals}
    victim = by_name.get(kill.victim, floor.server)
    floor.stream(chance, kill.moves)
    time.sleep(kill.after_s)
    victim.kill()
    floor.stream(chance, 4)
    victim.begin()
    if kill.again_s is not None:
        time.sleep(kill.again_s)
        victim.kill()
        victim.begin()
    floor.stream(chance, 4)
    if kill.is_awaited and isinstance(victim, FloorServer):
        victim.await_ready()
    elif kill.is_awaited and isinstance(victim, FloorTerminal):
        victim.now.wait("ready", within_s=30)


def _tried(seed: int) -> Played:
    """Play a world; a program that does not even come up is a fault like others."""
    try:
        return play(seed)
    except AssertionError as error:
        return Played(0, 0, 0, Faults(other=[str(error)[-1000:]]))


def run(budget: Budget) -> list[Finding]:
    """Play as many worlds as the budget has kills for."""
    worlds = -(-budget.of(ci=50, full=1_000) // KILLS)
    seeds = range(budget.first, budget.first + worlds)
    started = time.monotonic()
    faults = Faults()
    played: list[Played] = []
    with ThreadPoolExecutor(WORLDS_AT_ONCE) as pool:
        for seed, world in zip(seeds, pool.map(_tried, seeds), strict=True):
            faults.add(world.faults, f"world {seed}: ")
            played.append(world)
            sys.stderr.write(f"world {seed}: {world.saved} moves saved, {KILLS} kills\n")
    clients, servers, saved = (sum(column) for column in list(zip(*played, strict=True))[:3])
    runs = max(1, clients + servers)
    words = f"{clients} kills of terminals, {servers} of the server; {saved} moves were saved"
    return [
        Finding("kill9.runs", runs, "kills", len(played), words),
        counted("kill9.lost", faults.lost, "moves", saved),
        counted("kill9.doubled", faults.doubled, "moves", saved),
        counted("kill9.other", faults.other, "faults", runs),
        Finding("kill9.s_per_run", round((time.monotonic() - started) / runs, 3), "s", runs),
    ]


if __name__ == "__main__":
    prove(run)
