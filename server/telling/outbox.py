"""The durable outbox: what is to be told stands in the database until it was told, or was given up.

Collecting and the target's place in the log are one transaction, so nothing is left out and nothing is
collected twice, whatever is killed when. What is sent is claimed first, by setting its next time to the
end of the attempt: if the sender dies, another sends it again. So a delivery arrives at least once, always
under the same id.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    delete,
    func,
    literal_column,
    select,
    update,
)

from databases.schema import boards, operation_log
from databases.statements import insert_rows
from intake.told import (
    NEW_KINDS,
    PER_SEQ,
    SILENT_KINDS,
    TELLING,
    body_of,
    events_of,
    place_of,
)
from server.kernel.records import SiteKey
from server.telling.tables import webhook_deliveries, webhook_targets
from server.telling.targets import Target, target_of
from sync.contract.operations import LogEntry
from sync.contract.orders import Order, patched
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError

WAITING: Final = "waiting"
DONE: Final = "done"
DEAD: Final = "dead"
STATES: Final = (WAITING, DONE, DEAD)

PAGE: Final = 200
"""Entries of the log that are looked through in one transaction."""
BACKLOG: Final = 1_000
"""With so many waiting for a target, the rest waits in the log."""
ATTEMPTS: Final = 31
FIRST_WAIT_MS: Final = 5_000
WAIT_GROWTH: Final = 2.5
LONGEST_WAIT_MS: Final = 3600 * 1000
LEASE_MS: Final = 15_000
"""How long a claimed delivery is its sender's; longer than an attempt can take."""
DONE_KEPT_MS: Final = 7 * 24 * 3600 * 1000
DEAD_KEPT_MS: Final = 30 * 24 * 3600 * 1000
NO_ANSWER: Final = "no answer"
_WAITING: Final[ColumnElement[str]] = literal_column("'waiting'")
"""Not a parameter: only then does SQLite see that the index of what waits fits."""
_DECODER: Final = msgspec.json.Decoder(LogEntry)
_LOG: Final = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """One thing to tell one target: the columns of its row that anybody needs."""

    id: str
    target_id: str
    event: str
    order_id: str
    place: int
    body: bytes
    state: str
    attempts: int
    next_ms: int
    answer: str
    created_ms: int

    @property
    def seq(self) -> int:
        """Where the event stands in the log of its site."""
        return self.place // PER_SEQ


_COLUMNS: Final = tuple(webhook_deliveries.c[name.replace("_ms", "_at")] for name in Delivery._fields)


