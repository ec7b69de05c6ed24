"""What a terminal shows: the cache's truth with its own operations on top, fed by the news as the window is.

With files it is the real :class:`~sync.client.board_view.BoardView` on the cache's file, otherwise the same
overlay and the same replay over the cache in memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from server.verification.memory_cache import CacheFile
from sync.client.board_view import BoardView
from sync.client.overlay import Overlay
from sync.client.rebase import not_in_truth, replay
from sync.client.store_values import CacheState
from sync.contract.operations import Operation
from sync.contract.orders import Order
from sync.contract.rows import BoardChange
from sync.contract.stages import Stage
from sync.contract.state_machine import Decision, Judge, decide

_NOTHING = BoardChange()


class Screen(Protocol):
    """What the simulation asks of a board view."""

    def shown(self, order_id: str) -> Order | None:
        """Return an order as it is shown."""
        ...

    def decision(self, operation: Operation, judge: Judge) -> Decision:
        """Return what ``operation`` would do to the order as it is shown."""
        ...

    def begin(self, operations: Sequence[Operation], judge: Judge) -> BoardChange:
        """Show what a person just did."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class MemoryScreen:
    """A board view without columns: the overlay and the replay, order by order."""

    def __init__(self, cache: CacheFile) -> None:
        """Show ``cache``."""
        self._cache = cache
        self._overlay = Overlay()

    def shown(self, order_id: str) -> Order | None:
        """Return an order as it is shown."""
        row = self._cache.rows.get(order_id)
        pending = self._overlay.of(order_id)
        if row is None or not pending:
            return None if row is None else row.order
        state = self._cache.state
        fresh = not_in_truth(pending, state.device_id, state.decided_device_seq)
        return replay(row.order, fresh).order or row.order

    def decision(self, operation: Operation, judge: Judge) -> Decision:
        """Return what ``operation`` would do to the order as it is shown."""
        return decide(self.shown(operation.order_id), operation, judge)

    def info(self) -> CacheState:
        """Return where the cached board stands."""
        return self._cache.state

    def total(self, _stage: Stage) -> int:
        """Return a number that never fits: everything is always current here."""
        return 0

    def reload(self) -> BoardChange:
        """Do nothing: nothing is remembered of the cache."""
        return _NOTHING

    def take_whole(self) -> BoardChange:
        """Do nothing either: nothing was read ahead."""
        return _NOTHING

    def apply(
        self, _changed: Sequence[int], _removed: Sequence[int] = (), done: Collection[str] = ()
    ) -> BoardChange:
        """Forget what is done."""
        self._overlay.drop(done)
        return _NOTHING

    def begin(self, operations: Sequence[Operation], judge: Judge) -> BoardChange:
        """Show what a person just did."""
        self._overlay.begin(operations, judge)
        return _NOTHING

    def saved(self, operations: Sequence[Operation], judge: Judge) -> BoardChange:
        """They are durable, with their numbers."""
        self._overlay.saved(operations, judge)
        return _NOTHING

    def sent(self, op_ids: Iterable[str]) -> None:
        """They were handed to the socket."""
        self._overlay.sent(op_ids)

    def settled(self, op_ids: Iterable[str]) -> BoardChange:
        """Their outcome is known."""
        self._overlay.settled(op_ids)
        return _NOTHING

    def rejected(self, op_ids: Iterable[str]) -> BoardChange:
        """Take them off again."""
        self._overlay.drop(op_ids)
        return _NOTHING

    def close(self) -> None:
        """Do nothing: there is no file."""


class FileScreen(BoardView):
    """The real board view, asked by order id."""

    def shown(self, order_id: str) -> Order | None:
        """Return an order as it is shown."""
        local_id = self.local_id(order_id)
        return None if local_id is None else self.order(local_id)
