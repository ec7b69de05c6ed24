"""What the log says, worked out beside the server: every order at every seq, and whether each step was legal.

Nothing here asks the server's tables: entries are decoded as a terminal would get them, patches are laid over
the orders, and every decision is made again by the state machine with the rights that the actor then had.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from server.kernel.decisions import FOLLOW_UP
from server.sources import arrived, no_cut_off
from server.verification.cells import Cells
from server.verification.laws import broken
from sync.contract.facts import FACT_REASONS
from sync.contract.ids import derived
from sync.contract.judging import rejected
from sync.contract.operations import Create, Fact, Import, LogEntry, Operation, Outcome, Reason
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, patched, row_hash
from sync.contract.permissions import Role
from sync.contract.stages import stage_index
from sync.contract.state_machine import Judge, decide

_DECODER: Final = msgspec.json.Decoder(LogEntry)
_MAY_BE_REFUSED: Final = {Reason.FORBIDDEN, Reason.CHANGED_SINCE}
"""Why a fact may be refused: no right, or it only wanted to take another one back."""

Roles = Mapping[str, list[Role]]
"""Every role that a person had so far, by user id: a connection may still have the one before."""


class History:
    """The log of one life of the server's data."""

    def __init__(self, roles: Roles, cells: Cells) -> None:
        """Begin empty; ``roles`` grows while the world goes on."""
        self._roles = roles
        self._cells = cells
        self.entries: list[LogEntry] = []
        self.by_op: dict[str, LogEntry] = {}
        self.found: list[str] = []
        self._seqs: dict[str, list[int]] = {}
        self._orders: dict[str, list[Order]] = {}
        self._made: dict[str, Order] = {}
        """Orders that must follow, by the id of the operation that brings them."""
        self._device: dict[str, int] = {}
        self._decided: dict[str, tuple[list[int], list[int]]] = {}

    def until(self, seq: int) -> History:
        """Return the history that a backup at ``seq`` has."""
        twin = History(self._roles, Cells())
        for entry in self.entries[:seq]:
            twin._take(entry)
        twin.found.clear()
        twin._cells = self._cells
        return twin

    def extend(self, encoded: Iterable[bytes]) -> None:
        """Take in what came to the log, and note what is illegal about it."""
        for each in encoded:
            entry = _DECODER.decode(each)
            self._look_at(entry)
            self._take(entry)

    # ------------------------------------------------------------ what was when

    @property
    def seq(self) -> int:
        """The seq of the last entry."""
        return len(self.entries)

    def order(self, order_id: str, seq: int) -> Order | None:
        """Return an order as it was at ``seq``, None when there was none."""
        seqs = self._seqs.get(order_id)
        place = bisect_right(seqs, seq) if seqs else 0
        return self._orders[order_id][place - 1] if place else None

    def board(self, seq: int) -> dict[str, Order]:
        """Return the board at ``seq``."""
        found = ((order_id, self.order(order_id, seq)) for order_id in self._seqs)
        return {order_id: order for order_id, order in found if order is not None and order.is_on_board}

    def orders(self) -> dict[str, Order]:
        """Return every order as it is now, also those behind the board."""
        return {order_id: states[-1] for order_id, states in self._orders.items()}

    def state_hash(self) -> int:
        """Return the hash of the board as it is now."""
        board = self.board(self.seq).values()
        return sum(row_hash(canonical_bytes(order)) for order in board) % HASH_MODULUS

    def decided(self, device_id: str, seq: int) -> int:
        """Return the highest number of a device at ``seq``."""
        seqs, numbers = self._decided.get(device_id, ((), ()))
        place = bisect_right(seqs, seq)
        return numbers[place - 1] if place else 0

    # ------------------------------------------------------------ what is legal

    def _take(self, entry: LogEntry) -> None:
        operation = entry.operation
        self.entries.append(entry)
        self.by_op[operation.op_id] = entry
        if operation.device_id:
            seqs, numbers = self._decided.setdefault(operation.device_id, ([], []))
            seqs.append(entry.seq)
            numbers.append(operation.device_seq)
        order_id = operation.order_id
        after = self._after(entry)
        if after is not None:
            self._seqs.setdefault(order_id, []).append(entry.seq)
            self._orders.setdefault(order_id, []).append(after)

    def _after(self, entry: LogEntry) -> Order | None:
        order = entry.order or self.order(entry.operation.order_id, entry.seq)
        return patched(order, entry.patch) if order is not None and entry.patch is not None else entry.order

    def _look_at(self, entry: LogEntry) -> None:
        operation = entry.operation
        if entry.seq != self.seq + 1:
            self._complain(entry, f"follows {self.seq}")
        if operation.op_id in self.by_op:
            self._complain(entry, "the operation is in the log twice")
        last = self.decided(operation.device_id, self.seq)
        if operation.device_id and operation.device_seq != last + 1:
            self._complain(entry, f"{operation.device_id} goes from {last} to {operation.device_seq}")
        before = self.order(operation.order_id, self.seq)
        after = self._after(entry)
        self._cells.note(entry, before)
        if operation.op_id in self._made:
            made = arrived(self._made.pop(operation.op_id), entry.decided_ms, no_cut_off)
            if after is None or made != msgspec.structs.replace(after, cut_off_ms=None, cut_off_rule=""):
                self._complain(entry, "is not the order that had to follow")
            return
        if self._made and entry.outcome is not Outcome.REJECTED:
            self._complain(entry, "an order had to follow before it")
            self._made.clear()
        self._check_step(entry, before, after)
        is_own = self._is_own_undo(operation)
        for sentence in broken(entry, before, after, self._of(operation.actor_id), is_own_undo=is_own):
            self._complain(entry, sentence)
        if isinstance(operation.change, Create | Import):
            self._check_arrival(entry, before)
        elif not any(self._is_so(entry, before, after, role) for role in self._of(operation.actor_id)):
            self._complain(entry, f"{operation.change} on {_short(before)} cannot be {entry.outcome}")

    def _of(self, actor_id: str) -> list[Role]:
        return self._roles.get(actor_id, [Role.VIEWER]) if actor_id else [Role.SYSTEM]

    def _is_so(self, entry: LogEntry, before: Order | None, after: Order | None, role: Role) -> bool:
        """Say whether the state machine decides the same for somebody of this role."""
        operation = entry.operation
        is_own = self._is_own_undo(operation)
        judge = Judge(operation.actor_id, entry.actor_name, role, entry.decided_ms, is_own)
        if operation.undoes and not self._is_there_to_undo(operation):
            decision = rejected(Reason.CHANGED_SINCE)
        else:
            decision = decide(before, operation, judge)
        if (decision.outcome, decision.reason) != (entry.outcome, entry.reason) or decision.order != after:
            return False
        if decision.made is not None:
            self._made[derived(operation.op_id, FOLLOW_UP)] = decision.made
        return True

    def _is_there_to_undo(self, operation: Operation) -> bool:
        undone = self.by_op.get(operation.undoes)
        return undone is not None and undone.operation.order_id == operation.order_id

    def _is_own_undo(self, operation: Operation) -> bool:
        """Say whether an operation takes back what the same person did, and what came to something."""
        undone = self.by_op.get(operation.undoes)
        is_own = undone is not None and undone.operation.actor_id == operation.actor_id
        return is_own and undone is not None and undone.outcome not in {Outcome.REJECTED, Outcome.NOOP}

    def _check_step(self, entry: LogEntry, before: Order | None, after: Order | None) -> None:
        """Check what no operation may do, whoever decided it."""
        is_change = entry.outcome in {Outcome.APPLIED, Outcome.MERGED, Outcome.EXCEPTION}
        if is_change != (after is not None):
            self._complain(entry, f"{entry.outcome} and {'an' if after else 'no'} order changed")
        is_fact = isinstance(entry.operation.change, Fact)
        allowed = _MAY_BE_REFUSED if before is not None else {*_MAY_BE_REFUSED, Reason.UNKNOWN_ORDER}
        if is_fact and entry.outcome is Outcome.REJECTED and entry.reason not in allowed:
            self._complain(entry, f"a fact was refused: {entry.reason}")
        if before is None or after is None:
            return
        if entry.operation.undoes and not self._is_there_to_undo(entry.operation):
            self._complain(entry, "what was never done was taken back")
        if after.revision != before.revision + 1:
            self._complain(entry, f"revision goes from {before.revision} to {after.revision}")
        if before.is_on_board and not after.is_on_board:
            is_unseen = any(each.code in FACT_REASONS and not each.seen_ms for each in before.exceptions)
            if before.is_open or is_unseen:
                self._complain(entry, "an order that somebody needs left the board")
        has_begun = stage_index(after.stage) > stage_index(before.stage)
        if (
            has_begun
            and before.hold is not None
            and not is_fact
            and not isinstance(entry.operation.change, Import)
        ):
            self._complain(entry, "an order on hold moved on")

    def _check_arrival(self, entry: LogEntry, before: Order | None) -> None:
        """Check what a source or a person brought; what it said is not in the log any more."""
        if entry.order is not None and before is not None:
            self._complain(entry, "a new order in the place of one that is there")
        if entry.patch is not None and before is None:
            self._complain(entry, "a change of an order that is not there")
        if entry.order is not None and entry.operation.actor_id:
            order = entry.order
            if isinstance(entry.operation.change, Create) and (order.claimed_by or order.exceptions):
                self._complain(entry, "a new order that somebody worked on")

    def _complain(self, entry: LogEntry, sentence: str) -> None:
        self.found.append(f"seq {entry.seq}: {sentence}")


def _short(order: Order | None) -> str:
    if order is None:
        return "no order"
    marks = [
        order.stage.value,
        *(["held"] if order.hold else []),
        *(["cancelled"] if order.cancelled_ms else []),
    ]
    return f"{' '.join(marks)} order at revision {order.revision}"
