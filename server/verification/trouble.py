"""Everything that goes wrong: cuts, unplugged terminals, crashes of both sides, clocks, backups, poison."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from server.verification.archive import Archive
from server.verification.node import EFFECT
from server.verification.rooms import ServerRoom
from server.verification.station import Station
from sync.contract.permissions import Role

DOWN_MS: Final = (50, 5_000)
LONG_MS: Final = (5_000, 20_000)
CRASH_POINTS: Final = 12
CLOCK_JUMP_MS: Final = 600_000
VERIFY_MS: Final = (0, 3_000)
"""How long the restore drill of a backup takes before the backup counts."""
PLACES: Final = (
    *("", EFFECT, EFFECT, "append.after_commit", "append.before_fsync", "decide", "finish.after_commit"),
    *("apply_delta", "reoffer", "quarantine", "snapshot", "cache", "outbox"),
)
"""Where a terminal dies: anywhere, or right where what is durable and what is known part ways."""
SERVER_PLACES: Final = ("", EFFECT, EFFECT, "after_commit", "before_fsync", "before_write")


class Trouble:
    """Makes it, and counts it."""

    def __init__(self, room: ServerRoom, archive: Archive, stations: Sequence[Station]) -> None:
        """Trouble everybody."""
        self._room = room
        self._world = room.world
        self._random = room.world.random
        self._archive = archive
        self._stations = stations
        self._backup: tuple[int, int, object] | None = None
        """The life and the seq of the last backup that counts, and the copy."""
        self._kinds: tuple[tuple[int, str, Callable[[Station], None]], ...] = (
            (4, "cut", self._cut),
            (2, "unplug", self._unplug),
            (4, "terminal", self._crash_terminal),
            (3, "server", self._crash_server),
            (1, "clock", self._jump),
            (2, "backup", self._back_up),
            (1, "restore", self._restore),
            (1, "set back", self._set_back),
            (1, "worker", self._change_worker),
            (1, "update", lambda station: station.update()),
            (1, "later", self._install_later),
            (1, "poison", self._poison),
            (1, "damage", lambda station: station.damage()),
            (2, "needs_you", lambda station: station.look_at_needs_you()),
        )
        self.count: Counter[str] = Counter()
        self.order_ids: Sequence[str] = ()

    def strike(self) -> None:
        """Let one thing go wrong."""
        kinds = [(name, act) for times, name, act in self._kinds for _ in range(times)]
        name, act = self._random.choice(kinds)
        self.count[name] += 1
        act(self._random.choice(self._stations))

    def heal(self) -> None:
        """Put everything right: processes run, plugs are in, everybody has the present release."""
        self._room.restart()
        for station in self._stations:
            station.hook.arm(0)
            station.update()
            station.restart()
            station.plug(is_in=True)
            if station.is_damaged:
                # The next hello compares, long before the heartbeat that does.
                station.cut()

    def _later(self, span: tuple[int, int], call: Callable[[], None]) -> None:
        self._world.later(self._random.randint(*span), call)

    def _down(self) -> tuple[int, int]:
        return LONG_MS if self._world.chance(0.1) else DOWN_MS

    def _cut(self, station: Station) -> None:
        station.cut()

    def _unplug(self, station: Station) -> None:
        station.plug(is_in=False)
        self._later(self._down(), lambda: station.plug(is_in=True))

    def _crash_terminal(self, station: Station) -> None:
        station.crash(self._random.randint(0, CRASH_POINTS), self._random.choice(PLACES))
        self._later(self._down(), station.restart)

    def _crash_server(self, _station: Station) -> None:
        self._room.crash(self._random.randint(0, CRASH_POINTS), self._random.choice(SERVER_PLACES))
        self._later(self._down(), self._room.restart)

    def _jump(self, station: Station) -> None:
        clock = self._random.choice((station.clock, station.clock, self._room.clock))
        clock.jump(self._random.randint(-CLOCK_JUMP_MS, CLOCK_JUMP_MS))

    def _back_up(self, _station: Station) -> None:
        """Copy the data, and let the copy count once it was tried."""
        life, seq, copy = self._room.life, self._room.head().seq, self._room.backup()

        def count() -> None:
            # A restore meanwhile made another history of it; of two backups the newer one counts.
            is_newest = self._backup is None or self._backup[:2] <= (life, seq)
            if self._room.life == life and is_newest:
                self._room.verified(seq)
                self._backup = (life, seq, copy)

        self._later(VERIFY_MS, count)

    def _restore(self, _station: Station) -> None:
        """Lose the server's data and go back to the last backup that counts."""
        self._go_back(is_known=True)

    def _set_back(self, _station: Station) -> None:
        """Somebody puts an old file back by hand: nothing says that another history has begun."""
        self._go_back(is_known=False)

    def _go_back(self, *, is_known: bool) -> None:
        if self._backup is None:
            return
        self._room.node.die()
        self._archive.catch_up()
        _, seq, copy = self._backup
        self._room.hook.arm(0)
        self._room.restore(copy, is_known=is_known)
        if not is_known:
            epoch = self._room.head().epoch
            for station in self._stations:
                station.is_misled(epoch, seq)
        self._room.life += 1
        self._archive.restored(seq)
        self._archive.catch_up()
        self._later(self._down(), self._room.restart)

    def _change_worker(self, station: Station) -> None:
        if station.terminal.is_alive and len(station.workers) > 1:
            station.change_worker()

    def demote(self, station: Station) -> None:
        """Take the rights of the second person at a terminal away."""
        user_id = station.workers[-1].user_id
        self._archive.set_role(user_id, Role.VIEWER)
        self._room.set_role(user_id, Role.VIEWER)

    def _install_later(self, _station: Station) -> None:
        self._room.is_later = not self._room.is_later

    def _poison(self, station: Station) -> None:
        station.fail_the_server(self._random.choice(self.order_ids))