class Outbox:
    """What is on its way to the targets of every site."""

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        """Write through ``engine``."""
        self._engine = engine
        self._reading = engine.execution_options(is_reading=True)
        self._clock = clock
        self._ids = ids

    # ------------------------------------------------------------ collecting

    def behind(self) -> list[str]:
        """Return the ids of the targets whose site's log goes on after their cursor."""
        table = webhook_targets
        with self._reading.begin() as connection:
            return list(
                connection.execute(
                    select(table.c.id)
                    .join(boards, boards.c.site_id == table.c.site_id)
                    .where(boards.c.seq > table.c.cursor)
                    .order_by(table.c.id)
                ).scalars()
            )

    def collect(self, target_id: str) -> bool:
        """Look through one page of the log for a target; say whether there may be more to collect now."""
        table, log = webhook_targets, operation_log
        with self._engine.begin() as connection:
            row = connection.execute(
                select(table).where(table.c.id == target_id).with_for_update()
            ).one_or_none()
            if row is None or _waiting(connection, target_id) >= BACKLOG:
                return False
            found = connection.execute(
                select(log.c.seq, log.c.order_id, log.c.kind, log.c.outcome, log.c.entry)
                .where(log.c.site_id == row.site_id, log.c.seq > row.cursor)
                .order_by(log.c.seq)
                .limit(PAGE)
            ).all()
            if not found:
                return False
            insert_rows(connection, webhook_deliveries, self._told(connection, row, found))
            connection.execute(update(table).where(table.c.id == target_id).values(cursor=found[-1].seq))
        return len(found) == PAGE

    def _told(
        self, connection: Connection, target: Row[Any], found: Sequence[Any]
    ) -> list[dict[str, object]]:
        wanted = set(target.events.split(","))
        entries = [_DECODER.decode(row.entry) for row in found if _may_tell(row.kind, row.outcome, wanted)]
        now = self._clock.wall_ms()
        same = {name: getattr(target, name) for name in ("organization_id", "site_id")}
        same |= {"target_id": target.id, "state": WAITING, "attempts": 0, "answer": "", "settled_at": 0}
        rows: list[dict[str, object]] = []
        for entry, order in _with_orders(connection, target.site_id, entries):
            for event in filter(wanted.__contains__, events_of(entry, order)):
                delivery_id, place = self._ids.new(), place_of(entry.seq, event)
                body = body_of(delivery_id, event, entry, order)
                row = {"id": delivery_id, "place": place, "event": event, "order_id": order.id, "body": body}
                rows.append(row | same | {"next_at": now, "created_at": now})
        return rows

    # ------------------------------------------------------------ sending

    def due(self) -> list[Target]:
        """Return the targets that something waits for now."""
        table, deliveries = webhook_targets, webhook_deliveries
        is_due = select(deliveries.c.id).where(
            deliveries.c.target_id == table.c.id, *_is_due(self._clock.wall_ms())
        )
        with self._reading.begin() as connection:
            return [target_of(row) for row in connection.execute(select(table).where(is_due.exists()))]

    def claim(self, target_id: str, count: int) -> list[Delivery]:
        """Take up to ``count`` deliveries, each the first that waits of its order."""
        table, now = webhook_deliveries, self._clock.wall_ms()
        with self._engine.begin() as connection:
            rows = connection.execute(
                select(*_COLUMNS)
                .where(table.c.target_id == target_id, *_is_due(now))
                .order_by(table.c.place)
                .limit(count)
                .with_for_update(skip_locked=True, of=table)
            ).all()
            if rows:
                connection.execute(
                    update(table)
                    .where(table.c.id.in_([row.id for row in rows]))
                    .values(attempts=table.c.attempts + 1, next_at=now + LEASE_MS)
                )
        return [Delivery(*row)._replace(attempts=row.attempts + 1) for row in rows]

    def settle(self, delivery: Delivery, answer: str) -> None:
        """Write what became of an attempt; the empty ``answer`` is success."""
        table, now = webhook_deliveries, self._clock.wall_ms()
        if not answer:
            values: dict[str, object] = {"state": DONE, "settled_at": now}
        elif delivery.attempts >= ATTEMPTS:
            values = {"state": DEAD, "settled_at": now}
            _LOG.warning("webhook given up", extra={"delivery": delivery.id, "answer": answer})
        else:
            values = {"next_at": now + wait_ms(delivery.id, delivery.attempts)}
        # Somebody else's by now, if this attempt took longer than it may.
        still_ours = table.c.id == delivery.id, table.c.attempts == delivery.attempts
        with self._engine.begin() as connection:
            waiting = update(table).where(*still_ours, table.c.state == WAITING)
            connection.execute(waiting.values(**values, answer=answer))

    # ------------------------------------------------------------ people

    def deliveries(self, site: SiteKey, state: str, limit: int) -> list[tuple[str, Delivery]]:
        """Return deliveries with their targets' names, the newest first; "" is every state."""
        table = webhook_deliveries
        asked = (
            select(webhook_targets.c.name, *_COLUMNS)
            .join(webhook_targets, webhook_targets.c.id == table.c.target_id)
            .where(table.c.site_id == site.site_id, table.c.state.in_([state] if state else STATES))
            .order_by(table.c.id.desc())
            .limit(limit)
        )
        with self._reading.begin() as connection:
            return [(row[0], Delivery(*row[1:])) for row in connection.execute(asked)]

    def retry(self, site: SiteKey, ids: Iterable[str] | None) -> int:
        """Send dead letters again from the first attempt on, all when ``ids`` is None; returns how many."""
        table = webhook_deliveries
        fresh = {"state": WAITING, "attempts": 0, "next_at": self._clock.wall_ms(), "settled_at": 0}
        with self._engine.begin() as connection:
            return connection.execute(update(table).where(*_dead(site, ids)).values(**fresh)).rowcount

    def drop(self, site: SiteKey, ids: Iterable[str] | None) -> int:
        """Forget dead letters, all when ``ids`` is None; returns how many."""
        with self._engine.begin() as connection:
            return connection.execute(delete(webhook_deliveries).where(*_dead(site, ids))).rowcount

    def find(self, site: SiteKey, delivery_id: str) -> Delivery:
        """Return a delivery; raises NOT_FOUND."""
        table = webhook_deliveries
        with self._reading.begin() as connection:
            row = connection.execute(
                select(*_COLUMNS).where(table.c.id == delivery_id, table.c.site_id == site.site_id)
            ).one_or_none()
        if row is None:
            raise ProblemError("NOT_FOUND", "There is no such delivery.", "See webhook dead list.")
        return Delivery(*row)

    def prune(self) -> None:
        """Forget what was told a week ago, and dead letters that nobody wanted for a month."""
        table, now = webhook_deliveries, self._clock.wall_ms()
        for state, kept_ms in ((DONE, DONE_KEPT_MS), (DEAD, DEAD_KEPT_MS)):
            old = (
                select(table.c.id)
                .where(table.c.state == state, table.c.settled_at <= now - kept_ms)
                .limit(BACKLOG)
            )
            is_more = True
            while is_more:
                with self._engine.begin() as connection:
                    is_more = connection.execute(delete(table).where(table.c.id.in_(old))).rowcount > 0


