"""Operations that the server cannot decide, or cannot know: set aside, so that the others flow on.

A fault of the server on one operation is no verdict. It is sent again, alone and after a while; what fails
time and again with the link well would hold up everything behind it, so it goes to what waits for a person
and a ``skip`` takes its place in the sequence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sync.client.backoff import Backoff
from sync.client.emitter import Emitter
from sync.client.environment import Environment
from sync.client.needs_you import NeedsYouKind
from sync.client.news import OperationFaulted
from sync.client.store_values import SetAside
from sync.client.waiting_list import WaitingList
from sync.client.window import Window
from sync.contract.operations import Operation, Skip
from sync.contract.steps import SetTimer

MOST_FAULTS: Final = 5
"""So often the server may fail on one operation."""
AGAIN: Final = "again"
"""The timer that ends the wait after a fault."""


class Quarantine:
    """Counts faults and sets aside."""

    def __init__(
        self,
        window: Window,
        waiting: WaitingList,
        environment: Environment,
        emitter: Emitter,
        on_error: Callable[[str], None],
    ) -> None:
        """Act on ``window``; tell ``waiting`` what waits for a person, ``on_error`` what the disk did."""
        self._window = window
        self._waiting = waiting
        self._clock = environment.clock
        self._jitter = environment.jitter
        self._kinds_since = environment.kinds_since
        self._emitter = emitter
        self._on_error = on_error
        self._protocol = 0
        self._faults: dict[str, tuple[int, Backoff]] = {}
        self._again_ms = 0
        self._leaving: int | None = None

    def open_link(self, protocol: int) -> None:
        """Go by what the server speaks; a new link does not wait for what went wrong on the last."""
        self._protocol = protocol
        self._again_ms = 0

    @property
    def is_quiet(self) -> bool:
        """Say whether nothing may be sent just now."""
        return self._leaving is not None or self._clock.mono_ms() < self._again_ms

    def is_known(self, operation: Operation) -> bool:
        """Say whether the server knows such an operation; a ``skip`` is all that could be sent instead."""
        if isinstance(operation.change, Skip):
            return True
        kind = str(operation.change.__struct_config__.tag)
        return self._kinds_since.get(kind, self._protocol + 1) <= self._protocol

    def on_faulted(self, op_id: str) -> None:
        """Send it again after a while, or set it aside when that has not helped."""
        operation = self._window.go_back_to(op_id)
        if operation is None:
            return
        count, backoff = self._faults.get(op_id, (0, Backoff(self._jitter)))
        self._faults = {op_id: (count + 1, backoff)}
        self._emitter.publish(OperationFaulted(op_id, count + 1))
        is_skip = isinstance(operation.change, Skip)
        if count + 1 >= MOST_FAULTS and not is_skip:
            self.set_aside(operation, NeedsYouKind.QUARANTINED)
            return
        self._wait(backoff)

    def look_at(self, operation: Operation | None) -> None:
        """Set the next operation aside when the server cannot know it."""
        if operation is not None and not self.is_known(operation):
            self.set_aside(operation, NeedsYouKind.UPGRADE)

    def set_aside(self, operation: Operation, kind: NeedsYouKind) -> None:
        """Have the outbox put a ``skip`` in the place of an operation."""
        self._leaving = operation.device_seq

        def done(result: object, error: str) -> None:
            self._leaving = None
            if isinstance(result, SetAside):
                self._window.exchange(result.skip)
                self._waiting.take(result.change)
            else:
                if not error:
                    # The file still has a verdict of another history that could not be given up then.
                    self._emitter.job("outbox", "reopen", operation.device_seq, then=self._on_reopened)
                # The disk may be well again by the time of the next try.
                self._wait(Backoff(self._jitter))
                self._on_error(error)

        arguments = (operation.device_seq, kind, self._clock.wall_ms())
        self._emitter.job("outbox", "quarantine", *arguments, then=done)

    def _on_reopened(self, _result: object, error: str) -> None:
        self._on_error(error)

    def _wait(self, backoff: Backoff) -> None:
        self._again_ms = self._clock.mono_ms() + backoff.failed(is_refusal=True)
        self._emitter.emit(SetTimer(AGAIN, self._again_ms))
