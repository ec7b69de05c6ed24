"""Signing in over HTTP: is this our server, an access token, its renewal, the address of the socket.

Nothing here touches a file. The refresh token lies in a :class:`SecretStore` (a keyring, or memory);
the access token only in this object. Foreign errors become problems::

    ProblemError
    ├── SERVER_UNREACHABLE     nobody answers, or not in time
    ├── SERVER_NOT_OURS        somebody answers, but it is no server of this product
    ├── PROTOCOL_TOO_OLD       this program is older than the server still understands
    ├── PROTOCOL_TOO_NEW       this program is newer than the server understands
    ├── SYNC_ADDRESS_UNPROTECTED  the server is asked over TLS and names a socket without it
    ├── SIGN_IN_NEEDED         no device token and no refresh token that is still good
    └── whatever the server says: DEVICE_REVOKED, TOKEN_EXPIRED, TOO_MANY_ATTEMPTS, …
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol, TypeVar
from urllib.parse import urlencode

import h11
import msgspec

from sync.client.http import Answer, Http, HttpServer
from sync.client.secret_worker import in_worker
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN
from sync.contract.problems import Problem, ProblemError

T = TypeVar("T")

PRODUCT: Final = "fulfillment-kanban"
SECRET_LIMIT_S: Final = 3.0
"""A keyring may block for ever on a prompt that nobody sees."""
CLOSE_S: Final = 1.0
"""So long the end waits for a renewal that is underway."""


class SecretStore(Protocol):
    """Where secrets outlive the program. Blocking; called in a worker thread with a limit."""

    def get(self, name: str) -> str | None:
        """Return the secret, None when there is none."""
        ...

    def set(self, name: str, value: str) -> None:
        """Keep the secret."""
        ...

    def delete(self, name: str) -> None:
        """Forget the secret."""
        ...


class MemorySecrets:
    """Secrets that end with the program."""

    def __init__(self) -> None:
        """Start empty."""
        self._secrets: dict[str, str] = {}

    def get(self, name: str) -> str | None:
        """Return the secret, None when there is none."""
        return self._secrets.get(name)

    def set(self, name: str, value: str) -> None:
        """Keep the secret."""
        self._secrets[name] = value

    def delete(self, name: str) -> None:
        """Forget the secret."""
        self._secrets.pop(name, None)


class Credentials(Protocol):
    """How the engine gets through the server's door."""

    async def get(self, *, is_renewal: bool = False) -> str:
        """Return an access token, a fresh one for a renewal; raises ``ProblemError``."""
        ...

    async def sync_address(self) -> str:
        """Return the address of the socket; raises ``ProblemError``."""
        ...

    def expires_ms(self) -> int:
        """Return when the access token ends, server wall (0: there is none)."""
        ...

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Return what the server has at ``path``, with the sign-in at hand; raises ``ProblemError``."""
        ...

    async def close(self) -> None:
        """Let go of what belongs to it."""
        ...


class _WellKnown(msgspec.Struct, frozen=True):
    product: str
    protocol_min: int
    protocol_max: int


class _Grant(msgspec.Struct, frozen=True):
    access_token: str
    access_expires_ms: int
    refresh_token: str


class _SyncAddress(msgspec.Struct, frozen=True):
    url: str


class Session:
    """One sign-in at one server. Lives on one event loop."""

    def __init__(
        self,
        server_url: str,
        secrets: SecretStore,
        *,
        device_token: str = "",
        profile: str = "",
        http: Http | None = None,
    ) -> None:
        """Sign in at ``server_url`` for one ``profile`` (any text that no other profile has).

        Two profiles must not share a refresh token: it is good once. ``http`` stands in for the
        network in tests.
        """
        self.server_url = server_url.rstrip("/")
        self._secrets = secrets
        self._device_token = device_token
        self._http = http or HttpServer(self.server_url)
        self._secret_name = f"refresh:{self.server_url}:{profile}"
        self._is_ours = False
        self._grant: _Grant | None = None
        self._renewal: asyncio.Task[_Grant] | None = None

    async def get(self, *, is_renewal: bool = False) -> str:
        """Return an access token: the one at hand, unless a fresh one is wanted.

        One renewal serves all who ask meanwhile, and goes on when they are cut off: a refresh token that is
        sent twice ends the sign-in, and so does losing the one that came for it.
        """
        if self._grant is not None and not is_renewal:
            return self._grant.access_token
        if self._renewal is None or self._renewal.done():
            self._grant = None
            self._renewal = asyncio.get_running_loop().create_task(self._renewed())
        return (await asyncio.shield(self._renewal)).access_token

    def expires_ms(self) -> int:
        """Return when the access token ends, server wall (0: there is none)."""
        return self._grant.access_expires_ms if self._grant is not None else 0

    async def sync_address(self) -> str:
        """Return the address of the socket: it has a port of its own, which may be new every time."""
        token = await self.get()
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self._ask("GET", "/sync-address", headers=headers)
        url = _read(answer, _SyncAddress).url
        if self.server_url.lower().startswith("https:") and not url.startswith("wss:"):
            # Behind a proxy the server may know only its inner, unprotected address.
            raise ProblemError(
                "SYNC_ADDRESS_UNPROTECTED",
                "The server named an unprotected address for the board, so the sign-in was not sent there.",
                "Ask IT to start the server with --sync-url and a wss address.",
            )
        return url

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Return what the server has at ``path``.

        It takes the token at hand and never asks for one: a search may be cancelled at any moment, and
        a renewal that is cut off in the middle would lose the refresh token.
        """
        if self._grant is None:
            raise ProblemError("NOT_SIGNED_IN", "The sign-in is being renewed.", "Try again in a moment.")
        headers = {"Authorization": f"Bearer {self._grant.access_token}"}
        answer = await self._ask("GET", f"{path}?{urlencode(query)}", headers=headers)
        return answer.content

    async def close(self) -> None:
        """Let a renewal come to its end; each question has its own connection, which ends with it."""
        if self._renewal is not None and not self._renewal.done():
            await asyncio.wait([self._renewal], timeout=CLOSE_S)
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    # ------------------------------------------------------------------ tokens

    async def _renewed(self) -> _Grant:
        await self._check_server()
        grant = await self._refreshed() or await self._signed_in()
        await self._keep(grant.refresh_token)
        self._grant = grant
        return grant

    async def _refreshed(self) -> _Grant | None:
        """Return a grant for the refresh token; None when there is none that is still good."""
        token = await in_worker(lambda: self._secrets.get(self._secret_name), SECRET_LIMIT_S)
        if not token:
            return None
        answer = await self._ask("POST", "/refresh", {"refresh_token": token}, is_checked=False)
        if answer.status == 401:
            await in_worker(lambda: self._secrets.delete(self._secret_name), SECRET_LIMIT_S)
            return None
        return _read(_checked(answer), _Grant)

    async def _signed_in(self) -> _Grant:
        if not self._device_token:
            raise ProblemError(
                "SIGN_IN_NEEDED",
                "Nobody is signed in at the server. Your moves stay on this computer.",
                "Call IT: this computer needs a device token, named by --device-token-file.",
            )
        return _read(await self._ask("POST", "/sign-in", {"device_token": self._device_token}), _Grant)

    async def _keep(self, refresh_token: str) -> None:
        # It rotates: the old one is worth nothing from now on, and using it again would end the sign-in.
        await in_worker(lambda: self._secrets.set(self._secret_name, refresh_token), SECRET_LIMIT_S)

    # ------------------------------------------------------------------ HTTP

    async def _check_server(self) -> None:
        """Make sure once that the server is ours, before any secret is sent to it."""
        if self._is_ours:
            return
        answer = await self._ask("GET", f"/.well-known/{PRODUCT}", is_checked=False)
        try:
            known = msgspec.json.decode(answer.content, type=_WellKnown)
        except (msgspec.MsgspecError, UnicodeError):
            known = None
        if answer.status != 200 or known is None or known.product != PRODUCT:
            raise ProblemError(
                "SERVER_NOT_OURS",
                f"What answers at {self.server_url} is not a Fulfillment Kanban server.",
                "Check the address after --server, or ask IT for the right one.",
            )
        _check_protocol(known)
        self._is_ours = True

    async def _ask(
        self,
        method: str,
        path: str,
        body: dict[str, str] | None = None,
        *,
        headers: dict[str, str] | None = None,
        is_checked: bool = True,
    ) -> Answer:
        told = None if body is None else msgspec.json.encode(body)
        try:
            answer = await self._http.ask(method, path, told, headers or {})
        except (h11.ProtocolError, OSError, ValueError) as error:
            # Somebody else may sit there next time.
            self._is_ours = False
            raise ProblemError(
                "SERVER_UNREACHABLE",
                f"The server at {self.server_url} does not answer ({type(error).__name__}). "
                "You can go on working; your moves are sent when it is back.",
                "Check the network, or ask IT whether the server runs.",
            ) from error
        return _checked(answer) if is_checked else answer


def _check_protocol(known: _WellKnown) -> None:
    if known.protocol_min > PROTOCOL_MAX:
        raise ProblemError(
            "PROTOCOL_TOO_OLD",
            "This program is too old for the server. Your moves stay on this computer.",
            "Ask IT to update this program.",
        )
    if known.protocol_max < PROTOCOL_MIN:
        raise ProblemError(
            "PROTOCOL_TOO_NEW",
            "This program is newer than the server. Your moves stay on this computer.",
            "Ask IT to update the server.",
        )


def _checked(answer: Answer) -> Answer:
    """Return a good answer; raise the problem that the server names otherwise."""
    if answer.is_success:
        return answer
    try:
        problem = msgspec.json.decode(answer.content, type=Problem)
    except (msgspec.MsgspecError, UnicodeError):
        problem = Problem("SERVER_FAULT", f"The server answered with an error ({answer.status}).")
    raise ProblemError(problem.code, problem.sentence, problem.what_to_do)


def _read(answer: Answer, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=kind)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise ProblemError(
            "SERVER_UNREADABLE",
            "The server says something that this version does not understand.",
            "Ask IT whether this program has to be updated.",
        ) from error
