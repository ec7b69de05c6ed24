"""The place where a terminal runs: its profile, its clock, its people, and what they were promised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from server.kernel.records import Head
from server.verification.people import any_change, drafted, poison
from server.verification.profiles import Profile
from server.verification.rooms import ServerRoom, Worker
from server.verification.world import CrashHook, SimulatedCrash, VirtualClock, World
from sync.client.commands import (
    AcceptBoard,
    Acknowledge,
    GoOffline,
    GoOnline,
    NewToken,
    RetryQuarantined,
    SubmitDrafts,
)
from sync.client.machine import ClientMachine, Environment
from sync.client.needs_you import NeedsYou
from sync.client.news import (
    BoardChanged,
    BoardRepaired,
    CredentialsWanted,
    NeedsYouChanged,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsReoffered,
    OperationsSaved,
    SnapshotApplied,
    SnapshotHeld,
    Started,
    Welcomed,
)
from sync.client.view_news import take_news
from sync.contract import operations as contract
from sync.contract.ids import Uuid7Ids
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN, Person, Verdict
from sync.contract.operations import Operation, Outcome, Source
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.state_machine import Judge
from sync.contract.steps import Command
from sync.contract.undo import inverse

NOW: Final = (PROTOCOL_MIN, PROTOCOL_MAX)
FORMER: Final = (PROTOCOL_MIN - 1, PROTOCOL_MIN - 1)
"""The versions that a terminal speaks before it is updated."""
BURST: Final = (1, 1, 4, 12, 20, 30)
UNCHECKED: Final = 0.4
"""How often something is submitted that the screen would have refused (scans, another program)."""
UNDO: Final = 0.08
REPAIR: Final = 0.3
REMEMBERED: Final = 30
LOOK_MS: Final = (500, 5_000)
"""How long it takes until somebody looks at a board that was held back."""


class Told(NamedTuple):
    """A verdict that the screen was told, in which life of the server's data."""

    life: int
    verdict: Verdict


class Step(NamedTuple):
    """Something that can be taken back: the operation, and the order before and after it."""

    operation: Operation
    before: Order
    after: Order


