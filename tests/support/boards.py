"""A pretended server that keeps a board and its log, and fills caches from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from support.drafts import JUDGE, logged
from sync.client.cache import Cache
from sync.client.store_values import CacheChange, CacheSnapshot, SnapshotHeld, SnapshotRefused
from sync.contract.messages import SnapshotBegin
from sync.contract.operations import Create, LogEntry, Operation, Outcome
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, patched, row_hash
from sync.contract.permissions import Role
from sync.contract.state_machine import Judge

SYSTEM = Judge("system", "System", Role.SYSTEM, JUDGE.now_ms)


class ServerBoard:
    """Orders and log of one board, decided by the contract's own state machine."""

    def __init__(self, orders: Iterable[Order] = (), seq: int = 0, epoch: str = "epoch-1") -> None:
        """Begin with ``orders`` at ``seq``."""
        self.orders = {order.id: order for order in orders}
        self.seq = seq
        self.epoch = epoch
        self.log: list[LogEntry] = []

    def decide(self, operation: Operation, judge: Judge = JUDGE) -> LogEntry:
        """Decide one operation and write it into the log."""
        self.seq += 1
        order_id = operation.order_id
        order = self.orders.get(order_id)
        entry = logged(self.seq, operation, order, judge)
        self._write(entry, order)
        return entry

    def create(self, order: Order) -> LogEntry:
        """Put a new order on the board."""
        self.seq += 1
        operation = Operation(f"create-{order.id}", order.id, Create(), "server", self.seq)
        entry = LogEntry(self.seq, operation, Outcome.APPLIED, JUDGE.now_ms, order=order)
        self._write(entry, None)
        return entry

    def state_hash(self) -> int:
        """Return the hash of the board."""
        return sum(row_hash(canonical_bytes(order)) for order in self.orders.values()) % HASH_MODULUS

    def begin(self, chunks: int, decided_device_seq: int = 0) -> SnapshotBegin:
        """Return what announces a snapshot."""
        return SnapshotBegin(
            self.epoch, self.seq, len(self.orders), chunks, self.state_hash(), decided_device_seq
        )

    def snapshot_into(self, cache: Cache, device_id: str = "device", size: int = 200) -> CacheSnapshot:
        """Send a snapshot into ``cache``, which has to take it."""
        applied = self.try_snapshot(cache, device_id, size, is_accepted=True)
        assert isinstance(applied, CacheSnapshot), applied
        return applied

    def try_snapshot(
        self, cache: Cache, device_id: str = "device", size: int = 200, *, is_accepted: bool = False
    ) -> CacheSnapshot | SnapshotRefused | SnapshotHeld:
        """Send a snapshot into ``cache``."""
        orders = list(self.orders.values())
        chunks = [orders[start : start + size] for start in range(0, len(orders), size)]
        cache.begin_snapshot(self.begin(len(chunks)))
        for index, chunk in enumerate(chunks):
            assert cache.add_chunk(index, chunk) is None
        applied = cache.end_snapshot(device_id, self.seq, 5, is_accepted)
        while cache.tidy():
            pass
        return applied

    def send(self, cache: Cache, device_id: str = "device") -> CacheChange:
        """Send what the log has beyond the cache's cursor."""
        cursor = cache.state().cursor
        return applied(cache, [entry for entry in self.log if entry.seq > cursor], device_id)

    def _write(self, entry: LogEntry, before: Order | None) -> None:
        after = entry.order or before
        if entry.patch is not None and after is not None:
            after = patched(after, entry.patch)
        if after is not None and not after.is_on_board:
            self.orders.pop(after.id, None)
        elif after is not None:
            self.orders[after.id] = after
        self.log.append(entry)


def applied(cache: Cache, entries: Sequence[LogEntry], device_id: str = "device") -> CacheChange:
    """Apply a page that must fit."""
    cursor = cache.state().cursor
    change = cache.apply_delta(device_id, cursor, cursor + len(entries), entries)
    assert isinstance(change, CacheChange), change
    return change
