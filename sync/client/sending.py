"""The half of the client's machine that gets operations out: durable first, then sent until decided.

The outbox says what is durable, the window what is underway. An operation is *done* only when its
verdict is known and the board shows the log up to it; then the outbox lets go of it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sync.client.batches import Batches
from sync.client.emitter import Emitter
from sync.client.environment import Environment
from sync.client.needs_you import NeedsYou
from sync.client.news import (
    OperationsDecided,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsReoffered,
    OperationsSaved,
    OperationsSent,
    ProblemArose,
)
from sync.client.quarantine import Quarantine
from sync.client.rebase import Pending, replay
from sync.client.store_values import Answered, CacheState, Judged, OutboxState
from sync.client.waiting_list import WaitingList
from sync.client.watchdog import Watchdog
from sync.client.window import Window, is_gap, is_too_long
from sync.contract.checks import is_usable_draft
from sync.contract.messages import Person, Submit, Verdict, Welcome
from sync.contract.operations import LogEntry, Operation
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.problems import Problem
from sync.contract.rows import Fate
from sync.contract.state_machine import Judge

TOO_LONG = Problem(
    "OPERATION_TOO_LONG",
    "This is too long to be sent, so it was not kept.",
    "Shorten the note and do it again.",
)
UNUSABLE = Problem(
    "OPERATION_UNUSABLE",
    "The server could not store this, so it was not kept.",
    "Look at its numbers and words, and do it again.",
)


def not_saved(error: str) -> Problem:
    """Return the problem of operations that could not be written to the disk."""
    next_step = "Make room on the disk or call IT, then do it again."
    if "I/O error" in error:
        # The disk failed while it made them durable: what it has kept of them only the next start can tell.
        next_step = (
            "Call IT. The disk may have kept it all the same: look after the next start, then do it again."
        )
    return Problem(
        "NOT_SAVED",
        f"Your last move could not be written to this computer's disk and was undone ({error}).",
        next_step,
    )


class Sending:
    """Keeps the outbox and the server in step."""

    def __init__(
        self,
        outbox: OutboxState,
        person: Person | None,
        environment: Environment,
        emitter: Emitter,
        waiting: WaitingList,
    ) -> None:
        """Start with what the outbox holds and who was signed in last."""
        self.window = Window(outbox)
        self.person = person
        self.is_renewing = False
        self._clock = environment.clock
        self._ids = environment.ids
        self._emitter = emitter
        self._waiting = waiting
        self._batches = Batches(outbox.held)
        self._watchdog = Watchdog(environment.clock, emitter)
        self._quarantine = Quarantine(
            self.window, waiting, environment, emitter, lambda error: self._kept(None, error)
        )
        self.on_faulted = self._quarantine.on_faulted

    # ------------------------------------------------------------------ in

    def submit(self, drafts: tuple[Operation, ...]) -> None:
        """Make drafts durable, all or none; those that could never be sent are refused at once."""
        filled = tuple(self._filled(draft) for draft in drafts)
        if not self._is_fit(filled):
            return

        def done(result: object, error: str) -> None:
            if error or not isinstance(result, tuple):
                self._not_saved(filled, not_saved(error))
                return
            self._hold(result)

        self._emitter.job("outbox", "append", filled, then=done)

    def answer(self, entry: NeedsYou, drafts: tuple[Operation, ...]) -> None:
        """Make durable what a person answers to an entry, which goes in the same instant."""
        filled = tuple(self._filled(draft) for draft in drafts)
        if not self._is_fit(filled):
            # What the order holds now may have made a retry longer than its first try was.
            return

        def done(result: object, error: str) -> None:
            if isinstance(result, Answered):
                if result.operations:
                    self._hold(result.operations)
                self._waiting.take(result.change)
            else:
                self._not_saved(filled, not_saved(error))

        self._emitter.job("outbox", "answer", entry.id, filled, then=done)

    def shown(self, order: Order) -> Order | None:
        """Return an order of the cache with what this terminal has not been refused on top.

        None while nobody has signed in here, or in a role of a later release: then it cannot be said what
        they may do.
        """
        if self.person is None or self.person.role not in set(Role):
            return None
        judge = Judge(self.person.id, self.person.name, Role(self.person.role), self._clock.wall_ms())
        pending = [Pending(each, judge, Fate.PENDING) for each in self.window.standing(order.id)]
        return replay(order, pending).order or order

    def _is_fit(self, filled: tuple[Operation, ...]) -> bool:
        """Say whether these can be sent; when not, the person is told: the server would close every link."""
        if any(map(is_too_long, filled)):
            self._not_saved(filled, TOO_LONG)
            return False
        if not all(map(is_usable_draft, filled)):
            self._not_saved(filled, UNUSABLE)
            return False
        return True

    def _hold(self, operations: tuple[Operation, ...]) -> None:
        self._batches.add(self.window.add(operations))
        self._emitter.publish(OperationsSaved(operations))

    def _filled(self, draft: Operation) -> Operation:
        """Return the draft with who, when and on which boot, where nobody said so."""
        person = self.person
        return msgspec.structs.replace(
            draft,
            actor_id=draft.actor_id or (person.id if person else ""),
            sign_in_id=draft.sign_in_id or (person.sign_in_id if person else ""),
            wall_ms=draft.wall_ms or self._clock.wall_ms(),
            mono_ms=draft.mono_ms or self._clock.mono_ms(),
            boot_id=draft.boot_id or self._clock.boot_id(),
        )

    def _not_saved(self, operations: tuple[Operation, ...], problem: Problem) -> None:
        self._emitter.publish(OperationsNotSaved(tuple(each.op_id for each in operations), problem))
        self._emitter.publish(ProblemArose(problem))

    # ------------------------------------------------------------------ out

    def open_link(self, welcome: Welcome, *, is_same_epoch: bool) -> None:
        """Start sending over a link that has been welcomed."""
        self._quarantine.open_link(welcome.protocol)
        if self.window.open_link(welcome.decided_device_seq, is_same_epoch=is_same_epoch):
            self._emitter.job("outbox", "reopen", self.window.next_to_send, then=self._kept)

    def close_link(self) -> None:
        """Count what was underway as not sent."""
        self.window.close_link()
        self._watchdog.link_lost()

    def send(self, link: int) -> None:
        """Send everything that the window lets through."""
        while not self._quarantine.is_quiet:
            batch = self.window.next_batch(self._clock.mono_ms(), self._quarantine.is_known)
            if not batch:
                self._quarantine.look_at(self.window.next_operation())
                return
            self._emitter.send(link, Submit(batch))
            self._emitter.publish(OperationsSent(tuple(operation.op_id for operation in batch)))

    def decided(self, verdicts: list[Verdict]) -> bool:
        """Take verdicts in; False when the server misses operations before these.

        Behind an operation that the server failed on, all are missed, and sent again by themselves.
        """
        is_gap_met = any(is_gap(verdict) and self.window.is_sent(verdict) for verdict in verdicts)
        fresh = self.window.decide(verdicts)
        if fresh:
            self._emitter.job("outbox", "decide", fresh, self._clock.wall_ms(), then=self._on_judged)
            self._emitter.publish(OperationsDecided(fresh))
            for batch in self._batches.decided(fresh):
                self._emitter.publish(batch)
            self.look()
        return not is_gap_met

    def learn(self, assigns: tuple[LogEntry, ...]) -> None:
        """Let the outbox see who assigned: an own assignment may have been overruled."""

        def done(result: object, error: str) -> None:
            self._waiting.take(result)
            self._kept(result, error)

        self._emitter.job("outbox", "assigns", assigns, self._clock.wall_ms(), then=done)

    def _on_judged(self, result: object, error: str) -> None:
        if isinstance(result, Judged):
            self._waiting.take(result.change)
        self._kept(result, error)

    def look(self) -> bool:
        """The server is there: see whether the queue moves; True when it needs a new link."""
        return self._watchdog.look(self.window.oldest_undecided(), self.window.undecided_count)

    def finish(self, cursor: int, epoch: str) -> tuple[str, ...]:
        """Let go of what the board at ``cursor`` shows; returns the op ids that became done."""
        done = tuple(operation.op_id for operation in self.window.finish(cursor))
        if done:
            self._emitter.job("outbox", "finish", 0, cursor, epoch, then=self._kept)
        return done

    # ------------------------------------------------------------------ another history or identity

    def reoffer(self, welcome: Welcome, then: Callable[[bool], None]) -> None:
        """Make pending again what a server lacks that came back from a backup.

        ``then`` is told whether that went well and the identity is still the one that said hello.
        """

        def done(result: object, error: str) -> None:
            is_same = isinstance(result, OutboxState) and result.device_id == self.window.device_id
            if isinstance(result, OutboxState):
                self._replace(result)
                self._emitter.publish(OperationsReoffered(self.window.operations()))
            self._kept(result, error)
            then(is_same)

        arguments = (welcome.decided_device_seq, welcome.epoch, self._ids.new())
        self._emitter.job("outbox", "reoffer", *arguments, then=done)

    def renew_identity(self) -> None:
        """Take a new identity, because another installation goes by this one's."""
        self.is_renewing = True
        contained: tuple[str, ...] = ()

        def ask(result: object, _error: str) -> None:
            nonlocal contained
            if isinstance(result, CacheState):
                contained = self._contained(result)
            self._emitter.job("outbox", "renew_identity", self._ids.new(), then=done)

        def done(result: object, error: str) -> None:
            self.is_renewing = False
            if isinstance(result, OutboxState):
                self._replace(result)
                self._emitter.publish(OperationsRenumbered(self.window.operations(), contained))
            self._kept(result, error)

        # By their new numbers nobody could tell any more what the board contains already.
        self._emitter.job("cache", "state", then=ask)

    def _contained(self, cache: CacheState) -> tuple[str, ...]:
        decided = cache.decided_device_seq if cache.device_id == self.window.device_id else 0
        return tuple(each.op_id for each in self.window.operations() if each.device_seq <= decided)

    def _replace(self, outbox: OutboxState) -> None:
        self.window.replace(outbox)
        self._batches = Batches(outbox.held)

    def release(self, durable_seq: int, epoch: str) -> None:
        """Let go of what a backup covers, in pieces."""

        def done(result: object, error: str) -> None:
            if result is True:
                self.release(durable_seq, epoch)
            self._kept(result, error)

        self._emitter.job("outbox", "release", durable_seq, epoch, then=done)

    def _kept(self, result: object, error: str) -> None:
        """Say so when the outbox could not be written; nothing is lost, the server is asked again."""
        if error:
            self._emitter.publish(
                ProblemArose(
                    Problem(
                        "OUTBOX_NOT_WRITTEN",
                        f"The list of unsent moves could not be updated on this disk ({error}). "
                        "No move is lost: they are offered to the server again.",
                        "Make room on the disk or call IT.",
                    )
                )
            )
