"""Collects the effects of one step, and remembers who waits for which job."""

from __future__ import annotations

from collections.abc import Callable

from sync.contract.codec import encode
from sync.contract.messages import ClientMessage
from sync.contract.steps import Effect, Job, JobDone, Publish, Send

Then = Callable[[object, str], None]
"""Called with a job's result and its error (empty when it went well)."""


class Emitter:
    """The out-tray that the parts of one machine share."""

    def __init__(self) -> None:
        """Start empty."""
        self._effects: list[Effect] = []
        self._waiting: dict[int, Then] = {}
        self._ticket = 0

    def emit(self, effect: Effect) -> None:
        """Add one effect to the step."""
        self._effects.append(effect)

    def send(self, link: int, message: ClientMessage) -> None:
        """Send a message over a link."""
        self._effects.append(Send(link, encode(message)))

    def publish(self, news: object) -> None:
        """Tell whoever listens."""
        self._effects.append(Publish(news))

    def job(self, store: str, method: str, *arguments: object, then: Then) -> None:
        """Have a store do something and call ``then`` with what came of it."""
        self._ticket += 1
        self._waiting[self._ticket] = then
        self._effects.append(Job(self._ticket, store, method, arguments))

    def job_done(self, event: JobDone) -> None:
        """Wake who waits for this job; a ticket comes back once."""
        self._waiting.pop(event.ticket)(event.result, event.error)

    def take(self) -> list[Effect]:
        """Return the effects of the step, in their order, and start the next one."""
        effects, self._effects = self._effects, []
        return effects
