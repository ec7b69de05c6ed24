"""The order as every program sees it: plain frozen values, times in milliseconds since 1970 UTC.

Fields keep their defaults out of the encoded form, so that a field added later changes neither the
bytes nor the row hash of an order that does not use it.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable
from enum import StrEnum
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import UNSET, UnsetType

from sync.contract.stages import Stage


class HoldReason(StrEnum):
    """Why an order waits: the field's eight reasons, and the importer's own."""

    AWAITING_PAYMENT = "awaiting payment"
    HIGH_RISK_OF_FRAUD = "high risk of fraud"
    INCORRECT_ADDRESS = "incorrect address"
    OUT_OF_STOCK = "inventory out of stock"
    AWAITING_RETURN_ITEMS = "awaiting return items"
    UNKNOWN_DELIVERY_DATE = "unknown delivery date"
    POST_PURCHASE_CROSS_SELL = "online store post-purchase cross-sell"
    OTHER = "other"
    NEEDS_REVIEW = "needs review"
    """What the file said about the order disagrees with itself."""


class Address(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the parcel goes; every field is text, also the postcode."""

    name: str = ""
    company: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""
    phone: str = ""


NO_ADDRESS: Final = Address()


class Picked(msgspec.Struct, frozen=True, array_like=True):
    """How many pieces of a line somebody picked, less what was put back; encoded as a list, it is in each."""

    user_id: str
    name: str
    quantity: int


class LineItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One product and its quantity on an order; quantities are pieces."""

    position: int
    sku: str
    name: str
    quantity_ordered: int
    location: str = ""
    quantity_picked: int = 0
    quantity_cancelled: int = 0
    """What the source of the order took back."""
    requires_picking: bool = True
    quantity_short: int = 0
    """What people did not find and gave up on: a backorder holds it."""
    picked_by: tuple[Picked, ...] = ()
    """Whose the picked pieces are, in the order in which they began; together never more than are picked."""

    @property
    def quantity_open(self) -> int:
        """Pieces that somebody still has to pick."""
        given_up = self.quantity_cancelled + self.quantity_short
        return max(0, self.quantity_ordered - given_up - self.quantity_picked)


class Claim(msgspec.Struct, frozen=True):
    """Who holds the order and since when."""

    user_id: str
    name: str
    at_ms: int


class Hold(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the order waits, until when, and who said so."""

    reason: str
    by: str
    at_ms: int
    note: str = ""
    until_ms: int | None = None
    by_id: str = ""
    """User id of who alone put it there, and may take it back; empty when others did as well."""


