"""Between the board and the engine: what people do becomes operations, news become repaints.

Everything here runs on the GUI thread. A move is on the screen before it is anywhere else; the
engine makes it durable and sends it, and its fates come back as news.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QObject, Signal

from app.feature_use import BULK, FeatureUse
from app.moves import Moves
from app.refusal_words import left_sentence, refusal_sentence, verdict_sentence
from sync.client.board_view import BoardView
from sync.client.news import (
    BoardChanged,
    News,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsSaved,
    SnapshotApplied,
    Started,
    Welcomed,
)
from sync.client.view_news import take_news
from sync.contract.messages import Person, Verdict
from sync.contract.operations import Move, Operation, Outcome, Reason, Source
from sync.contract.orders import Order
from sync.contract.permissions import Role
from sync.contract.ports import Clock
from sync.contract.rows import BoardChange
from sync.contract.stages import Stage
from sync.contract.state_machine import Judge
from widgets.board.texts import clock_text, stage_name
from widgets.board.view import Board
from widgets.words import counted, translate

_CONTEXT: Final = "Board"

Submit = Callable[[Sequence[Operation]], None]


class BoardController(QObject):
    """Owns what the board shows: the view over the cache, the overlay, the way back."""

    acted = Signal(str, bool)
    """The sentence of the last action, and whether it can be undone."""
    refused = Signal(str, str)
    """A key and the sentence of what was not accepted; stays until it is closed."""
    counts_changed = Signal()

    def __init__(
        self,
        board: Board,
        view: BoardView,
        moves: Moves,
        submit: Submit,
        clock: Clock,
        zone: tzinfo,
        features: FeatureUse,
        parent: QObject | None = None,
    ) -> None:
        """Join ``board`` and ``view``; operations go to ``submit``."""
        super().__init__(parent)
        self._board = board
        self._view = view
        self._moves = moves
        self._submit = submit
        self._clock = clock
        self._zone = zone
        self._features = features
        self._person = view.info().person
        self._numbers: dict[str, str] = {}
        board.move_requested.connect(self.on_move_requested)

    # ---------------------------------------------------------------- what people do

    def may_move(self, local_ids: tuple[int, ...], goal: Stage) -> str:
        """Return why none of these orders may go to ``goal``; empty when one of them may."""
        judge = self._judge()
        refusal = ""
        for order in self._orders(local_ids):
            operation = Operation("", order.id, Move(goal), base_stage=order.stage)
            decision = self._view.decision(operation, judge)
            if decision.outcome is not Outcome.REJECTED:
                return ""
            refusal = refusal or self._refusal(order, decision.reason)
        return refusal

    def _refusal(self, order: Order, reason: Reason) -> str:
        holder = order.claimed_by
        by, at_ms = (holder.name, holder.at_ms) if holder else ("", 0)
        hold = order.hold.reason if order.hold else ""
        return refusal_sentence(order.number, reason, self._zone, by, at_ms, hold)

    def on_move_requested(
        self, local_ids: tuple[int, ...], goal: Stage, source: Source = Source.DRAG
    ) -> None:
        """Show the move at once, then have it made durable and sent."""
        orders = [order for order in self._orders(local_ids) if order.stage is not goal]
        if not orders:
            self._board.show_change(BoardChange((), (goal,)))
            return
        if len(orders) > 1:
            self._features.used(BULK)
        operations = self._moves.move(orders, goal, source)
        refusals = self._begin(operations)
        self._moves.forget(refusals)
        moved = [
            order.number
            for order, operation in zip(orders, operations, strict=True)
            if operation.op_id not in refusals
        ]
        if moved:
            self._tell_moved(moved, goal)
        for key, sentence in refusals.items():
            self.refused.emit(key, sentence)

    def undo(self) -> None:
        """Take the last step back, if nobody changed the orders since."""
        step = self._moves.last
        if step is None:
            return
        local_ids = [self._view.local_id(order_id) for order_id in step.op_ids]
        orders = self._orders([local_id for local_id in local_ids if local_id is not None])
        operations = self._moves.take_back(orders)
        if not orders:
            self.refused.emit("undo", left_sentence(step.numbers))
            return
        refusals = self._begin(operations)
        for sentence in refusals.values():
            self.refused.emit("undo", sentence)
        if len(refusals) < len(operations):
            numbers = ", ".join(f"#{order.number.removeprefix('#')}" for order in orders[:3])
            self.acted.emit(translate(_CONTEXT, "{numbers} put back.", numbers=numbers), self.can_undo)

    @property
    def can_undo(self) -> bool:
        """Say whether there is a step to take back."""
        return self._moves.last is not None

    # ---------------------------------------------------------------- what the engine tells

    def on_news(self, news: News) -> None:
        """Take one piece of news that concerns the board."""
        if isinstance(news, Welcomed):
            self._person = news.person
        change = take_news(self._view, news, self._judge())
        if isinstance(news, SnapshotApplied):
            # Its local ids are new ones: nothing that the board remembers of the old ones is true.
            self._board.set_source(self._view)
        else:
            self._show(change)
        match news:
            case Started(operations=operations) | OperationsSaved(operations):
                self._numbers.update((operation.op_id, self._number(operation)) for operation in operations)
            case OperationsNotSaved(op_ids=op_ids):
                self._moves.forget(op_ids)
            case OperationsDecided(verdicts):
                self._tell_rejected([each for each in verdicts if each.outcome is Outcome.REJECTED])
            case OperationsDone(op_ids=op_ids) | BoardChanged(op_ids=op_ids):
                self._note_shown(self._moves.orders_of(op_ids))
                for op_id in op_ids:
                    self._numbers.pop(op_id, None)
        self.counts_changed.emit()

    def _tell_rejected(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            number = self._numbers.pop(verdict.op_id, "")
            self._moves.forget((verdict.op_id,))
            self.refused.emit(verdict.op_id, verdict_sentence(number, verdict, self._zone))

    # ---------------------------------------------------------------- inside

    def _begin(self, operations: Sequence[Operation]) -> dict[str, str]:
        """Show and submit what would be accepted; return the sentences of what would not, by op id."""
        judge = self._judge()
        accepted: list[Operation] = []
        refusals: dict[str, str] = {}
        for operation in operations:
            decision = self._view.decision(operation, judge)
            if decision.outcome is Outcome.REJECTED:
                refusals[operation.op_id] = self._operation_refusal(operation, decision.reason)
            else:
                accepted.append(operation)
        if accepted:
            self._show(self._view.begin(accepted, judge))
            self._note_shown([operation.order_id for operation in accepted])
            self._submit(accepted)
            self.counts_changed.emit()
        return refusals

    def _operation_refusal(self, operation: Operation, reason: Reason) -> str:
        local_id = self._view.local_id(operation.order_id)
        order = None if local_id is None else self._view.order(local_id)
        return refusal_sentence("", reason, self._zone) if order is None else self._refusal(order, reason)

    def _show(self, change: BoardChange) -> None:
        if change.rows or change.columns:
            self._board.show_change(change)

    def _note_shown(self, order_ids: Collection[str]) -> None:
        local_ids = (self._view.local_id(order_id) for order_id in order_ids)
        self._moves.note_shown(self._orders([local_id for local_id in local_ids if local_id is not None]))

    def _orders(self, local_ids: Iterable[int]) -> list[Order]:
        return [order for local_id in local_ids if (order := self._view.order(local_id)) is not None]

    def _number(self, operation: Operation) -> str:
        local_id = self._view.local_id(operation.order_id)
        order = None if local_id is None else self._view.order(local_id)
        return "" if order is None else order.number

    def _judge(self) -> Judge:
        """Return under whose rights this terminal shows what is not decided yet."""
        person = self._person or Person("", "", Role.PICKER, "")
        return Judge(person.id, person.name, Role(person.role), self._clock.wall_ms())

    def _tell_moved(self, numbers: Sequence[str], goal: Stage) -> None:
        sentence = counted(
            _CONTEXT,
            "#{number} moved to {stage} by you, {time}.",
            "{n} orders moved to {stage} by you, {time}.",
            len(numbers),
            number=numbers[0].removeprefix("#"),
            stage=stage_name(goal),
            time=clock_text(self._clock.wall_ms(), self._zone),
        )
        self.acted.emit(sentence, True)
