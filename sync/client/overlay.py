"""Which operations of this terminal lie on top of which orders. Pure bookkeeping.

Every method that changes something returns the ids of the orders concerned, without repetition
and in the order in which they were named.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from sync.client.rebase import Pending
from sync.contract.operations import Operation
from sync.contract.rows import Fate
from sync.contract.state_machine import Judge

_NOTHING: tuple[Pending, ...] = ()


class Overlay:
    """The operations that are not done, by order, oldest first."""

    def __init__(self) -> None:
        self._by_order: dict[str, list[Pending]] = {}
        self._order_of: dict[str, str] = {}

    def of(self, order_id: str) -> Sequence[Pending]:
        """Return the operations on one order, oldest first."""
        return self._by_order.get(order_id, _NOTHING)

    def order_ids(self) -> tuple[str, ...]:
        """Return the orders that have operations on top."""
        return tuple(self._by_order)

    def begin(self, operations: Iterable[Operation], judge: Judge) -> list[str]:
        """Add drafts: made on screen, not durable yet. A known id is not added again."""
        return self._add(operations, judge, Fate.SAVING)

    def saved(self, operations: Sequence[Operation], judge: Judge) -> list[str]:
        """Take the numbered form of drafts; add those that were begun elsewhere."""
        known = [operation for operation in operations if operation.op_id in self._order_of]
        changed = [self._exchange(operation.op_id, operation, Fate.PENDING) for operation in known]
        for operation in operations:
            own = judge._replace(actor_id=operation.actor_id, now_ms=operation.wall_ms)
            changed += self._add((operation,), own, Fate.PENDING)
        for order_id in dict.fromkeys(changed):
            # What is offered again to a restored server was made before what is there already.
            self._by_order[order_id].sort(key=_place)
        return _unique(changed)

    def sent(self, op_ids: Iterable[str]) -> None:
        """They were handed to the socket: no card looks different for it."""
        for op_id in op_ids:
            if op_id in self._order_of:
                self._exchange(op_id, None, Fate.SENT)

    def settled(self, op_ids: Iterable[str]) -> list[str]:
        """Their outcome is known; they stay on top until the cache contains them."""
        known = [op_id for op_id in op_ids if op_id in self._order_of]
        return _unique([self._exchange(op_id, None, Fate.ACKED) for op_id in known])

    def drop(self, op_ids: Iterable[str]) -> list[str]:
        """Forget operations: done, rejected, or never saved."""
        changed = []
        for op_id in op_ids:
            order_id = self._order_of.pop(op_id, None)
            if order_id is None:
                continue
            rest = [entry for entry in self._by_order[order_id] if entry.operation.op_id != op_id]
            if rest:
                self._by_order[order_id] = rest
            else:
                del self._by_order[order_id]
            changed.append(order_id)
        return _unique(changed)

    def not_sent(self) -> list[Operation]:
        """Return the operations whose outcome is not known yet."""
        entries = (entry for pending in self._by_order.values() for entry in pending)
        return [entry.operation for entry in entries if entry.fate is not Fate.ACKED]

    def _add(self, operations: Iterable[Operation], judge: Judge, fate: Fate) -> list[str]:
        changed = []
        for operation in operations:
            if operation.op_id in self._order_of:
                continue
            self._order_of[operation.op_id] = operation.order_id
            self._by_order.setdefault(operation.order_id, []).append(Pending(operation, judge, fate))
            changed.append(operation.order_id)
        return _unique(changed)

    def _exchange(self, op_id: str, operation: Operation | None, fate: Fate) -> str:
        order_id = self._order_of[op_id]
        entries = self._by_order[order_id]
        for place, entry in enumerate(entries):
            if entry.operation.op_id == op_id:
                entries[place] = Pending(operation or entry.operation, entry.judge, fate)
        return order_id


def _place(entry: Pending) -> float:
    """Return where an operation stands among those of its order; drafts are the newest."""
    return entry.operation.device_seq or math.inf


def _unique(order_ids: list[str]) -> list[str]:
    return list(dict.fromkeys(order_ids))
