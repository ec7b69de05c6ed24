"""Wait for a condition, never for time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

POLL_S = 0.01


def eventually(condition: Callable[[], T], within_s: float = 10.0, what: str = "the condition") -> T:
    """Return the first true value of ``condition``, asked again and again until the deadline.

    Raises:
        AssertionError: when it never became true; names ``what`` and the last value.
    """
    deadline = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            message = f"{what} did not come true within {within_s:g} s; the last value was {value!r}"
            raise AssertionError(message)
        time.sleep(POLL_S)
