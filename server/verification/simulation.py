"""One run: a server, some terminals, people who work on orders, an office, and everything that goes wrong.

``simulate(seed)`` is repeatable: the same seed gives the same trace hash. Trouble goes on for the busy part;
then everything heals, and after thirty quiet seconds the checks must find nothing.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from server.verification.archive import Archive
from server.verification.cells import Cells
from server.verification.checks import violations
from server.verification.file_room import FileRoom
from server.verification.memory_room import MemoryRoom
from server.verification.office import Office
from server.verification.processes import Nodes, Processes
from server.verification.profiles import FileProfile, MemoryProfile, Profile
from server.verification.reading import check_reading
from server.verification.rooms import ServerRoom, Worker
from server.verification.station import BURST, FORMER, NOW, Station
from server.verification.trouble import Trouble
from server.verification.world import CrashHook, VirtualClock, World
from sync.contract.ids import Uuid7Ids
from sync.contract.permissions import Role

BUSY_MS: Final = 32_000
QUIET_MS: Final = 30_000
"""How long things may take to settle, once everything is put right."""
CALM_MS: Final = 2_500
OFFICE_MS: Final = (200, 2_400)
TROUBLE_MS: Final = (50, 2_100)
READ_MS: Final = (400, 4_000)
FILES_EVERY: Final = 10
"""Every tenth seed works on real files."""
SKEW_MS: Final = 90_000
FAST: Final = Path("/dev/shm")  # noqa: S108 - only the folders made in it are ours
"""A disk in memory, where there is one: what is proved here is not the disk."""


@dataclass(frozen=True)
class Plan:
    """How large a run is, and on what."""

    terminals: int = 5
    operations: int = 200
    orders: int = 12
    on_files: bool | None = None
    """None: every tenth seed."""
    is_calm: bool = False
    """Nothing goes wrong."""


@dataclass(frozen=True)
class Report:
    """What a run came to. ``operations`` counts what people issued."""

    seed: int
    trace_hash: str
    steps: int
    operations: int
    entries: int
    troubles: dict[str, int]
    violations: tuple[str, ...]
    cells: Cells = field(compare=False)
    log: tuple[bytes, ...] = field(compare=False, repr=False, default=())

    @property
    def is_good(self) -> bool:
        """Say whether every check was content."""
        return not self.violations


class Simulation:
    """The cast of one run."""

    def __init__(
        self,
        seed: int,
        plan: Plan,
        folder: Path | None,
        world: World | None = None,
        processes: Processes | None = None,
    ) -> None:
        """Set the server up with its orders, and the terminals; in ``folder``, or in memory."""
        self.seed = seed
        self.plan = plan
        self.world = world or World(seed)
        processes = processes or Nodes()
        self._folder = folder
        self.room: ServerRoom = (
            MemoryRoom(self.world, processes)
            if folder is None
            else FileRoom(self.world, processes, folder / "server")
        )
        self.office = Office(self.room, plan.orders)
        self.archive = Archive(self.room)
        self.stations = [self._station(number) for number in range(1, plan.terminals + 1)]
        self.trouble = Trouble(self.room, self.archive, self.stations)
        self.trouble.order_ids = self.office.order_ids
        self._left = dict.fromkeys(range(plan.terminals), plan.operations)

    def run(self) -> Report:
        """Let the people work under trouble, heal, wait, and look."""
        for number in range(len(self.stations)):
            self._act_later(number)
        self._often(OFFICE_MS, self.office.act)
        self._often(READ_MS, self._read)
        if not self.plan.is_calm:
            self._often(TROUBLE_MS, self.trouble.strike)
            demoted = self.stations[0]
            self.world.later(BUSY_MS // 2, lambda: self.trouble.demote(demoted))
        self.world.run(BUSY_MS)
        self.trouble.heal()
        self._wait()
        found = tuple(violations(self.room, self.archive, self.stations))
        return Report(
            self.seed,
            self.world.trace_hash(),
            self.world.steps,
            sum(len(station.issued) for station in self.stations),
            self.room.head().seq,
            dict(sorted(self.trouble.count.items())),
            found,
            self.archive.cells,
            tuple(self.room.entries(0)),
        )

    def _wait(self) -> None:
        """Let everything settle: for thirty seconds at most, and not longer than it takes."""
        for until_ms in range(CALM_MS, QUIET_MS + 1, CALM_MS):
            self.world.run(BUSY_MS + until_ms)
            head = self.room.head()
            if all(station.is_settled(head) for station in self.stations):
                return

    def end(self) -> None:
        """Let every process end, for good: a restart may be planned still."""
        self.world.is_over = True
        self.room.node.die()
        for station in self.stations:
            station.terminal.die()

    def close(self) -> None:
        """Let go of every file."""
        for station in self.stations:
            station.profile.close()
        self.room.close()

    def _station(self, number: int) -> Station:
        name = f"terminal-{number}"
        clock = VirtualClock(self.world, name, self.world.random.randint(-SKEW_MS, SKEW_MS))
        hook = CrashHook()
        ids = Uuid7Ids(clock, self.world.random)
        profile: Profile = (
            MemoryProfile(ids, hook) if self._folder is None else FileProfile(self._folder / name, ids, hook)
        )
        is_former = number == 3 and not self.plan.is_calm
        return Station(
            self.room, name, clock, hook, profile, self._workers(number), FORMER if is_former else NOW
        )

    def _workers(self, number: int) -> list[Worker]:
        """Return who works at a terminal: two at the first and the second, a supervisor at every other."""
        role = Role.SUPERVISOR if number % 2 else Role.PICKER
        workers = [self.room.worker(f"Person {number}", role, "")]
        if number <= 2:
            enrolment = self.room.enrolment_of(workers[0])
            workers.append(self.room.worker(f"Second person {number}", Role.SUPERVISOR, enrolment))
        for worker, its in zip(workers, (role, Role.SUPERVISOR), strict=False):
            self.archive.set_role(worker.user_id, its)
        return workers

    def _act_later(self, number: int) -> None:
        """Let somebody work, in bursts that are done when the busy part is over."""
        span = BUSY_MS * sum(BURST) // len(BURST) // self.plan.operations
        delay = self.world.random.randint(20, span)

        def act() -> None:
            left = self._left[number]
            if self.world.now_ms < BUSY_MS and left > 0:
                count = min(left, self.world.random.choice(BURST))
                self._left[number] -= self.stations[number].act(self.office.order_ids, count)
                self._act_later(number)

        self.world.later(delay, act)

    def _often(self, span: tuple[int, int], act: object) -> None:
        def again() -> None:
            if self.world.now_ms < BUSY_MS:
                act()  # type: ignore[operator]
                self._often(span, act)

        self.world.later(self.world.random.randint(*span), again)

    def _read(self) -> None:
        station = self.world.random.choice(self.stations)
        if station.terminal.is_alive:
            station.found += check_reading(station, self.archive)


@contextlib.contextmanager
def simulated(seed: int, plan: Plan) -> Iterator[Simulation]:
    """Give a simulation that is ready to run, and clear its files away afterwards."""
    on_files = seed % FILES_EVERY == 0 if plan.on_files is None else plan.on_files
    with contextlib.ExitStack() as stack:
        folder = None
        if on_files:
            place = FAST if FAST.is_dir() else None
            folder = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="fulfillment-verify-", dir=place))
            )
        simulation = Simulation(seed, plan, folder)
        stack.callback(simulation.close)
        yield simulation


def simulate(seed: int, plan: Plan | None = None) -> Report:
    """Run one seed and return what it came to."""
    with simulated(seed, plan or Plan()) as simulation:
        return simulation.run()
