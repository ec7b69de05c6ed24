"""The hub on a bench: frames go in, effects come out, the test plays the stores."""

from __future__ import annotations

from typing import TypeVar

from server.kernel.hub import Hub
from server.kernel.records import (
    Committed,
    Joined,
    Principal,
    SiteKey,
    SiteRow,
    Snapshot,
    SnapshotFor,
)
from support.clocks import FakeClock
from sync.contract.codec import Frame, decode_server, encode
from sync.contract.messages import Auth, ClientMessage, Hello, Person, ServerMessage, Submit, Verdict
from sync.contract.operations import Move, Operation, Outcome
from sync.contract.permissions import Role
from sync.contract.stages import Stage
from sync.contract.steps import (
    Close,
    Connected,
    Drained,
    Effect,
    Event,
    Job,
    JobDone,
    Publish,
    Received,
    Send,
    SetTimer,
    TimerFired,
)

E = TypeVar("E", bound=Effect)
SITE = SiteKey("organization-1", "site-1")
EPOCH = "epoch-1"
DEVICE = "device-1"


def principal(
    sign_in: str = "sign-in-1",
    *,
    role: Role = Role.SUPERVISOR,
    site: SiteKey = SITE,
    enrolment: str = "enrolment-1",
    user: str = "user-1",
    expires_ms: int = 1_700_000_900_000,
) -> Principal:
    """Return somebody who is signed in."""
    row = SiteRow(site, "Main", "Europe/London", "Organization")
    return Principal(row, Person(user, "Ana K.", role, sign_in), role, enrolment, expires_ms)


def hello(device_id: str = DEVICE, *, epoch: str = EPOCH, cursor: int = 0) -> Hello:
    """Return a client's hello."""
    return Hello(2, 2, "1.0", device_id, 1, epoch, cursor)


def move(number: int, device_id: str = DEVICE, order_id: str = "order-1") -> Operation:
    """Return a numbered move."""
    return Operation(f"op-{device_id}-{number}", order_id, Move(Stage.PICKING), device_id, number)


def verdict(operation: Operation, seq: int) -> Verdict:
    """Return that an operation was applied."""
    return Verdict(operation.device_seq, operation.op_id, seq, Outcome.APPLIED)


def committed(prev_seq: int, *operations: Operation) -> Committed:
    """Return what a store says that applied all of these."""
    verdicts = tuple(verdict(operation, prev_seq + place) for place, operation in enumerate(operations, 1))
    return Committed(prev_seq, prev_seq + len(verdicts), entries(prev_seq, len(verdicts)), verdicts)


def entries(prev_seq: int, count: int) -> tuple[bytes, ...]:
    """Return encoded log entries that a client can read."""
    template = (
        '{"seq":%d,"operation":{"op_id":"x","order_id":"y","change":{"kind":"claim"}},'
        '"outcome":"noop","decided_ms":1}'
    )
    return tuple((template % (prev_seq + place)).encode() for place in range(1, count + 1))


def snapshot(seq: int, chunks: int = 2, epoch: str = EPOCH) -> SnapshotFor:
    """Return a board of ``chunks`` frames."""
    frames = tuple(f"chunk {place}".encode() for place in range(chunks))
    return SnapshotFor(Snapshot(epoch, seq, 10, 99, frames), 7)


class HubBench:
    """Feeds a hub and keeps what it wanted."""

    def __init__(self, protocols: tuple[int, int] = (2, 2)) -> None:
        self.clock = FakeClock()
        self.hub = Hub(self.clock, "1.2.3", protocols)
        self.effects: list[Effect] = []
        self.commits: list[Job] = []

    def feed(self, event: Event) -> list[Effect]:
        """Give one event; its effects are in ``effects`` until the next one."""
        self.effects = self.hub.step(event)
        self.commits += [job for job in self.all(Job) if job.method == "commit"]
        return self.effects

    def all(self, kind: type[E]) -> list[E]:
        """Return the last effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def connect(self, link: int = 1) -> None:
        """Open a link."""
        self.feed(Connected(link))

    def say(self, message: ClientMessage, link: int = 1) -> None:
        """Let a client say something."""
        self.feed(Received(link, encode(message)))

    def drain(self, link: int = 1) -> None:
        """Let everything leave."""
        self.feed(Drained(link))

    def fire(self, name: str) -> None:
        """Let a timer fire."""
        self.feed(TimerFired(name))

    def answer(self, job: Job, result: object = None, error: str = "") -> None:
        """Give a job its result."""
        self.feed(JobDone(job.ticket, result, error))

    def answer_last_commit(self, result: object = None, error: str = "") -> None:
        """Give the commit that is under way its result, whatever happened since it began."""
        self.answer(self.commits[-1], result, error)

    def job(self, method: str) -> Job:
        """Return the one job among the last effects that calls ``method``."""
        (job,) = [effect for effect in self.all(Job) if effect.method == method]
        return job

    def has_job(self, method: str) -> bool:
        """Say whether the last effects call ``method``."""
        return any(effect.method == method for effect in self.all(Job))

    def frames(self, link: int = 1) -> list[Frame]:
        """Return what was last sent over a link, encoded."""
        return [effect.frame for effect in self.all(Send) if effect.link == link]

    def heard(self, link: int = 1) -> list[ServerMessage]:
        """Return what was last sent over a link as text."""
        return [decode_server(frame) for frame in self.frames(link) if isinstance(frame, str)]

    def news(self) -> list[object]:
        """Return what was published last."""
        return [effect.news for effect in self.all(Publish)]

    def refusals(self) -> list[tuple[int, int, str]]:
        """Return the links that were closed last, with code and reason."""
        return [(effect.link, effect.code, effect.reason) for effect in self.all(Close)]

    def timers(self) -> dict[str, int]:
        """Return the timers set last, as milliseconds from now."""
        return {effect.name: effect.at_ms - self.clock.mono for effect in self.all(SetTimer)}

    def sign_in(self, link: int = 1, who: Principal | None = None, greeting: Hello | None = None) -> Job:
        """Open a link, say auth and hello, and return the store's job."""
        self.connect(link)
        self.say(Auth("token"), link)
        check = self.job("authenticate")
        self.say(greeting or hello(), link)
        self.answer(check, who or principal())
        return self.job("join")

    def joined(self, head: int, *, state_hash: int | None = None, head_hash: int | None = None) -> Joined:
        """Return that a client may go on from its cursor."""
        return Joined(EPOCH, head, 0, 0, state_hash=state_hash, head_hash=head_hash)

    def go_live(
        self, link: int = 1, *, head: int = 0, who: Principal | None = None, device_id: str = DEVICE
    ) -> None:
        """Bring a link up to where deltas flow, at ``head``."""
        join = self.sign_in(link, who, hello(device_id, cursor=head))
        self.answer(join, Joined(EPOCH, head, 0, 0))

    def submit(self, *operations: Operation, link: int = 1) -> None:
        """Let a client hand operations in."""
        self.say(Submit(list(operations)), link)
