"""The server of the world: the real hub on the real store, in a folder that outlives crashes."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from server.database import Database, create_database, open_database
from server.kernel.hub import Hub
from server.kernel.records import Page, SiteRow
from server.verification.cable import Cable
from server.verification.node import Node
from server.verification.world import CrashHook, VirtualClock, World
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import LogEntry
from sync.contract.steps import Close, Connect, Connected, Send

_DECODER: Final = msgspec.json.Decoder(LogEntry)


class ServerNode(Node):
    """One life of the server process."""

    def __init__(self, world: World, clock: VirtualClock, database: Database, hook: CrashHook) -> None:
        """Start the hub over an open database."""
        stores = {"store": database.store, "reader": database.reader}
        super().__init__(world, "server", Hub(clock, "0.1.0"), stores, hook)
        self._clock = clock
        self._cables: dict[int, Cable] = {}
        self._links = 0

    def mono_ms(self) -> int:
        """Return the server's monotonic time."""
        return self._clock.mono_ms()

    def accept(self, terminal: Node, terminal_link: int) -> Cable:
        """Take a connection of a terminal."""
        self._links += 1
        cable = Cable(self.world, terminal, terminal_link, self, self._links)
        self._cables[self._links] = cable
        self.feed(Connected(self._links))
        return cable

    def on_link(self, effect: Connect | Send | Close) -> None:
        """Send and close over the cable of the link."""
        cable = self._cables.get(effect.link)
        if cable is None:
            return
        if isinstance(effect, Send):
            cable.send(self, effect.frame)
        elif isinstance(effect, Close):
            cable.close(self, effect.code)

    def on_death(self) -> None:
        """Every terminal notices sooner or later."""
        for cable in self._cables.values():
            cable.cut()


class ServerRoom:
    """The place where the server runs: its folder, its clock, and whichever process lives now."""

    def __init__(self, world: World, folder: Path) -> None:
        """Set the data up and start the first process."""
        self.world = world
        self.clock = VirtualClock(world, "server")
        self._folder = folder
        self._hook = CrashHook()
        self.ids = Uuid7Ids(self.clock, world.random)
        self.database = create_database(folder, self.clock, self.ids, self._hook)
        self.site: SiteRow = self.database.identities.ensure_site("Org", "Site", "Europe/London")
        self.zone = ZoneInfo(self.site.time_zone)
        self.node = self._started()

    def _started(self) -> ServerNode:
        return ServerNode(self.world, self.clock, self.database, self._hook)

    @property
    def is_up(self) -> bool:
        """Say whether a server process lives."""
        return self.node.is_alive

    def crash(self, *, at_point: int = 0) -> None:
        """Kill the process now, or at the ``at_point``-th point of its stores from now."""
        if at_point:
            self._hook.arm(at_point)
        else:
            self.node.die()

    def restart(self) -> None:
        """Start a new process on the folder that the old one left."""
        self._hook.arm(0)
        if self.node.is_alive:
            return
        self.database.close()
        self.clock.boot()
        self.database = open_database(self._folder, self.clock, self.ids, self._hook)
        self.node = self._started()

    def log(self) -> list[LogEntry]:
        """Return the whole log of the board."""
        entries: list[LogEntry] = []
        while True:
            page: Page = self.database.reader.page(self.site.key, len(entries))
            if not page.entries:
                return entries
            entries.extend(_DECODER.decode(entry) for entry in page.entries)

    def close(self) -> None:
        """Let go of the files."""
        self.database.close()
