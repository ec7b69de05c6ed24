"""An asyncio loop without sockets whose time is the world's: waiting costs nothing.

Whenever the loop would sleep, the world plays what comes next on its time line, or time goes on to the
loop's own next timer.
"""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Mapping
from typing import Any

from server.verification.world import World

LAST_MS = 60_000
"""How long the ends of cut connections may take."""
_TINY_MS = 1e-6


class LoopedWorld(World):
    """A world whose time line is played by an asyncio loop."""

    def __init__(self, seed: int) -> None:
        """Begin at virtual time 0; :meth:`close` ends the loop."""
        super().__init__(seed)
        self.loop = _VirtualLoop(self)
        self._until_ms = 0

    def run(self, until_ms: int) -> None:
        """Let time pass to ``until_ms``, for the loop and on the time line."""
        self._until_ms = until_ms
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()
        self.now_ms = max(self.now_ms, until_ms)

    def sleep(self, timeout_s: float | None) -> None:
        """Go on to what is next: a timer of the loop, a thing on the time line, or the end of the run."""
        if timeout_s == 0:
            return
        wake_ms = math.inf if timeout_s is None else self.now_ms + timeout_s * 1000
        next_ms = self._line[0][0] if self._line else math.inf
        if min(wake_ms, next_ms) > self._until_ms:
            self.now_ms = self._until_ms
            self.loop.stop()
        elif next_ms <= wake_ms:
            self.play_next()
        else:
            self.now_ms = max(self.now_ms, math.ceil(wake_ms - _TINY_MS))

    def close(self) -> None:
        """Cancel what still waits, and close the loop; every process is dead by now."""
        self._until_ms = self.now_ms + LAST_MS
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()
        asyncio.set_event_loop(None)


class _VirtualSelector(selectors.BaseSelector):
    """Selects nothing; lets the world's time pass instead."""

    def __init__(self, world: LoopedWorld) -> None:
        self._world = world
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:  # noqa: ANN401
        key = self._keys[fileobj] = selectors.SelectorKey(fileobj, 0, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:  # noqa: ANN401
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._world.sleep(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._keys


class _VirtualLoop(asyncio.SelectorEventLoop):
    """The loop; nothing here ever waits for a socket."""

    def __init__(self, world: LoopedWorld) -> None:
        self._world = world
        super().__init__(_VirtualSelector(world))
        # Times are whole milliseconds: whatever is due within less is due.
        self._clock_resolution = 1e-5

    def time(self) -> float:
        """Return the world's time in seconds."""
        return self._world.now_ms / 1000

    def _write_to_self(self) -> None:
        """Do nothing: everything happens on one thread."""
