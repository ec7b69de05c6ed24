"""One question and its answer over HTTP/1.1, on the network thread's loop.

Signing in, renewing a token, the address of the socket and the search among older orders: a few small
questions an hour. ``h11`` knows the protocol and asyncio is there anyway; a connection serves one question,
so none is ever found half closed. Redirects are answers like others, and nobody follows them.

Errors::

    OSError                 nobody there, not in time, no TLS that can be trusted
    ValueError              an address that is none
    h11.ProtocolError       somebody answers, but not in HTTP
    ProblemError
    └── ANSWER_TOO_LONG     more than anybody could read
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol
from urllib.parse import SplitResult, unquote, urlsplit

import h11

from sync.contract.problems import ProblemError

if TYPE_CHECKING:
    import ssl

TIMEOUT_S: Final = 10.0
"""How long each step may take: connecting, sending, and every piece of the answer."""
QUESTION_S: Final = 60.0
"""How long all of them may take together: who sends a byte now and then would keep us for ever."""
READ_BYTES: Final = 32 * 1024 * 1024
"""Fifty orders of ten thousand lines each are longer; nobody reads such a list."""
_PIECE_BYTES: Final = 64 * 1024
_NEXT_ADDRESS_S: Final = 0.25
_PORTS: Final = {"http": 80, "https": 443}
_USER_AGENT: Final = "fulfillment-kanban"
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    content: bytes

    @property
    def is_success(self) -> bool:
        """Say whether it is what was asked for."""
        return 200 <= self.status < 300


class Http(Protocol):
    """Whoever asks a server."""

    async def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Return the answer to one question; ``path`` goes on where the server's address ends."""
        ...


def is_loopback(url: str) -> bool:
    """Say whether an address is on this machine."""
    try:
        return (urlsplit(url).hostname or "") in _LOOPBACK
    except ValueError:
        return False


def may_have_proxy() -> bool:
    """Say whether somebody may have set a proxy: looking for the right one loads 3 MB of libraries."""
    is_elsewhere = sys.platform in {"win32", "darwin"}
    return is_elsewhere or any(name.lower().endswith("_proxy") for name in os.environ)


class HttpServer:
    """A server at an address, asked directly or through the proxy that this machine is set to."""

    def __init__(self, url: str) -> None:
        """Ask the server at ``url``; its address is looked at with the first question."""
        self._url = url.rstrip("/")
        self._trust: ssl.SSLContext | None = None

    async def ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        """Return the answer to one question."""
        async with asyncio.timeout(QUESTION_S):
            return await self._asked(urlsplit(self._url + path), method, body, headers)

    async def _asked(
        self, parts: SplitResult, method: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        proxy = _proxy_for(parts)
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await self._connected(parts, proxy)
            target = _target(parts)
            if proxy is not None and parts.scheme == "http":
                target, headers = f"http://{_host(parts)}{target}", {**headers, **_authorization(proxy)}
            asked = h11.Request(method=method, target=target, headers=_headers(parts, headers, body))
            return await _answer(reader, writer, asked, body)
        finally:
            if writer is not None:
                # The answer is here whole, or nobody wants the rest: there is nothing to wait for.
                writer.transport.abort()

    async def _connected(
        self, parts: SplitResult, proxy: SplitResult | None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Return a connection to the server; through a proxy, TLS is between us and the server."""
        first = parts if proxy is None else proxy
        if first.scheme not in _PORTS or parts.scheme not in _PORTS or not first.hostname:
            raise ValueError(f"{first.scheme}://{first.hostname or ''} cannot be asked over HTTP")
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(
                first.hostname,
                first.port or _PORTS[first.scheme],
                ssl=self._trusted() if first.scheme == "https" else None,
                happy_eyeballs_delay=_NEXT_ADDRESS_S,
            )
        if proxy is None or parts.scheme == "http":
            return reader, writer
        try:
            await _tunnel(reader, writer, parts, proxy)
            async with asyncio.timeout(TIMEOUT_S):
                await writer.start_tls(self._trusted(), server_hostname=parts.hostname)
        except BaseException:
            writer.transport.abort()
            raise
        return reader, writer

    def _trusted(self) -> ssl.SSLContext:
        """Return what this machine trusts; read once, and only for a server with TLS: it takes 2 MB."""
        if self._trust is None:
            import ssl

            self._trust = ssl.create_default_context()
        return self._trust


async def _answer(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, asked: h11.Request, body: bytes | None
) -> Answer:
    talk = h11.Connection(h11.CLIENT)
    sent = [talk.send(asked), talk.send(h11.Data(body)) if body else None, talk.send(h11.EndOfMessage())]
    writer.write(b"".join(piece for piece in sent if piece))
    async with asyncio.timeout(TIMEOUT_S):
        await writer.drain()
    status = 0
    content = bytearray()
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            async with asyncio.timeout(TIMEOUT_S):
                talk.receive_data(await reader.read(_PIECE_BYTES))
        elif isinstance(event, h11.Response):
            status = event.status_code
            _check_length(int(dict(event.headers).get(b"content-length", b"0")))
        elif isinstance(event, h11.Data):
            content += event.data
            _check_length(len(content))
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed | h11.PAUSED):
            return Answer(status, bytes(content))


def _check_length(length: int) -> None:
    """Refuse an answer that is too long, where it says so before it is read."""
    if length > READ_BYTES:
        raise ProblemError(
            "ANSWER_TOO_LONG",
            "The server's answer is too long to be shown.",
            "Look for something narrower.",
        )


async def _tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, parts: SplitResult, proxy: SplitResult
) -> None:
    """Have the proxy join us with the server."""
    there = f"{_host(parts).rpartition(':')[0] if parts.port else _host(parts)}:{parts.port or 443}"
    headers = [("Host", there), ("User-Agent", _USER_AGENT), *_authorization(proxy).items()]
    talk = h11.Connection(h11.CLIENT)
    writer.write(talk.send(h11.Request(method="CONNECT", target=there, headers=headers)) or b"")
    while (event := talk.next_event()) is h11.NEED_DATA or isinstance(event, h11.InformationalResponse):
        async with asyncio.timeout(TIMEOUT_S):
            talk.receive_data(await reader.read(_PIECE_BYTES))
    if not (isinstance(event, h11.Response) and 200 <= event.status_code < 300):
        raise ConnectionRefusedError("the proxy does not let us through")


def _proxy_for(parts: SplitResult) -> SplitResult | None:
    """Return the proxy that this machine is set to for an address, None for none."""
    # A proxy for the whole machine is for the outside world, never for this machine itself.
    if is_loopback(parts.geturl()) or not may_have_proxy():
        return None
    from urllib.request import getproxies, proxy_bypass

    if proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    if not named:
        return None
    return urlsplit(named if "://" in named else f"http://{named}")


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _host(parts: SplitResult) -> str:
    named = parts.netloc.rpartition("@")[2]
    if named.isascii():
        return named
    name, colon, port = named.partition(":")
    return name.encode("idna").decode("ascii") + colon + port


def _headers(parts: SplitResult, headers: Mapping[str, str], body: bytes | None) -> list[tuple[str, str]]:
    told = [("Host", _host(parts)), ("User-Agent", _USER_AGENT), ("Accept", "*/*"), ("Connection", "close")]
    if body is not None:
        told += [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    return [*told, *headers.items()]


def _authorization(proxy: SplitResult) -> dict[str, str]:
    """Return what a proxy wants to know of us, if its address says it."""
    if not proxy.username:
        return {}
    known = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(known.encode()).decode()}"}