class Station:
    """One terminal of the world."""

    def __init__(
        self,
        room: ServerRoom,
        name: str,
        clock: VirtualClock,
        hook: CrashHook,
        profile: Profile,
        workers: Sequence[Worker],
        protocols: tuple[int, int] = NOW,
    ) -> None:
        """Let ``workers`` take turns at a terminal with ``profile``."""
        self.world: World = room.world
        self.room = room
        self.name = name
        self.clock = clock
        self.hook = hook
        self.profile = profile
        self.workers = workers
        self.protocols = protocols
        self.ids = Uuid7Ids(clock, room.world.random)
        self.worker = workers[0]
        self.issued: dict[str, Operation] = {}
        self.issued_ms: dict[str, int] = {}
        self.promised: set[str] = set()
        self.unsaved: dict[str, Operation] = {}
        self.rejected: set[str] = set()
        self.judges: dict[str, Judge] = {}
        self.told: list[Told] = []
        self.answered_ms: dict[str, tuple[int, int]] = {}
        """The life of the server and the time in which an operation's verdict came first."""
        self.cursors: list[tuple[int, str, int]] = []
        """The life of the server's data, the epoch and the cursor at each change of the board."""
        self.needs_you: dict[str, NeedsYou] = {}
        self.was_in_needs_you: set[str] = set()
        self.is_damaged = False
        """Whether the cache lacks an order; nobody knows but the world."""
        self.person: Person | None = None
        self.found: list[str] = []
        """What was wrong at some moment of the run."""
        self._steps: list[Step] = []
        self.start()

    # ------------------------------------------------------------ the process

    def start(self) -> None:
        """Start a process on the profile."""
        outbox, cache = self.profile.outbox, self.profile.cache
        environment = Environment(self.clock, self.ids, self.world.random, "0.1.0", protocols=self.protocols)
        held, state = outbox.state(), cache.state()
        machine = ClientMachine(held, state, environment)
        stores = {"outbox": outbox, "cache": cache}
        self.terminal = self.room.processes.terminal(
            self.room, self.name, machine, stores, self.hook, self.clock.mono_ms, self.on_news
        )
        self.unsaved.clear()
        self.person = state.person
        operations = tuple(each.operation for each in held.held)
        self.judges.clear()
        self._judge(operations)
        shown = held.shown
        self.on_news(Started(shown, state.site, state.person, state.last_contact_ms, outbox.needs_you()))
        terminal = self.terminal
        self.world.later(0, lambda: terminal.feed(Command(GoOnline())))

    def crash(self, points: int = 0, where: str = "") -> None:
        """Kill the process now, or at the ``points``-th point ``where`` from now."""
        if points:
            self.hook.arm(points, where)
        else:
            self.terminal.die()

    def restart(self) -> None:
        """Start a new process on the profile that the old one left."""
        self.hook.arm(0)
        if self.terminal.is_alive or self.world.is_over:
            return
        self.clock.boot()
        self.profile.open()
        self.start()

    def update(self) -> None:
        """Install the present release: the process ends and a newer one starts."""
        if self.protocols != NOW:
            self.protocols = NOW
            self.terminal.die()
            self.restart()

    def change_worker(self) -> None:
        """Let the next person sign in; the operations of the one before are still on their way."""
        place = self.workers.index(self.worker)
        self.worker = self.workers[(place + 1) % len(self.workers)]
        self.terminal.feed(Command(GoOffline()))
        self.terminal.feed(Command(GoOnline(self.worker.token)))

    def damage(self) -> None:
        """Let the cache lack an order."""
        if self.terminal.is_alive:
            try:
                self.is_damaged |= self.profile.lose_an_order(self.world.random)
            except SimulatedCrash:
                # The order is gone by then; unsaid, no sum would ever find it.
                self.profile.cache.resum()
                self.is_damaged = True
                self.terminal.die()

    def is_misled(self, epoch: str, seq: int) -> None:
        """Take note that the log of this epoch was set back to ``seq`` without a word."""
        state = self.profile.cache.state()
        self.is_damaged |= state.epoch == epoch and state.cursor > seq

    def plug(self, *, is_in: bool) -> None:
        """Pull the network's plug out, or put it back."""
        self.terminal.is_unplugged = not is_in
        if not is_in:
            self.cut()

    def cut(self) -> bool:
        """Cut the present connection; say whether there was one."""
        cable = self.terminal.cable
        if cable is None or not cable.is_open:
            return False
        cable.cut()
        return True

    def is_settled(self, head: Head) -> bool:
        """Say whether nothing is open here and the board stands where the log does."""
        state = self.profile.cache.state()
        is_there = (state.epoch, state.cursor) == (head.epoch, head.seq)
        return is_there and not self.is_damaged and not self.profile.outbox.state().held

    # ------------------------------------------------------------ what the machine tells

    def on_news(self, news: object) -> None:
        """Show it, and remember what was promised and told."""
        self._attend(news)
        take_news(self.profile.screen, news, self.judge())  # type: ignore[arg-type] # the same methods
        match news:
            case OperationsSaved(operations):
                self._saved(operations)
            case OperationsNotSaved(op_ids):
                for op_id in op_ids:
                    self.unsaved.pop(op_id, None)
                    self.issued.pop(op_id, None)
            case OperationsDecided(verdicts):
                self._decided(verdicts)
            case OperationsReoffered(operations):
                self._judge(operations)
                self.rejected.difference_update(each.op_id for each in operations)
            case OperationsDone(op_ids):
                self.rejected.difference_update(op_ids)
                for op_id in op_ids:
                    self.judges.pop(op_id, None)
            case BoardRepaired():
                self.is_damaged = False
            case BoardChanged(cursor=cursor) | SnapshotApplied(seq=cursor):
                self.is_damaged &= isinstance(news, BoardChanged)
                self.cursors.append((self.room.life, self.profile.cache.state().epoch, cursor))

    def _attend(self, news: object) -> None:
        """Take what concerns the person, not the board."""
        match news:
            case CredentialsWanted():
                terminal, token = self.terminal, self.worker.token
                self.world.later(10, lambda: terminal.feed(Command(NewToken(token))))
            case Welcomed(person=person):
                self.person = person
            case Started(operations=operations, needs_you=entries):
                # All of them: what left the list in the moment of a crash is not told otherwise.
                self.needs_you.clear()
                self._waiting(entries, ())
                self._found_again(operations)
            case NeedsYouChanged(entries=entries, removed=removed):
                self._waiting(entries, removed)
            case SnapshotHeld():
                # A restored server may lack many orders: somebody has to look, and lets the board in.
                terminal = self.terminal
                delay = self.world.random.randint(*LOOK_MS)
                self.world.later(delay, lambda: terminal.feed(Command(AcceptBoard())))

    def _waiting(self, entries: Sequence[NeedsYou], removed: Sequence[str]) -> None:
        self.needs_you.update((entry.id, entry) for entry in entries)
        self.was_in_needs_you.update(entry.id for entry in entries)
        for entry_id in removed:
            self.needs_you.pop(entry_id, None)

    def _saved(self, operations: Sequence[Operation]) -> None:
        self.promised.update(operation.op_id for operation in operations)
        self._judge(operations)
        for operation in operations:
            self.unsaved.pop(operation.op_id, None)
            if operation.op_id not in self.issued:
                # The program itself made it: an acknowledgement, or another try.
                self._issue(operation)

    def _found_again(self, operations: Sequence[Operation]) -> None:
        """Take in what the program itself made durable just before a crash: nobody has heard of it yet."""
        for operation in operations:
            is_own = bool(operation.retry_of) or isinstance(operation.change, contract.Acknowledge)
            if is_own and operation.op_id not in self.issued:
                self._issue(operation)

    def _judge(self, operations: Sequence[Operation]) -> None:
        """Remember under whose rights the screen shows what was begun elsewhere, or by another process."""
        judge = self.judge()
        for operation in operations:
            own = judge._replace(actor_id=operation.actor_id, now_ms=operation.wall_ms)
            self.judges.setdefault(operation.op_id, own)

    def _decided(self, verdicts: Sequence[Verdict]) -> None:
        life = self.room.life
        for verdict in verdicts:
            self.told.append(Told(life, verdict))
            self.answered_ms[verdict.op_id] = (life, self.world.now_ms)
            if verdict.outcome is Outcome.REJECTED:
                self.rejected.add(verdict.op_id)

    # ------------------------------------------------------------ what people do

    def judge(self) -> Judge:
        """Return under whose rights this terminal shows what is not decided yet."""
        person = self.person or Person("", "", Role.PICKER, "")
        return Judge(person.id, person.name, Role(person.role), self.clock.wall_ms())

    def act(self, order_ids: Sequence[str], count: int) -> int:
        """Let the person do up to ``count`` things at once; return how many they did."""
        if not self.terminal.is_alive:
            return 0
        random = self.world.random
        batch_id = self.ids.new() if random.random() < 0.3 else ""
        drafts = [self._draft(random.choice(order_ids), batch_id) for _ in range(count)]
        if random.random() < UNDO:
            drafts += self._undo()
        return self.submit(tuple(drafts))

    def submit(self, drafts: tuple[Operation, ...]) -> int:
        """Show and submit what the screen lets through, and some of what it does not; return how many."""
        judge, screen = self.judge(), self.profile.screen
        wanted: list[Operation] = []
        for draft in drafts:
            decision = screen.decision(draft, judge)
            if decision.outcome is Outcome.REJECTED and not self.world.chance(UNCHECKED):
                continue
            before = screen.shown(draft.order_id) if decision.order is not None else None
            self._issue(draft)
            self.judges[draft.op_id] = judge
            self.unsaved[draft.op_id] = draft
            wanted.append(draft)
            if before is not None and decision.order is not None:
                self._steps.append(Step(draft, before, decision.order))
                del self._steps[:-REMEMBERED]
        if wanted:
            screen.begin(wanted, judge)
            self.terminal.feed(Command(SubmitDrafts(tuple(wanted))))
        return len(wanted)

    def fail_the_server(self, order_id: str) -> None:
        """Submit what the server cannot decide."""
        if self.terminal.is_alive:
            seen = self.profile.screen.shown(order_id)
            self.submit((self._named(drafted(self.ids.new(), order_id, poison(), seen, self.world.random)),))

    def look_at_needs_you(self) -> None:
        """Acknowledge something that waits for a person, or try it again."""
        if not self.terminal.is_alive or not self.needs_you:
            return
        entry_id = self.world.random.choice(sorted(self.needs_you))
        request = RetryQuarantined if self.world.chance(REPAIR) else Acknowledge
        self.terminal.feed(Command(request(entry_id)))

    def _draft(self, order_id: str, batch_id: str) -> Operation:
        random = self.world.random
        order = self.profile.screen.shown(order_id)
        change = any_change(random, order, self.worker.user_id)
        op_id = self.ids.new()
        draft = drafted(op_id, order_id, change, order, random)
        is_new = type(change).__name__ == "Create" and random.random() < 0.5
        draft = msgspec.structs.replace(
            draft, batch_id=batch_id, order_id=self.ids.new() if is_new else order_id
        )
        return self._named(draft)

    def _undo(self) -> list[Operation]:
        if not self._steps:
            return []
        step = self._steps.pop(self.world.random.randrange(len(self._steps)))
        change = inverse(step.operation, step.before, step.after)
        if change is None:
            return []
        draft = Operation(
            self.ids.new(),
            step.operation.order_id,
            change,
            source=Source.KEY,
            # Sometimes of something that nobody ever did.
            undoes=step.operation.op_id if self.world.chance(1 - REPAIR / 3) else self.ids.new(),
            base_revision=step.after.revision,
        )
        return [self._named(draft)]

    def _named(self, draft: Operation) -> Operation:
        return msgspec.structs.replace(draft, actor_id=self.worker.user_id, sign_in_id=self.worker.sign_in_id)

    def _issue(self, operation: Operation) -> None:
        self.issued[operation.op_id] = operation
        self.issued_ms[operation.op_id] = self.world.now_ms
