"""What the hub wants done: effects in their order, and who waits for which job."""

from __future__ import annotations

from collections.abc import Callable

from server.kernel.connections import Connection, Noted, Phase
from server.kernel.refusals import Refusal
from sync.contract.codec import encode
from sync.contract.messages import Refused, ServerMessage
from sync.contract.ports import Clock
from sync.contract.steps import CancelTimer, Close, Effect, Job, JobDone, Publish, Send, SetTimer

Answer = Callable[[object, str], None]


class Wishes:
    """Collects the effects of one step. A closed link is wished nothing any more."""

    def __init__(self, clock: Clock) -> None:
        """Tell the time by ``clock``."""
        self._clock = clock
        self._effects: list[Effect] = []
        self._answers: dict[int, Answer] = {}
        self._tickets = 0

    def taken(self) -> list[Effect]:
        """Return what was wished since the last time."""
        effects, self._effects = self._effects, []
        return effects

    def say(self, connection: Connection, message: ServerMessage) -> None:
        """Send a short message at once, also beside a delta that is still on its way."""
        if connection.phase is not Phase.CLOSED:
            frame = encode(message)
            connection.unsent_bytes += len(frame)
            self._effects.append(Send(connection.link, frame))

    def send(self, connection: Connection, frame: str | bytes) -> None:
        """Send a part of the board; the link is not free until it is drained."""
        connection.sending_since_ms = self._clock.mono_ms()
        self._effects.append(Send(connection.link, frame))

    def refuse(self, connection: Connection, refusal: Refusal) -> None:
        """Tell a link why, and close it."""
        if connection.phase is Phase.CLOSED:
            return
        self.say(connection, Refused(refusal.problem))
        connection.phase = Phase.CLOSED
        self._effects.append(Close(connection.link, refusal.close_code, refusal.name))

    def job(self, store: str, method: str, arguments: tuple[object, ...], answer: Answer) -> None:
        """Call a store; ``answer`` gets the result, or the error as text."""
        self._tickets += 1
        self._answers[self._tickets] = answer
        self._effects.append(Job(self._tickets, store, method, arguments))

    def answer(self, done: JobDone) -> None:
        """Hand a job's result to whoever waits for it."""
        self._answers.pop(done.ticket)(done.result, done.error)

    def set_timer(self, name: str, after_ms: int) -> None:
        """Fire ``name`` after a while."""
        self._effects.append(SetTimer(name, self._clock.mono_ms() + after_ms))

    def cancel_timer(self, name: str) -> None:
        """Forget a timer."""
        self._effects.append(CancelTimer(name))

    def publish(self, news: object) -> None:
        """Tell whoever listens."""
        self._effects.append(Publish(news))

    def warn(self, what: str, **facts: object) -> None:
        """Put a warning into the log."""
        self.publish(Noted(what, tuple(facts.items()), is_warning=True))
