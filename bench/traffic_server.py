"""A pretended server for one terminal: ``python -m bench.traffic_server ORDERS NOW_MS``.

It speaks the protocol over a real socket, but decides everything beforehand, so that what is measured at the
terminal is the terminal. On standard input JSON lines: ``{"prepare": n, "shown": [order ids]}`` decides ``n``
operations of other people, ``{"send": rate}`` sends them, each as a page of its own, ``rate`` a second;
``{"snapshot": true}`` sends the whole board. On standard output ``{"port": n}`` and, once prepared,
``{"seq": n}``.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Sequence
from typing import Final

from websockets.asyncio.server import ServerConnection, serve

from bench.warehouse import warehouse_orders
from support.boards import ServerBoard
from sync.contract.codec import decode_client, encode, encode_compressed
from sync.contract.messages import (
    Delta,
    Hello,
    Person,
    Ping,
    Pong,
    Site,
    SnapshotChunk,
    SnapshotEnd,
    Welcome,
)
from sync.contract.operations import Change, Move, Operation, Prioritise, Tag
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge, decide

SHOWN_SHARE: Final = 0.1
"""So many updates concern a card that shows; by chance it would be one in two thousand."""
CHUNK: Final = 200
TAG: Final = "checked"
_BACK_AND_FORTH: Final = {Stage.CONFIRMED: Stage.PICKING, Stage.PICKING: Stage.CONFIRMED}


def first_board(orders: int, now_ms: int) -> ServerBoard:
    """Return the board that server and terminal begin with."""
    return ServerBoard(warehouse_orders(orders, now_ms), seq=orders)


class Others:
    """Other people, who do something to one order after the other."""

    def __init__(self, board: ServerBoard, now_ms: int) -> None:
        """Work on ``board``, always in the same way."""
        self._board = board
        self._random = random.Random(11)
        self._judge = Judge("user-9", "Marek O.", Role.SUPERVISOR, now_ms)
        self._order_ids = list(board.orders)

    def frames(self, count: int, shown: Sequence[str]) -> list[str]:
        """Decide ``count`` operations and return a page of the log for each."""
        return [self._frame(shown) for _ in range(count)]

    def _frame(self, shown: Sequence[str]) -> str:
        is_shown = self._random.random() < SHOWN_SHARE
        order = self._board.orders[self._random.choice(shown if is_shown else self._order_ids)]
        operation = self._operation(order, _tagged(order) if is_shown else self._change(order))
        if decide(order, operation, self._judge).order is None:
            operation = self._operation(order, _tagged(order))
        entry = self._board.decide(operation, self._judge)
        return encode(Delta(entry.seq - 1, entry.seq, [entry]))

    def _change(self, order: Order) -> Change:
        """Return what becomes of an order: half of the time it goes elsewhere, up, down or on."""
        if self._random.random() < 0.5:
            return _tagged(order)
        if order.stage in _BACK_AND_FORTH and self._random.random() < 0.5:
            return Move(_BACK_AND_FORTH[order.stage])
        return Prioritise(int(not order.priority))

    def _operation(self, order: Order, change: Change) -> Operation:
        number = self._board.seq + 1
        return Operation(f"others-{number}", order.id, change, "others", number, base_stage=order.stage)


def _tagged(order: Order) -> Tag:
    """Return a change that is seen on the card and leaves it where it stands."""
    return Tag(remove=(TAG,)) if TAG in order.tags else Tag(add=(TAG,))


class PretendedServer:
    """Welcomes a terminal and sends it what it is told to."""

    def __init__(self, board: ServerBoard, now_ms: int) -> None:
        """Begin with ``board``."""
        self._board = board
        self._others = Others(board, now_ms)
        self._frames: list[str] = []
        self._socket: ServerConnection | None = None

    async def run(self) -> None:
        """Serve until standard input ends."""
        sockets = await serve(self._greet, "127.0.0.1", 0, compression=None, ping_interval=None)
        _tell({"port": next(iter(sockets.sockets)).getsockname()[1]})
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            await self._carry_out(json.loads(line))
        sockets.close()

    async def _carry_out(self, told: dict[str, object]) -> None:
        match told:
            case {"prepare": int(count), "shown": list(shown)}:
                self._frames = self._others.frames(count, shown)
                _tell({"seq": self._board.seq})
            case {"send": int(rate)}:
                await self._send(rate)
            case {"snapshot": True}:
                await self._send_board()

    async def _send(self, rate: int) -> None:
        began = time.monotonic()
        for number, frame in enumerate(self._frames):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            await self._connected().send(frame)

    async def _send_board(self) -> None:
        """Send what a terminal gets that was away for too long."""
        orders = list(self._board.orders.values())
        chunks = [orders[start : start + CHUNK] for start in range(0, len(orders), CHUNK)]
        frames = [encode_compressed(SnapshotChunk.of(*each)) for each in enumerate(chunks)]
        await self._connected().send(encode(self._board.begin(len(chunks))))
        for frame in frames:
            await self._connected().send(frame)
        await self._connected().send(encode(SnapshotEnd(self._board.seq)))

    def _connected(self) -> ServerConnection:
        assert self._socket is not None, "no terminal came"
        return self._socket

    async def _greet(self, socket: ServerConnection) -> None:
        async for frame in socket:
            message = decode_client(frame)
            if isinstance(message, Hello):
                self._socket = socket
                await socket.send(encode(self._welcome()))
            elif isinstance(message, Ping):
                await socket.send(encode(Pong(message.n, message.mono_ms, _now_ms())))

    def _welcome(self) -> Welcome:
        site = Site("site-1", "Hall A", "Europe/London", "organization-1", "Example")
        person = Person("user-1", "Ana", "supervisor", "sign-in-1")
        return Welcome(2, "1.0", self._board.epoch, self._board.seq, site, person, 0, 0, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _tell(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(PretendedServer(first_board(int(sys.argv[1]), int(sys.argv[2])), int(sys.argv[2])).run())
