"""A damaged cache, the search for what is wrong with it, and a server that answers: no sockets, no clock."""

from __future__ import annotations

from collections.abc import Callable

from sync.client.cache import Cache
from sync.client.emitter import Emitter
from sync.client.repairing import Repairing
from sync.client.store_values import CacheChange, Repaired
from sync.contract.codec import decode_client, decode_server, encode
from sync.contract.messages import (
    ClientMessage,
    Compare,
    Compared,
    Fetch,
    Reload,
    Repair,
)
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, row_hash
from sync.contract.steps import Effect, Job, JobDone, Send

END = "\U0010ffff"
Answer = Callable[[ClientMessage], str | bytes]


def answer_of(orders: dict[str, Order], seq: int) -> Answer:
    """Return how a server with these orders answers at ``seq``."""
    rows = sorted((order.id, row_hash(canonical_bytes(order))) for order in orders.values())

    def answer(message: ClientMessage) -> str:
        if isinstance(message, Compare):
            found = [[hash_ for id_, hash_ in rows if lo <= id_ < (hi or END)] for lo, hi in message.ranges]
            return encode(Compared(message.n, seq, [(sum(each) % HASH_MODULUS, len(each)) for each in found]))
        assert isinstance(message, Fetch)
        within = [orders[id_] for id_, _ in rows if message.lo <= id_ < (message.hi or END)]
        assert len(within) <= 256
        return encode(Repair(message.n, seq, message.lo, message.hi, within))

    return answer


class Mender:
    """Runs one search to its end over a real cache."""

    def __init__(self, cache: Cache, answer: Answer) -> None:
        """Mend ``cache`` by what ``answer`` says."""
        self._cache = cache
        self._answer = answer
        self._emitter = Emitter()
        self.changes: list[CacheChange] = []
        self.ends: list[Repaired] = []
        self.failures: list[tuple[int, str]] = []
        self.asked: list[ClientMessage] = []
        self.sent_bytes = 0
        self.heard_bytes = 0
        self.between: Callable[[], None] = lambda: None
        """Called between a question and its answer: what happens meanwhile."""
        self.before_job: dict[str, Callable[[], None]] = {}
        self.errors: dict[str, str] = {}
        self.repairing = Repairing(
            self._emitter, self.changes.append, self.ends.append, lambda *why: self.failures.append(why)
        )

    def run(self) -> None:
        """Search, until nothing more is asked."""
        self.repairing.start(1)
        effects = self._emitter.take()
        while effects:
            self._carry_out(effects.pop(0))
            effects += self._emitter.take()

    @property
    def questions(self) -> list[type[ClientMessage]]:
        """What was asked, by kind."""
        return [type(message) for message in self.asked]

    def _carry_out(self, effect: Effect) -> None:
        if isinstance(effect, Job):
            self._work(effect)
            return
        assert isinstance(effect, Send)
        message = decode_client(effect.frame)
        self.asked.append(message)
        self.sent_bytes += len(effect.frame)
        if not isinstance(message, Reload):
            self.between()
            frame = self._answer(message)
            self.heard_bytes += len(frame)
            self.hear(frame)

    def _work(self, job: Job) -> None:
        self.before_job.get(job.method, lambda: None)()
        if job.method in self.errors:
            self._emitter.job_done(JobDone(job.ticket, None, self.errors[job.method]))
        else:
            result = getattr(self._cache, job.method)(*job.arguments)
            self._emitter.job_done(JobDone(job.ticket, result))

    def hear(self, frame: str | bytes) -> None:
        """Let the server say something."""
        message = decode_server(frame)
        if isinstance(message, Compared):
            self.repairing.on_compared(message)
        elif isinstance(message, Repair):
            self.repairing.on_repair(message)
