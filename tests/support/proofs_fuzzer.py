"""Says nonsense to a server's socket, as a program of its own, and counts it.

Each frame comes on a connection that has said nothing yet, one that has said who it is, or one that is live,
and is followed by a ping of the WebSocket: when that is answered, or the connection has ended, the frame was
read. Prints one JSON line: frames by kind, and how the connections ended.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
from collections import Counter
from typing import Final

import httpx
from msgspec.structs import replace

from support.orders import make_order
from support.proofs_frames import TEXT, Nonsense, framed
from sync.contract.codec import decode_server, encode
from sync.contract.messages import (
    Auth,
    ClientMessage,
    Decided,
    Hello,
    Ping,
    ServerMessage,
    SnapshotEnd,
    Submit,
    Welcome,
)
from sync.contract.operations import Cancel, Create, Move, Operation, PutOnHold, Release, Ship
from sync.contract.stages import Stage

WORKERS: Final = 3
PER_LINK: Final = 30
"""So many frames at most over one connection, for those that do not end it."""
ANSWER_S: Final = 10.0
TOKEN_FRAMES: Final = 5_000
STAGES_OF_LINK: Final = ("new", "signed in", "live", "live")


def sensible(device: str, number: int) -> list[str]:
    """Return what a terminal says whose next operation has this number, one message of each shape."""
    order = make_order(
        number, id=f"{device}-{number}", external_ref=f"{device}-{number}", number=f"F-{number}"
    )
    changes = (
        Move(Stage.PICKING),
        PutOnHold("other", "no house number", 5),
        Ship("1Z", "UPS"),
        Create(order),
    )
    operations = [
        Operation(f"{device}-op-{number}", order.id, change, device, number, base_revision=1, wall_ms=7)
        for change in reversed(changes)
    ]
    hello = Hello(2, 2, "1.0", device, next_device_seq=1, epoch="e", cursor=3, state_hash=9)
    submits = [Submit([operations[0], *_following(operations[0])]), *[Submit([each]) for each in operations]]
    messages: list[ClientMessage] = [Auth("not-a-token"), hello, Ping(1, 2), *submits]
    return [encode(message) for message in messages]


def _following(first: Operation) -> list[Operation]:
    """Return the moves of the order that an operation made, numbered on."""
    changes = (Move(Stage.PICKING), PutOnHold("other"), Release(), Move(Stage.PICKED), Cancel("no stock"))
    return [
        replace(first, op_id=f"{first.op_id}-{place}", change=change, device_seq=first.device_seq + place)
        for place, change in enumerate(changes, 1)
    ]


class Link:
    """A WebSocket without a library, so that it can say what no library would."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chance: random.Random
    ) -> None:
        """Speak over an open connection."""
        self._reader = reader
        self._writer = writer
        self._chance = chance
        self._pings = 0
        self.decided = 0
        """The highest number of this device that is decided."""

    @classmethod
    async def open(cls, port: int, chance: random.Random) -> Link:
        """Connect and shake hands."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(chance.randbytes(16)).decode()
        writer.write(
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), ANSWER_S)
        assert b" 101 " in answer, answer
        return cls(reader, writer, chance)

    def say(self, text: str) -> None:
        """Send one message."""
        self._writer.write(framed(TEXT, text.encode(), self._chance, is_masked=True))

    def send(self, wire: bytes) -> None:
        """Send bytes."""
        self._writer.write(wire)

    async def hear(self) -> tuple[int, bytes]:
        """Return the next frame: opcode and payload."""
        first, size = await self._reader.readexactly(2)
        if size == 126:
            size = int.from_bytes(await self._reader.readexactly(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._reader.readexactly(8), "big")
        return first & 15, await self._reader.readexactly(size)

    async def hear_until_live(self) -> None:
        """Read up to the end of the snapshot."""
        message: ServerMessage | None = None
        while not isinstance(message, SnapshotEnd):
            opcode, payload = await asyncio.wait_for(self.hear(), ANSWER_S)
            assert opcode in {1, 2}, (opcode, payload)
            message = decode_server(payload.decode() if opcode == 1 else payload)
            if isinstance(message, Welcome):
                self.decided = message.decided_device_seq

    async def is_alive_after(self) -> bool:
        """Ask for a pong of the WebSocket, and say whether it came before the end."""
        self._pings += 1
        wanted = str(self._pings).encode()
        self._writer.write(framed(9, wanted, self._chance, is_masked=True))
        while True:
            opcode, payload = await self.hear()
            if opcode == 10 and payload == wanted:
                return True
            if opcode == 8:
                return False
            if opcode == TEXT and payload.startswith(b'{"type":"decided"'):
                message = decode_server(payload.decode())
                assert isinstance(message, Decided)
                numbers = [each.device_seq for each in message.verdicts if each.seq]
                self.decided = max([self.decided, *numbers])

    def end(self) -> None:
        """Close without a word."""
        self._writer.transport.abort()


class Fuzzer:
    """Some workers that share a number of frames."""

    def __init__(self, port: int, http: str, device_token: str, frames: int, seed: int) -> None:
        """Say ``frames`` to the socket at ``port``; sign in at ``http``."""
        self._port = port
        self._http = http
        self._device_token = device_token
        self._left = frames
        self._seed = seed
        self._token = ""
        self._token_frames = 0
        self.kinds: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()

    async def run(self) -> None:
        """Say everything."""
        await asyncio.gather(*(self._work(number) for number in range(WORKERS)))

    async def _work(self, number: int) -> None:
        chance = random.Random(f"fuzzer {self._seed} {number}")
        device = f"fuzz-{self._seed}-{number}"
        link: Link | None = None
        nonsense = Nonsense(
            f"{self._seed} {number}", lambda: sensible(device, link.decided + 1 if link is not None else 1)
        )
        while self._left > 0:
            stage = chance.choice(STAGES_OF_LINK)
            link = await Link.open(self._port, chance)
            try:
                await self._get_to(link, stage, device)
                end = await self._talk(link, nonsense, chance)
            except (OSError, asyncio.IncompleteReadError):
                end = "cut"
            except TimeoutError:
                end = "silent"
            link.end()
            self.ends[f"{stage}: {end}"] += 1

    async def _get_to(self, link: Link, stage: str, device: str) -> None:
        if stage == "new":
            return
        link.say(encode(Auth(await self._access_token())))
        if stage == "live":
            link.say(encode(Hello(2, 2, "1.0", device, next_device_seq=1)))
            await link.hear_until_live()

    async def _talk(self, link: Link, nonsense: Nonsense, chance: random.Random) -> str:
        """Say nonsense until the connection ends or has had enough."""
        for _ in range(PER_LINK):
            frame = nonsense.next()
            self._left -= 1
            self.kinds[frame.kind] += 1
            link.send(frame.wire(chance, is_masked=True))
            if frame.raw is not None:
                # What waits for more of a frame would wait for ever; nothing follows it.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(link.is_alive_after(), 0.02)
                return "dropped"
            if not await asyncio.wait_for(link.is_alive_after(), ANSWER_S):
                return "refused"
        return "enough"

    async def _access_token(self) -> str:
        if not self._token or self._token_frames - self._left > TOKEN_FRAMES:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.post(f"{self._http}/sign-in", json={"device_token": self._device_token})
            self._token = answer.raise_for_status().json()["access_token"]
            self._token_frames = self._left
        return self._token


def main() -> None:
    """Say what was asked for and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--http", required=True)
    parser.add_argument("--token", required=True)
    parser.add_argument("--frames", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    arguments = parser.parse_args()
    # A stranger has a processor of his own; he must not take that of the server.
    os.nice(10)
    fuzzer = Fuzzer(arguments.port, arguments.http, arguments.token, arguments.frames, arguments.seed)
    asyncio.run(fuzzer.run())
    print(json.dumps({"frames": fuzzer.kinds, "ends": fuzzer.ends}), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
