"""Real terminals and a real server with a bad network between them; after it heals, nobody stays behind.

On a floor of two terminals, one schedule after the other is played: some hundred milliseconds each of delay,
a trickle, a black hole, one dead direction, refused and reset connections, half-open ones, frames that
end in the middle, while moves are made. Then the network is good again, and the time runs until both
terminals are live, have nothing unsent and show the server's last ``seq``. Nobody helps: no restart, no *try
now*, no further move.

``make verify ONLY=faultproxy FIRST=17 SEEDS=1`` plays the schedules of floor 17 again.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from support.proofs_checks import Faults, examine
from support.proofs_floor import Floor, free_ports, opened_floor
from support.proofs_proxy import Proxy, Way, Weather
from support.proving import Budget, Finding, counted, prove

TERMINALS: Final = ("one", "two")
ORDERS: Final = 40
SCHEDULES: Final = 10
FLOORS_AT_ONCE: Final = 2
CATCH_UP_S: Final = 2.0
STUCK_S: Final = 40.0
POLL_S: Final = 0.02


class Step(NamedTuple):
    """One condition of the network, for how long, and how many moves are made in it."""

    name: str
    lasts_s: float
    moves: int
    act: Callable[[Proxy], None]


class Played(NamedTuple):
    """One floor: seconds to catch up by schedule, and what was wrong."""

    caught_up_s: dict[str, float]
    stuck: list[str]
    moves: int
    faults: Faults


def schedule(seed: int, place: int) -> list[Step]:
    """Return the steps of one schedule."""
    chance = random.Random(f"faultproxy {seed} {place}")
    return [_step(chance) for _ in range(chance.randint(1, 4))]


def _step(chance: random.Random) -> Step:
    way = chance.choice(list(Way))
    weathers = {
        "delay": Weather(latency_s=chance.uniform(0.01, 0.4), jitter_s=chance.uniform(0.0, 0.3)),
        "trickle": Weather(bytes_per_s=chance.uniform(200, 20_000)),
        "black hole": Weather(held=frozenset(Way)),
        f"dead {way.value}": Weather(held=frozenset({way})),
        "refusal": Weather(is_refusing=True),
    }

    def refuse_and_reset(proxy: Proxy) -> None:
        proxy.set(weathers["refusal"])
        proxy.reset()

    acts: dict[str, Callable[[Proxy], None]] = {
        name: lambda proxy, weather=weather: proxy.set(weather)  # type: ignore[misc]
        for name, weather in weathers.items()
    }
    acts |= {
        "reset": lambda proxy: proxy.reset(),
        "reset and refusal": refuse_and_reset,
        f"half open {way.value}": lambda proxy: proxy.sever(way),
        f"truncation {way.value}": lambda proxy: proxy.truncate(way),
    }
    name = chance.choice(list(acts))
    return Step(name, chance.uniform(0.05, 0.8), chance.randint(0, 12), acts[name])


def play(seed: int, schedules: int = SCHEDULES, code: Path | None = None, stuck_s: float = STUCK_S) -> Played:
    """Play the schedules of one floor and examine it."""
    with opened_floor(code) as floor:
        floor.set_up(TERMINALS, ORDERS)
        http, sync = free_ports(2)
        doors = {http: int(floor.server.url.rpartition(":")[2]), sync: floor.server.sync_port}
        floor.server.sync_told = f"ws://127.0.0.1:{sync}/"
        for terminal in floor.terminals:
            terminal.url = f"http://127.0.0.1:{http}"
        with Proxy(doors, seed) as proxy:
            floor.start()
            caught_up_s: dict[str, float] = {}
            stuck: list[str] = []
            chance = random.Random(f"moves {seed}")
            for place in range(schedules):
                name = _rage(floor, proxy, schedule(seed, place), chance)
                needed_s = _catch_up_s(floor, stuck_s)
                caught_up_s[f"floor {seed}, schedule {place} ({name})"] = needed_s
                if needed_s >= stuck_s:
                    stuck.append(f"floor {seed}, schedule {place}: {name}")
                    break
            faults = examine(floor)
            if (faults or stuck) and code is None:
                floor.keep(f"faultproxy-{seed}")
            moves = sum(len(terminal.saved()) for terminal in floor.terminals)
    return Played(caught_up_s, stuck, moves, faults)


def _rage(floor: Floor, proxy: Proxy, steps: list[Step], chance: random.Random) -> str:
    """Carry a schedule out, heal, and return its name."""
    for step in steps:
        step.act(proxy)
        floor.stream(chance, step.moves)
        time.sleep(step.lasts_s)
    proxy.heal()
    return ", ".join(f"{step.name} {step.lasts_s:.2f} s" for step in steps)


def _catch_up_s(floor: Floor, stuck_s: float) -> float:
    """Return how long it takes until everybody has everything."""
    healed = time.monotonic()
    while time.monotonic() < healed + stuck_s:
        head = floor.server.head()
        if all(terminal.has_all(head) for terminal in floor.terminals):
            return time.monotonic() - healed
        time.sleep(POLL_S)
    return stuck_s


def _tried(seed: int) -> Played:
    """Play a floor; a program that does not even come up is a fault like others."""
    try:
        return play(seed)
    except AssertionError as error:
        return Played({f"floor {seed}": STUCK_S}, [], 0, Faults(other=[str(error)[-1000:]]))


def run(budget: Budget) -> list[Finding]:
    """Play as many floors as the budget has schedules for."""
    floors = -(-budget.of(ci=30, full=300) // SCHEDULES)
    seeds = range(budget.first, budget.first + floors)
    faults = Faults()
    times: dict[str, float] = {}
    stuck: list[str] = []
    moves = 0
    with ThreadPoolExecutor(FLOORS_AT_ONCE) as pool:
        for seed, played in zip(seeds, pool.map(_tried, seeds), strict=True):
            faults.add(played.faults, f"floor {seed}: ")
            times |= played.caught_up_s
            stuck += played.stuck
            moves += played.moves
            slowest = max(played.caught_up_s.values())
            sys.stderr.write(f"floor {seed}: {played.moves} moves saved, slowest {slowest:.2f} s\n")
    ranked = sorted(times, key=lambda name: -times[name])
    slow = "; ".join(f"{times[name]:.2f} s {name}" for name in ranked[:5])
    p50 = times[ranked[len(ranked) // 2]]
    return [
        Finding("faultproxy.schedules", len(times), "schedules", floors, f"{moves} moves were saved"),
        counted("faultproxy.stuck", stuck, "schedules", len(times)),
        Finding("faultproxy.catchup_s_max", round(times[ranked[0]], 3), "s", len(times), slow, CATCH_UP_S),
        Finding("faultproxy.catchup_s_p50", round(p50, 3), "s", len(times)),
        counted("faultproxy.lost", faults.lost, "moves", moves),
        counted("faultproxy.doubled", faults.doubled, "moves", moves),
        counted("faultproxy.other", faults.other, "faults", len(times)),
    ]


if __name__ == "__main__":
    prove(run)
