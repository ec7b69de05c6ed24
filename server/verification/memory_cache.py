"""The cache without a file: what :class:`sync.client.cache.Cache` promises, in the memory of the world."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sync.client.bisecting import EVERYTHING, Range, Sum, Wanted, fence
from sync.client.store_values import (
    CacheChange,
    CacheRepair,
    CacheSnapshot,
    CacheState,
    DeltaRefused,
    SnapshotHeld,
    SnapshotRefused,
)
from sync.client.stores.cache_delta import own_verdicts
from sync.client.stores.cache_ranges import END
from sync.client.stores.cache_schema import OLD, STAGING, TABLES
from sync.client.stores.cache_snapshot import FEWEST_REMOVED, LARGEST_SHARE
from sync.contract.messages import Person, Site, SnapshotBegin
from sync.contract.operations import LogEntry
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, patched, row_hash
from sync.contract.ports import FaultHook


class Row(NamedTuple):
    """One order of the cache."""

    local_id: int
    order: Order
    hash: int


class CacheFile:
    """What is durable: the board, where it stands, and the next local id."""

    def __init__(self) -> None:
        """Begin empty."""
        self.state = CacheState()
        self.rows: dict[str, Row] = {}
        self.next_local_id = 1
        self.tables = {OLD: 0, STAGING: 0}
        """How many tables of a board that was replaced, or never was whole, are still to be dropped."""


class _Staging:
    """A snapshot on its way in."""

    def __init__(self, begin: SnapshotBegin) -> None:
        self.begin = begin
        self.rows: dict[str, Row] = {}
        self.chunks = 0
        self.hash = 0

    def refused(self, seq: int) -> SnapshotRefused | None:
        if seq != self.begin.seq or self.chunks != self.begin.chunks:
            return SnapshotRefused("order")
        if len(self.rows) != self.begin.orders:
            return SnapshotRefused("count")
        return None if self.hash == self.begin.state_hash else SnapshotRefused("hash")

    def held_back(self, file: CacheFile) -> SnapshotHeld | None:
        """Say that the staged board lacks open orders of the present one that no log accounts for."""
        cached = file.state
        there = {row.local_id for row in file.rows.values() if row.order.is_open}
        removed = len(there - {row.local_id for row in self.rows.values()})
        is_large = removed >= FEWEST_REMOVED and removed * LARGEST_SHARE > len(there)
        is_logged = cached.epoch == self.begin.epoch and self.begin.seq - cached.cursor >= removed
        return SnapshotHeld(removed, len(there)) if cached.epoch and is_large and not is_logged else None


class MemoryCache:
    """One opened cache."""

    def __init__(self, file: CacheFile, faults: FaultHook) -> None:
        """Open ``file``; a snapshot that was not whole is gone."""
        self.file = file
        self._faults = faults
        self._staging: _Staging | None = None

    def state(self) -> CacheState:
        """Return where the cached board stands."""
        return self.file.state

    def order(self, order_id: str) -> Order | None:
        """Return an order whole, None when it is not here."""
        row = self.file.rows.get(order_id)
        return None if row is None else row.order

    def apply_delta(
        self, device_id: str, prev_seq: int, seq: int, entries: Sequence[LogEntry]
    ) -> CacheChange | DeltaRefused:
        """Apply a page of the log that goes on where the cache stands; anything else is refused."""
        before = self.file.state
        if prev_seq != before.cursor or not _is_dense(prev_seq, seq, entries):
            return DeltaRefused("gap", before.cursor)
        own = own_verdicts(entries, device_id)
        decided = before.decided_device_seq if before.device_id == device_id else 0
        decided = max((decided, *(verdict.device_seq for verdict in own)))
        self._faults.at("cache.apply_delta.before_write")
        after, is_whole = self._made(entries)
        self._faults.at("cache.apply_delta.before_fsync")
        changed, removed, state_hash = self._write(after, before)
        self.file.state = before._replace(
            cursor=seq,
            state_hash=state_hash,
            device_id=device_id,
            decided_device_seq=decided,
            orders=len(self.file.rows),
        )
        self._faults.at("cache.apply_delta.after_commit")
        return CacheChange(seq, state_hash, decided, changed, removed, own, is_whole=is_whole)

    def _made(self, entries: Sequence[LogEntry]) -> tuple[dict[str, Order], bool]:
        """Return what a page makes of its orders, and whether this cache had all of them."""
        rows = self.file.rows
        after: dict[str, Order] = {}
        passed_over: set[str] = set()
        for entry in entries:
            order_id = entry.operation.order_id
            if (entry.order is None and entry.patch is None) or order_id in passed_over:
                continue
            known = rows.get(order_id)
            order = entry.order or after.get(order_id) or (known.order if known else None)
            if order is None:
                passed_over.add(order_id)
            else:
                after[order_id] = order if entry.patch is None else patched(order, entry.patch)
        return after, not passed_over

    def _write(
        self, after: dict[str, Order], before: CacheState
    ) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """Write orders; return local ids that changed and that left, and the new hash of the board."""
        rows = self.file.rows
        changed: list[int] = []
        removed: list[int] = []
        state_hash = before.state_hash
        for order_id, order in after.items():
            known = rows.get(order_id)
            state_hash -= known.hash if known else 0
            if order.is_on_board:
                local_id = known.local_id if known else self.file.next_local_id
                self.file.next_local_id += known is None
                row = rows[order_id] = Row(local_id, order, row_hash(canonical_bytes(order)))
                state_hash += row.hash
                changed.append(local_id)
            elif known is not None:
                del rows[order_id]
                removed.append(known.local_id)
            else:
                continue
            waiting = rows.get(order.backorder_of) if order.backorder_of else None
            changed += [] if waiting is None else [waiting.local_id]
        gone = frozenset(removed)
        stayed = tuple(local_id for local_id in dict.fromkeys(changed) if local_id not in gone)
        return stayed, tuple(removed), state_hash % HASH_MODULUS

    def begin_snapshot(self, begin: SnapshotBegin) -> None:
        """Stage a whole board; one that was begun before is dropped."""
        self._pass("begin_snapshot")
        self._staging = _Staging(begin)
        self.file.tables[STAGING] = len(TABLES)

    def add_chunk(self, index: int, orders: Sequence[Order]) -> SnapshotRefused | None:
        """Stage some orders of the snapshot."""
        staging = self._staging
        if staging is None:
            return SnapshotRefused("not begun")
        self._pass("add_chunk")
        if index != staging.chunks:
            return SnapshotRefused("order")
        for order in orders:
            if not order.is_on_board:
                continue
            known = self.file.rows.get(order.id)
            local_id = known.local_id if known else self.file.next_local_id
            self.file.next_local_id += known is None
            row = staging.rows[order.id] = Row(local_id, order, row_hash(canonical_bytes(order)))
            staging.hash = (staging.hash + row.hash) % HASH_MODULUS
        staging.chunks += 1
        return None

    def end_snapshot(
        self, device_id: str, seq: int, wall_ms: int, is_accepted: bool = False
    ) -> CacheSnapshot | SnapshotRefused | SnapshotHeld:
        """Swap the staged board in if it is what was announced, and lacks nothing that nobody ended."""
        staging, self._staging = self._staging, None
        if staging is None:
            return SnapshotRefused("not begun")
        refused = staging.refused(seq)
        if refused is not None:
            return refused
        if not is_accepted and (held := staging.held_back(self.file)) is not None:
            return held
        begin = staging.begin
        self._faults.at("cache.end_snapshot.before_write")
        self._faults.at("cache.end_snapshot.before_fsync")
        self.file.rows = staging.rows
        self.file.tables = {OLD: len(TABLES), STAGING: 0}
        self.file.state = self.file.state._replace(
            epoch=begin.epoch,
            cursor=begin.seq,
            state_hash=begin.state_hash,
            device_id=device_id,
            decided_device_seq=begin.decided_device_seq,
            orders=begin.orders,
            snapshot_ms=wall_ms,
            last_contact_ms=wall_ms,
        )
        self._faults.at("cache.end_snapshot.after_commit")
        return CacheSnapshot(begin.seq, begin.epoch, begin.state_hash, begin.orders, begin.decided_device_seq)

    # ------------------------------------------------------------ parts of the board

    def put_page(self, orders: Sequence[Order]) -> CacheChange:
        """Show these orders until the snapshot is whole, unless there is a board already."""
        state = self.file.state
        if state.epoch:
            return CacheChange(state.cursor, state.state_hash, state.decided_device_seq)
        self._pass("put_page")
        changed, removed, _ = self._replace(EVERYTHING, orders)
        return CacheChange(0, 0, 0, changed, removed)

    def resum(self) -> int:
        """Let hash and number of the orders be those of the rows, and return the hash."""
        self._pass("resum")
        ((state_hash, orders),) = self._sums((EVERYTHING,))
        self.file.state = self.file.state._replace(state_hash=state_hash, orders=orders)
        return state_hash

    def split(self, wanted: Sequence[Wanted]) -> tuple[Range, ...]:
        """Part ranges of order ids into so many of equal size each, fewer where there are fewer orders."""
        return tuple(each for lo, hi, parts in wanted for each in self._parted(lo, hi, parts))

    def range_sums(self, seq: int, ranges: Sequence[Range]) -> tuple[Sum, ...] | DeltaRefused:
        """Return hash and number of the orders of each range at exactly ``seq``."""
        cursor = self.file.state.cursor
        return self._sums(ranges) if seq == cursor else DeltaRefused("gap", cursor)

    def repair(self, seq: int, lo: str, hi: str, orders: Sequence[Order]) -> CacheRepair | DeltaRefused:
        """Let a range hold exactly the server's orders at ``seq``, which must be the cursor."""
        if seq != self.file.state.cursor:
            return DeltaRefused("gap", self.file.state.cursor)
        self._pass("repair")
        changed, removed, differing = self._replace((lo, hi), orders)
        ((state_hash, count),) = self._sums((EVERYTHING,))
        state = self.file.state = self.file.state._replace(state_hash=state_hash, orders=count)
        change = CacheChange(seq, state_hash, state.decided_device_seq, changed, removed)
        return CacheRepair(change, differing)

    def _within(self, bounds: Range) -> dict[str, Row]:
        lo, hi = bounds[0], bounds[1] or END
        return {order_id: row for order_id, row in self.file.rows.items() if lo <= order_id < hi}

    def _sums(self, ranges: Sequence[Range]) -> tuple[Sum, ...]:
        found = [self._within(bounds).values() for bounds in ranges]
        return tuple((sum(row.hash for row in rows) % HASH_MODULUS, len(rows)) for rows in found)

    def _parted(self, lo: str, hi: str, parts: int) -> Iterator[Range]:
        order_ids = sorted(self._within((lo, hi)))
        length = -(-len(order_ids) // parts)
        last = lo
        for place in range(length, len(order_ids), length) if length else ():
            mark = fence(order_ids[place - 1], order_ids[place])
            yield last, mark
            last = mark
        yield last, hi

    def _replace(
        self, bounds: Range, orders: Sequence[Order]
    ) -> tuple[tuple[int, ...], tuple[int, ...], int]:
        """Let a range hold exactly ``orders``; return what changed, what left, and how many differed."""
        rows, before = self.file.rows, self._within(bounds)
        lo, hi = bounds[0], bounds[1] or END
        after = {order.id: order for order in orders if order.is_on_board and lo <= order.id < hi}
        changed: list[int] = []
        for order_id, order in after.items():
            known, digest = before.pop(order_id, None), row_hash(canonical_bytes(order))
            if known is None or known.hash != digest:
                local_id = known.local_id if known else self.file.next_local_id
                self.file.next_local_id += known is None
                rows[order_id] = Row(local_id, order, digest)
                changed.append(local_id)
        for order_id in before:
            del rows[order_id]
        removed = tuple(row.local_id for row in before.values())
        return tuple(changed), removed, len(changed) + len(removed)

    def remember(self, site: Site | None, person: Person | None, last_contact_ms: int | None) -> None:
        """Keep whose board it is and when the server last spoke; None leaves a value as it is."""
        told = {"site": site, "person": person, "last_contact_ms": last_contact_ms}
        self._faults.at("cache.remember.before_write")
        self._faults.at("cache.remember.before_fsync")
        self.file.state = self.file.state._replace(
            **{key: value for key, value in told.items() if value is not None}  # type: ignore[arg-type]
        )
        self._faults.at("cache.remember.after_commit")

    def tidy(self) -> bool:
        """Drop a table of a replaced board; say whether there was one."""
        self._pass("tidy")
        tables = self.file.tables
        prefix = OLD if tables[OLD] else STAGING
        is_there = tables[prefix] > 0 and (prefix == OLD or self._staging is None)
        tables[prefix] -= is_there
        return is_there

    def close(self) -> None:
        """Do nothing: there is no file."""

    def _pass(self, name: str) -> None:
        for point in ("before_write", "before_fsync", "after_commit"):
            self._faults.at(f"cache.{name}.{point}")


def _is_dense(prev_seq: int, seq: int, entries: Sequence[LogEntry]) -> bool:
    return [entry.seq for entry in entries] == list(range(prev_seq + 1, seq + 1))
