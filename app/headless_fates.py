"""How far the operations of a terminal without a screen have come, in lines. No threads, no files, no Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import tzinfo
from typing import Any, Final, NamedTuple

from app.headless_lines import operation_fields
from app.outcome_words import exception_told, verdict_told
from app.plain_words import ENGLISH
from sync.client.board_view import BoardView
from sync.client.news import (
    BatchDecided,
    News,
    OperationFaulted,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsReoffered,
    OperationsSaved,
)
from sync.contract.messages import Verdict
from sync.contract.operations import Operation, Outcome
from sync.contract.orders import Order

REMEMBERED: Final = 10_000
"""Operations, and batches, whose words are still known here."""


class Own(NamedTuple):
    """An operation of this profile, the number of its order, and the caller's word for it."""

    operation: Operation
    number: str
    ref: str


class HeadlessFates:
    """Knows the operations of this profile and says what becomes of them."""

    def __init__(self, view: BoardView, say: Callable[[str, object], None], zone: tzinfo) -> None:
        """Look orders up in ``view``; lines go to ``say``."""
        self._view = view
        self._say = say
        self._zone = zone
        self._own: dict[str, Own] = {}
        self._left_out: dict[str, list[dict[str, Any]]] = {}
        self._undecided: set[str] = set()
        self._opened: dict[str, Verdict] = {}
        self.is_view_open = True

    @property
    def has_undecided(self) -> bool:
        """Say whether something that was asked for here has no outcome yet."""
        return bool(self._undecided)

    def know(self, operation: Operation, number: str = "", ref: str = "") -> None:
        """Remember an operation for the lines about its fate; the number of its order stays the same."""
        known = self._own.get(operation.op_id, Own(operation, number, ref))
        if not known.number:
            order = self.order(operation.order_id)
            known = known._replace(number="" if order is None else order.number)
        self._own[operation.op_id] = known._replace(operation=operation)
        _bound(self._own)

    def know_left_out(self, batch_id: str, outcomes: list[dict[str, Any]]) -> None:
        """Remember what of a batch was not even sent, for the line that tells the whole batch."""
        if batch_id and outcomes:
            self._left_out[batch_id] = outcomes
            _bound(self._left_out)

    def ask_for(self, op_ids: Iterable[str]) -> None:
        """These were asked for here: the end waits for their outcome."""
        self._undecided.update(op_ids)

    def is_undecided(self, op_id: str) -> bool:
        """Say whether this operation was asked for here and is not on the board yet."""
        return op_id in self._undecided

    def own(self, op_id: str) -> Own | None:
        """Return what is known of an operation of this profile."""
        return self._own.get(op_id)

    def order(self, order_id: str) -> Order | None:
        """Return an order as it is shown, None when it is not here (any more)."""
        local_id = self._view.local_id(order_id) if self.is_view_open else None
        return None if local_id is None else self._view.order(local_id)

    def number(self, order_id: str) -> str:
        """Return the number of an order that left, if an operation of this profile remembers it."""
        numbers = (own.number for own in self._own.values() if own.operation.order_id == order_id)
        return next(filter(None, numbers), "")

    def say(self, op_id: str, fate: str, more: dict[str, object] | None = None) -> None:
        """Say how far an operation has come, if it is known here."""
        known = self._own.get(op_id)
        if known is not None:
            fields = operation_fields(known.operation, known.number, fate, known.ref)
            self._say("operation", fields | (more or {}))

    def on_news(self, news: News) -> None:
        """Take what the engine says of operations."""
        match news:
            case OperationsSaved(operations):
                self._on_pending(operations, "saved")
            case OperationsReoffered(operations):
                self._on_pending(operations, "offered_again")
            case OperationsNotSaved(op_ids):
                self._undecided.difference_update(op_ids)
                for op_id in op_ids:
                    self.say(op_id, "not_saved")
            case OperationFaulted(op_id, count):
                self.say(op_id, "faulted", {"count": count})
            case OperationsDecided(verdicts):
                for verdict in verdicts:
                    self._on_verdict(verdict)
            case BatchDecided():
                self._on_batch(news)
            case OperationsDone(op_ids):
                self._on_done(op_ids)
            case _:
                pass

    def sentence(self, verdict: Verdict) -> str:
        """Return what a person is told of a verdict, empty when the operation simply came true."""
        own = self._own.get(verdict.op_id)
        if own is None:
            return ""
        order = self.order(own.operation.order_id)
        told = verdict_told(own.operation, own.number, verdict, order, self._zone, ENGLISH)
        return "" if told is None else told.sentence

    # ------------------------------------------------------------------ inside

    def _on_pending(self, operations: Iterable[Operation], fate: str) -> None:
        for operation in operations:
            self.know(operation)
            self.say(operation.op_id, fate)

    def _on_verdict(self, verdict: Verdict) -> None:
        if verdict.outcome is Outcome.REJECTED:
            self._undecided.discard(verdict.op_id)
        elif verdict.outcome is Outcome.EXCEPTION:
            self._opened[verdict.op_id] = verdict
            _bound(self._opened)
        more: dict[str, object] = {"outcome": verdict.outcome, "seq": verdict.seq}
        if verdict.reason:
            more |= {"reason": verdict.reason, "by": verdict.by, "at_ms": verdict.at_ms}
            more["sentence"] = self.sentence(verdict)
        self.say(verdict.op_id, "decided", more)

    def _on_batch(self, news: BatchDecided) -> None:
        outcomes = [self._outcome(each.verdict) for each in news.outcomes]
        left_out = self._left_out.pop(news.batch_id, [])
        ref = next((own.ref for each in news.outcomes if (own := self._own.get(each.verdict.op_id))), "")
        fields = {"batch_id": news.batch_id, "outcomes": [*outcomes, *left_out]}
        self._say("batch", fields | ({"ref": ref} if ref else {}))

    def _outcome(self, verdict: Verdict) -> dict[str, Any]:
        own = self._own.get(verdict.op_id)
        return {
            "number": "" if own is None else own.number,
            "op_id": verdict.op_id,
            "outcome": verdict.outcome,
            "reason": verdict.reason,
            "sentence": self.sentence(verdict),
        }

    def _on_done(self, op_ids: Iterable[str]) -> None:
        for op_id in op_ids:
            self._undecided.discard(op_id)
            self.say(op_id, "done")
            self._say_exceptions(op_id)

    def _say_exceptions(self, op_id: str) -> None:
        """Say what an own fact opened: the order as it is now says more than the verdict could."""
        own = self._own.get(op_id)
        order = None if own is None else self.order(own.operation.order_id)
        verdict = self._opened.pop(op_id, None)
        if own is None or order is None:
            return
        for exception in order.exceptions:
            if exception.op_id == op_id and not exception.seen_ms:
                told = exception_told(own.operation, order, exception, self._zone, ENGLISH, verdict)
                more: dict[str, object] = {"reason": exception.code, "sentence": told.sentence}
                self.say(op_id, "exception", more)


def _bound(known: dict[str, Any]) -> None:
    while len(known) > REMEMBERED:
        del known[next(iter(known))]
