"""Where the server of the world runs: its clock, its data that outlives crashes, and whichever process lives.

:class:`ServerRoom` is what both kinds share; the data is a SQLite file (:mod:`.file_room`) or plain values
(:mod:`.memory_room`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple
from zoneinfo import ZoneInfo

from calendars.schedule import Rule
from server.arrivals import Arrivals
from server.kernel.records import Batch, Committed, Head, SiteRow
from server.verification.poison import decide_or_fail
from server.verification.processes import Process, Processes
from server.verification.world import CrashHook, VirtualClock, World
from sync.contract.ids import Uuid7Ids
from sync.contract.permissions import Role

ORGANIZATION = "Org"
SITE = "Site"
TIME_ZONE = "Europe/London"
VALID_MS = 30 * 24 * 3_600_000


class Worker(NamedTuple):
    """A person on a terminal: who that is, and the token of the sign-in there."""

    user_id: str
    name: str
    sign_in_id: str
    token: str


class ServerRoom(ABC):
    """The server's place in the world."""

    site: SiteRow
    node: Process

    def __init__(self, world: World, processes: Processes) -> None:
        """Prepare a clock and ids; a subclass opens the data and calls :meth:`start`."""
        self.world = world
        self.processes = processes
        self.clock = VirtualClock(world, "server")
        self.hook = CrashHook()
        self.ids = Uuid7Ids(self.clock, world.random)
        self.decide = decide_or_fail
        self.is_later = False
        self.life = 0
        """How many times the data was restored."""

    def start(self) -> None:
        """Start a process over the opened data."""
        self.node = self.processes.server(self)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the site."""
        return ZoneInfo(self.site.time_zone)

    @property
    def is_up(self) -> bool:
        """Say whether a server process lives."""
        return self.node.is_alive

    def crash(self, points: int = 0, where: str = "") -> None:
        """Kill the process now, or at the ``points``-th point ``where`` from now."""
        if points:
            self.hook.arm(points, where)
        else:
            self.node.die()

    def restart(self) -> None:
        """Start a new process on the data that the old one left."""
        self.hook.arm(0)
        if self.node.is_alive or self.world.is_over:
            return
        self.clock.boot()
        self.reopen()
        self.start()

    @abstractmethod
    def stores(self) -> Mapping[str, object]:
        """Return the opened stores by the names that the hub knows."""

    @abstractmethod
    def reopen(self) -> None:
        """Open the data as the next process does."""

    @abstractmethod
    def commit(self, batch: Batch) -> Committed:
        """Decide a batch as another process on the same data does."""

    @abstractmethod
    def doors(self) -> Arrivals:
        """Return the door for orders from outside, on the opened data."""

    @abstractmethod
    def retire(self, before_ms: int) -> None:
        """Let what was finished before leave the board."""

    @abstractmethod
    def reschedule(self, rules: list[Rule]) -> None:
        """Change the schedule and bring the open orders in line."""

    @abstractmethod
    def head(self) -> Head:
        """Return where the log stands."""

    @abstractmethod
    def entries(self, after: int) -> list[bytes]:
        """Return the encoded log after ``after``."""

    @abstractmethod
    def bodies(self) -> dict[str, bytes]:
        """Return every stored order as its canonical bytes, by id."""

    @abstractmethod
    def state_hash(self) -> int:
        """Return the stored hash of the board."""

    @abstractmethod
    def worker(self, name: str, role: Role, enrolment: str) -> Worker:
        """Make a person who is signed in on an enrolled device ("": a new one, named like the person)."""

    @abstractmethod
    def enrolment_of(self, worker: Worker) -> str:
        """Return the enrolment that a person is signed in on."""

    @abstractmethod
    def set_role(self, user_id: str, role: Role) -> None:
        """Give a person another role."""

    @abstractmethod
    def backup(self) -> object:
        """Return a copy of the data as it is."""

    @abstractmethod
    def restore(self, backup: object, *, is_known: bool = True) -> None:
        """Go back to a backup, with a new epoch when the command did it; no process may live meanwhile."""

    @abstractmethod
    def verified(self, seq: int) -> None:
        """Note that a verified backup covers the log up to ``seq``."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the files."""
