"""Whether a server's data is what was written: the file, the log, and the orders that the log makes.

One read transaction over everything, row by row: a check of a million operations needs no more memory than
one of a thousand, and a server may go on working on the same data meanwhile. It finds what a disk lost: a
damaged file, a gap in the log, a changed entry, an order that is not what its operations made of it. It does
not say who is right: that takes a backup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Engine, Table, and_, func, select, text
from sqlalchemy.exc import DBAPIError

from databases.schema import (
    boards,
    customers,
    device_identities,
    operation_log,
    order_line_items,
    order_sources,
    orders,
)
from databases.statements import is_postgresql
from server.checksums import entry_crc
from server.interface.search_rows import order_search, row_of
from server.kernel import order_rows
from server.kernel.decisions import OrderRow
from server.kernel.signed import signed, unsigned
from sync.contract.operations import LogEntry, Outcome
from sync.contract.orders import HASH_MODULUS, Order, canonical_bytes, patched, row_hash

AT_MOST: Final = 100
"""Findings that are told one by one; of the others there is only the number."""
AT_ONCE: Final = 250
_TOLD_EVERY: Final = 10_000
_ENTRY: Final = msgspec.json.Decoder(LogEntry)
_ONE_BY_ONE: Final = {"yield_per": AT_ONCE}


class Finding(NamedTuple):
    """One thing that is wrong: a word for programs, a sentence for people."""

    code: str
    sentence: str


class BoardChecked(NamedTuple):
    """A board as it was counted: its row, the entries of its log, the orders that they make."""

    site_id: str
    epoch: str
    seq: int
    entries: int
    orders: int
    state_hash: int


class Report(NamedTuple):
    """What a check came to."""

    boards: tuple[BoardChecked, ...]
    findings: tuple[Finding, ...]

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is wrong."""
        return not self.findings


def check(engine: Engine, tell: Callable[[str], None] = lambda _words: None) -> Report:
    """Check everything in one read transaction; ``tell`` hears how far it is."""
    with engine.execution_options(is_reading=True).connect() as connection:
        # Rolled back in the end: a file that is damaged enough does not even commit what was only read.
        return check_rows(connection, tell)


def check_rows(connection: Connection, tell: Callable[[str], None] = lambda _words: None) -> Report:
    """Check everything inside a transaction that is open."""
    checking = _Checking(connection, tell)
    # Each on its own: where the file cannot be read at all, the next part may still find something.
    for part in (
        checking.file,
        checking.replay,
        checking.logs,
        checking.devices,
        checking.sources,
        checking.customers,
    ):
        checking.attempt(part)
    return checking.report()


@dataclass(slots=True)
class _Replayed:
    """What the log of one board made."""

    entries: int = 0
    orders: int = 0
    state_hash: int = 0


