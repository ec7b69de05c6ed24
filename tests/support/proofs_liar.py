"""A server that greets terminals as ours does and then says nonsense, on a loop of its own thread.

Every terminal gets a true welcome and, when it lacks it, a true board. Then comes one nonsense after the
other, each followed by a ping of the WebSocket, until the terminal ends the connection; then it is told to
come back.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Final

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from support.orders import Made, make_orders
from support.proofs_frames import Nonsense
from sync.contract.codec import decode_client, encode, encode_compressed
from sync.contract.limits import CLIENT_FRAME_BYTES
from sync.contract.messages import (
    Auth,
    Decided,
    Delta,
    Heartbeat,
    Hello,
    Person,
    Pong,
    Refused,
    Site,
    SnapshotBegin,
    SnapshotChunk,
    SnapshotEnd,
    Submit,
    Verdict,
    Welcome,
)
from sync.contract.operations import LogEntry, Move, Operation, Outcome
from sync.contract.orders import HASH_MODULUS, OrderPatch, canonical_bytes, row_hash
from sync.contract.problems import Problem
from sync.contract.stages import Stage

EPOCH: Final = "epoch-1"
SITE: Final = Site("site-1", "Halle 1", "Europe/Berlin", "organization-1", "Nordlicht")
PERSON: Final = Person("user-1", "Ana", "supervisor", "sign-in-1")
PER_LINK: Final = 30
ANSWER_S: Final = 10.0
ORDERS: Final = tuple(make_orders(20, Made(seed=3)))
SEQ: Final = len(ORDERS)
STATE_HASH: Final = sum(row_hash(canonical_bytes(order)) for order in ORDERS) % HASH_MODULUS


def sensible() -> list[str]:
    """Return what a server says, one message of each shape."""
    operation = Operation("op-1", ORDERS[0].id, Move(Stage.PICKING), "device-2", 1, "user-2")
    entry = LogEntry(
        SEQ + 1, operation, Outcome.APPLIED, decided_ms=5, actor_name="Eva", patch=OrderPatch(note="changed")
    )
    created = LogEntry(SEQ + 1, operation, Outcome.APPLIED, decided_ms=5, order=ORDERS[1])
    verdict = Verdict(1, "op-1", SEQ + 1, Outcome.APPLIED)
    return [
        encode(message)
        for message in (
            _welcome(),
            Decided([verdict]),
            Delta(SEQ, SEQ + 1, [entry]),
            Delta(SEQ, SEQ + 1, [created]),
            SnapshotBegin(EPOCH, SEQ, 2, 1, 7, 0),
            SnapshotChunk.of(0, list(ORDERS[:2])),
            SnapshotEnd(SEQ),
            Pong(1, 2, 3),
            Heartbeat(SEQ, 0, int(time.time() * 1000)),
            Refused(Problem("SILENT", "You said nothing.", "Say something.")),
        )
    ]


def _welcome() -> Welcome:
    return Welcome(2, "1.0", EPOCH, SEQ, SITE, PERSON, 0, 0, int(time.time() * 1000))


class Liar:
    """Listens for HTTP and for sockets; says ``frames`` of nonsense in all, then only the truth."""

    def __init__(self, frames: int, seed: int, come_back: Callable[[str], None]) -> None:
        """Call ``come_back`` with a token when that terminal should connect again."""
        self._left = frames
        self._seed = seed
        self._come_back = come_back
        self._sync_port = 0
        self._nonsense: dict[str, Nonsense] = {}
        self._chance = random.Random(f"liar {seed}")
        self.kinds: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.is_done = asyncio.Event()
        self.at = time.monotonic()
        """When it last had something to say: a terminal that is gone says nothing more."""

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[int]:
        """Listen on two free ports; gives that of HTTP."""
        http = await asyncio.start_server(self._serve_http, "127.0.0.1", 0)
        sockets = await serve(
            self._serve_socket,
            "127.0.0.1",
            0,
            compression=None,
            ping_interval=None,
            max_size=CLIENT_FRAME_BYTES,
        )
        self._sync_port = next(iter(sockets.sockets)).getsockname()[1]
        try:
            yield http.sockets[0].getsockname()[1]
        finally:
            http.close()
            sockets.close()
            await sockets.wait_closed()

    # ------------------------------------------------------------ HTTP

    async def _serve_http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", "0")))
                answer = json.dumps(self._answer(head.split()[1], body)).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    + f"Content-Length: {len(answer)}\r\n\r\n".encode()
                    + answer
                )
        writer.close()

    def _answer(self, path: str, body: bytes) -> dict[str, object]:
        if path.startswith("/.well-known"):
            return {"product": "fulfillment-kanban", "protocol_min": 2, "protocol_max": 2}
        if path == "/sync-address":
            return {"url": f"ws://127.0.0.1:{self._sync_port}/"}
        asked = json.loads(body)
        token = asked.get("device_token") or asked.get("refresh_token")
        expires_ms = int(time.time() * 1000) + 900_000
        return {"access_token": token, "access_expires_ms": expires_ms, "refresh_token": token}

    # ------------------------------------------------------------ the socket

    async def _serve_socket(self, socket: ServerConnection) -> None:
        token = ""
        end = "ended by the terminal"
        try:
            token, hello = await self._greet(socket)
            if self._left <= 0:
                await self._tell_the_truth(socket, hello)
            else:
                await self._lie(socket, token)
                end = "enough"
        except (ConnectionClosed, ConnectionError, RuntimeError):
            pass  # It ended the connection; a write after that is a RuntimeError.
        except TimeoutError:
            end = "silent"
        self.ends[end] += 1
        socket.transport.abort()
        if token:
            self._come_back(token)

    async def _greet(self, socket: ServerConnection) -> tuple[str, Hello]:
        """Say what our server says up to the point where a terminal is live."""
        auth = decode_client(await asyncio.wait_for(socket.recv(), ANSWER_S))
        hello = decode_client(await asyncio.wait_for(socket.recv(), ANSWER_S))
        assert isinstance(auth, Auth)
        assert isinstance(hello, Hello)
        await socket.send(encode(_welcome()))
        if (hello.epoch, hello.cursor, hello.state_hash) != (EPOCH, SEQ, STATE_HASH):
            await socket.send(encode(SnapshotBegin(EPOCH, SEQ, len(ORDERS), 1, STATE_HASH, 0)))
            await socket.send(encode_compressed(SnapshotChunk.of(0, list(ORDERS))))
            await socket.send(encode(SnapshotEnd(SEQ)))
        return auth.token, hello

    async def _lie(self, socket: ServerConnection, token: str) -> None:
        nonsense = self._nonsense.setdefault(token, Nonsense(f"{self._seed} {token}", sensible))
        for _ in range(PER_LINK):
            frame = nonsense.next()
            self._left -= 1
            self.at = time.monotonic()
            self.kinds[frame.kind] += 1
            if self._left <= 0:
                self.is_done.set()
            # Past the library, which would not say such things.
            socket.transport.write(frame.wire(self._chance, is_masked=False))
            waiter = await socket.ping()
            if frame.raw is not None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(waiter, 0.02)
                return
            # What it says meanwhile is read, so that its answers never fill the pipe.
            await asyncio.wait_for(waiter, ANSWER_S)

    async def _tell_the_truth(self, socket: ServerConnection, hello: Hello) -> None:
        """Decide what the terminal still holds, and stay."""
        async for frame in socket:
            message = decode_client(frame)
            if isinstance(message, Submit):
                verdicts = [
                    Verdict(each.device_seq, each.op_id, SEQ + place, Outcome.NOOP)
                    for place, each in enumerate(message.operations, 1)
                ]
                entries = [
                    LogEntry(SEQ + place, each, Outcome.NOOP, decided_ms=5)
                    for place, each in enumerate(message.operations, 1)
                ]
                await socket.send(encode(Decided(verdicts)))
                await socket.send(encode(Delta(SEQ, SEQ + len(entries), entries)))
