"""The engine's door for other programs of the same person on the same machine: JSON lines.

A second start raises the first window; ``headless`` on a profile in use talks to the running engine.
A client sends one request a line and gets lines back:

- ``{"raise": {}}`` → ``{"ok": {}}``, and the window comes to the front;
- ``{"attach": {}}`` → ``{"ok": {}}``, then every news as ``{"news": NAME, "body": {…}}``, ``Started`` first;
- ``{"submit": [operation, …]}``, ``{"try_now": {}}``, ``{"find_older": {…}}``, ``{"acknowledge": id}``,
  ``{"retry": id}``, ``{"accept_board": {}}`` → nothing: what becomes of it comes as news. Operations that
  have to be kept all or none may take several lines: each but the last says ``"more": true``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, cast

import msgspec

from sync.client.commands import OlderQuestion
from sync.client.news import NEWS_TYPES, News
from sync.contract.operations import Operation

if TYPE_CHECKING:
    import asyncio

LINE_BYTES: Final = 1024 * 1024
GUESTS: Final = 16
"""More programs than this at one door is a mistake."""
GATHERED_BYTES: Final = 64 * 1024 * 1024
"""What operations of several lines may take together; a guest that goes on is shown out."""
UNSENT_BYTES: Final = 16 * 1024 * 1024
"""A guest that does not read what it asked for is shown out."""
_PATH_BYTES: Final = 100
"""The kernel has room for 108 in a socket's address."""
_HAND_OVER_S: Final = 2.0
_NAMES: Final = {kind.__name__: kind for kind in NEWS_TYPES}


class Request(msgspec.Struct, frozen=True, omit_defaults=True, rename={"raise_": "raise"}):
    """One request: exactly one field is set, besides ``more``, which belongs to ``submit``."""

    raise_: dict[str, str] | None = None
    attach: dict[str, str] | None = None
    submit: tuple[Operation, ...] | None = None
    more: bool = False
    try_now: dict[str, str] | None = None
    find_older: OlderQuestion | None = None
    acknowledge: str | None = None
    retry: str | None = None
    accept_board: dict[str, str] | None = None


class _Line(msgspec.Struct, frozen=True):
    news: str
    body: msgspec.Raw


def news_line(news: News) -> bytes:
    """Return news as a line."""
    return msgspec.json.encode({"news": type(news).__name__, "body": news}) + b"\n"


def news_from_line(line: bytes) -> News | None:
    """Return the news of a line, None when it is an answer or of a later release."""
    try:
        read = msgspec.json.decode(line, type=_Line)
    except msgspec.MsgspecError:
        return None
    kind = _NAMES.get(read.news)
    if kind is None:
        return None
    return cast(News, msgspec.json.decode(read.body, type=kind))


def address_of(path: Path) -> Path:
    """Return where the socket for ``path`` really lies: a long path does not fit into an address."""
    if len(os.fsencode(path)) <= _PATH_BYTES:
        return path
    name = f"fulfillment-kanban-{sha256(os.fsencode(path)).hexdigest()[:24]}.sock"
    return Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / name


def hand_over(path: Path) -> bool:
    """Ask the engine at socket ``path`` to raise its window; False when it has none, or is silent."""
    try:
        with connected(path) as door:
            door.sendall(b'{"raise":{}}\n')
            return door.recv(64).startswith(b'{"ok"')
    except OSError:
        return False


def connected(path: Path) -> socket.socket:
    """Return a connection to the engine at socket ``path``; raises ``OSError``."""
    address = address_of(path)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    door.settimeout(_HAND_OVER_S)
    try:
        # In a folder that everybody may write to, somebody else's socket could lie in wait.
        if address.stat().st_uid != os.getuid():
            raise PermissionError(13, "the socket belongs to somebody else")
        door.connect(os.fspath(address))
    except OSError:
        door.close()
        raise
    return door


class Host(Protocol):
    """What the door belongs to: the engine."""

    @property
    def has_window(self) -> bool:
        """Say whether there is a window that could be raised."""
        ...

    def on_request(self, request: Request) -> None:
        """Carry a request out."""
        ...

    def first_news(self) -> list[News]:
        """Return what somebody who attaches now has to know first."""
        ...


class _Gathered:
    """The operations of a guest that belong together and have not all come yet."""

    def __init__(self) -> None:
        self._operations: list[Operation] = []
        self._bytes = 0

    def add(self, request: Request, size: int) -> Request | None:
        """Return the request that is whole now, None while more follows; too much raises ``ValueError``."""
        if request.submit is None:
            return request
        self._operations += request.submit
        self._bytes += size
        if self._bytes > GATHERED_BYTES:
            raise ValueError("too many operations at once")
        if request.more:
            return None
        whole = Request(submit=tuple(self._operations))
        self._operations, self._bytes = [], 0
        return whole


class Door:
    """The listening side, on the engine's loop."""

    def __init__(self, path: Path, host: Host) -> None:
        """Listen at ``path`` for ``host``, from :meth:`open` on."""
        self._address = address_of(path)
        self._host = host
        self._server: asyncio.Server | None = None
        self._guests: set[asyncio.StreamWriter] = set()
        self._attached: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Begin to listen. Whoever holds the profile's lock may replace a socket left by a crash."""
        import asyncio

        self._address.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self._address, limit=LINE_BYTES)
        self._address.chmod(0o600)

    async def close(self) -> None:
        """Stop listening and show everybody out."""
        import asyncio

        if self._server is None:
            return
        self._server.close()
        self._address.unlink(missing_ok=True)
        # Whoever was let in a moment ago has not sat down yet.
        await asyncio.sleep(0)
        for guest in list(self._guests):
            guest.close()
            with contextlib.suppress(OSError):
                await guest.wait_closed()

    def tell(self, news: News) -> None:
        """Pass news on to everybody who is attached."""
        if not self._attached:
            return
        line = news_line(news)
        for guest in list(self._attached):
            if guest.transport.get_write_buffer_size() > UNSENT_BYTES:
                self._attached.discard(guest)
                guest.transport.abort()
            else:
                guest.write(line)

    async def _serve(self, reader: asyncio.StreamReader, guest: asyncio.StreamWriter) -> None:
        self._guests.add(guest)
        try:
            if len(self._guests) <= GUESTS:
                gathered = _Gathered()
                while line := await reader.readline():
                    self._answer(line, guest, gathered)
        except (OSError, ValueError):
            pass  # Gone, or a line without end.
        finally:
            self._guests.discard(guest)
            self._attached.discard(guest)
            guest.close()

    def _answer(self, line: bytes, guest: asyncio.StreamWriter, gathered: _Gathered) -> None:
        try:
            request = msgspec.json.decode(line, type=Request)
        except msgspec.MsgspecError:
            guest.write(b'{"problem":{"code":"REQUEST_UNREADABLE","sentence":"That is no request."}}\n')
            return
        if request.raise_ is not None and not self._host.has_window:
            guest.write(b'{"problem":{"code":"NO_WINDOW","sentence":"This program has no window."}}\n')
            return
        whole = gathered.add(request, len(line))
        if whole is None:
            return
        self._host.on_request(whole)
        if request.raise_ is not None or request.attach is not None:
            guest.write(b'{"ok":{}}\n')
        if request.attach is not None:
            for news in self._host.first_news():
                guest.write(news_line(news))
            self._attached.add(guest)
