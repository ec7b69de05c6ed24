"""One run: a server, some terminals, people who move orders, an office, and everything that goes wrong.

``simulate(seed)`` is repeatable: the same seed gives the same trace hash. Trouble (cuts, offline
spans, crashes of both sides at effect boundaries and inside store calls, clock jumps) goes on for
the busy part; then everything heals, and after quiet the checks must find nothing.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.verification.checks import violations
from server.verification.office import Office
from server.verification.server_node import ServerRoom
from server.verification.sign_in import signed_in_token
from server.verification.terminal import Station
from server.verification.world import World

BUSY_MS: Final = 60_000
QUIET_MS: Final = 120_000
ACT_MS: Final = (20, 900)
OFFICE_MS: Final = (200, 3_000)
TROUBLE_MS: Final = (100, 4_000)
DOWN_MS: Final = (50, 6_000)
CRASH_POINTS: Final = 12
PLACES: Final = ("", "append.after_commit", "decide", "finish.after_commit", "apply_delta")
"""Where a terminal dies: anywhere, or right where what is durable and what is known part ways."""
CLOCK_JUMP_MS: Final = 600_000


@dataclass(frozen=True)
class Report:
    """What a run came to. ``operations`` counts what people issued."""

    seed: int
    trace_hash: str
    steps: int
    operations: int
    entries: int
    crashes: int
    cuts: int
    violations: tuple[str, ...]


class Simulation:
    """The cast of one run."""

    def __init__(self, seed: int, folder: Path, terminals: int, orders: int) -> None:
        """Set up the server with its orders, and the terminals."""
        self.seed = seed
        self.world = World(seed)
        self.room = ServerRoom(self.world, folder / "server")
        self.office = Office(self.room, orders)
        self.stations = [
            Station(self.room, name, folder / name, signed_in_token(self.room, name, self.world.random))
            for name in (f"terminal-{number}" for number in range(1, terminals + 1))
        ]
        self.crashes = 0
        self.cuts = 0

    def run(self) -> Report:
        """Let the people work under trouble, heal, wait, and look."""
        for station in self.stations:
            self._act_later(station)
        self._office_later()
        self._trouble_later()
        self.world.run(BUSY_MS)
        self._heal()
        self.world.run(BUSY_MS + QUIET_MS)
        found = tuple(violations(self.room, self.stations))
        return Report(
            self.seed,
            self.world.trace_hash(),
            self.world.steps,
            sum(len(station.issued) for station in self.stations),
            len(self.room.log()),
            self.crashes,
            self.cuts,
            found,
        )

    def close(self) -> None:
        """Let go of every file."""
        for station in self.stations:
            station.close()
        self.room.close()

    def _act_later(self, station: Station) -> None:
        def act() -> None:
            if self.world.now_ms < BUSY_MS:
                station.act(self.office.order_ids)
                self._act_later(station)

        self.world.later(self.world.random.randint(*ACT_MS), act)

    def _office_later(self) -> None:
        def act() -> None:
            if self.world.now_ms < BUSY_MS:
                self.office.act()
                self._office_later()

        self.world.later(self.world.random.randint(*OFFICE_MS), act)

    def _trouble_later(self) -> None:
        def trouble() -> None:
            if self.world.now_ms < BUSY_MS:
                self._trouble()
                self._trouble_later()

        self.world.later(self.world.random.randint(*TROUBLE_MS), trouble)

    def _trouble(self) -> None:
        random = self.world.random
        station = random.choice(self.stations)
        down_ms = random.randint(*DOWN_MS)
        # 0 kills between two steps; more kills inside a store, before or after its commit.
        at_point = random.randint(0, CRASH_POINTS)
        match random.choice(("cut", "cut", "unplug", "terminal", "terminal", "server", "clock")):
            case "cut":
                self._cut(station)
            case "unplug":
                station.is_unplugged = True
                self._cut(station)
                self.world.later(down_ms, lambda: setattr(station, "is_unplugged", False))
            case "terminal":
                self.crashes += 1
                station.crash(at_point=at_point, where=random.choice(PLACES))
                self.world.later(down_ms, station.restart)
            case "server":
                self.crashes += 1
                self.room.crash(at_point=at_point)
                self.world.later(down_ms, self.room.restart)
            case _:
                station.clock.jump(random.randint(-CLOCK_JUMP_MS, CLOCK_JUMP_MS))

    def _cut(self, station: Station) -> None:
        if station.terminal.cable is not None:
            self.cuts += 1
            station.terminal.cable.cut()

    def _heal(self) -> None:
        self.room.restart()
        for station in self.stations:
            station.is_unplugged = False
            station.restart()


def simulate(seed: int, *, terminals: int = 2, orders: int = 12) -> Report:
    """Run one seed in a folder of its own and return what it came to."""
    with tempfile.TemporaryDirectory(prefix="fulfillment-verify-") as folder:
        simulation = Simulation(seed, Path(folder), terminals, orders)
        try:
            return simulation.run()
        finally:
            simulation.close()
