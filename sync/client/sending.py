"""The half of the client's machine that gets operations out: durable first, then sent until decided.

The outbox says what is durable, the window what is underway. An operation is *done* only when its
verdict is known and the board shows the log up to it; then the outbox lets go of it.
"""

from __future__ import annotations

import msgspec

from sync.client.emitter import Emitter
from sync.client.news import (
    OperationsDecided,
    OperationsNotSaved,
    OperationsRenumbered,
    OperationsSaved,
    OperationsSent,
    ProblemArose,
)
from sync.client.store_values import OutboxState
from sync.client.window import Window, is_gap, is_too_long
from sync.contract.messages import Person, Submit, Verdict
from sync.contract.operations import Operation
from sync.contract.ports import Clock, Ids
from sync.contract.problems import Problem

TOO_LONG = Problem(
    "OPERATION_TOO_LONG",
    "This is too long to be sent, so it was not kept.",
    "Shorten the note and do it again.",
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
        self, outbox: OutboxState, person: Person | None, clock: Clock, ids: Ids, emitter: Emitter
    ) -> None:
        """Start with what the outbox holds and who was signed in last."""
        self.window = Window(outbox)
        self.person = person
        self.is_renewing = False
        self._clock = clock
        self._ids = ids
        self._emitter = emitter

    def submit(self, drafts: tuple[Operation, ...]) -> None:
        """Make drafts durable; those that could never be sent are refused at once."""
        filled = tuple(self._filled(draft) for draft in drafts)
        if any(is_too_long(operation) for operation in filled):
            self._not_saved(filled, TOO_LONG)
            return

        def done(result: object, error: str) -> None:
            if error or not isinstance(result, tuple):
                self._not_saved(filled, not_saved(error))
                return
            self.window.add(result)
            self._emitter.publish(OperationsSaved(result))

        self._emitter.job("outbox", "append", filled, then=done)

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

    def open_link(self, decided_device_seq: int, *, is_same_epoch: bool) -> None:
        """Start sending over a link that has been welcomed."""
        if self.window.open_link(decided_device_seq, is_same_epoch=is_same_epoch):
            self._emitter.job("outbox", "reopen", self.window.next_to_send, then=self._kept)

    def send(self, link: int) -> None:
        """Send everything that the window lets through."""
        while batch := self.window.next_batch(self._clock.mono_ms()):
            self._emitter.send(link, Submit(batch))
            self._emitter.publish(OperationsSent(tuple(operation.op_id for operation in batch)))

    def decided(self, verdicts: list[Verdict]) -> bool:
        """Take verdicts in; False when the server misses operations before these."""
        fresh = self.window.decide(verdicts)
        if fresh:
            self._emitter.job("outbox", "decide", fresh, then=self._kept)
            self._emitter.publish(OperationsDecided(fresh))
        return not any(is_gap(verdict) for verdict in verdicts)

    def finish(self, cursor: int) -> tuple[str, ...]:
        """Let go of what the board at ``cursor`` shows; returns the op ids that became done."""
        done = tuple(operation.op_id for operation in self.window.finish(cursor))
        if done:
            self._emitter.job("outbox", "finish", 0, cursor, then=self._kept)
        return done

    def renew_identity(self) -> None:
        """Take a new identity, because another installation goes by this one's."""
        self.is_renewing = True

        def done(result: object, error: str) -> None:
            self.is_renewing = False
            if isinstance(result, OutboxState):
                self.window.replace(result)
                self._emitter.publish(OperationsRenumbered(self.window.operations()))
            self._kept(result, error)

        self._emitter.job("outbox", "renew_identity", self._ids.new(), then=done)

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