def wait_ms(delivery_id: str, attempts: int) -> int:
    """Return how long to wait after so many attempts: longer each time, spread by a tenth either way.

    The spread follows from the id, so that what failed together does not come back together.
    """
    longest = min(LONGEST_WAIT_MS, FIRST_WAIT_MS * WAIT_GROWTH ** min(attempts - 1, 20))
    spread = zlib.crc32(f"{delivery_id} {attempts}".encode()) % 2001 / 10_000 - 0.1
    return round(longest * (1 + spread))


def _may_tell(kind: str, outcome: str, wanted: set[str]) -> bool:
    """Say whether an entry has to be looked into; most of a large import has not."""
    is_new = kind in NEW_KINDS and outcome == "applied"
    return outcome in TELLING and kind not in SILENT_KINDS and ("created" in wanted or not is_new)


def _with_orders(
    connection: Connection, site_id: str, entries: list[LogEntry]
) -> list[tuple[LogEntry, Order]]:
    """Return each entry with its order as it was right after it: the log holds all that led there."""
    if not entries:
        return []
    log, wanted = operation_log, {entry.seq for entry in entries}
    ids = sorted({entry.operation.order_id for entry in entries})
    rows = connection.execute(
        select(log.c.entry)
        .where(log.c.site_id == site_id, log.c.order_id.in_(ids), log.c.seq <= entries[-1].seq)
        .order_by(log.c.seq)
    )
    orders: dict[str, Order] = {}
    pairs = []
    for (encoded,) in rows:
        entry = _DECODER.decode(encoded)
        order_id = entry.operation.order_id
        if entry.order is not None:
            orders[order_id] = entry.order
        elif entry.patch is not None and order_id in orders:
            orders[order_id] = patched(orders[order_id], entry.patch)
        if entry.seq in wanted and order_id in orders:
            pairs.append((entry, orders[order_id]))
    return pairs


def _is_due(now: int) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions of a delivery that may go now: its time has come, and it is its order's first."""
    table, earlier = webhook_deliveries, webhook_deliveries.alias()
    is_blocked = select(earlier.c.id).where(
        earlier.c.target_id == table.c.target_id,
        earlier.c.order_id == table.c.order_id,
        earlier.c.state == _WAITING,
        earlier.c.place < table.c.place,
    )
    return table.c.state == _WAITING, table.c.next_at <= now, ~is_blocked.exists()


def _waiting(connection: Connection, target_id: str) -> int:
    table = webhook_deliveries
    return connection.execute(
        select(func.count())
        .select_from(table)
        .where(table.c.target_id == target_id, table.c.state == _WAITING)
    ).scalar_one()


def _dead(site: SiteKey, ids: Iterable[str] | None) -> list[Any]:
    table = webhook_deliveries
    conditions = [table.c.site_id == site.site_id, table.c.state == DEAD]
    return conditions if ids is None else [*conditions, table.c.id.in_(list(ids))]
