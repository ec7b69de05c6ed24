"""Signing in at the server that this program starts itself.

The engine asks for a token as it does anywhere; the first question starts the child process, on a worker
thread, so the cached board paints meanwhile. A child that died is started again by the next question.
"""

from __future__ import annotations

from typing import Final

from app.embedded import DEMO_S, START_S, Address, EmbeddedServer
from sync.client.secret_worker import in_worker
from sync.client.session import MemorySecrets, Session
from sync.contract.problems import Problem, ProblemError

_SLOW: Final = Problem(
    "SERVER_NOT_STARTED",
    "The server on this computer does not answer.",
    "The board shows what it knew last. Restart the program; if this comes back, call IT.",
)


class OwnServerSession:
    """The engine's ``Credentials`` for the embedded server; lives on the engine's loop."""

    def __init__(self, server: EmbeddedServer, profile: str) -> None:
        """Start ``server`` when it is first needed; composition stops it."""
        self._server = server
        self._profile = profile
        self._session: Session | None = None

    async def get(self, *, is_renewal: bool = False) -> str:
        """Return an access token, a fresh one for a renewal; raises ``ProblemError``."""
        return await (await self._ready()).get(is_renewal=is_renewal)

    async def sync_address(self) -> str:
        """Return the address of the socket; raises ``ProblemError``."""
        return await (await self._ready()).sync_address()

    def expires_ms(self) -> int:
        """Return when the access token ends, server wall (0: there is none)."""
        return 0 if self._session is None else self._session.expires_ms()

    async def read(self, path: str, query: dict[str, str]) -> bytes:
        """Return what the server has at ``path``; a question is no reason to start it."""
        if self._session is None:
            raise ProblemError("NOT_SIGNED_IN", "The server on this computer is being started.")
        return await self._session.read(path, query)

    async def close(self) -> None:
        """Let go of connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _ready(self) -> Session:
        """Return the session at a server that runs."""
        if self._session is not None and self._server.is_running:
            return self._session
        await self.close()
        # Its tokens are for one start of it: nothing to keep in a keyring.
        address = await self._start()
        self._session = Session(
            address.url, MemorySecrets(), device_token=address.device_token, profile=self._profile
        )
        return self._session

    async def _start(self) -> Address:
        answer = await in_worker(self._started, START_S + DEMO_S + 5)
        if isinstance(answer, Address):
            return answer
        problem = answer or _SLOW
        raise ProblemError(problem.code, problem.sentence, problem.what_to_do)

    def _started(self) -> Address | Problem:
        try:
            return self._server.start()
        except ProblemError as error:
            return error.problem
