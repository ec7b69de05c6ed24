"""A terminal's process: the real client machine over its stores, dialling the server of the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from server.verification.cable import Cable
from server.verification.node import Node
from server.verification.server_node import ServerNode
from server.verification.world import CrashHook, World
from sync.client.machine import ClientMachine
from sync.contract.steps import Close, Closed, Connect, Connected, Send

if TYPE_CHECKING:
    from server.verification.rooms import ServerRoom

REFUSED_MS: Final = (5, 400)
"""How long a connection attempt takes when it succeeds, or fails because nobody listens."""


class Terminal(Node):
    """One life of a terminal's process."""

    def __init__(
        self,
        room: ServerRoom,
        name: str,
        machine: ClientMachine,
        stores: Mapping[str, object],
        hook: CrashHook,
        mono_ms: Callable[[], int],
        on_news: Callable[[object], None],
    ) -> None:
        """Run ``machine``; what it publishes goes to ``on_news``."""
        world: World = room.world
        super().__init__(world, name, machine, stores, hook)
        self.room = room
        self.cable: Cable | None = None
        self.is_unplugged = False
        self._mono_ms = mono_ms
        self._tell = on_news

    def mono_ms(self) -> int:
        """Return this terminal's monotonic time."""
        return self._mono_ms()

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
        delay = self.world.within(REFUSED_MS)
        self.world.later(delay, lambda: self._answered(link))

    def _answered(self, link: int) -> None:
        if not self.is_alive:
            return
        server = self.room.node
        if not self.room.is_up or self.is_unplugged or not isinstance(server, ServerNode):
            self.feed(Closed(link))
            return
        self.cable = server.accept(self, link)
        self.feed(Connected(link))

    def on_news(self, news: object) -> None:
        """Hand what the machine says to whoever sits at the terminal."""
        self._tell(news)

    def on_death(self) -> None:
        """The server notices sooner or later."""
        if self.cable is not None:
            self.cable.cut()
