"""The cable between a terminal and the server: ordered frames with delay, until it is cut.

Like TCP it neither reorders nor repeats frames within one connection; what was on its way when
the cable is cut is lost, and neither side knows what the other side got.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from server.verification.node import Node
from server.verification.world import World
from sync.contract.codec import Frame
from sync.contract.steps import Closed, Drained, Received

DELAY_MS: Final = (1, 40)
NOTICE_MS: Final = (0, 300)
"""How long a side may take to notice that the other one is gone."""


class _Way:
    """One direction; remembers when the last frame arrives so that the next one does not pass it."""

    def __init__(self, world: World, source: Node, source_link: int, goal: Node, link: int) -> None:
        self._world = world
        self._source = source
        self._source_link = source_link
        self._goal = goal
        self._link = link
        self._last_ms = 0

    def send(self, frame: Frame, is_open: Callable[[], bool]) -> None:
        delay = self._world.random.randint(*DELAY_MS)
        self._last_ms = max(self._last_ms, self._world.now_ms + delay)

        def arrive() -> None:
            if is_open():
                self._goal.feed(Received(self._link, frame))

        self._world.later(self._last_ms - self._world.now_ms, arrive)
        self._world.later(1, lambda: self._source.feed(Drained(self._source_link)))

    def close(self, code: int, at_least_ms: int = 0) -> None:
        delay = max(at_least_ms, self._last_ms - self._world.now_ms)
        self._world.later(delay, lambda: self._goal.feed(Closed(self._link, code)))


class Cable:
    """One connection: ``terminal_link`` on one side, ``server_link`` on the other."""

    def __init__(
        self, world: World, terminal: Node, terminal_link: int, server: Node, server_link: int
    ) -> None:
        """Join two living nodes."""
        self._world = world
        self.terminal = terminal
        self.server = server
        self.terminal_link = terminal_link
        self.server_link = server_link
        self.is_open = True
        self._up = _Way(world, terminal, terminal_link, server, server_link)
        self._down = _Way(world, server, server_link, terminal, terminal_link)

    def send(self, source: Node, frame: Frame) -> None:
        """Send from ``source`` to the other side."""
        if self.is_open:
            way = self._up if source is self.terminal else self._down
            way.send(frame, lambda: self.is_open)

    def close(self, source: Node, code: int) -> None:
        """Close in order: what was sent before still arrives, then both sides hear of it."""
        if not self.is_open:
            return
        ways = (self._up, self._down)
        other, own = ways if source is self.terminal else ways[::-1]
        other.close(code)
        own.close(code)
        # The closing side sends no more; frames on their way to it are dropped by its machine.
        self._world.later(DELAY_MS[1], self._end)

    def cut(self) -> None:
        """Pull the plug: frames on their way are lost, each side notices in its own time."""
        if not self.is_open:
            return
        self._end()
        self._up.close(1006, self._world.random.randint(*NOTICE_MS))
        self._down.close(1006, self._world.random.randint(*NOTICE_MS))

    def _end(self) -> None:
        self.is_open = False
