"""One WebSocket of the asyncio driver: from connecting to the end, told to the machine as events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from sync.contract.problems import ProblemError
from sync.contract.steps import Closed, Connected, Drained, Event, Received

_REASON_BYTES: Final = 120
"""A close frame has room for 123."""


class Socket(Protocol):
    """What is needed of a WebSocket that is open."""

    @property
    def close_code(self) -> int | None:
        """Return the code with which it was closed."""
        ...

    @property
    def close_reason(self) -> str | None:
        """Return the reason with which it was closed."""
        ...

    def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Give the frames until it is closed."""
        ...

    async def send(self, message: str | bytes, /) -> None:
        """Send a frame."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it."""
        ...


OpenSocket = Callable[[], Awaitable[Socket]]


class SocketLink:
    """Connects, reads, sends, and says once how it ended."""

    def __init__(self, number: int, step: Callable[[Event], None], has_room: asyncio.Event) -> None:
        """Give events to ``step``; read on only while ``has_room`` is set."""
        self._number = number
        self._step = step
        self._has_room = has_room
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()
        self._closing = (1000, "")
        self.task: asyncio.Task[None] | None = None

    def send(self, frame: str | bytes) -> None:
        """Send a frame after those given before."""
        self._outgoing.put_nowait(frame)

    def close(self, code: int, reason: str) -> None:
        """Begin to close."""
        self._closing = (code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
        if self.task is not None:
            self.task.cancel()

    async def live(self, open_socket: OpenSocket) -> None:
        """Be the link, from connecting to the end."""
        socket: Socket | None = None
        closed = Closed(self._number)
        try:
            socket = await open_socket()
            self._step(Connected(self._number))
            await self._read(socket)
            closed = Closed(self._number, socket.close_code or 0, socket.close_reason or "")
        except ProblemError as error:
            closed = Closed(self._number, 0, error.problem.code)
        except asyncio.CancelledError:
            pass  # It was to be closed.
        except Exception as error:  # noqa: BLE001 - whatever a network does, the link is down
            code = (socket.close_code if socket is not None else None) or 0
            closed = Closed(self._number, code, f"{type(error).__name__}: {error}")
        if socket is not None:
            with contextlib.suppress(Exception):
                await socket.close(*self._closing)
        self._step(closed)

    async def _read(self, socket: Socket) -> None:
        sender = asyncio.get_running_loop().create_task(self._send_all(socket))
        try:
            async for frame in socket:
                self._step(Received(self._number, frame))
                await self._has_room.wait()
        finally:
            sender.cancel()
            await asyncio.wait([sender])

    async def _send_all(self, socket: Socket) -> None:
        # A frame that cannot be sent shows as the end of the frames received.
        with contextlib.suppress(Exception):
            while True:
                await socket.send(await self._outgoing.get())
                if self._outgoing.empty():
                    self._step(Drained(self._number))
