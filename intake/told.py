"""What happens to orders, as other programs are told it. Pure.

An entry of the log may be several events: the last move is ``moved`` and ``shipped``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec
from msgspec import UNSET

from intake.moments import LATEST_MS
from sync.contract.operations import Create, Import, LogEntry, Outcome, Ship
from sync.contract.orders import Order
from sync.contract.stages import Stage

EVENTS: Final = ("created", "moved", "shipped", "held", "released", "cancelled", "reinstated")
USUAL: Final = ("moved", "shipped", "held", "cancelled", "reinstated")
PING: Final = "ping"
PER_SEQ: Final = 10
"""Places that one entry of the log takes: its events stay in order and apart."""
TELLING: Final = frozenset({Outcome.APPLIED, Outcome.MERGED, Outcome.EXCEPTION})
SILENT_KINDS: Final = frozenset(
    {
        *("claim", "unclaim", "request_handover", "assign", "prioritise", "short_pick", "schedule", "retire"),
        *("note", "tag", "edit", "acknowledge", "resolve", "skip"),
    }
)
NEW_KINDS: Final = frozenset({"create", "import"})


class HoldTold(msgspec.Struct, frozen=True):
    """Why an order waits. The note is not told: people write anything into it."""

    reason: str
    since: str
    until: str | None


class OrderTold(msgspec.Struct, frozen=True):
    """The order right after the event; nobody's name or address is in it."""

    id: str
    number: str
    external_ref: str
    source: str
    stage: str
    tracking_number: str
    carrier: str
    ship_method: str
    hold: HoldTold | None
    cancelled_at: str | None
    revision: int


class Told(msgspec.Struct, frozen=True):
    """The body of one delivery. ``seq`` is the event's place in the log of the site."""

    id: str
    event: str
    occurred_at: str
    operation: str = ""
    seq: int = 0
    order: OrderTold | None = None


def events_of(entry: LogEntry, order: Order) -> Iterator[str]:
    """Yield the events that an entry is, in the order of :data:`EVENTS`; ``order`` is as it left it."""
    if entry.order is not None:
        # A fact that brought an order back onto the board stands there whole, too.
        if isinstance(entry.operation.change, Create | Import):
            yield "created"
        elif isinstance(entry.operation.change, Ship):
            yield "shipped"
        return
    patch = entry.patch
    if patch is None:
        return
    if patch.stage is not UNSET:
        yield "moved"
    is_corrected = patch.tracking_number is not UNSET and order.stage is Stage.SHIPPED
    if patch.stage is Stage.SHIPPED or is_corrected:
        yield "shipped"
    is_cancelled = isinstance(patch.cancelled_ms, int)
    if patch.hold is not UNSET and not is_cancelled:
        yield "held" if patch.hold is not None else "released"
    if is_cancelled:
        yield "cancelled"
    elif patch.cancelled_ms is None:
        yield "reinstated"


def place_of(seq: int, event: str) -> int:
    """Return where an event stands among all of its site."""
    return seq * PER_SEQ + EVENTS.index(event)


def body_of(delivery_id: str, event: str, entry: LogEntry, order: Order) -> bytes:
    """Return what is sent; the same bytes at every attempt."""
    told = Told(
        delivery_id,
        event,
        moment(entry.decided_ms),
        str(entry.operation.change.__struct_config__.tag),
        entry.seq,
        _told(order),
    )
    return msgspec.json.encode(told)


def ping_of(delivery_id: str, now_ms: int) -> bytes:
    """Return the body of a test."""
    return msgspec.json.encode(Told(delivery_id, PING, moment(now_ms)))


def _told(order: Order) -> OrderTold:
    hold = order.hold
    return OrderTold(
        order.id,
        order.number,
        order.external_ref,
        order.source,
        str(order.stage),
        order.tracking_number,
        order.carrier,
        order.ship_method,
        None if hold is None else HoldTold(hold.reason, moment(hold.at_ms), _moment(hold.until_ms)),
        _moment(order.cancelled_ms),
        order.revision,
    )


def moment(ms: int) -> str:
    """Return a time as ISO 8601 in UTC, to the millisecond; beyond the calendar it is the calendar's end."""
    return (
        datetime.fromtimestamp(min(max(ms, 0), LATEST_MS) / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )


def _moment(ms: int | None) -> str | None:
    return None if ms is None else moment(ms)
