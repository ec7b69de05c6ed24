"""Whole boards, first pages, and answers about ranges, read from a board in memory."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

from server.board_copies import SNAPSHOT_REUSE_ENTRIES, frames_of
from server.kernel.board_reader import fitting
from server.kernel.records import Answered, FirstPage, Page, SiteKey, Snapshot, SnapshotFor
from server.verification.memory_board import MemoryBoard
from sync.contract.codec import encode, encode_compressed
from sync.contract.limits import DELTA_ENTRIES, REPAIR_ORDERS, SNAPSHOT_PAGE_ORDERS
from sync.contract.messages import Compared, Repair, SnapshotPage
from sync.contract.orders import HASH_MODULUS, Order
from sync.contract.stages import STAGES, Stage

_END = "\U0010ffff"


class MemoryCopies:
    """Reads a board at one seq."""

    def __init__(self, board: MemoryBoard) -> None:
        """Read ``board``."""
        self._board = board
        self._snapshots: weakref.WeakSet[Snapshot] = weakref.WeakSet()
        self._page: tuple[str, int, FirstPage] | None = None

    def snapshot(self, _site: SiteKey, device_id: str, not_before: int = 0) -> SnapshotFor:
        """Return the whole board for one device, consistent at one seq that is not before another."""
        board, made = self._board, next(iter(self._snapshots), None)
        if made is None or not self._still_serves(made.epoch, made.seq) or made.seq < not_before:
            bodies = [row.body for _, row in sorted(board.orders.items()) if row.order.is_on_board]
            frames, count = frames_of(bodies)
            made = Snapshot(board.epoch, board.seq, count, board.state_hash, frames)
            self._snapshots.clear()
            self._snapshots.add(made)
        return SnapshotFor(made, board.decided_device_seq(device_id, made.seq))

    def first_page(self, _site: SiteKey) -> FirstPage:
        """Return what an empty terminal shows until it has the whole board."""
        board, made = self._board, self._page
        if made is None or not self._still_serves(*made[:2]):
            found = [order for stage in STAGES for order in self._first_orders(stage)]
            page = FirstPage(encode_compressed(SnapshotPage(found)) if found else "")
            made = self._page = board.epoch, board.seq, page
        return made[2]

    def _still_serves(self, epoch: str, seq: int) -> bool:
        return epoch == self._board.epoch and self._board.seq - seq <= SNAPSHOT_REUSE_ENTRIES

    def _first_orders(self, stage: Stage) -> list[Order]:
        rows = (row.order for row in self._board.orders.values())
        here = [order for order in rows if order.is_on_board and order.stage is stage]
        here.sort(key=_shipped_place if stage is Stage.SHIPPED else _place)
        return sorted(here[:SNAPSHOT_PAGE_ORDERS], key=lambda order: order.id)

    def compare(self, _site: SiteKey, cursor: int, n: int, ranges: Sequence[tuple[str, str]]) -> Answered:
        """Return the sums of ranges of order ids, and what a link at ``cursor`` lacks before them."""
        rows = [(order_id, row.hash) for order_id, row in self._board.orders.items() if row.order.is_on_board]
        found = [[digest for order_id, digest in rows if lo <= order_id < (hi or _END)] for lo, hi in ranges]
        sums = [(sum(each) % HASH_MODULUS, len(each)) for each in found]
        return self._answered(cursor, encode(Compared(n, self._board.seq, sums)))

    def fetch(self, _site: SiteKey, cursor: int, n: int, lo: str, hi: str) -> Answered:
        """Return the orders of a range, too many are none."""
        rows = (row.order for row in self._board.orders.values() if row.order.is_on_board)
        orders = sorted((order for order in rows if lo <= order.id < (hi or _END)), key=lambda each: each.id)
        frame = None
        if len(orders) <= REPAIR_ORDERS:
            frame = encode_compressed(Repair(n, self._board.seq, lo, hi, orders))
        return self._answered(cursor, frame, len(orders))

    def _answered(self, cursor: int, frame: str | bytes | None, orders: int = 0) -> Answered:
        board = self._board
        entries = fitting(line.encoded for line in board.log[cursor : cursor + DELTA_ENTRIES])
        return Answered(Page(cursor, cursor + len(entries), entries), board.seq, frame, orders)


def _shipped_place(order: Order) -> int:
    return -order.stage_ms


def _place(order: Order) -> tuple[bool, int, int, int]:
    return order.cut_off_ms is None, order.cut_off_ms or 0, -order.priority, order.placed_ms