@dataclass(slots=True)
class _Checking:
    """One check under way."""

    connection: Connection
    tell: Callable[[str], None]
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    replayed: dict[str, _Replayed] = field(default_factory=dict)
    checked: list[BoardChecked] = field(default_factory=list)

    def find(self, code: str, sentence: str) -> None:
        """Keep a finding."""
        if len(self.findings) < AT_MOST:
            self.findings.append(Finding(code, sentence))
        else:
            self.more += 1

    def attempt(self, part: Callable[[], None]) -> None:
        """Do one part; what cannot be read is a finding too."""
        try:
            part()
        except (DBAPIError, ValueError, TypeError) as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            self.find("DATA_UNREADABLE", f"The data cannot be read to the end: {reason}.")

    def report(self) -> Report:
        """Return what was found."""
        more = (Finding("MORE", f"{self.more:,} more things are wrong."),) if self.more else ()
        return Report(tuple(self.checked), (*self.findings, *more))

    # ------------------------------------------------------------------ the file

    def file(self) -> None:
        """Ask SQLite about its file; PostgreSQL keeps checksums of its own."""
        if is_postgresql(self.connection):
            return
        self.tell("the file")
        for (said,) in self.connection.execute(text(f"PRAGMA integrity_check({AT_MOST})")):
            if said != "ok":
                self.find("FILE_DAMAGED", f"The file is damaged: {said}.")
        for row in self.connection.execute(text("PRAGMA foreign_key_check")):
            self.find("ROW_ALONE", f"A row of {row[0]} belongs to one of {row[2]} that is not there.")

    # ------------------------------------------------------------------ log and orders

    def replay(self) -> None:
        """Go through the log order by order, and compare what it makes with what is stored."""
        table = operation_log
        # Out of the index: SQLite would rather sort the whole log.
        hint = "INDEXED BY idx_operation_log_order"
        log = select(table).with_hint(table, hint, "sqlite").order_by(table.c.order_id, table.c.seq)
        rows = self.connection.execute(log, execution_options=_ONE_BY_ONE).mappings()
        made = (
            order
            for _, history in groupby(self._entries(rows), key=lambda entry: entry.operation.order_id)
            if (order := self._made(history)) is not None
        )
        while some := list(islice(made, AT_ONCE)):
            self._compare(some)

    def _entries(self, rows: Iterable[Mapping[Any, Any]]) -> Iterator[LogEntry]:
        """Yield the entries that are whole, with the order's site known to be the log's."""
        for number, row in enumerate(rows):
            if number % _TOLD_EVERY == 0:
                self.tell(f"{number:,} operations")
            where = f"Entry {row['seq']} of board {row['site_id']}"
            self.replayed.setdefault(row["site_id"], _Replayed()).entries += 1
            try:
                entry = _ENTRY.decode(row["entry"])
            except msgspec.MsgspecError:
                self.find("ENTRY_DAMAGED", f"{where} cannot be read.")
                continue
            if not _is_whole(row, entry):
                self.find("ENTRY_DAMAGED", f"{where} is not what was written.")
            elif entry.order is not None and entry.order.site_id != row["site_id"]:
                self.find("ENTRY_FOREIGN", f"{where} makes an order of another site.")
            else:
                yield entry

    def _made(self, history: Iterable[LogEntry]) -> Order | None:
        """Return what the operations on one order made of it."""
        order: Order | None = None
        for entry in history:
            if entry.order is not None:
                order = entry.order
            elif entry.patch is not None and order is not None:
                order = patched(order, entry.patch)
            elif entry.patch is not None:
                self.find("ORDER_UNMADE", f"Order {entry.operation.order_id} changes before it is there.")
        return order

    def _compare(self, made: Sequence[Order]) -> None:
        """Compare orders with their rows, and add them to their boards."""
        rows = self._by_id(orders, "id", made)
        lines = self._by_id(order_line_items, "order_id", made)
        words = self._by_id(order_search, "order_id", made)
        for order in made:
            body = canonical_bytes(order)
            number = row_hash(body)
            if order.is_on_board:
                board = self.replayed[order.site_id]
                board.orders += 1
                board.state_hash = (board.state_hash + number) % HASH_MODULUS
            wanted = _storable(order_rows.values_of(OrderRow(order, body, number)))
            stored = rows.get(order.id, [{}])[0]
            differing = sorted(name for name in wanted if name not in stored or stored[name] != wanted[name])
            if not stored:
                self.find("ORDER_GONE", f"Order {order.id} ({order.number}) is in the log and not stored.")
            elif differing:
                names = ", ".join(differing)
                self.find(
                    "ORDER_DIFFERS", f"Order {order.id} is not what its operations made of it: {names}."
                )
            if _sorted(lines.get(order.id, [])) != _sorted(map(_storable, order_rows.lines_of(order))):
                self.find("LINES_DIFFER", f"The lines of order {order.id} are not those that it has.")
            if words.get(order.id, []) != [_storable(row_of(order))]:
                self.find("SEARCH_DIFFERS", f"The words that order {order.id} is found by are not its own.")

    def _by_id(self, table: Table, key: str, made: Sequence[Order]) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        ids = [order.id for order in made]
        for row in self.connection.execute(select(table).where(table.c[key].in_(ids))).mappings():
            found.setdefault(row[key], []).append(dict(row))
        return found

    # ------------------------------------------------------------------ boards

    def logs(self) -> None:
        """Compare each board's row with its log and with what that made."""
        for board in self.connection.execute(select(boards).order_by(boards.c.site_id)).all():
            self._board(board.site_id, board.epoch, board.seq, unsigned(board.state_hash), board.durable_seq)

    def _board(self, site_id: str, epoch: str, seq: int, state_hash: int, durable_seq: int) -> None:
        log = operation_log
        made = self.replayed.get(site_id, _Replayed())
        self.checked.append(BoardChecked(site_id, epoch, seq, made.entries, made.orders, state_hash))
        is_own = log.c.site_id == site_id
        counted = select(func.count(), func.min(log.c.seq), func.max(log.c.seq)).where(is_own)
        count, first, last = self.connection.execute(counted).one()
        # Each number is there once, because it is the key.
        if (count, first or 1, last or 0) != (seq, 1, seq):
            span = f"has {count:,} entries from {first} to {last}; its number is {seq}"
            self.find("LOG_GAP", f"The log of board {site_id} {span}.")
        said = self.connection.execute(select(log.c.state_hash).where(is_own, log.c.seq == seq)).scalar() or 0
        if not unsigned(said) == made.state_hash == state_hash:
            self.find("HASH_DIFFERS", f"The orders of board {site_id} are not those of its state hash.")
        if durable_seq > seq:
            self.find("LOG_GAP", f"Board {site_id} was backed up to {durable_seq}, beyond its log.")
        is_on_board = (
            orders.c.site_id == site_id,
            orders.c.deleted_at.is_(None),
            orders.c.retired_at.is_(None),
        )
        there = select(func.count()).select_from(orders).where(*is_on_board)
        stored = self.connection.execute(there).scalar_one()
        if stored != made.orders:
            counts = f"has {stored:,} orders and its log makes {made.orders:,}"
            self.find("ORDER_UNMADE", f"Board {site_id} {counts}.")

    # ------------------------------------------------------------------ the rest

    def devices(self) -> None:
        """Compare what each device was told as decided with what the log has of it."""
        log, table = operation_log, device_identities
        query = (
            select(log.c.device_id, func.max(log.c.device_seq).label("last"), table.c.decided_device_seq)
            .outerjoin(table, and_(table.c.id == log.c.device_id))
            .where(log.c.device_id != "")
            .group_by(log.c.device_id, table.c.decided_device_seq)
        )
        for device_id, last, decided in self.connection.execute(query):
            if decided is None or decided < last:
                self.find("DEVICE_BEHIND", f"Device {device_id} is at {decided}; the log has its {last}.")

    def sources(self) -> None:
        """Compare what sources said with its hash."""
        rows = self.connection.execute(select(order_sources), execution_options=_ONE_BY_ONE)
        for row in rows:
            if signed(row_hash(row.body)) != row.digest:
                who = f"{row.source} {row.external_ref}"
                self.find("SOURCE_DAMAGED", f"What a source said of {who} is not what was written.")

    def customers(self) -> None:
        """Compare the names of customers with their ids, which are made of them."""
        rows = self.connection.execute(select(customers), execution_options=_ONE_BY_ONE)
        for row in rows:
            if order_rows.customer_id(row.organization_id, row.name) != row.id:
                self.find("CUSTOMER_DAMAGED", f"The name of customer {row.id} is not what was written.")


def _is_whole(row: Mapping[Any, Any], entry: LogEntry) -> bool:
    """Say whether a row is what was written; without a checksum, whether its columns are its entry's."""
    if row["crc"] is not None:
        return bool(entry_crc(row) == row["crc"])
    operation = entry.operation
    told = (entry.seq, operation.op_id, operation.order_id, entry.outcome.value, entry.decided_ms)
    is_same = told == tuple(row[name] for name in ("seq", "op_id", "order_id", "outcome", "decided_at"))
    is_change = entry.order is not None or entry.patch is not None
    return is_same and not (is_change and entry.outcome is Outcome.REJECTED)


def _storable(row: Mapping[str, object]) -> dict[str, object]:
    """Return a row as every database can hold it."""
    return {
        name: value.replace("\0", "\ufffd") if isinstance(value, str) else value
        for name, value in row.items()
    }


def _sorted(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return sorted((dict(row) for row in rows), key=lambda row: int(row["position"]))
