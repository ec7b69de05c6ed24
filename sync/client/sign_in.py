"""Keeps the machine in access tokens: on its question, and early enough before one ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from sync.client.commands import NewToken, NoToken
from sync.client.session import Credentials
from sync.contract.ports import Clock
from sync.contract.problems import Problem, ProblemError

RENEWED_AT: Final = 0.7
"""After this part of its life a token is renewed: an offline minute then is no reason to sign in."""
USUAL_LIFE_MS: Final = 15 * 60 * 1000
_LOG: Final = logging.getLogger("sync.client.sign_in")


class SignIn:
    """Asks a session for tokens; one question at a time."""

    def __init__(self, session: Credentials, clock: Clock, give: Callable[[object], None]) -> None:
        """Give what comes of it to ``give`` as a request to the machine."""
        self._session = session
        self._clock = clock
        self._give = give
        self._asking: asyncio.Task[None] | None = None
        self._renewal: asyncio.TimerHandle | None = None

    def ask(self, why: str) -> None:
        """Get a token; a reason means that the one at hand is not good any more."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.get_running_loop().create_task(self._ask(is_renewal=bool(why)))

    async def close(self) -> None:
        """Ask no more."""
        if self._renewal is not None:
            self._renewal.cancel()
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await self._session.close()

    async def _ask(self, *, is_renewal: bool) -> None:
        try:
            token = await self._session.get(is_renewal=is_renewal)
        except ProblemError as error:
            self._give(NoToken(error.problem))
        except Exception as error:  # noqa: BLE001 - the machine waits for an answer in any case
            _LOG.exception("signing in failed")
            sentence = f"Signing in failed ({type(error).__name__}). Your moves stay on this computer."
            self._give(NoToken(Problem("SIGN_IN_FAILED", sentence, "Tell IT; it is tried again.")))
        else:
            self._plan_renewal()
            self._give(NewToken(token))

    def _plan_renewal(self) -> None:
        life_ms = self._session.expires_ms() - self._clock.wall_ms()
        if not 0 < life_ms <= 4 * USUAL_LIFE_MS:
            # The clocks differ, so the end of the token says nothing.
            life_ms = USUAL_LIFE_MS
        if self._renewal is not None:
            self._renewal.cancel()
        loop = asyncio.get_running_loop()
        self._renewal = loop.call_later(life_ms * RENEWED_AT / 1000, self.ask, "renewal")
