"""The cable between a terminal and the server: ordered frames with delay, until it is cut.

Like TCP it neither reorders nor repeats frames within one connection. Where TCP lets them pass, they come
late: what was on its way when the cable is cut may still arrive, long after the terminal has another one,
and the other side may take many seconds to notice. ``REPEATED`` hands a submit over twice, as a terminal
that lost the answer would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from server.verification.world import World
from sync.contract.codec import Frame
from sync.contract.steps import Closed, Drained, Event, Received

DELAY_MS: Final = (1, 40)
NOTICE_MS: Final = (0, 300)
"""How long a side usually takes to notice that the other one is gone."""
HALF_OPEN: Final = 0.2
HALF_OPEN_MS: Final = (300, 9_000)
"""How often the server does not notice a cut for long, and still gets what was on its way."""
REPEATED: Final = 0.04
_SUBMIT: Final = '{"type":"submit"'

Changed = Callable[[Frame], Frame]
"""What happens to frames on their way down: how a later release of the server would have said it."""


class End(Protocol):
    """One end of a cable: a node, or a socket of a driver."""

    def feed(self, event: Event) -> None:
        """Take what arrives."""
        ...


class _Way:
    """One direction; remembers when the last frame arrives so that the next one does not pass it."""

    def __init__(self, world: World, source: End, source_link: int, goal: End, link: int) -> None:
        self._world = world
        self._source = source
        self._source_link = source_link
        self._goal = goal
        self._link = link
        self._last_ms = 0
        self.is_open = True
        self.held_until_ms = 0

    def send(self, frame: Frame) -> None:
        world = self._world
        delay = world.within(DELAY_MS)
        self._last_ms = max(self._last_ms, world.now_ms + delay)
        world.later(self._last_ms - world.now_ms, lambda: self._arrive(frame))
        world.later(1, lambda: self._source.feed(Drained(self._source_link)))

    def _arrive(self, frame: Frame) -> None:
        wait_ms = self.held_until_ms - self._world.now_ms
        if wait_ms > 0:
            # What is equally late keeps its order.
            self._world.later(wait_ms, lambda: self._arrive(frame))
        elif self.is_open:
            self._goal.feed(Received(self._link, frame))

    def close(self, code: int, at_least_ms: int = 0) -> None:
        delay = max(at_least_ms, self._last_ms - self._world.now_ms)
        self._world.later(delay, lambda: self._notice(code))

    def _notice(self, code: int) -> None:
        self.is_open = False
        self._goal.feed(Closed(self._link, code))


class Cable:
    """One connection: ``terminal_link`` on one side, ``server_link`` on the other."""

    def __init__(
        self, world: World, terminal: End, terminal_link: int, server: End, server_link: int
    ) -> None:
        """Join two living nodes."""
        self._world = world
        self.terminal = terminal
        self.server = server
        self.terminal_link = terminal_link
        self.server_link = server_link
        self.is_open = True
        self.changed: Changed | None = None
        self._up = _Way(world, terminal, terminal_link, server, server_link)
        self._down = _Way(world, server, server_link, terminal, terminal_link)

    def send(self, source: End, frame: Frame) -> None:
        """Send from ``source`` to the other side."""
        if not self.is_open:
            return
        if source is not self.terminal:
            self._down.send(frame if self.changed is None else self.changed(frame))
            return
        self._up.send(frame)
        if isinstance(frame, str) and frame.startswith(_SUBMIT) and self._world.chance(REPEATED):
            self._up.send(frame)

    def close(self, source: End, code: int) -> None:
        """Close in order: what was sent before still arrives, then both sides hear of it."""
        if not self.is_open:
            return
        self.is_open = False
        ways = (self._up, self._down)
        # The closing side sends no more; frames on their way to it are dropped by its machine.
        other, own = ways if source is self.terminal else ways[::-1]
        other.close(code)
        own.close(code)

    def cut(self) -> None:
        """Pull the plug: each side notices in its own time, and what was on its way may be lost or late."""
        if not self.is_open:
            return
        self.is_open = False
        random = self._world.random
        self._down.is_open = False
        self._down.close(1006, self._world.within(NOTICE_MS))
        if random.random() < HALF_OPEN:
            late_ms = self._world.within(HALF_OPEN_MS)
            self._up.held_until_ms = self._world.now_ms + late_ms
            self._up.close(1006, late_ms + DELAY_MS[1])
        else:
            self._up.is_open = False
            self._up.close(1006, self._world.within(NOTICE_MS))
