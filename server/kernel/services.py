"""What a route's handler gets beside its request: the stores, and a way to call them off the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import Engine

from server.kernel.auth import SignIns
from server.kernel.board_reader import BoardReader
from server.kernel.store import Store
from sync.contract.ports import Clock, Ids

T = TypeVar("T")
WORKERS: Final = 4


class Services(NamedTuple):
    """The server as a route or a job sees it. ``threads`` run what blocks off the loop.

    ``send`` tells the hub a command, on the loop; ``wake`` has a job of this name run soon.
    """

    engine: Engine
    store: Store
    reader: BoardReader
    sign_ins: SignIns
    threads: Executor
    folder: Path
    version: str
    sync_port: Callable[[], int]
    sync_url: str
    send: Callable[[object], None]
    clock: Clock
    ids: Ids
    wake: Callable[[str], None]

    async def blocking(self, call: Callable[..., T], *arguments: object) -> T:
        """Call something that blocks, off the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, call, *arguments)
