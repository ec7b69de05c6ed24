"""What a card is drawn from: plain values, one row per order.

The board asks for rows by local id (the ``rowid`` in this terminal's cache) through the protocol
``RowSource`` in :mod:`widgets.board.rows`; :mod:`sync.client.board_view` answers. The type stands
here because both sides need it and neither may import the other.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from sync.contract.stages import Stage


class Fate(StrEnum):
    """How far an operation of this terminal has come; a card tells only the first three apart."""

    SETTLED = "settled"
    """Nothing of this terminal is on its way: the card shows the server's truth."""
    SAVING = "saving"
    """Not yet durable in the outbox."""
    PENDING = "pending"
    """Durable here, not yet decided by the server: shown as "Not sent yet"."""
    SENT = "sent"
    """Handed to the socket; no more certain than before."""
    ACKED = "acked"
    """Decided; done when the board shows the log up to it."""


class CardRow(NamedTuple):
    """One order as its card shows it. Times are milliseconds since 1970 UTC, None = none."""

    local_id: int
    order_id: str
    number: str
    customer: str
    city: str
    stage: Stage
    priority: int
    """0 normal, 1 express (the higher the sooner)."""
    cut_off_ms: int | None
    carrier: str
    placed_ms: int
    stage_ms: int
    """When the order entered its stage (for shipped orders: when it shipped)."""
    lines_total: int
    lines_picked: int
    lines_short: int
    pieces: int
    claimed_by: str
    """Name of the person who holds it, empty when nobody does."""
    claimed_id: str
    hold_reason: str
    """Empty when the order is not on hold."""
    hold_until_ms: int | None
    is_cancelled: bool
    exception: str
    """The sentence of the newest open exception, empty when there is none."""
    backorder_number: str
    """Number of the order that holds the short rest, empty when there is none."""
    has_note: bool
    tags: tuple[str, ...]
    fate: Fate


class GroupKey(NamedTuple):
    """What a run of cards below one cut-off header has in common."""

    cut_off_ms: int | None
    carrier: str


class Group(msgspec.Struct, frozen=True):
    """A run of equal group keys inside a column: ``count`` cards from place ``start``."""

    start: int
    count: int
    key: GroupKey


class BoardChange(NamedTuple):
    """What the board has to repaint: these cards, and these columns whose membership changed."""

    rows: tuple[int, ...] = ()
    columns: tuple[Stage, ...] = ()
