"""What every decision about an operation is made with and of: the judge, the decision, small answers."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from sync.contract.limits import EXCEPTIONS_MAX
from sync.contract.operations import Outcome, Reason
from sync.contract.orders import Claim, Order, OrderException
from sync.contract.permissions import Right, Role, is_allowed


class Judge(NamedTuple):
    """Under whose rights and at which time an operation is decided (``now_ms``: server wall).

    ``owns_undone`` says whether the operation that ``undoes`` names changed this order and was the actor's
    own. The server looks into its log; a terminal offers nobody anything else.
    """

    actor_id: str
    actor_name: str
    role: Role
    now_ms: int
    owns_undone: bool = True

    def may(self, right: Right) -> bool:
        """Say whether the actor has ``right``."""
        return is_allowed(self.role, right)

    def claim(self) -> Claim:
        """Return the mark of the actor at this time."""
        return Claim(self.actor_id, self.actor_name, self.now_ms)


class Decision(NamedTuple):
    """The outcome, why, and the order afterwards (None when nothing changed).

    ``made`` is another order that came of it: the backorder of a short pick.
    """

    outcome: Outcome
    reason: Reason
    order: Order | None
    made: Order | None = None


def applied(order: Order, judge: Judge, **changed: object) -> Decision:
    """Return that the order changed so."""
    return Decision(Outcome.APPLIED, Reason.NONE, changed_order(order, judge, **changed))


def changed_order(order: Order, judge: Judge, **changed: object) -> Order:
    """Return the order with these fields, one revision on."""
    mark = {"revision": order.revision + 1, "updated_ms": judge.now_ms, "updated_by": judge.actor_name}
    return msgspec.structs.replace(order, **mark, **changed)


def rejected(reason: Reason) -> Decision:
    """Return that the operation was refused."""
    return Decision(Outcome.REJECTED, reason, None)


def nothing() -> Decision:
    """Return that everything was so already."""
    return Decision(Outcome.NOOP, Reason.NONE, None)


def with_exception(
    exceptions: tuple[OrderException, ...], reason: Reason, sentence: str, op_id: str, now_ms: int
) -> tuple[OrderException, ...]:
    """Return the exceptions with a new one.

    Its sentence tells the whole state, so one of a code is enough. Only what is no line of the order is told
    nowhere else: each stays until it is settled.
    """
    opened = OrderException(reason.value, sentence, op_id, now_ms)
    is_whole = reason is not Reason.LINE_UNKNOWN
    others = tuple(each for each in exceptions if not is_whole or each.code != reason.value)
    return (*others, opened)[-EXCEPTIONS_MAX:]
