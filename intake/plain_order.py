"""The plain order: what a program sends in and an export gives out. Pure.

Programs send a :class:`NewOrder`; :func:`as_arrival` makes of it what the door takes. Nothing about payment
has a field, and an unknown field is refused, so no such thing can come in here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta

from intake.arrival import Arrival
from intake.moments import Moment, moment_ms
from intake.sentences import MisplacedError
from sync.contract.limits import NOTE_BYTES
from sync.contract.orders import Address, Hold, HoldReason, LineItem, Order
from sync.contract.revisions import HOLDER
from sync.contract.stages import Stage

ID_CHARACTERS: Final = 64
ORDERS_MAX: Final = 1_000
LINES_MAX: Final = 10_000
QUANTITY_MAX: Final = 1_000_000
TYPED: Final = "manual"
"""The source of orders that people type in; no program may speak for them."""

Id = Annotated[
    str, Meta(min_length=1, max_length=ID_CHARACTERS, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*(?!\n)$")
]
Name = Annotated[str, Meta(max_length=200)]
Words = Annotated[str, Meta(max_length=1_000)]
Note = Annotated[str, Meta(max_length=NOTE_BYTES)]
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class NewAddress(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the parcel goes; every field is text, also the postcode."""

    name: Words = ""
    company: Words = ""
    street: Words = ""
    city: Name = ""
    region: Name = ""
    postcode: Name = ""
    country: Name = ""
    phone: Name = ""


class NewLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One product and how many pieces of it; it has a ``sku``, a ``name``, or both."""

    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    sku: Name = ""
    name: Words = ""
    location: Name = ""
    requires_picking: bool = True


class NewHold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why the order waits, and until when."""

    reason: HoldReason
    note: Note = ""
    until: Moment | None = None


class TypedOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order as a person makes it: it starts confirmed."""

    lines: Annotated[tuple[NewLine, ...], Meta(min_length=1, max_length=LINES_MAX)]
    external_ref: Name = ""
    number: Name = ""
    placed_at: Moment | None = None
    cut_off_at: Moment | None = None
    ship_method: Name = ""
    carrier: Name = ""
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    customer: Words = ""
    ship_to: NewAddress = NewAddress()
    note: Note = ""
    tags: Annotated[tuple[Name, ...], Meta(max_length=50)] = ()


class NewOrder(TypedOrder, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An order as a program says it, known by ``source`` and ``external_ref``; the same changes nothing.

    ``updated_at`` is when the source last changed the order: an older word changes nothing.
    """

    external_ref: Annotated[str, Meta(min_length=1, max_length=200)]
    source: Id = "api"
    status: Literal["confirmed", "picking", "picked", "shipped"] = "confirmed"
    status_at: Moment | None = None
    hold: NewHold | None = None
    cancelled: bool = False
    cancelled_at: Moment | None = None
    tracking_number: Name = ""
    updated_at: Moment | None = None


NewOrders = Annotated[list[NewOrder], Meta(max_length=ORDERS_MAX)]


def as_arrivals(new: NewOrder | list[NewOrder], zone: ZoneInfo) -> list[Arrival]:
    """Return what the door takes; raises ``ProblemError`` before anything has been written."""
    if isinstance(new, NewOrder):
        try:
            return [as_arrival(new, zone)]
        except MisplacedError as error:
            raise error.problem("the order") from error
    return list(_each(new, zone))


def _each(new: list[NewOrder], zone: ZoneInfo) -> Iterator[Arrival]:
    for place, order in enumerate(new):
        try:
            yield as_arrival(order, zone)
        except MisplacedError as error:
            raise error.within(f"orders[{place}]").problem("the order") from error


