"""What a terminal's copy of a board is made of, compared with and mended by.

Whole boards and first pages, the sums of ranges of order ids, the orders of one range. They read much, so
they have a thread of their own: pages of the log and sign-ins wait for none of it. What many terminals get is
encoded once and shared. Ranges go by the code points of an id, whatever order the database sorts text in.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Engine, and_, func, literal_column, select

from databases.schema import operation_log, orders
from databases.statements import is_postgresql
from server.kernel.board_reader import head_of, log_page, on_board
from server.kernel.records import Answered, FirstPage, Head, SiteKey, Snapshot, SnapshotFor
from sync.contract.codec import encode, encode_compressed
from sync.contract.limits import (
    REPAIR_ORDERS,
    SERVER_FRAME_BYTES,
    SNAPSHOT_CHUNK_BYTES,
    SNAPSHOT_CHUNK_ORDERS,
    SNAPSHOT_PAGE_ORDERS,
)
from sync.contract.messages import Compared, Repair, SnapshotChunk, SnapshotPage
from sync.contract.orders import HASH_MODULUS, Order, order_from_bytes
from sync.contract.stages import STAGES, Stage

SNAPSHOT_REUSE_ENTRIES: Final = 256
"""A snapshot that somebody still receives serves the next one too, when one page brings it up to date."""

Range = tuple[str, str]
EVERYTHING: Final[Range] = ("", "")
Sum = tuple[int, int]


class BoardCopies:
    """Reads of whole boards and of large parts. Every call takes the site."""

    def __init__(self, engine: Engine) -> None:
        """Read through ``engine``."""
        self._engine = engine
        self._snapshots: weakref.WeakValueDictionary[SiteKey, Snapshot] = weakref.WeakValueDictionary()
        self._pages: dict[SiteKey, tuple[Head, FirstPage]] = {}

    def snapshot(self, site: SiteKey, device_id: str, not_before: int = 0) -> SnapshotFor:
        """Return the whole board for one device, consistent at one seq that is not before another."""
        with self._engine.begin() as connection:
            head = head_of(connection, site)
            snapshot = self._snapshots.get(site)
            if snapshot is None or not _still_serves(snapshot, head) or snapshot.seq < not_before:
                snapshot = _snapshot(connection, site, head)
                self._snapshots[site] = snapshot
            decided = connection.execute(
                select(func.max(operation_log.c.device_seq)).where(
                    operation_log.c.site_id == site.site_id,
                    operation_log.c.device_id == device_id,
                    operation_log.c.seq <= snapshot.seq,
                )
            ).scalar()
        return SnapshotFor(snapshot, decided or 0)

    def first_page(self, site: SiteKey) -> FirstPage:
        """Return what an empty terminal shows until it has the whole board."""
        with self._engine.begin() as connection:
            head = head_of(connection, site)
            made, page = self._pages.get(site, (head, None))
            if page is None or not _still_serves(made, head):
                found = list(_first_orders(connection, site))
                page = FirstPage(encode_compressed(SnapshotPage(found)) if found else "")
                self._pages[site] = head, page
        return page

    def compare(self, site: SiteKey, cursor: int, n: int, ranges: Sequence[Range]) -> Answered:
        """Return hash and number of the orders of each range at the head, and the log up to there."""
        with self._engine.begin() as connection:
            head = head_of(connection, site)
            page = log_page(connection, site, cursor)
            if list(ranges) == [EVERYTHING]:
                # Known without reading the orders: asked at the end of each search, and by a small board.
                count = connection.execute(select(func.count()).where(*on_board(site))).scalar_one()
                sums = [(head.state_hash or 0, count)]
            else:
                sums = _sums(connection, site, ranges)
        return Answered(page, head.seq, encode(Compared(n, head.seq, sums)))

    def fetch(self, site: SiteKey, cursor: int, n: int, lo: str, hi: str) -> Answered:
        """Return the orders of a range at the head, and the log up to there; no answer when they are many."""
        with self._engine.begin() as connection:
            seq = head_of(connection, site).seq
            page = log_page(connection, site, cursor)
            is_in = _is_in(_ids(connection), lo, hi)
            query = select(orders.c.body).where(*on_board(site), is_in).limit(REPAIR_ORDERS + 1)
            bodies = connection.execute(query).scalars().all()
        if len(bodies) > REPAIR_ORDERS or sum(map(len, bodies)) > SERVER_FRAME_BYTES // 2:
            return Answered(page, seq, None)
        found = [order_from_bytes(body) for body in bodies]
        return Answered(page, seq, encode_compressed(Repair(n, seq, lo, hi, found)), len(found))


def frames_of(bodies: Iterable[bytes]) -> tuple[tuple[bytes, ...], int]:
    """Return the frames of a snapshot that holds these orders, and how many they are."""
    frames: list[bytes] = []
    count = 0
    for chunk in _chunks(bodies):
        frames.append(encode_compressed(SnapshotChunk.of(len(frames), chunk)))
        count += len(chunk)
    return tuple(frames), count


def _still_serves(made: Snapshot | Head, head: Head) -> bool:
    return made.epoch == head.epoch and head.seq - made.seq <= SNAPSHOT_REUSE_ENTRIES


def _snapshot(connection: Connection, site: SiteKey, head: Head) -> Snapshot:
    # By the chunk: a driver may else fetch the whole board before it gives the first row.
    bodies = select(orders.c.body).where(*on_board(site)).order_by(orders.c.id)
    rows = connection.execute(bodies, execution_options={"yield_per": SNAPSHOT_CHUNK_ORDERS}).scalars()
    frames, count = frames_of(rows)
    return Snapshot(head.epoch, head.seq, count, head.state_hash or 0, frames)


def _chunks(bodies: Iterable[bytes]) -> Iterator[list[Order]]:
    """Part orders by number and by length: two hundred long ones would be no frame that a client takes."""
    chunk: list[Order] = []
    size = 0
    for body in bodies:
        if chunk and (len(chunk) == SNAPSHOT_CHUNK_ORDERS or size + len(body) > SNAPSHOT_CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(order_from_bytes(body))
        size += len(body)
    if chunk:
        yield chunk


def _first_orders(connection: Connection, site: SiteKey) -> Iterator[Order]:
    """Give the first orders of each column, the last columns fewer where they are too long for one frame."""
    left = SNAPSHOT_CHUNK_BYTES
    for stage in STAGES:
        for body in _first_bodies(connection, site, stage):
            left -= len(body)
            if left < 0:
                return
            yield order_from_bytes(body)


def _first_bodies(connection: Connection, site: SiteKey, stage: Stage) -> Sequence[bytes]:
    """Return the orders at the head of a column, about as terminals sort it."""
    places: tuple[ColumnElement[object], ...] = (
        (orders.c.stage_at.desc(),)
        if stage is Stage.SHIPPED
        else (orders.c.cut_off_at.asc().nulls_last(), orders.c.priority.desc(), orders.c.placed_at)
    )
    is_here = and_(*on_board(site), orders.c.status == stage.value)
    # The ids first: a sort of whole orders would read all of them.
    first = select(orders.c.id).where(is_here).order_by(*places).limit(SNAPSHOT_PAGE_ORDERS)
    bodies = select(orders.c.body).where(orders.c.id.in_(first.subquery().select()))
    return connection.execute(bodies).scalars().all()


def _ids(connection: Connection) -> ColumnElement[str]:
    return orders.c.id.collate("C") if is_postgresql(connection) else orders.c.id


def _is_in(ids: ColumnElement[str], lo: str, hi: str) -> ColumnElement[bool]:
    return and_(ids >= lo, ids < hi) if hi else ids >= lo


# In halves: the sum of all would not fit into 64 bits.
_SUMS: Final[tuple[ColumnElement[int], ...]] = (
    func.coalesce(func.sum(literal_column("row_hash >> 32", BigInteger)), 0),
    func.coalesce(func.sum(literal_column("row_hash & 4294967295", BigInteger)), 0),
    func.count(),
)


def _sum(high: int, low: int, count: int) -> Sum:
    return ((int(high) << 32) + int(low)) % HASH_MODULUS, count


def _sums(connection: Connection, site: SiteKey, ranges: Sequence[Range]) -> list[Sum]:
    """Sum range by range along the index that is sorted by code points."""
    ids = _ids(connection)
    found = [
        connection.execute(select(*_SUMS).where(*on_board(site), _is_in(ids, lo, hi))).one()
        for lo, hi in ranges
    ]
    return [_sum(row[0], row[1], row[2]) for row in found]
