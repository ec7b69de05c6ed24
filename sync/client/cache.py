"""The cache: the board as the server last told it. Rebuildable, so speed comes before durability.

Blocking SQLite code for the database thread. A page of the log, the cursor, the state hash and this
device's ``decided_device_seq`` are one transaction: after a crash the file stands at one seq, whole.
A damaged file or one from a later release is put aside and the board comes anew from the server.

Errors::

    ProblemError
    └── CACHE_UNUSABLE      the disk or another program is in the way
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from sync.client.bisecting import EVERYTHING, Range, Sum, Wanted
from sync.client.store_values import (
    CacheChange,
    CacheRepair,
    CacheSnapshot,
    CacheState,
    DeltaRefused,
    SnapshotHeld,
    SnapshotRefused,
)
from sync.client.stores import cache_schema as schema
from sync.client.stores import files
from sync.client.stores.cache_check import SUMS, DamagedOrderError, DamagedSumError, check_step
from sync.client.stores.cache_delta import apply_page, own_verdicts
from sync.client.stores.cache_meta import put_meta, read_number, read_state
from sync.client.stores.cache_ranges import (
    Replaced,
    distrust,
    replace_range,
    split,
    sums,
    whole_order,
    whole_sum,
)
from sync.client.stores.cache_snapshot import Staging, drop_piece, drop_set
from sync.client.stores.carriers import Carriers
from sync.contract.messages import Person, Site, SnapshotBegin
from sync.contract.operations import LogEntry
from sync.contract.orders import HASH_MODULUS, Order
from sync.contract.ports import FaultHook, NoFaults
from sync.contract.problems import ProblemError

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA cache_size = -1000",
    "PRAGMA journal_size_limit = 16000000",
)


class OpenedCache(NamedTuple):
    """The cache, and the name under which an unusable file was put aside ("": none was) and why."""

    cache: Cache
    put_aside: str
    reason: str


class Cache:
    """Orders as the server last told, with the cursor up to which that is."""

    def __init__(self, path: Path, connection: sqlite3.Connection, faults: FaultHook) -> None:
        """Use an open, current file; :meth:`open` makes one."""
        self._path = path
        self._faults = faults
        self._connection = connection
        self._carriers = Carriers(connection)
        self._staging: Staging | None = None
        self.is_suspect = False
        """Whether a check found orders that are to be compared with the server's."""

    @classmethod
    def open(cls, path: Path, faults: FaultHook | None = None) -> OpenedCache:
        """Open or make the file; one that cannot be read is put aside. Raises ``ProblemError``."""
        hook = faults or NoFaults()
        try:
            connection, reason = _open_whole(path)
            if connection is not None:
                return OpenedCache(cls(path, connection, hook), "", "")
            aside = _put_aside(path)
            return OpenedCache(cls(path, _open_empty(path), hook), aside, reason)
        except (OSError, sqlite3.Error) as error:
            raise _unusable(path, error) from error

    def state(self) -> CacheState:
        """Return where the cached board stands."""
        return read_state(self._connection)

    def order(self, order_id: str) -> Order | None:
        """Return an order whole, None when it is not here or not whole."""
        query = "SELECT b.body, o.hash FROM orders o JOIN bodies b USING (local_id) WHERE o.order_id = ?"
        row = self._connection.execute(query, (order_id,)).fetchone()
        return None if row is None else whole_order(row[0], schema.to_unsigned(row[1]))

    def apply_delta(
        self, device_id: str, prev_seq: int, seq: int, entries: Sequence[LogEntry]
    ) -> CacheChange | DeltaRefused:
        """Apply a page of the log that goes on where the cache stands; anything else is refused."""
        before = self.state()
        if prev_seq != before.cursor or not _is_dense(prev_seq, seq, entries):
            return DeltaRefused("gap", before.cursor)
        own = own_verdicts(entries, device_id)
        decided = before.decided_device_seq if before.device_id == device_id else 0
        decided = max((decided, *(verdict.device_seq for verdict in own)))
        next_local_id = read_number(self._connection, "next_local_id", 1)
        with self._transaction("apply_delta"):
            applied = apply_page(self._connection, self._carriers, entries, next_local_id)
            state_hash = (before.state_hash + applied.hash_change) % HASH_MODULUS
            put_meta(
                self._connection,
                cursor=seq,
                state_hash=state_hash,
                device_id=device_id,
                decided_device_seq=decided,
                orders=before.orders + applied.count_change,
                next_local_id=max(next_local_id, *(local_id + 1 for local_id in applied.changed), 1),
            )
        return CacheChange(
            seq, state_hash, decided, applied.changed, applied.removed, own, is_whole=applied.is_whole
        )

    def begin_snapshot(self, begin: SnapshotBegin) -> None:
        """Stage a whole board; one that was begun before is dropped."""
        with self._transaction("begin_snapshot"):
            self._staging = Staging(self._connection, self._carriers, begin)

    def add_chunk(self, index: int, orders: Sequence[Order]) -> SnapshotRefused | None:
        """Stage some orders of the snapshot."""
        if self._staging is None:
            return SnapshotRefused("not begun")
        with self._transaction("add_chunk"):
            return self._staging.add(index, orders)

    def end_snapshot(
        self, device_id: str, seq: int, wall_ms: int, is_accepted: bool = False
    ) -> CacheSnapshot | SnapshotRefused | SnapshotHeld:
        """Swap the staged board in if it is what was announced.

        One that lacks too many open orders without operations that could have ended them is held back,
        unless a person ``is_accepted`` it.
        """
        staging, self._staging = self._staging, None
        if staging is None:
            return SnapshotRefused("not begun")
        refused = staging.check(seq)
        if refused is not None:
            return refused
        begin = staging.begin
        if not is_accepted and (held := staging.held_back(self.state())) is not None:
            return held
        with self._transaction("end_snapshot"):
            drop_set(self._connection, schema.OLD)
            staging.swap()
            put_meta(
                self._connection,
                epoch=begin.epoch,
                cursor=begin.seq,
                state_hash=begin.state_hash,
                device_id=device_id,
                decided_device_seq=begin.decided_device_seq,
                orders=begin.orders,
                snapshot_ms=wall_ms,
                last_contact_ms=wall_ms,
            )
        return CacheSnapshot(begin.seq, begin.epoch, begin.state_hash, begin.orders, begin.decided_device_seq)

    def put_page(self, orders: Sequence[Order]) -> CacheChange:
        """Show these orders until the snapshot is whole; a cache that holds a board already shows that."""
        state = self.state()
        if state.epoch:
            return CacheChange(state.cursor, state.state_hash, state.decided_device_seq)
        with self._transaction("put_page"):
            replaced = self._replace(EVERYTHING, orders)
        return CacheChange(0, 0, 0, replaced.changed, replaced.removed)

    # ------------------------------------------------------------------ comparing and repairing

    def resum(self) -> int:
        """Let hash and number of the orders be those of the rows, and return the hash.

        A row that was lost on the disk is in what the file says of itself, and in no sum.
        """
        with self._transaction("resum"):
            state_hash, orders = whole_sum(self._connection)
            put_meta(self._connection, state_hash=state_hash, orders=orders)
        return state_hash

    def split(self, wanted: Sequence[Wanted]) -> tuple[Range, ...]:
        """Part ranges of order ids into so many of equal size each, fewer where there are fewer orders."""
        return split(self._connection, wanted)

    def range_sums(self, seq: int, ranges: Sequence[Range]) -> tuple[Sum, ...] | DeltaRefused:
        """Return hash and number of the orders of each range at exactly ``seq``."""
        cursor = self.state().cursor
        return sums(self._connection, ranges) if seq == cursor else DeltaRefused("gap", cursor)

    def repair(self, seq: int, lo: str, hi: str, orders: Sequence[Order]) -> CacheRepair | DeltaRefused:
        """Let a range hold exactly the server's orders at ``seq``, which must be the cursor; it stays."""
        state = self.state()
        if seq != state.cursor:
            return DeltaRefused("gap", state.cursor)
        with self._transaction("repair"):
            replaced = self._replace((lo, hi), orders)
            state_hash = (state.state_hash + replaced.hash_change) % HASH_MODULUS
            count = state.orders + replaced.count_change
            put_meta(self._connection, state_hash=state_hash, orders=count)
        decided = state.decided_device_seq
        change = CacheChange(seq, state_hash, decided, replaced.changed, replaced.removed)
        return CacheRepair(change, replaced.orders)

    def _replace(self, bounds: Range, orders: Sequence[Order]) -> Replaced:
        next_local_id = read_number(self._connection, "next_local_id", 1)
        replaced = replace_range(self._connection, self._carriers, bounds, orders, next_local_id)
        put_meta(self._connection, next_local_id=replaced.next_local_id)
        return replaced

    # ------------------------------------------------------------------ the file itself

    def tidy(self) -> bool:
        """Drop a small piece of a replaced board; True when there is more to do."""
        with self._transaction("tidy"):
            if drop_piece(self._connection, schema.OLD):
                return True
            has_more = self._staging is None and drop_piece(self._connection, schema.STAGING)
        if not has_more:
            # A whole board has passed through: what SQLite keeps of it is of no use to small changes.
            self._connection.execute("PRAGMA shrink_memory")
        return has_more

    def check(self, after: int) -> int:
        """Check some rows after a local id; return where to go on, 0 at the end; raises.

        What single orders lack is not raised: the state hash then differs from the server's, and it is said
        by ``is_suspect``.
        """
        try:
            return check_step(self._connection, after)
        except DamagedOrderError as error:
            self.is_suspect = True
            state = self.state()
            with self._transaction("check"):
                change = distrust(self._connection, error.local_id)
                put_meta(self._connection, state_hash=(state.state_hash + change) % HASH_MODULUS)
            return error.local_id
        except DamagedSumError:
            self.is_suspect = True
            self.resum()
            return SUMS

    def remember(self, site: Site | None, person: Person | None, last_contact_ms: int | None) -> None:
        """Keep whose board it is and when the server last spoke; None leaves a value as it is."""
        told = {"site": site, "person": person, "last_contact_ms": last_contact_ms}
        values = {key: value for key, value in told.items() if value is not None}
        with self._transaction("remember"):
            put_meta(self._connection, **values)

    def forget(self) -> None:
        """Empty the board: cursor 0, no epoch. Local ids are not given again."""
        self._staging = None
        with self._transaction("forget"):
            for prefix in (schema.OLD, schema.STAGING, schema.CURRENT):
                drop_set(self._connection, prefix)
            generation = read_number(self._connection, "generation") + 1
            schema.create_set(self._connection, schema.CURRENT, generation)
            put_meta(
                self._connection,
                epoch="",
                cursor=0,
                state_hash=0,
                orders=0,
                decided_device_seq=0,
                generation=generation,
            )

    def rebuild(self) -> str:
        """Put the file aside after an error that speaks of damage, and start with an empty one."""
        self.close()
        aside = _put_aside(self._path)
        self._connection = _open_empty(self._path)
        self._carriers = Carriers(self._connection)
        self._staging = None
        return aside

    def close(self) -> None:
        """Close the file; the object is of no use afterwards."""
        self._connection.close()

    @contextmanager
    def _transaction(self, name: str) -> Iterator[None]:
        try:
            with files.transaction(self._connection, self._faults, f"cache.{name}"):
                yield
        except BaseException:
            # Numbers that carriers were given in a transaction that did not happen are free again.
            self._carriers.forget()
            raise