def as_arrival(new: NewOrder, zone: ZoneInfo) -> Arrival:
    """Return one order as its source says it; raises :class:`MisplacedError`."""
    if new.source == TYPED:
        raise MisplacedError("source", f"must not be {TYPED}: that is what people type in")
    if not new.external_ref.strip():
        raise MisplacedError("external_ref", "must not be blank")
    is_cancelled = new.cancelled or new.cancelled_at is not None
    hold = None
    if new.hold is not None and not is_cancelled:
        note, until_ms = (
            plain_note("hold.note", new.hold.note),
            plain_moment("hold.until", new.hold.until, zone),
        )
        hold = Hold(new.hold.reason.value, HOLDER, 0, note, until_ms)
    order = msgspec.structs.replace(
        typed(new, zone),
        source=new.source,
        stage=Stage(new.status),
        stage_ms=plain_moment("status_at", new.status_at, zone) or 0,
        hold=hold,
        cancelled_ms=(plain_moment("cancelled_at", new.cancelled_at, zone) or 0) if is_cancelled else None,
        tracking_number=plain_text("tracking_number", new.tracking_number),
    )
    return Arrival(order, plain_moment("updated_at", new.updated_at, zone) or 0)


def typed(new: TypedOrder, zone: ZoneInfo) -> Order:
    """Return an order that nobody has worked on; raises :class:`MisplacedError`."""
    external_ref = plain_text("external_ref", new.external_ref)
    return Order(
        id="",
        organization_id="",
        site_id="",
        source=TYPED,
        external_ref=external_ref,
        number=plain_text("number", new.number) or external_ref,
        stage=Stage.CONFIRMED,
        placed_ms=plain_moment("placed_at", new.placed_at, zone) or 0,
        stage_ms=0,
        created_ms=0,
        updated_ms=0,
        priority=new.priority,
        cut_off_ms=plain_moment("cut_off_at", new.cut_off_at, zone),
        ship_method=plain_text("ship_method", new.ship_method),
        carrier=plain_text("carrier", new.carrier),
        customer=plain_text("customer", new.customer),
        ship_to=plain_address("ship_to", new.ship_to),
        note=plain_note("note", new.note),
        tags=tuple(plain_text(f"tags[{place}]", tag) for place, tag in enumerate(new.tags)),
        lines=tuple(_line(place, line) for place, line in enumerate(new.lines)),
    )


def _line(place: int, new: NewLine) -> LineItem:
    where = f"lines[{place}]"
    sku, name = plain_text(f"{where}.sku", new.sku), plain_text(f"{where}.name", new.name)
    if not sku and not name:
        raise MisplacedError(where, "must have a sku or a name")
    return LineItem(
        place + 1,
        sku,
        name,
        new.quantity,
        plain_text(f"{where}.location", new.location),
        requires_picking=new.requires_picking,
    )


def plain_address(place: str, new: NewAddress) -> Address:
    """Return an address; raises :class:`MisplacedError`."""
    fields = {name: plain_text(f"{place}.{name}", getattr(new, name)) for name in new.__struct_fields__}
    return Address(**fields)


def plain_text(place: str, text: str) -> str:
    """Return a text without blanks around it; raises :class:`MisplacedError`."""
    # Most texts are printable throughout, which is one fast look; blanks that are not are fine, too.
    if not text.isprintable() and _CONTROL.search(text):
        raise MisplacedError(place, "must not hold control characters")
    return text.strip()


def plain_note(place: str, note: str) -> str:
    """Return a note; raises :class:`MisplacedError`."""
    text = plain_text(place, note)
    if len(text.encode()) > NOTE_BYTES:
        raise MisplacedError(place, f"must have at most {NOTE_BYTES // 1024} KiB")
    return text


def plain_moment(place: str, value: Moment | None, zone: ZoneInfo) -> int | None:
    """Return a moment in milliseconds, None for none; raises :class:`MisplacedError`."""
    if value is None:
        return None
    try:
        return moment_ms(value, zone)
    except ValueError as error:
        words = "must be a time such as 2026-03-01T09:30:00Z, or milliseconds since 1970"
        raise MisplacedError(place, words) from error
