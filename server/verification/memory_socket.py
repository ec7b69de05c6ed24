"""Two ends of a connection that look like the WebSockets that the drivers know, over a cable of the world."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from websockets.exceptions import ConnectionClosedError

from server.verification.cable import Cable
from server.verification.world import World
from sync.contract.steps import Closed, Event, Received

_ABNORMAL = 1006


class MemorySocket:
    """One end. The cable feeds it like a node."""

    def __init__(self) -> None:
        """Be open; :func:`joined` gives it its cable."""
        self.cable: Cable | None = None
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._ended = asyncio.Event()

    @property
    def transport(self) -> MemorySocket:
        """Return what can be aborted."""
        return self

    def abort(self) -> None:
        """Cut the connection."""
        if self.cable is not None:
            self.cable.cut()

    def feed(self, event: Event) -> None:
        """Take what the cable brings."""
        if isinstance(event, Received):
            self._frames.put_nowait(event.frame)
        elif isinstance(event, Closed) and not self._ended.is_set():
            self.close_code, self.close_reason = event.code, event.reason
            self._ended.set()
            self._frames.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Give the frames until it is closed."""
        while (frame := await self._frames.get()) is not None:
            yield frame
        if self.close_code == _ABNORMAL:
            raise ConnectionClosedError(None, None)

    async def send(self, frame: str | bytes) -> None:
        """Send a frame."""
        if self._ended.is_set() or self.cable is None:
            raise ConnectionClosedError(None, None)
        self.cable.send(self, frame)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close, and wait until both sides know."""
        if self.cable is not None:
            self.cable.close(self, code)
        await self._ended.wait()


def joined(world: World) -> tuple[MemorySocket, MemorySocket, Cable]:
    """Return both ends of a new connection, the terminal's first."""
    terminal, server = MemorySocket(), MemorySocket()
    cable = terminal.cable = server.cable = Cable(world, terminal, 1, server, 1)
    return terminal, server, cable
