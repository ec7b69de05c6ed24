"""HTTP routes as a module registers them: behind the guard with a right, or public."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from server.describing import NOTHING_SAID, About
from server.kernel.records import Principal
from server.kernel.services import Services
from sync.contract.permissions import Right

SignedInHandler = Callable[[Request, Principal, Services], Awaitable[Response]]
PublicHandler = Callable[[Request, Services], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """One HTTP route. Whoever asks must be signed in and have ``right``."""

    path: str
    method: str
    handler: SignedInHandler
    right: Right
    about: About = NOTHING_SAID


@dataclass(frozen=True, slots=True)
class PublicRoute:
    """One HTTP route that answers anybody; there are few, and a test names them."""

    path: str
    method: str
    handler: PublicHandler
    about: About = NOTHING_SAID
