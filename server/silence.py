"""HTTP connections on which nobody asks anything: closed, or each would hold a file open for ever."""

from __future__ import annotations

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

SILENT_S: Final = 30.0
"""So long after the last look a whole request line and its headers may be awaited."""


class PatientProtocol(H11Protocol):
    """uvicorn's protocol, which waits for the head of a request for ever; its own time is for idle ones."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Begin to look."""
        super().connection_made(transport)
        self._look_later(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look no more: what waits for a look is kept until then."""
        self._next_look.cancel()
        super().connection_lost(exc)

    def _look_later(self, seen: RequestResponseCycle | None, *, is_busy: bool = False) -> None:
        self._next_look = self.loop.call_later(SILENT_S, self._look, seen, is_busy)

    def _look(self, seen: RequestResponseCycle | None, was_busy: bool) -> None:
        """Close what has heard no new request since the last look and owes no answer."""
        is_busy = not getattr(self.cycle, "response_complete", True)
        if not is_busy and not was_busy and self.cycle is seen:
            self.transport.abort()
        else:
            self._look_later(self.cycle, is_busy=is_busy)
