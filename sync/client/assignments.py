"""Whether what people of this terminal assigned still stands, when a whole board came without its log.

The log says who assigned after whom (:meth:`sync.client.sending.Sending.learn`). A whole board does not: then
each order is compared with the own assignment that was seen last, once.
"""

from __future__ import annotations

from sync.client.emitter import Emitter
from sync.client.waiting_list import WaitingList
from sync.contract.messages import Person
from sync.contract.operations import Assign, Operation
from sync.contract.orders import Order
from sync.contract.ports import Clock


def is_overruled(mine: Operation, order: Order, person: Person | None) -> bool:
    """Say whether somebody else has given the order to another person than ``mine`` did.

    The order names who assigned; whoever does that on another terminal of theirs overrules nobody.
    """
    change = mine.change
    if not isinstance(change, Assign) or change.assignee_id == order.assignee_id or not order.assigned_by:
        return False
    return person is None or (mine.actor_id, person.name) != (person.id, order.assigned_by)


class Assignments:
    """Compares own assignments with a board that has just come in."""

    def __init__(self, emitter: Emitter, waiting: WaitingList, clock: Clock) -> None:
        """Ask the stores through ``emitter``, tell ``waiting``."""
        self._emitter = emitter
        self._waiting = waiting
        self._clock = clock

    def compare(self, person: Person | None, seq: int) -> None:
        """Look at each order that this terminal had assigned at ``seq``, when the board was as it came.

        A fault costs the notice, the order shows it.
        """

        def done(result: object, _error: str) -> None:
            for mine in result if isinstance(result, tuple) else ():
                self._look_at(mine, person)

        self._emitter.job("outbox", "assigned", seq, then=done)

    def _look_at(self, mine: Operation, person: Person | None) -> None:
        def done(result: object, _error: str) -> None:
            if isinstance(result, Order) and is_overruled(mine, result, person):
                wall_ms = self._clock.wall_ms()
                self._emitter.job("outbox", "overruled", mine, result, wall_ms, then=self._told)

        self._emitter.job("cache", "order", mine.order_id, then=done)

    def _told(self, result: object, _error: str) -> None:
        self._waiting.take(result)
