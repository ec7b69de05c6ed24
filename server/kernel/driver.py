"""The asyncio driver of the hub: sockets, timers and threads around one step machine. Decides nothing.

Every store is one thread, so its jobs run one after the other. A link has one task that sends; when
nothing is left to send, the hub hears ``Drained``.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Final

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from server.kernel.hub import Hub
from sync.contract.limits import AUTH_DEADLINE_MS, CLIENT_FRAME_BYTES
from sync.contract.ports import Clock
from sync.contract.steps import (
    CancelTimer,
    Close,
    Closed,
    Command,
    Connected,
    Drained,
    Effect,
    Event,
    Job,
    JobDone,
    Publish,
    Received,
    Send,
    SetTimer,
    TimerFired,
)

CLOSE_S: Final = 2.0
"""How long a link may take to say good-bye before it is cut."""
_LOG: Final = logging.getLogger(__name__)


class _Link:
    """One socket and what is still to be sent over it."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.frames: deque[str | bytes] = deque()
        self.close: Close | None = None
        self.wake = asyncio.Event()


class Driver:
    """Carries the hub's effects out, in their order."""

    def __init__(
        self,
        hub: Hub,
        stores: Mapping[str, object],
        clock: Clock,
        listener: Callable[[object], None],
    ) -> None:
        """Run ``hub`` over ``stores``; ``listener`` hears what it publishes."""
        self._hub = hub
        self._stores = stores
        self._clock = clock
        self._listener = listener
        self._threads: dict[str, Executor] = {
            name: ThreadPoolExecutor(1, thread_name_prefix=f"{name}-") for name in stores
        }
        self._links: dict[int, _Link] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._next_link = 1
        self._server: Server | None = None
        self._is_stopped = False

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port."""
        self._server = await serve(
            self._serve_link,
            host,
            port,
            compression=None,
            max_size=CLIENT_FRAME_BYTES,
            max_queue=16,
            open_timeout=AUTH_DEADLINE_MS / 1000,
            close_timeout=CLOSE_S,
            # Heartbeat and Ping of the protocol say more than the socket's own.
            ping_interval=None,
            # Only programs speak here: a browser always names its page.
            origins=[None],
            server_header=None,
        )
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def stop(self, goodbye: object) -> None:
        """Tell the hub ``goodbye``, let the links end and the stores finish."""
        self.feed(Command(goodbye))
        if self._server is not None:
            # The hub closes the links, each with its reason; what does not answer is cut by then.
            self._server.close(close_connections=False)
            await self._server.wait_closed()
        self._is_stopped = True
        for timer in self._timers.values():
            timer.cancel()
        for thread in self._threads.values():
            await asyncio.to_thread(thread.shutdown)

    def feed(self, event: Event) -> None:
        """Give the hub an event (on the loop's thread) and do what it wants."""
        if not self._is_stopped:
            for effect in self._hub.step(event):
                self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send() if effect.link in self._links:
                link = self._links[effect.link]
                link.frames.append(effect.frame)
                link.wake.set()
            case Close() if effect.link in self._links:
                link = self._links[effect.link]
                link.close = effect
                link.wake.set()
                asyncio.get_running_loop().call_later(CLOSE_S * 2, link.socket.transport.abort)
            case SetTimer():
                self._set_timer(effect)
            case CancelTimer():
                if (timer := self._timers.pop(effect.name, None)) is not None:
                    timer.cancel()
            case Job():
                self._start_job(effect)
            case Publish():
                self._listener(effect.news)
            case _:
                pass

    def _set_timer(self, effect: SetTimer) -> None:
        if (timer := self._timers.pop(effect.name, None)) is not None:
            timer.cancel()
        delay_s = max(0, effect.at_ms - self._clock.mono_ms()) / 1000
        self._timers[effect.name] = asyncio.get_running_loop().call_later(delay_s, self._fire, effect.name)

    def _fire(self, name: str) -> None:
        self._timers.pop(name, None)
        self.feed(TimerFired(name))

    def _start_job(self, job: Job) -> None:
        loop = asyncio.get_running_loop()

        def run() -> None:
            done = _done(self._stores[job.store], job)
            loop.call_soon_threadsafe(self.feed, done)

        self._threads[job.store].submit(run)

    async def _serve_link(self, socket: ServerConnection) -> None:
        number, self._next_link = self._next_link, self._next_link + 1
        link = self._links[number] = _Link(socket)
        sender = asyncio.create_task(self._send(number, link))
        self.feed(Connected(number))
        try:
            async for frame in socket:
                self.feed(Received(number, frame))
        except ConnectionClosed:
            pass
        except Exception:  # noqa: BLE001 - whatever it is, it ends this link alone
            # What websockets would log of it is turned off with everything about failed handshakes.
            _LOG.exception("link failed")
        finally:
            del self._links[number]
            sender.cancel()
            self.feed(Closed(number, socket.close_code or 0, socket.close_reason or ""))

    async def _send(self, number: int, link: _Link) -> None:
        try:
            while True:
                while link.frames:
                    await link.socket.send(link.frames.popleft())
                if link.close is not None:
                    await link.socket.close(link.close.code, link.close.reason)
                    return
                self.feed(Drained(number))
                if not link.frames:
                    await link.wake.wait()
                link.wake.clear()
        except ConnectionClosed:
            return


def _done(store: object, job: Job) -> JobDone:
    """Run a job; its error becomes a value, and is logged here where its trace still is."""
    try:
        return JobDone(job.ticket, getattr(store, job.method)(*job.arguments))
    except Exception as error:  # noqa: BLE001 - whatever it is, the hub must hear of it
        _LOG.exception("job failed", extra={"store": job.store, "method": job.method})
        return JobDone(job.ticket, error=f"{type(error).__name__}: {error}")
