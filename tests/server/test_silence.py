"""HTTP connections that ask nothing are closed; those that wait for an answer are not."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import weakref
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn

from server import silence
from server.silence import PatientProtocol

HEAD = b"GET / HTTP/1.1\r\nHost: board.example\r\n"
SOON_S = 10


class Slow:
    """An application that answers when it is let, and counts how often its connection was looked at."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may_answer = asyncio.Event()
        self.looks = asyncio.Semaphore(0)
        look = PatientProtocol._look

        def counted(protocol: PatientProtocol, *seen: Any) -> None:  # noqa: ANN401 - handed on
            look(protocol, *seen)
            self.looks.release()

        monkeypatch.setattr(silence, "SILENT_S", 0.02)
        monkeypatch.setattr(PatientProtocol, "_look", counted)

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        """Answer one request."""
        await self.may_answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Serve it, and give one connection to it."""
        config = uvicorn.Config(
            self, http=PatientProtocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=60
        )
        server = uvicorn.Server(config)
        listener = socket.create_server(("127.0.0.1", 0))
        serving = asyncio.create_task(server.serve([listener]))
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await serving


@pytest.mark.parametrize("said", [b"", HEAD])
def test_a_connection_that_asks_nothing_is_closed(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """It says nothing at all, or half of a head."""

    async def story() -> None:
        async with Slow(monkeypatch).connected() as (reader, writer):
            writer.write(said)
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), SOON_S) == b""

    asyncio.run(story())


def test_who_waits_for_an_answer_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it takes; and who asks nothing more afterwards is closed then."""

    async def story() -> None:
        slow = Slow(monkeypatch)
        # Long enough for a busy machine to bring the request in before the first look.
        monkeypatch.setattr(silence, "SILENT_S", 0.2)
        async with slow.connected() as (reader, writer):
            writer.write(HEAD + b"\r\n")
            for _ in range(3):
                await asyncio.wait_for(slow.looks.acquire(), SOON_S)
            slow.may_answer.set()
            answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), SOON_S)
            assert answer.startswith(b"HTTP/1.1 200 ")
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(reader.read(), SOON_S) == b""

    asyncio.run(story())


def test_a_connection_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes and goes a thousand times a second leaves nothing that waits for the next look."""

    async def story() -> None:
        slow = Slow(monkeypatch)
        monkeypatch.setattr(silence, "SILENT_S", 3_600)
        made: list[weakref.ref[PatientProtocol]] = []
        connection_made = PatientProtocol.connection_made

        def noted(protocol: PatientProtocol, transport: asyncio.Transport) -> None:
            made.append(weakref.ref(protocol))
            connection_made(protocol, transport)

        monkeypatch.setattr(PatientProtocol, "connection_made", noted)
        async with slow.connected() as (_reader, writer):
            writer.close()
            async with asyncio.timeout(SOON_S):
                while not made or made[0]() is not None:
                    await asyncio.sleep(0.01)
                    gc.collect()

    asyncio.run(story())
