"""The engine: machine, driver, stores and session put together, on two threads of their own.

The *network thread* runs an asyncio loop and tells the listener; the *database thread* owns the files.
Whoever holds an engine talks to it from any thread. Everything heavy is imported on the network
thread, after :meth:`Engine.start`, because the board paints first.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sync.client.backoff import Jitter
from sync.client.commands import (
    AcceptBoard,
    Acknowledge,
    GoOffline,
    GoOnline,
    OlderQuestion,
    RetryQuarantined,
    SubmitDrafts,
    TryNow,
)
from sync.client.news import News, OperationsNotSaved, ProblemArose, RaiseWanted, Stopped
from sync.contract.operations import Operation
from sync.contract.ports import Clock, Ids, Recorder
from sync.contract.problems import Problem

if TYPE_CHECKING:
    from sync.client.engine_loop import EngineLoop
    from sync.client.local_socket import Request
    from sync.client.profile import Profile
    from sync.client.session import Credentials

STOP_S: Final = 3.0
"""How long a stop may take; what is not sent by then is in the outbox."""
_LOG: Final = logging.getLogger("sync.client.engine")
_ENDED: Final = Problem(
    "ENGINE_ENDED",
    "The program is closing or has failed, so this move was not kept.",
    "Start the program again and check your last moves.",
)


class Engine:
    """What composition holds of the sync side of one terminal."""

    def __init__(
        self,
        profile: Profile,
        session: Credentials | None,
        listener: Callable[[News], None],
        *,
        clock: Clock,
        ids: Ids,
        random: Jitter,
        recorder: Recorder,
        version: str,
        has_window: bool = False,
    ) -> None:
        """Work on a ``profile`` that this process has locked; without a ``session``, offline.

        ``listener`` is called on the network thread and must not block. ``has_window``: it shows
        ``RaiseWanted`` to a person, so a second start may end in its favour.
        """
        self.profile = profile
        self.session = session
        self.listener = listener
        self.clock = clock
        self.ids = ids
        self.random = random
        self.recorder = recorder
        self.version = version
        self.has_window = has_window
        self._lock = threading.Lock()
        self.requests: deque[object] = deque()
        """What the network thread has to take from here; what is left at the end was not kept."""
        self._loop: EngineLoop | None = None
        self._is_stopping = False
        self._is_clean = False
        self._has_ended = False
        self._thread = threading.Thread(target=self._run, name="network")

    def start(self) -> None:
        """Open the files and go online, on threads of its own; returns at once."""
        self._thread.start()

    def submit(self, drafts: Sequence[Operation]) -> None:
        """Make operations durable, then send them; what becomes of them comes as news."""
        self._ask(SubmitDrafts(tuple(drafts)))

    def try_now(self) -> None:
        """Connect now, whatever the back-off says."""
        self._ask(TryNow())

    def acknowledge(self, entry_id: str) -> None:
        """Say that a person has seen an entry of what waits for one; it goes once that is durable."""
        self._ask(Acknowledge(entry_id))

    def retry(self, entry_id: str) -> None:
        """Try the operation of an entry again, as a new one."""
        self._ask(RetryQuarantined(entry_id))

    def accept_board(self) -> None:
        """Let the server's board in although it lacks many orders, when one is held back."""
        self._ask(AcceptBoard())

    def find_older(self, question: OlderQuestion) -> None:
        """Look for orders that left the board; ``OlderOrdersFound`` answers, unless a newer question does."""
        self._ask(question)

    def go_online(self) -> None:
        """Connect and stay connected; an engine with a session begins so."""
        self._ask(GoOnline())

    def go_offline(self) -> None:
        """Close the link and stay away."""
        self._ask(GoOffline())

    def stop(self) -> bool:
        """Close the link and the files; True when everything was finished in time."""
        with self._lock:
            self._is_stopping = True
            loop = self._loop
        if loop is not None:
            loop.stop_soon()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)
        return self._is_clean and not self._thread.is_alive()

    def on_request(self, request: Request) -> None:
        """Carry out what another program of this person asked at the local socket."""
        if request.raise_ is not None:
            self.listener(RaiseWanted())
        if request.submit:
            self.submit(request.submit)
        if request.try_now is not None:
            self.try_now()
        if request.find_older is not None:
            self.find_older(request.find_older)
        if request.acknowledge is not None:
            self.acknowledge(request.acknowledge)
        if request.retry is not None:
            self.retry(request.retry)
        if request.accept_board is not None:
            self.accept_board()

    # ------------------------------------------------------------------ between the threads

    def _ask(self, request: object) -> None:
        """Lay a request out for the machine and wake the network thread, if it is there."""
        with self._lock:
            has_ended = self._has_ended
            if not has_ended:
                self.requests.append(request)
            loop = self._loop
        if has_ended:
            self._not_saved(request)
        elif loop is not None:
            loop.look_soon()

    def ready(self, loop: EngineLoop) -> None:
        """Take the loop that has just opened the files."""
        with self._lock:
            self._loop = loop
            if self._is_stopping:
                loop.stop_soon()

    def _run(self) -> None:
        import asyncio

        from sync.client.engine_loop import EngineLoop

        async def live() -> bool:
            return await EngineLoop(self).run()

        try:
            self._is_clean = asyncio.run(live())
        except Exception:  # noqa: BLE001 - it is logged and told
            _LOG.exception("the engine ended by a fault")
            self.listener(ProblemArose(_ENDED))
        with self._lock:
            self._has_ended = True
        while self.requests:
            self._not_saved(self.requests.popleft())
        self.listener(Stopped(self._is_clean))

    def _not_saved(self, request: object) -> None:
        """Say of operations that came too late that nobody has kept them."""
        if isinstance(request, SubmitDrafts):
            self.listener(OperationsNotSaved(tuple(each.op_id for each in request.drafts), _ENDED))
