"""How long to wait until a connection is made: little at first, then longer.

A connection of which the far end went away while it was being made looks like a slow one: nobody answers,
and nobody says no. A new one is there in milliseconds once the network works again, so the first try is given
up soon; the next ones wait longer, because the network may really be slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

TRIES_S: Final = (1.2, 2.4, 6.4)
"""The first leaves room for catching up within two seconds; together they are as long as anybody waits."""


async def opened(attempt: Callable[[], Awaitable[T]], tries_s: Sequence[float] = TRIES_S) -> T:
    """Return what ``attempt`` gives, begun anew after each time that was too short.

    Raises:
        TimeoutError: when the last one was too short as well.
        Exception: whatever an attempt raises; it is not tried again then.
    """
    for seconds in tries_s[:-1]:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await attempt()
        except TimeoutError:
            if not limit.expired():
                raise
    async with asyncio.timeout(tries_s[-1]):
        return await attempt()
