"""Between the board and the engine: what people do becomes operations, news become repaints.

Everything here runs on the GUI thread. A move is on the screen before it is anywhere else; the
engine makes it durable and sends it, and its fates come back as news.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from typing import Final

from PySide6.QtCore import QObject, Signal

from app.feature_use import BULK, FeatureUse
from app.moves import Moves
from app.outcome_words import Told, exception_told, refusal_told, verdict_told
from app.refusal_words import WINDOW, left_sentence
from app.undo_steps import Done, done
from sync.client.board_view import BoardView
from sync.client.news import (
    BoardChanged,
    News,
    OperationsDecided,
    OperationsDone,
    OperationsNotSaved,
    OperationsReoffered,
    OperationsSaved,
    SnapshotApplied,
    Started,
    Welcomed,
)
from sync.client.view_news import take_news
from sync.contract.messages import Person, Verdict
from sync.contract.operations import Acknowledge, Move, Operation, Outcome, Reason, Source
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
_REMEMBERED: Final = 10_000
"""Own operations whose words are still known when the server speaks of them."""

Submit = Callable[[Sequence[Operation]], None]


class BoardController(QObject):
    """Owns what the board shows: the view over the cache, the overlay, the way back."""

    acted = Signal(str, bool)
    """The sentence of the last action, and whether it can be undone."""
    refused = Signal(str, str, str)
    """A key, and what did not come true: first what must be read, then the rest; stays until it is closed."""
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
        self._own: dict[str, tuple[Operation, str]] = {}
        self._opened: dict[str, Verdict] = {}
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
            refusal = refusal or self._refusal(operation, decision.reason).strong
        return refusal

    def _refusal(self, operation: Operation, reason: Reason) -> Told:
        order = self._order(operation.order_id)
        return refusal_told(operation, order, reason, self._zone, WINDOW, self._judge().actor_name)

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
        refusals = self._begin(self._moves.move(orders, goal, source), orders)
        moved = [order.number for order in orders if order.id not in refusals]
        if moved:
            self._tell_moved(moved, goal)
        for key, told in refusals.items():
            self.refused.emit(key, told.strong, told.text)

    def undo(self) -> None:
        """Take the last step back, if nobody changed the orders since."""
        step = self._moves.steps.last
        if step is None:
            return
        numbers = [each.number for each in step.values()]
        orders = [order for order_id in step if (order := self._order(order_id)) is not None]
        operations = self._moves.steps.take_back(step, orders, Source.KEY)
        if not orders:
            self.refused.emit("undo", left_sentence(numbers), "")
            return
        refusals = self._begin(operations)
        for told in refusals.values():
            self.refused.emit("undo", told.strong, told.text)
        if len(refusals) < len(operations):
            named = ", ".join(f"#{order.number.removeprefix('#')}" for order in orders[:3])
            self.acted.emit(translate(_CONTEXT, "{numbers} put back.", numbers=named), self.can_undo)

    @property
    def can_undo(self) -> bool:
        """Say whether there is a step to take back."""
        return self._moves.steps.last is not None

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
            case Started(operations=operations, needs_you=entries):
                refused = (entry.operation for entry in entries if entry.operation is not None)
                self._know((*operations, *refused))
            case OperationsSaved(operations) | OperationsReoffered(operations):
                self._know(operations)
            case OperationsNotSaved(op_ids=op_ids):
                self._moves.steps.forget(op_ids)
            case OperationsDecided(verdicts):
                self._opened |= {each.op_id: each for each in verdicts if each.outcome is Outcome.EXCEPTION}
                self._tell_rejected([each for each in verdicts if each.outcome is Outcome.REJECTED])
            case BoardChanged(op_ids=op_ids) | SnapshotApplied(op_ids=op_ids):
                self._moves.steps.note_shown(self._orders_of(op_ids))
            case OperationsDone(op_ids):
                self._on_done(op_ids)
        self.counts_changed.emit()

    def number_of(self, op_id: str) -> str:
        """Return the number of the order of an own operation, empty when it is not known here."""
        return self._own[op_id][1] if op_id in self._own else ""

    def _know(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            order = self._order(operation.order_id)
            number = self.number_of(operation.op_id) if order is None else order.number
            self._own[operation.op_id] = (operation, number)
        while len(self._own) > _REMEMBERED:
            del self._own[next(iter(self._own))]

    def _tell_rejected(self, verdicts: Iterable[Verdict]) -> None:
        for verdict in verdicts:
            operation, number = self._own.get(verdict.op_id, (None, ""))
            self._moves.steps.forget((verdict.op_id,))
            is_seen = operation is not None and isinstance(operation.change, Acknowledge)
            if is_seen or verdict.reason is Reason.QUARANTINED:
                # Told before: its banner was closed, or it was set aside here.
                continue
            order = None if operation is None else self._order(operation.order_id)
            told = verdict_told(operation, number, verdict, order, self._zone, WINDOW)
            if told is not None:
                self.refused.emit(verdict.op_id, told.strong, told.text)

    def _on_done(self, op_ids: Sequence[str]) -> None:
        """Own operations are on the board: undo must find it so, and what they opened is told."""
        orders = self._orders_of(op_ids)
        self._moves.steps.note_shown(orders)
        for order in orders:
            for exception in order.exceptions:
                operation, _ = self._own.get(exception.op_id, (None, ""))
                if exception.op_id in op_ids and not exception.seen_ms:
                    verdict = self._opened.get(exception.op_id)
                    told = exception_told(operation, order, exception, self._zone, WINDOW, verdict)
                    self.refused.emit(exception.op_id, told.strong, told.text)
        for op_id in op_ids:
            # Nothing more is told of it: a terminal that moves orders all day does not grow by them.
            self._opened.pop(op_id, None)
            self._own.pop(op_id, None)

    def _orders_of(self, op_ids: Iterable[str]) -> list[Order]:
        """Return the orders of own operations, as they are shown."""
        order_ids = dict.fromkeys(self._own[op_id][0].order_id for op_id in op_ids if op_id in self._own)
        return [order for order_id in order_ids if (order := self._order(order_id)) is not None]

    # ---------------------------------------------------------------- inside

    def _begin(self, operations: Sequence[Operation], originals: Sequence[Order] = ()) -> dict[str, Told]:
        """Show and submit what would be accepted; return why the others would not, by order id.

        ``originals`` are their orders when this is a step that can be taken back.
        """
        judge = self._judge()
        accepted: list[Operation] = []
        step: list[Done] = []
        refusals: dict[str, Told] = {}
        shown = {order.id: order for order in originals}
        for operation in operations:
            decision = self._view.decision(operation, judge)
            before = shown.get(operation.order_id)
            if decision.outcome is Outcome.REJECTED:
                refusals[operation.order_id] = self._refusal(operation, decision.reason)
                continue
            accepted.append(operation)
            if before is not None and decision.order is not None:
                step.append(done(operation, before, decision.order))
        if accepted:
            self._moves.steps.add(step)
            self._show(self._view.begin(accepted, judge))
            self._note_shown(accepted)
            self._submit(accepted)
            self.counts_changed.emit()
        return refusals

    def _show(self, change: BoardChange) -> None:
        if change.rows or change.columns:
            self._board.show_change(change)

    def _note_shown(self, operations: Iterable[Operation]) -> None:
        found = (self._order(operation.order_id) for operation in operations)
        self._moves.steps.note_shown(order for order in found if order is not None)

    def _orders(self, local_ids: Iterable[int]) -> Iterator[Order]:
        # One after the other: whoever asks whether any of 500 may move has its answer from the first.
        return (order for local_id in local_ids if (order := self._view.order(local_id)) is not None)

    def _order(self, order_id: str) -> Order | None:
        local_id = self._view.local_id(order_id)
        return None if local_id is None else self._view.order(local_id)

    def _judge(self) -> Judge:
        """Return under whose rights this terminal shows what is not decided yet."""
        person = self._person or Person("", "", Role.PICKER, "")
        # A role of a later release: what it may do is the server's to know.
        role = Role(person.role) if person.role in set(Role) else Role.VIEWER
        return Judge(person.id, person.name, role, self._clock.wall_ms())

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
