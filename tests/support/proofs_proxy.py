"""A TCP proxy between real programs, for bad networks: it delays, throttles, holds, cuts and tears.

It does what a network can do and TCP cannot hide. Bytes are held back and come later, or the connection
breaks; never do bytes vanish out of the middle of one that goes on. Conditions hold for all connections until
:meth:`Proxy.heal`; what is done to connections is done at once to those that are there.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Final, Self

_CHUNK: Final = 64 * 1024
_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)


class Way(Enum):
    """Which way bytes go."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True)
class Weather:
    """How the network is now."""

    latency_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    """0: as many as there are."""
    held: frozenset[Way] = frozenset()
    """Bytes this way are held back until it heals: one way, or both, a black hole."""
    is_refusing: bool = False
    """New connections are reset."""


class Proxy:
    """Listens on one port for each port behind it, on a thread of its own."""

    def __init__(self, doors: dict[int, int], seed: int) -> None:
        """Pass connections to each port of ``doors`` on to the port that it names."""
        self._doors = doors
        self._chance = random.Random(f"proxy {seed}")
        self._weather = Weather()
        self._changed = asyncio.Event()
        self._links: set[_Link] = set()
        self._servers: list[asyncio.Server] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")

    # ------------------------------------------------------------ from any thread

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set(self, weather: Weather) -> None:
        """Change the network for everybody."""
        self._do(lambda: self._set(weather))

    def reset(self) -> None:
        """Reset every connection, both ends."""
        self._do(lambda: self._each(_Link.reset))

    def sever(self, way: Way) -> None:
        """End the far end of every connection this way and tell the near end nothing: it is half open."""
        self._do(lambda: self._each(lambda link: link.sever(way)))

    def truncate(self, way: Way) -> None:
        """Let the next bytes this way through by half, then reset both ends."""
        self._do(lambda: self._each(lambda link: link.truncate(way)))

    def heal(self) -> None:
        """Make the network good again. Who sent anything into half a connection is told now."""
        self._do(self._heal)

    def _do(self, act: Callable[[], None]) -> None:
        """Have something done on the loop, and wait until it is."""

        async def run() -> None:
            act()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(10)

    # ------------------------------------------------------------ on the loop

    def _each(self, act: Callable[[_Link], None]) -> None:
        for link in list(self._links):
            act(link)

    def _set(self, weather: Weather) -> None:
        self._weather = weather
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    def _heal(self) -> None:
        self._set(Weather())
        self._each(_Link.heal)

    async def _listen(self) -> None:
        for port, behind in self._doors.items():
            server = await asyncio.start_server(self._serve(behind), "127.0.0.1", port, limit=_CHUNK)
            self._servers.append(server)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        self._heal()
        tasks = [task for link in self._links for task in link.tasks]
        self._each(_Link.reset)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # The handlers of the connections end with their pumps.
        await asyncio.sleep(0)

    def _serve(self, behind: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            if self._weather.is_refusing:
                _reset(writer)
                return
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", behind)
            except OSError:
                _reset(writer)
                return
            link = _Link({Way.UP: writer, Way.DOWN: far_writer})
            self._links.add(link)
            link.tasks = [
                asyncio.ensure_future(self._pump(link, Way.UP, reader, far_writer)),
                asyncio.ensure_future(self._pump(link, Way.DOWN, far_reader, writer)),
            ]
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*link.tasks, return_exceptions=True)
            self._links.discard(link)
            link.reset()

        return serve

    async def _pump(
        self, link: _Link, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Carry the bytes of one way until there are no more."""
        with contextlib.suppress(OSError):
            while True:
                data = await reader.read(_CHUNK)
                await self._travel(way, len(data))
                if link.is_severed(way):
                    link.swallow()
                    if not data:
                        return
                elif not data:
                    if not writer.is_closing():
                        writer.write_eof()
                    return
                elif way in link.truncated:
                    writer.write(data[: len(data) // 2])
                    link.end_soon()
                    return
                else:
                    writer.write(data)
                    await writer.drain()

    async def _travel(self, way: Way, size: int) -> None:
        """Wait as long as bytes need now."""
        weather = self._weather
        delay_s = weather.latency_s + weather.jitter_s * self._chance.random()
        if weather.bytes_per_s:
            delay_s += size / weather.bytes_per_s
        if delay_s:
            # A better network lets through at once what a bad one would hold longer.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), delay_s)
        while way in self._weather.held:
            await self._changed.wait()


class _Link:
    """One connection: the writers towards both ends, by the way whose bytes come *from* there."""

    def __init__(self, ends: dict[Way, asyncio.StreamWriter]) -> None:
        self._ends = ends
        self._severed: Way | None = None
        self._has_swallowed = False
        self._is_healed = False
        self.truncated: set[Way] = set()
        self.tasks: list[asyncio.Future[None]] = []

    def is_severed(self, way: Way) -> bool:
        """Say whether bytes this way have nowhere to go."""
        return self._severed is way

    def sever(self, way: Way) -> None:
        if self._severed is None:
            self._severed = way
            other = Way.DOWN if way is Way.UP else Way.UP
            # The task that reads from the end that is gone must not tell the other end of it.
            self.tasks[0 if other is Way.UP else 1].cancel()
            _reset(self._ends[other])

    def swallow(self) -> None:
        """Something was sent into nowhere; a network that works again answers that with a reset."""
        self._has_swallowed = True
        if self._is_healed:
            self.reset()

    def heal(self) -> None:
        if self._severed is not None:
            self._is_healed = True
            if self._has_swallowed:
                self.reset()

    def truncate(self, way: Way) -> None:
        self.truncated.add(way)

    def end_soon(self) -> None:
        """Reset both ends once what was written has left."""
        asyncio.get_running_loop().call_later(0.01, self.reset)

    def reset(self) -> None:
        for writer in self._ends.values():
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End one side at once: whoever is there hears a reset, not an orderly end."""
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.is_closing():
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    writer.transport.abort()
