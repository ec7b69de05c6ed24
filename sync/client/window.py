"""The operations of this terminal that are not done yet, and how far they got on the present link.

Pure bookkeeping: ascending and dense in ``device_seq``. An operation leaves when its verdict is
known *and* the board shows the log up to it; until then it is sent again on every new link that
does not know it (the server answers twice with the same verdict).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from sync.client.store_values import OutboxState
from sync.contract.limits import CLIENT_FRAME_BYTES, SUBMIT_OPERATIONS, SUBMIT_WINDOW
from sync.contract.messages import Verdict
from sync.contract.operations import Operation, Outcome, Reason, operation_bytes

FRAME_ROOM: Final = CLIENT_FRAME_BYTES - 1024
"""What the operations of one Submit may take; the rest is for the message around them."""
_NOT_SENT: Final = -1


@dataclass(slots=True)
class Underway:
    """One operation, its verdict when known, and when it was sent on the present link."""

    operation: Operation
    verdict: Verdict | None = None
    sent_ms: int = _NOT_SENT


class Window:
    """What is held, and which of it is the next to be sent."""

    def __init__(self, outbox: OutboxState) -> None:
        """Start with what the outbox still has."""
        self.replace(outbox)

    def replace(self, outbox: OutboxState) -> None:
        """Hold exactly this: at the start, and after the installation took a new identity."""
        self.device_id = outbox.device_id
        self._next_device_seq = outbox.next_device_seq
        self._held = {
            held.operation.device_seq: Underway(held.operation, held.verdict) for held in outbox.held
        }
        self._to_send: int | None = None
        self._faulted: int | None = None

    def __len__(self) -> int:
        return len(self._held)

    @property
    def first_device_seq(self) -> int:
        """Return the first number still held, or the next to be given: what hello declares."""
        return next(iter(self._held), self._next_device_seq)

    def operations(self) -> tuple[Operation, ...]:
        """Return everything held."""
        return tuple(held.operation for held in self._held.values())

    def standing(self, order_id: str) -> list[Operation]:
        """Return what is held of one order and not refused: what lies on top of it."""
        return [
            held.operation
            for held in self._held.values()
            if held.operation.order_id == order_id
            and (held.verdict is None or held.verdict.outcome is not Outcome.REJECTED)
        ]

    def add(self, operations: Iterable[Operation]) -> tuple[Operation, ...]:
        """Hold these too, just become durable, in the order of their numbers; return the new ones."""
        # A draft that is given twice comes back with its first number: it is held, or done.
        new = tuple(each for each in operations if each.device_seq >= self._next_device_seq)
        for operation in new:
            self._held[operation.device_seq] = Underway(operation)
            self._next_device_seq = operation.device_seq + 1
        return new

    def exchange(self, operation: Operation) -> None:
        """Let this one stand in the place of the undecided one with its number."""
        held = self._held.get(operation.device_seq)
        if held is not None and held.verdict is None:
            held.operation = operation

    def close_link(self) -> None:
        """Send nothing until the next link's welcome: what was underway may be lost."""
        self._to_send = self._faulted = None
        for held in self._held.values():
            held.sent_ms = _NOT_SENT

    def open_link(self, decided_device_seq: int, *, is_same_epoch: bool) -> bool:
        """Start sending at the first operation that this server, or this terminal, has no verdict on.

        Another epoch is another history: its verdicts say nothing about this one. Returns whether
        verdicts were given up for that reason; from the first to be sent on, nothing is decided.
        """
        lost = [
            held
            for device_seq, held in self._held.items()
            if held.verdict is not None and (not is_same_epoch or device_seq > decided_device_seq)
        ]
        for held in lost:
            held.verdict = None
        undecided = (number for number, held in self._held.items() if held.verdict is None)
        self._to_send = next(undecided, self._next_device_seq)
        return bool(lost)

    @property
    def next_to_send(self) -> int:
        """Return the number of the operation that goes next over this link."""
        return self._next_device_seq if self._to_send is None else self._to_send

    def next_operation(self) -> Operation | None:
        """Return the operation that goes next over this link, None when there is none."""
        held = None if self._to_send is None else self._held.get(self._to_send)
        return None if held is None else held.operation

    def next_batch(
        self, now_ms: int, is_known: Callable[[Operation], bool] = lambda _operation: True
    ) -> list[Operation]:
        """Return what fits into one Submit now, and count it as sent; empty when there is nothing.

        What is not ``is_known`` to the server is not sent, nor is anything behind it.
        """
        batch: list[Operation] = []
        if self._to_send not in self._held:
            return batch
        room = min(SUBMIT_OPERATIONS, SUBMIT_WINDOW - self._unanswered())
        if self._faulted is not None:
            # On its own until it is decided: behind it the server looks at nothing.
            room = int(self._to_send == self._faulted)
        size = 0
        while len(batch) < room and (held := self._held.get(self._to_send)) is not None:
            if not is_known(held.operation):
                break
            size += len(operation_bytes(held.operation)) + 1
            if size > FRAME_ROOM and batch:
                break
            held.sent_ms = now_ms
            batch.append(held.operation)
            self._to_send += 1
        return batch

    def _unanswered(self) -> int:
        # Behind the next one to send nothing was sent: a long backlog is not looked through at every step.
        sent = itertools.takewhile(lambda number: number != self._to_send, self._held)
        underway = (self._held[number] for number in sent)
        return sum(held.verdict is None and held.sent_ms != _NOT_SENT for held in underway)

    def decide(self, verdicts: Iterable[Verdict]) -> tuple[Verdict, ...]:
        """Remember the verdicts of operations that are held undecided; return those.

        Found by ``op_id``: an operation that another identity of this installation had sent before
        comes back with the number it had then.
        """
        by_id = {held.operation.op_id: held for held in self._held.values() if held.verdict is None}
        fresh = tuple(verdict for verdict in verdicts if verdict.op_id in by_id and not is_gap(verdict))
        for verdict in fresh:
            held = by_id[verdict.op_id]
            held.verdict = verdict
            if held.operation.device_seq == self._faulted:
                self._faulted = None
            if held.operation.device_seq == self._to_send:
                # It was to be sent again, and the first time has been answered after all.
                self._to_send += 1
        return fresh

    def go_back_to(self, op_id: str) -> Operation | None:
        """The server failed on this one and looked at nothing behind it: send again from here.

        Returns the operation, None when it is not held undecided.
        """
        undecided = {held.operation.op_id: held for held in self._held.values() if held.verdict is None}
        if self._to_send is None or op_id not in undecided:
            return None
        operation = undecided[op_id].operation
        self._to_send = self._faulted = operation.device_seq
        for held in undecided.values():
            if held.operation.device_seq >= operation.device_seq:
                held.sent_ms = _NOT_SENT
        return operation

    def is_sent(self, verdict: Verdict) -> bool:
        """Say whether the operation that this is about counts as sent on this link."""
        held = self._held.get(verdict.device_seq)
        return held is not None and held.sent_ms != _NOT_SENT

    def oldest_undecided(self) -> str:
        """Return the id of the oldest undecided operation, empty when there is none."""
        return next((held.operation.op_id for held in self._held.values() if held.verdict is None), "")

    def undecided_count(self) -> int:
        """Return how many operations have no verdict."""
        return sum(held.verdict is None for held in self._held.values())

    def finish(self, cursor: int) -> tuple[Operation, ...]:
        """Let go of, and return, what is decided and shown by a board at ``cursor``."""
        done = [
            held.operation
            for held in self._held.values()
            if held.verdict is not None and held.verdict.seq <= cursor
        ]
        for operation in done:
            del self._held[operation.device_seq]
        return tuple(done)

    def oldest_sent_ms(self) -> int | None:
        """Return when the oldest operation that is not done was sent on this link, if any was."""
        return next((held.sent_ms for held in self._held.values() if held.sent_ms != _NOT_SENT), None)


def is_gap(verdict: Verdict) -> bool:
    """Say whether the server has not looked at the operation, because one before it is missing.

    A gap ends with the next hello, which declares the first number that is still held.
    """
    return verdict.reason is Reason.DEVICE_SEQ_GAP


def is_too_long(operation: Operation) -> bool:
    """Say whether the operation could never be sent: it would stop everything behind it."""
    return len(operation_bytes(operation)) > FRAME_ROOM
