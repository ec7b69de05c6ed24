"""Calls that may block for ever, from an event loop, with a limit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_worker(call: Callable[[], T], limit_s: float) -> T | None:
    """Return what ``call`` returns on a thread of its own; None when it fails or takes too long.

    Not the loop's own workers: those are waited for at the end of the program, and one that hangs
    in a prompt would keep it from ending.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T | None] = loop.create_future()

    def settle(value: T | None) -> None:
        if not answer.done():
            answer.set_result(value)

    def work() -> None:
        value: T | None = None
        try:
            value = call()
        except Exception:  # noqa: BLE001 - a keyring that fails is a keyring without the secret
            value = None
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, value)

    threading.Thread(target=work, name="secrets", daemon=True).start()
    try:
        return await asyncio.wait_for(answer, limit_s)
    except TimeoutError:
        return None
