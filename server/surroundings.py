"""Around every HTTP request: a limit on the body, headers, one log line, and never a bare traceback."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.describing import BODY_BYTES
from sync.contract.problems import Problem

BODY_PAUSE_S: Final = 30.0
"""How long a part of a body may be awaited: who sends nothing more holds a file open for ever."""
LEFT: Final = 499
"""What the log says of whoever left before the answer."""
_LOG: Final = logging.getLogger(__name__)
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NO_STORE: Final = (b"cache-control", b"no-store")
_TOO_SLOW: Final = Problem("TOO_SLOW", "The request did not arrive in time.", "Send it again.")
_FAULT: Final = Problem(
    "SERVER_FAULT", "The server could not do that, or not all of it.", "Try again, then tell IT."
)


class _TooLargeError(Exception):
    """The body went over its limit while it was read."""


class _TooSlowError(Exception):
    """The body stopped to arrive."""


class Surroundings:
    """ASGI middleware; the outermost one."""

    def __init__(self, app: ASGIApp, limits: Mapping[str, int]) -> None:
        """Surround ``app``; ``limits`` are the longest bodies of "METHOD /path", where they are their own."""
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._limits.get(f"{scope['method']} {scope['path']}", BODY_BYTES)
        exchange = _Exchange(receive, send, limit)
        started = time.monotonic()
        try:
            exchange.check_length(_declared_length(scope))
            await self._app(scope, exchange.receive, exchange.send)
        except _TooLargeError:
            sentence = f"The request is longer than {limit // BODY_BYTES} MiB."
            await exchange.answer(413, Problem("BODY_TOO_LARGE", sentence, "Send less at a time."))
        except _TooSlowError:
            await exchange.answer(408, _TOO_SLOW)
        except ClientDisconnect:
            # Anybody may leave in the middle of a request; nobody is there to be answered.
            exchange.status = LEFT
        except Exception:  # noqa: BLE001 - whatever it is, the other side gets an answer
            _LOG.exception("request failed")
            await exchange.answer(500, _FAULT)
        _LOG.info(
            "request",
            extra={
                "method": scope["method"],
                "path": scope["path"],
                "status": exchange.status,
                "duration_ms": round((time.monotonic() - started) * 1000, 1),
            },
        )


class _Exchange:
    """One request's two directions: counts what comes in, completes what goes out."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._limit = limit
        self._received = 0
        self._is_complete = False
        self.status = 0

    async def receive(self) -> Message:
        """Hand on a part of the body, as long as the whole stays below the limit."""
        if self._is_complete:
            # What comes after the body is only that the other side has left, whenever that is.
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), BODY_PAUSE_S)
        except TimeoutError as error:
            raise _TooSlowError from error
        self._is_complete = not message.get("more_body", False)
        self._received += len(message.get("body", b""))
        self.check_length(self._received)
        return message

    def check_length(self, length: int) -> None:
        """Stop the request when its body is too long."""
        if length > self._limit:
            raise _TooLargeError

    async def send(self, message: Message) -> None:
        """Hand on a part of the answer, the start with our headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = list(message.get("headers", ()))
            given = {name.lower() for name, _ in headers}
            headers += [header for header in (*_HEADERS, _NO_STORE) if header[0] not in given]
            message = {**message, "headers": headers}
        await self._send(message)

    async def answer(self, status: int, problem: Problem) -> None:
        """Answer with a problem, unless an answer has begun."""
        if self.status:
            return
        body = msgspec.json.encode(problem)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
