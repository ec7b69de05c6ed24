"""The client's step machine on a bench: a clock under the test's hand, stores of a few lines.

Jobs are carried out at once, unless the test holds them back; what the machine publishes and sends
is collected, decoded, in the order in which it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from support.clocks import CountingIds, FakeClock
from sync.client.bisecting import Range, Sum, Wanted
from sync.client.commands import GoOnline, SubmitDrafts
from sync.client.environment import KINDS_SINCE, Environment
from sync.client.machine import ClientMachine
from sync.client.needs_you import NeedsYou, NeedsYouChange, NeedsYouKind
from sync.client.news import ConnectionChanged, ProblemArose
from sync.client.store_values import (
    Answered,
    CacheChange,
    CacheRepair,
    CacheSnapshot,
    CacheState,
    Held,
    Judged,
    Kept,
    OutboxState,
    SetAside,
    SnapshotHeld,
)
from sync.contract.codec import decode_client, encode
from sync.contract.messages import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    ClientMessage,
    Decided,
    Delta,
    Person,
    ServerMessage,
    Site,
    SnapshotBegin,
    Verdict,
    Welcome,
)
from sync.contract.operations import LogEntry, Move, Operation, Outcome, Reason, Skip
from sync.contract.orders import Order
from sync.contract.stages import Stage
from sync.contract.steps import (
    Close,
    Closed,
    Command,
    Connect,
    Connected,
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

SITE = Site("site-1", "Hall A", "Europe/London", "organization-1", "Example")
PERSON = Person("person-1", "Eva", "picker", "sign-in-1")
DEVICE = "device-1"
CLOSE_CODES = (1000, 1002, 1007)
RIGHT = 4_711
"""The state hash of a cache that was repaired."""
T = TypeVar("T")


class FixedJitter:
    """Always draws the same number."""

    def __init__(self, value: float = 0.5) -> None:
        self.value = value

    def random(self) -> float:
        """Return the number."""
        return self.value


class FakeOutbox:
    """Numbers what it is given."""

    def __init__(self, state: OutboxState) -> None:
        self.device_id = state.device_id
        self.next_device_seq = state.next_device_seq
        self.held = list(state.held)
        self.reopened: list[object] = []
        self.keeps = Kept()
        self.done: list[Operation] = []
        self.is_renewing = False
        self.reoffered: list[tuple[int, str]] = []
        self.released: list[tuple[int, str]] = []

    def append(self, drafts: tuple[Operation, ...]) -> tuple[Operation, ...]:
        """Return the drafts with their numbers."""
        numbered = []
        for draft in drafts:
            operation = msgspec.structs.replace(
                draft, device_id=self.device_id, device_seq=self.next_device_seq
            )
            self.next_device_seq += 1
            self.held.append(Held(operation))
            numbered.append(operation)
        return tuple(numbered)

    def answer(self, entry_id: str, drafts: tuple[Operation, ...]) -> Answered:
        """Number the answers; the entry goes."""
        return Answered(self.append(drafts), NeedsYouChange(removed=(entry_id,)))

    def decide(self, verdicts: tuple[Verdict, ...], wall_ms: int = 0) -> Judged:
        """Believe them; what is refused waits for a person."""
        refused = [each for each in verdicts if each.outcome is Outcome.REJECTED]
        entries = tuple(
            NeedsYou(each.op_id, NeedsYouKind.REJECTED, wall_ms, verdict=each) for each in refused
        )
        return Judged(verdicts, NeedsYouChange(entries))

    def quarantine(self, device_seq: int, kind: NeedsYouKind, wall_ms: int) -> SetAside:
        """Put a skip in its place."""
        (operation,) = (each.operation for each in self.held if each.operation.device_seq == device_seq)
        entry = NeedsYou(operation.op_id, kind, wall_ms, operation)
        return SetAside(msgspec.structs.replace(operation, change=Skip()), NeedsYouChange((entry,)))

    def assigns(self, entries: tuple[LogEntry, ...], wall_ms: int) -> NeedsYouChange:
        """Whoever assigns overrules."""
        return NeedsYouChange(
            tuple(NeedsYou(each.operation.op_id, NeedsYouKind.OVERRULED, wall_ms) for each in entries)
        )

    def assigned(self, _seq: int) -> tuple[Operation, ...]:
        """Nothing was assigned here."""
        return ()

    def overruled(self, mine: Operation, _order: Order, wall_ms: int) -> NeedsYouChange:
        """Tell of it."""
        return NeedsYouChange((NeedsYou(mine.op_id, NeedsYouKind.OVERRULED, wall_ms),))

    def finish(self, decided_device_seq: int, cursor: int, epoch: str = "") -> tuple[str, ...]:
        """Let go of nothing: the machine knows by itself what it holds."""
        return ()

    def kept(self) -> Kept:
        """Return what the test says is kept."""
        return self.keeps

    def reoffer(self, after_device_seq: int, epoch: str, device_id: str) -> OutboxState:
        """Hold what was kept beyond a number before everything else."""
        self.reoffered.append((after_device_seq, epoch))
        back = [each for each in self.done if each.device_seq > after_device_seq]
        self.held = [*map(Held, back), *(Held(each.operation) for each in self.held)]
        self.keeps = Kept(epoch)
        if self.is_renewing:
            return self.renew_identity(device_id)
        return OutboxState(self.device_id, self.next_device_seq, tuple(self.held))

    def release(self, durable_seq: int, epoch: str) -> bool:
        """Need two goes for everything."""
        self.released.append((durable_seq, epoch))
        return len(self.released) % 2 == 1

    def reopen(self, first_device_seq: int) -> None:
        """Remember that it was asked."""
        self.reopened.append(first_device_seq)

    def renew_identity(self, device_id: str) -> OutboxState:
        """Number everything anew from 1."""
        self.device_id = device_id
        self.held = [
            Held(msgspec.structs.replace(held.operation, device_id=device_id, device_seq=place))
            for place, held in enumerate(self.held, 1)
        ]
        self.next_device_seq = len(self.held) + 1
        return OutboxState(device_id, self.next_device_seq, tuple(self.held))


class FakeCache:
    """Knows where it stands, not what is on the board."""

    def __init__(self, state: CacheState) -> None:
        self.now = state
        self.begun: SnapshotBegin | None = None
        self.remembered: list[tuple[object, ...]] = []
        self.forgotten = 0
        self.to_tidy = 0
        self.holds: SnapshotHeld | None = None
        self.orders: dict[str, Order] = {}

    def state(self) -> CacheState:
        """Return where it stands."""
        return self.now

    def order(self, order_id: str) -> Order | None:
        """Return the order that the test put there."""
        return self.orders.get(order_id)

    def apply_delta(
        self, device_id: str, prev_seq: int, seq: int, entries: tuple[LogEntry, ...]
    ) -> CacheChange:
        """Go on to ``seq``; the local id of an order is the number in its id."""
        self.now = self.now._replace(cursor=seq)
        changed = tuple(int(entry.operation.order_id.removeprefix("order-")) for entry in entries)
        own = [entry.operation.device_seq for entry in entries if entry.operation.device_id == device_id]
        return CacheChange(seq, 0, max(own, default=0), changed)

    def begin_snapshot(self, begin: SnapshotBegin) -> None:
        """Start staging."""
        self.begun = begin

    def add_chunk(self, index: int, orders: tuple[object, ...]) -> None:
        """Stage nothing."""

    def end_snapshot(
        self, device_id: str, seq: int, wall_ms: int, is_accepted: bool = False
    ) -> CacheSnapshot | SnapshotHeld:
        """Stand where the snapshot stands, unless the test has it held back."""
        if self.holds is not None and not is_accepted:
            return self.holds
        assert self.begun is not None
        begun = self.begun
        self.now = self.now._replace(epoch=begun.epoch, cursor=seq, state_hash=begun.state_hash)
        return CacheSnapshot(seq, begun.epoch, begun.state_hash, begun.orders, begun.decided_device_seq)

    def put_page(self, orders: tuple[object, ...]) -> CacheChange:
        """Show as many rows."""
        return CacheChange(0, 0, 0, tuple(range(1, len(orders) + 1)))

    def resum(self) -> int:
        """Believe the hash."""
        return self.now.state_hash

    def split(self, wanted: tuple[Wanted, ...]) -> tuple[Range, ...]:
        """Leave the ranges as they are."""
        return tuple((lo, hi) for lo, hi, _ in wanted)

    def range_sums(self, seq: int, ranges: tuple[Range, ...]) -> tuple[Sum, ...]:
        """Return the hash and ten orders for each range."""
        return tuple((self.now.state_hash, 10) for _ in ranges)

    def repair(self, seq: int, lo: str, hi: str, orders: tuple[object, ...]) -> CacheRepair:
        """Have the right hash from now on; as many rows changed."""
        self.now = self.now._replace(state_hash=RIGHT)
        change = CacheChange(self.now.cursor, RIGHT, 0, tuple(range(1, len(orders) + 1)))
        return CacheRepair(change, len(orders))

    def tidy(self) -> bool:
        """Say how often there is more to do."""
        self.to_tidy -= 1
        return self.to_tidy > 0

    def remember(self, *values: object) -> None:
        """Keep what was to be remembered."""
        self.remembered.append(values)

    def forget(self) -> None:
        """Be empty."""
        self.forgotten += 1
        self.now = CacheState()


class MachineBench:
    """A machine, its clock, its stores, and everything that came out of it."""

    def __init__(
        self,
        *,
        held: tuple[Held, ...] = (),
        next_device_seq: int = 1,
        cache: CacheState | None = None,
        jitter: float = 0.5,
        needs_you: tuple[NeedsYou, ...] = (),
        protocols: tuple[int, int] = (PROTOCOL_MIN, PROTOCOL_MAX),
        kinds_since: Mapping[str, int] = KINDS_SINCE,
    ) -> None:
        self.clock = FakeClock()
        self.jitter = FixedJitter(jitter)
        state = OutboxState(DEVICE, next_device_seq, held)
        cached = cache or CacheState()
        self.outbox = FakeOutbox(state)
        self.cache = FakeCache(cached)
        environment = self.environment = Environment(
            self.clock, CountingIds(900), self.jitter, "1.0", protocols, kinds_since
        )
        self.machine = ClientMachine(state, cached, environment, needs_you)
        self.link = 0
        self.is_holding = False
        self.errors: dict[str, str] = {}
        self.results: dict[str, object] = {}
        self.held_jobs: list[Job] = []
        self.effects: list[Effect] = []
        self.timers: dict[str, int] = {}

    # ------------------------------------------------------------------ putting things in

    def step(self, event: Event) -> list[Effect]:
        """Step the machine and carry its jobs out, except those held back."""
        new = self.machine.step(event)
        self.effects += new
        for effect in new:
            if isinstance(effect, Connect):
                self.link = effect.link
            elif isinstance(effect, Send):
                # Whatever is said goes over the present link.
                assert effect.link == self.link
            elif isinstance(effect, Close):
                assert effect.code in CLOSE_CODES
            elif isinstance(effect, Publish):
                self._look_at(effect.news)
            elif isinstance(effect, SetTimer):
                self.timers[effect.name] = effect.at_ms
            elif isinstance(effect, Job) and self.is_holding:
                self.held_jobs.append(effect)
            elif isinstance(effect, Job):
                self.step(self.carried_out(effect))
        return new

    @staticmethod
    def _look_at(news: object) -> None:
        """What is shown to people is words, never nothing."""
        if isinstance(news, ProblemArose):
            assert isinstance(news.problem.sentence, str)
            assert isinstance(news.problem.what_to_do, str)
        elif isinstance(news, ConnectionChanged):
            assert isinstance(news.detail, str)

    def carried_out(self, job: Job) -> JobDone:
        """Return the result of a job: the test's own, or the store's."""
        name = f"{job.store}.{job.method}"
        if name in self.errors:
            return JobDone(job.ticket, None, self.errors[name])
        if name in self.results:
            return JobDone(job.ticket, self.results[name])
        store = self.outbox if job.store == "outbox" else self.cache
        return JobDone(job.ticket, getattr(store, job.method)(*job.arguments))

    def let_go(self) -> None:
        """Carry out the jobs that were held back, in their order, and those that follow."""
        self.is_holding = False
        jobs, self.held_jobs = self.held_jobs, []
        for job in jobs:
            self.step(self.carried_out(job))

    def command(self, request: object) -> list[Effect]:
        """Ask the machine for something."""
        return self.step(Command(request))

    def submit(self, *drafts: Operation) -> list[Effect]:
        """Give it operations."""
        return self.command(SubmitDrafts(drafts))

    def hear(self, message: ServerMessage, link: int | None = None) -> list[Effect]:
        """Let the server say something."""
        return self.step(Received(self.link if link is None else link, encode(message)))

    def fire(self, name: str) -> list[Effect]:
        """Let the time of a timer come, and fire it."""
        at_ms = self.timers.pop(name)
        self.clock.advance(max(0, at_ms - self.clock.mono))
        return self.step(TimerFired(name))

    def connect(self) -> None:
        """Ask for a connection and let it come up."""
        self.command(GoOnline("token-1"))
        self.come_up()

    def come_up(self) -> None:
        """Let the link that was asked for come up."""
        self.step(Connected(self.link))

    def welcome(self, epoch: str = "epoch-1", head: int = 0, decided_device_seq: int = 0) -> None:
        """Let the server answer hello."""
        self.hear(self.welcome_message(epoch, head, decided_device_seq))

    def welcome_message(self, epoch: str = "epoch-1", head: int = 0, decided: int = 0) -> Welcome:
        """Return what the server answers to hello."""
        return Welcome(2, "1.0", epoch, head, SITE, PERSON, decided, 0, self.clock.wall)

    def go_live(self, head: int = 0, decided_device_seq: int = 0) -> None:
        """Connect and be welcomed by a server that has nothing new."""
        self.connect()
        self.welcome(head=head, decided_device_seq=decided_device_seq)

    def lose(self, code: int = 1006, reason: str = "") -> None:
        """Let the link go down."""
        self.step(Closed(self.link, code, reason))

    # ------------------------------------------------------------------ looking at what came out

    def clear(self) -> None:
        """Forget what came out so far."""
        self.effects.clear()

    def said(self) -> list[ClientMessage]:
        """Return the messages that the machine sent."""
        return [decode_client(effect.frame) for effect in self.effects if isinstance(effect, Send)]

    def all_news(self) -> list[object]:
        """Return everything that was published."""
        return [effect.news for effect in self.effects if isinstance(effect, Publish)]

    def news(self, kind: type[T]) -> list[T]:
        """Return the published news of one kind."""
        return [news for news in self.all_news() if isinstance(news, kind)]

    def closes(self) -> list[Close]:
        """Return the links that the machine closed."""
        return [effect for effect in self.effects if isinstance(effect, Close)]

    def connects(self) -> int:
        """Return how many links were asked for."""
        return sum(isinstance(effect, Connect) for effect in self.effects)

    def methods(self, store: str) -> list[str]:
        """Return the methods of a store that were called."""
        return [each.method for each in self.effects if isinstance(each, Job) and each.store == store]


def cached(cursor: int = 0, state_hash: int = 0, last_contact_ms: int = 0) -> CacheState:
    """Return the state of a cache that holds a board of the first epoch."""
    return CacheState("epoch-1", cursor, state_hash, last_contact_ms=last_contact_ms)


def draft(name: str, order: int = 1) -> Operation:
    """Return a move to picking that has no number yet."""
    return Operation(op_id=name, order_id=f"order-{order}", change=Move(Stage.PICKING))


def numbered(name: str, device_seq: int) -> Operation:
    """Return a move as the outbox keeps it."""
    return msgspec.structs.replace(draft(name), device_id=DEVICE, device_seq=device_seq)


def verdict(name: str, device_seq: int, seq: int, reason: Reason = Reason.NONE) -> Verdict:
    """Return the server's verdict: applied, or rejected for a reason."""
    outcome = Outcome.REJECTED if reason else Outcome.APPLIED
    return Verdict(device_seq, name, seq, outcome, reason)


def decided(*verdicts: Verdict) -> Decided:
    """Return the server's answer to a submit."""
    return Decided(list(verdicts))


def delta(prev_seq: int, *operations: Operation) -> Delta:
    """Return a page with these operations, applied."""
    entries = [
        LogEntry(seq, operation, Outcome.APPLIED, 0) for seq, operation in enumerate(operations, prev_seq + 1)
    ]
    return Delta(prev_seq, prev_seq + len(operations), entries)