def _is_dense(prev_seq: int, seq: int, entries: Sequence[LogEntry]) -> bool:
    # Counted first: a page that only claims to hold a billion entries must not cost a list of their numbers.
    return len(entries) == seq - prev_seq and all(
        entry.seq == number for number, entry in enumerate(entries, prev_seq + 1)
    )


def _open_whole(path: Path) -> tuple[sqlite3.Connection | None, str]:
    """Return a connection to a readable, current file, or None and why there is none."""
    connection = files.connect(path)
    try:
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        files.climb(connection, schema.APPLICATION_ID, schema.LADDER)
        read_state(connection)
        for table in schema.TABLES:
            connection.execute(f"SELECT rowid FROM {table} LIMIT 1").fetchone()
        Carriers(connection)
    except (files.DamagedError, files.TooNewError, ValueError, msgspec.MsgspecError) as error:
        # A cache is worth less than the certainty of what is in it: the server has it all.
        connection.close()
        return None, str(error)
    except BaseException as error:
        connection.close()
        if not (isinstance(error, sqlite3.Error) and files.is_damage(error)):
            raise
        return None, str(error)
    return connection, ""


def _open_empty(path: Path) -> sqlite3.Connection:
    connection, reason = _open_whole(path)
    if connection is None:
        raise _unusable(path, reason)
    return connection


def _put_aside(path: Path) -> str:
    aside = files.aside_name(path)
    path.replace(aside)
    for companion in files.companions(path):
        companion.unlink(missing_ok=True)
    return aside.name


def _unusable(path: Path, cause: object) -> ProblemError:
    return ProblemError(
        "CACHE_UNUSABLE",
        f"The board cannot be stored in {path}: {cause}. Unsent moves are safe.",
        "Check that the disk is writable and not full and that no other program uses the file.",
    )
