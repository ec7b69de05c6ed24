"""What a terminal without a screen does to orders: one or several at once, and taking it back. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import tzinfo
from typing import Any, Final, NamedTuple, Protocol

from app.drafts import draft
from app.headless_changes import NOTHING_TO_UNDO, change_of, new_order, no_way_back, not_made_yet
from app.headless_fates import HeadlessFates
from app.headless_wishes import LAST, CreateWish, Wish, change_wish, numbers_of
from app.outcome_words import refusal_told
from app.plain_words import ENGLISH
from app.undo_steps import Step, UndoSteps, done
from sync.client.board_view import BoardView
from sync.contract.messages import Site
from sync.contract.operations import Change, Create, Operation, Outcome, Reason, Source
from sync.contract.orders import Order
from sync.contract.ports import Clock, Ids
from sync.contract.problems import Problem
from sync.contract.state_machine import Decision, Judge

NO_ORDER: Final = Problem("ORDER_MISSING", "No order was named.", "Give its number, or several as numbers.")
NO_SITE: Final = Problem(
    "SITE_UNKNOWN",
    "This terminal does not know yet whose board it is.",
    "Wait until it was connected once.",
)

Tell = Callable[[Problem, str], None]


class Submit(Protocol):
    """Makes operations durable and sends them."""

    def __call__(self, drafts: Sequence[Operation]) -> None:
        """Take them; those of one batch are kept all or not at all."""
        ...


class _Accepted(NamedTuple):
    operation: Operation
    before: Order
    decision: Decision


class HeadlessOrders:
    """Turns requests into operations on the orders as they are shown."""

    def __init__(
        self,
        view: BoardView,
        submit: Submit,
        clock: Clock,
        ids: Ids,
        fates: HeadlessFates,
        tell: Tell,
        judge: Callable[[], Judge],
        zone: tzinfo,
    ) -> None:
        """Act by the rights of ``judge``; what cannot be done goes to ``tell`` with the caller's word."""
        self._view = view
        self._submit = submit
        self._clock = clock
        self._ids = ids
        self._fates = fates
        self._tell = tell
        self._judge = judge
        self._zone = zone
        self._steps = UndoSteps(ids)

    # ------------------------------------------------------------------ what is asked

    def change(self, wish: Wish) -> None:
        """Change the orders that a line names; of several, those that may be changed."""
        asked = change_wish(wish)
        named = () if asked is None else numbers_of(asked)
        if not any(named):
            self._tell(NO_ORDER, wish.ref)
            return
        orders, left_out = self._found(named, wish.ref)
        batch_id = self._ids.new() if len(named) > 1 else ""
        source = Source.BULK if batch_id else Source.KEY
        drafts: list[tuple[Operation, Order]] = []
        for order in orders:
            change = change_of(wish, order)
            if isinstance(change, Problem):
                self._tell(change, wish.ref)
                left_out.append(_left_out(order.number, change))
            else:
                drafts.append((self._draft(order, change, source, batch_id), order))
        self._begin(drafts, wish.ref, left_out)

    def create(self, wish: CreateWish, site: Site | None, ref: str) -> None:
        """Make a new order by hand."""
        if site is None:
            self._tell(NO_SITE, ref)
            return
        now_ms = self._clock.wall_ms()
        order = new_order(wish, self._ids.new(), site, now_ms)
        operation = Operation(self._ids.new(), order.id, Create(order), source=Source.KEY, wall_ms=now_ms)
        decision = self._view.decision(operation, self._judge())
        if decision.outcome is Outcome.REJECTED:
            self._refuse(operation, order, decision.reason, ref)
            return
        self._fates.know(operation, order.number, ref)
        self._steps.add([done(operation, order, order)])
        self._send([operation])

    def put(self, order: Order, change: Change, ref: str) -> None:
        """Make one change that is no step to take back: somebody has seen or settled something."""
        operation = self._draft(order, change, Source.KEY, "")
        self._begin([(operation, order)], ref, [], is_step=False)

    def undo(self, wanted: str, ref: str) -> None:
        """Take back the last step, an operation or a batch that was done here."""
        step = self._steps.last if wanted == LAST else self._steps.find(wanted)
        if step is None:
            self._tell(NOTHING_TO_UNDO, ref)
            return
        if self._is_too_early(step, ref):
            return
        orders = self._shown(step, ref)
        for order in orders:
            if step[order.id].back is None:
                kind = type(step[order.id].operation.change).__struct_config__.tag
                self._tell(no_way_back(order.number, str(kind)), ref)
        operations = self._steps.take_back(step, orders, Source.KEY, self._clock.wall_ms())
        shown = {order.id: order for order in orders}
        self._begin([(each, shown[each.order_id]) for each in operations], ref, [], is_step=False)

    def find(self, number: str) -> Order | None:
        """Return the order with this number or this id, as it is shown."""
        local_id = self._view.find(number)
        if local_id is None:
            local_id = self._view.local_id(number)
        return None if local_id is None else self._view.order(local_id)

    # ------------------------------------------------------------------ what became of it

    def forget(self, op_ids: Iterable[str]) -> None:
        """These were not accepted: there is nothing to take back."""
        self._steps.forget(set(op_ids))

    def note_shown(self, op_ids: Iterable[str]) -> None:
        """These own operations are on the board: undo must find their orders as they are now."""
        owns = (self._fates.own(op_id) for op_id in op_ids)
        order_ids = dict.fromkeys(own.operation.order_id for own in owns if own is not None)
        shown = (self._fates.order(order_id) for order_id in order_ids)
        self._steps.note_shown(order for order in shown if order is not None)

    # ------------------------------------------------------------------ inside

    def _found(self, numbers: Iterable[str], ref: str) -> tuple[list[Order], list[dict[str, Any]]]:
        orders: dict[str, Order] = {}
        left_out: list[dict[str, Any]] = []
        for number in numbers:
            order = self.find(number)
            if order is None:
                what = "Look at the number again; the list request names the orders of a stage."
                problem = Problem("ORDER_UNKNOWN", f"There is no order {number} on this board.", what)
                self._tell(problem, ref)
                left_out.append(_left_out(number, problem))
            else:
                orders[order.id] = order
        return list(orders.values()), left_out

    def _is_too_early(self, step: Step, ref: str) -> bool:
        """Say so when the step makes an order that the board does not show yet; it can be asked for again."""
        for each in step.values():
            is_made = isinstance(each.operation.change, Create)
            if is_made and self._fates.is_undecided(each.operation.op_id):
                self._tell(not_made_yet(each.number), ref)
                return True
        return False

    def _shown(self, step: Step, ref: str) -> list[Order]:
        """Return the orders of a step that are here; the others are told."""
        found = [(each, self._fates.order(order_id)) for order_id, each in step.items()]
        for each, order in found:
            if order is None:
                sentence = f"Not undone: order {each.number} has left the board."
                self._tell(Problem("NOT_UNDONE", sentence, "The find request finds it."), ref)
        return [order for _, order in found if order is not None]

    def _draft(self, order: Order, change: Change, source: Source, batch_id: str) -> Operation:
        now_ms = self._clock.wall_ms()
        return draft(self._ids.new(), order, change, source, batch_id=batch_id, wall_ms=now_ms)

    def _begin(
        self,
        drafts: Sequence[tuple[Operation, Order]],
        ref: str,
        left_out: list[dict[str, Any]],
        *,
        is_step: bool = True,
    ) -> None:
        """Show and send what would be accepted; say what would not, and what is so already."""
        accepted = [each for pair in drafts if (each := self._accepted(*pair, ref, left_out)) is not None]
        operations = [each.operation for each in accepted]
        if not operations:
            return
        self._fates.know_left_out(operations[0].batch_id, left_out)
        if is_step:
            self._steps.add(
                [done(each.operation, each.before, each.decision.order or each.before) for each in accepted]
            )
        self._send(operations)
        self.note_shown(operation.op_id for operation in operations)

    def _accepted(
        self, operation: Operation, order: Order, ref: str, left_out: list[dict[str, Any]]
    ) -> _Accepted | None:
        decision = self._view.decision(operation, self._judge())
        self._fates.know(operation, order.number, ref)
        if decision.outcome is Outcome.REJECTED:
            left_out.append(_left_out(order.number, self._refuse(operation, order, decision.reason, ref)))
            return None
        if decision.order is None:
            self._fates.say(operation.op_id, "nothing_to_do")
            left_out.append(_left_out(order.number, None))
            return None
        return _Accepted(operation, order, decision)

    def _refuse(self, operation: Operation, order: Order, reason: Reason, ref: str) -> Problem:
        told = refusal_told(operation, order, reason, self._zone, ENGLISH, self._judge().actor_name)
        problem = Problem(str(reason), told.strong, told.text)
        self._tell(problem, ref)
        return problem

    def _send(self, operations: Sequence[Operation]) -> None:
        self._fates.ask_for(operation.op_id for operation in operations)
        self._view.begin(operations, self._judge())
        self._submit(operations)


def _left_out(number: str, problem: Problem | None) -> dict[str, Any]:
    """Return what the line of a batch says of an order that was not even sent; None: it was so already."""
    return {
        "number": number,
        "op_id": "",
        "outcome": "nothing_to_do" if problem is None else "not_sent",
        "reason": "" if problem is None else problem.code,
        "sentence": "" if problem is None else problem.sentence,
    }