class OrderException(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact that no longer fits the order; ``code`` is a reason code of the operations.

    It stays until somebody resolves it. ``seen_by`` is the name of who acknowledged it.
    """

    code: str
    sentence: str
    op_id: str
    at_ms: int
    seen_by: str = ""
    seen_ms: int = 0


class Order(msgspec.Struct, frozen=True, omit_defaults=True):
    """One order of one site. ``revision`` counts the applied operations of this order."""

    id: str
    organization_id: str
    site_id: str
    source: str
    external_ref: str
    number: str
    stage: Stage
    placed_ms: int
    stage_ms: int
    created_ms: int
    updated_ms: int
    revision: int = 1
    priority: int = 0
    cut_off_ms: int | None = None
    ship_method: str = ""
    carrier: str = ""
    customer: str = ""
    ship_to: Address = NO_ADDRESS
    note: str = ""
    tags: tuple[str, ...] = ()
    claimed_by: Claim | None = None
    assignee: str = ""
    hold: Hold | None = None
    cancelled_ms: int | None = None
    tracking_number: str = ""
    backorder_of: str = ""
    exceptions: tuple[OrderException, ...] = ()
    deleted_ms: int | None = None
    lines: tuple[LineItem, ...] = ()
    stage_by: str = ""
    """User id of who last chose the stage, empty when only the source of the order did."""
    cut_off_rule: str = ""
    """The rule that the cut-off was worked out by, empty when it was given or there is none."""
    retired_ms: int | None = None
    """When the order left the board set: search still finds it, boards no longer hold it."""
    handover: Claim | None = None
    """Who asks whoever holds the order to hand it over, and since when."""
    assignee_id: str = ""
    assigned_by: str = ""
    packed: Claim | None = None
    """Who packed it and when."""
    parcels: int = 0
    backorders: int = 0
    """How many backorders were made of its short rests."""
    updated_by: str = ""
    """Name of who changed it last."""

    @property
    def is_open(self) -> bool:
        """Say whether somebody still has to do something for the order."""
        return self.stage is not Stage.SHIPPED and self.cancelled_ms is None

    @property
    def is_on_board(self) -> bool:
        """Say whether the order belongs to the board set: what snapshots and state hashes cover."""
        return self.deleted_ms is None and self.retired_ms is None


class OrderPatch(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one operation changed on an order; unset fields stay as they were.

    The server says what changed instead of letting every terminal work it out, so that programs
    of different releases agree (the state hash would only find out afterwards).
    """

    number: str | UnsetType = UNSET
    stage: Stage | UnsetType = UNSET
    placed_ms: int | UnsetType = UNSET
    stage_ms: int | UnsetType = UNSET
    created_ms: int | UnsetType = UNSET
    updated_ms: int | UnsetType = UNSET
    revision: int | UnsetType = UNSET
    priority: int | UnsetType = UNSET
    cut_off_ms: int | UnsetType | None = UNSET
    ship_method: str | UnsetType = UNSET
    carrier: str | UnsetType = UNSET
    customer: str | UnsetType = UNSET
    ship_to: Address | UnsetType = UNSET
    note: str | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET
    claimed_by: Claim | UnsetType | None = UNSET
    assignee: str | UnsetType = UNSET
    hold: Hold | UnsetType | None = UNSET
    cancelled_ms: int | UnsetType | None = UNSET
    tracking_number: str | UnsetType = UNSET
    backorder_of: str | UnsetType = UNSET
    exceptions: tuple[OrderException, ...] | UnsetType = UNSET
    deleted_ms: int | UnsetType | None = UNSET
    lines: tuple[LineItem, ...] | UnsetType = UNSET
    stage_by: str | UnsetType = UNSET
    cut_off_rule: str | UnsetType = UNSET
    retired_ms: int | UnsetType | None = UNSET
    handover: Claim | UnsetType | None = UNSET
    assignee_id: str | UnsetType = UNSET
    assigned_by: str | UnsetType = UNSET
    packed: Claim | UnsetType | None = UNSET
    parcels: int | UnsetType = UNSET
    backorders: int | UnsetType = UNSET
    updated_by: str | UnsetType = UNSET


PATCHED_FIELDS: Final[tuple[str, ...]] = OrderPatch.__struct_fields__
_values: Final[Callable[[Order | OrderPatch], tuple[Any, ...]]] = attrgetter(*PATCHED_FIELDS)
"""Gives the values of these fields in one call: this is done for every entry of every log."""


def diff(before: Order, after: Order) -> OrderPatch:
    """Return what ``after`` changed; both are the same order."""
    pairs = zip(PATCHED_FIELDS, _values(before), _values(after), strict=True)
    return OrderPatch(**{name: new for name, old, new in pairs if old != new})


def patched(order: Order, patch: OrderPatch) -> Order:
    """Return ``order`` with the set fields of ``patch``."""
    said = zip(PATCHED_FIELDS, _values(patch), strict=True)
    return msgspec.structs.replace(order, **{name: value for name, value in said if value is not UNSET})


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Order)


def canonical_bytes(order: Order) -> bytes:
    """Return the one encoded form of an order: JSON, fields in the order of the class.

    A struct that holds the default is left out only when it *is* the default: an empty address of another
    making would give equal orders different bytes.
    """
    if order.ship_to is not NO_ADDRESS and order.ship_to == NO_ADDRESS:
        order = msgspec.structs.replace(order, ship_to=NO_ADDRESS)
    return _ENCODER.encode(order)


def order_from_bytes(data: bytes | str) -> Order:
    """Return the order of :func:`canonical_bytes`; raises ``msgspec.DecodeError`` or a subclass."""
    return _DECODER.decode(data)


def row_hash(canonical: bytes) -> int:
    """Return the 64-bit hash of one order's canonical bytes."""
    return int.from_bytes(hashlib.blake2b(canonical, digest_size=8).digest(), "big")


def lines_crc(order: Order) -> int:
    """Return a checksum of what is to be picked: what finishing a pick was based on.

    Picks and short picks do not change it, only what the source of the order orders.
    """
    wanted = [(line.sku, line.name, line.quantity_ordered - line.quantity_cancelled) for line in order.lines]
    return zlib.crc32(_ENCODER.encode(wanted))


HASH_MODULUS: Final = 1 << 64
"""The state hash of a board is the sum of its row hashes modulo this: order does not matter."""
