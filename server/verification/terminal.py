"""A terminal of the world: the real client machine on the real stores, and a person who moves orders.

The profile's files outlive a crash; the person remembers what the screen promised, so that the
checks can hold the program to it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from server.verification.cable import Cable
from server.verification.node import Node
from server.verification.server_node import ServerRoom
from server.verification.world import CrashHook, VirtualClock, World
from sync.client.cache import Cache
from sync.client.commands import GoOnline, NewToken, SubmitDrafts
from sync.client.machine import ClientMachine, Environment
from sync.client.news import BoardChanged, CredentialsWanted, OperationsSaved, SnapshotApplied
from sync.client.outbox import Outbox
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import (
    Change,
    Move,
    Operation,
    PutOnHold,
    Release,
    Source,
    Take,
    Unclaim,
)
from sync.contract.stages import STAGES
from sync.contract.steps import Close, Closed, Command, Connect, Connected, Send

REFUSED_MS: Final = (5, 400)
"""How long a connection attempt takes to fail when the server is down."""


class Terminal(Node):
    """One life of a terminal's process."""

    def __init__(self, station: Station, outbox: Outbox, cache: Cache) -> None:
        """Start the machine with what the files hold, and want to be online."""
        environment = Environment(station.clock, station.ids, station.world.random, "0.1.0")
        machine = ClientMachine(outbox.state(), cache.state(), environment)
        stores = {"outbox": outbox, "cache": cache}
        super().__init__(station.world, station.name, machine, stores, station.hook)
        self.station = station
        self.cable: Cable | None = None

    def mono_ms(self) -> int:
        """Return this terminal's monotonic time."""
        return self.station.clock.mono_ms()

    def on_link(self, effect: Connect | Send | Close) -> None:
        """Dial, send, hang up."""
        if isinstance(effect, Connect):
            self._dial(effect.link)
        elif self.cable is not None and self.cable.terminal_link == effect.link:
            if isinstance(effect, Send):
                self.cable.send(self, effect.frame)
            else:
                self.cable.close(self, effect.code)

    def _dial(self, link: int) -> None:
        delay = self.world.random.randint(*REFUSED_MS)
        self.world.later(delay, lambda: self._answered(link))

    def _answered(self, link: int) -> None:
        room = self.station.room
        if not self.is_alive:
            return
        if not room.is_up or self.station.is_unplugged:
            self.feed(Closed(link))
            return
        self.cable = room.node.accept(self, link)
        self.feed(Connected(link))

    def on_news(self, news: object) -> None:
        """Hand what the machine says to the station."""
        self.station.on_news(news)

    def on_death(self) -> None:
        """The server notices sooner or later."""
        if self.cable is not None:
            self.cable.cut()


class Station:
    """The place where a terminal runs: its profile, its clock, its person, its token."""

    def __init__(self, room: ServerRoom, name: str, folder: Path, token: str) -> None:
        """Prepare a profile folder for terminal ``name`` that signs in with ``token``."""
        self.world: World = room.world
        self.room = room
        self.name = name
        self.token = token
        self.hook = CrashHook()
        self.clock = VirtualClock(room.world, name, skew_ms=room.world.random.randint(-90_000, 90_000))
        self.ids = Uuid7Ids(self.clock, room.world.random)
        self.is_unplugged = False
        self.issued: dict[str, Operation] = {}
        self.promised: set[str] = set()
        self.cursors: list[tuple[str, int]] = []
        folder.mkdir(parents=True)
        self._folder = folder
        self.terminal = self._started()

    def _started(self) -> Terminal:
        self.outbox = Outbox.open(self._folder / "outbox.db", self.ids, self.hook).outbox
        self.cache = Cache.open(self._folder / "cache.db", self.hook).cache
        terminal = Terminal(self, self.outbox, self.cache)
        self.world.later(0, lambda: terminal.feed(Command(GoOnline())))
        return terminal

    def on_news(self, news: object) -> None:
        """Remember what the screen promised."""
        match news:
            case CredentialsWanted():
                terminal = self.terminal
                self.world.later(10, lambda: terminal.feed(Command(NewToken(self.token))))
            case OperationsSaved(operations):
                self.promised.update(operation.op_id for operation in operations)
            case BoardChanged(cursor=cursor) | SnapshotApplied(seq=cursor):
                self.cursors.append((self.cache.state().epoch, cursor))

    def act(self, order_ids: list[str]) -> None:
        """Let the person do something to a random order; they may see the board as it was."""
        if not self.terminal.is_alive:
            return
        random = self.world.random
        drafts = []
        for _ in range(random.choice((1, 1, 1, 3, 12))):
            change = self._any_change()
            stage = random.choice((None, *STAGES))
            op_id = self.ids.new()
            drafts.append(
                Operation(op_id, random.choice(order_ids), change, source=Source.DRAG, base_stage=stage)
            )
        self.issued.update((draft.op_id, draft) for draft in drafts)
        self.terminal.feed(Command(SubmitDrafts(tuple(drafts))))

    def _any_change(self) -> Change:
        random = self.world.random
        moves = tuple(Move(stage) for stage in STAGES)
        others: tuple[Change, ...] = (Take(), Unclaim(), PutOnHold("other"), Release())
        return random.choice((*moves, *moves, *others))

    def crash(self, *, at_point: int = 0, where: str = "") -> None:
        """Kill the process now, or at the ``at_point``-th point of its stores named ``where`` from now."""
        if at_point:
            self.hook.arm(at_point, where)
        else:
            self.terminal.die()

    def restart(self) -> None:
        """Start a new process on the profile that the old one left."""
        self.hook.arm(0)
        if self.terminal.is_alive:
            return
        self.close()
        self.clock.boot()
        self.terminal = self._started()

    def close(self) -> None:
        """Let go of the files."""
        self.outbox.close()
        self.cache.close()
