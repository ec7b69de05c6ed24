"""What a route says of itself, as data: the description that ``GET /openapi.json`` is made of.

It stands below the kernel, because the kernel's limit on a request's body is part of it.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

BODY_BYTES: Final = 1024 * 1024
"""Longest body of a request, where the route does not say otherwise."""


class Parameter(NamedTuple):
    """One parameter of the query; ``kind`` is a type that msgspec can describe."""

    name: str
    words: str
    kind: Any = str


class About(NamedTuple):
    """What a route does, takes and answers. Types are those that msgspec can describe.

    ``problems`` are the codes that this route can answer beside those that every route can.
    ``body_bytes`` is its own limit; only a path without parameters may have one.
    """

    summary: str = ""
    body: Any = None
    answer: Any = None
    parameters: tuple[Parameter, ...] = ()
    status: int = 200
    problems: tuple[str, ...] = ()
    body_bytes: int = BODY_BYTES
    answer_kind: str = "application/json"


NOTHING_SAID: Final = About()
