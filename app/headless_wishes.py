"""What can be asked of ``headless``: one class a request, as it is read from a line of JSON.

Limits stand in the types, so that nothing gets into the outbox that the server could not store.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from app.deed_words import LATEST_MS
from sync.contract.limits import (
    PRIORITY_MAX,
    QUANTITY_MAX,
    SHORT_LINES,
    TAG_CHARACTERS,
    TAGS_MAX,
)
from sync.contract.orders import Address, OrderPatch

MOST_ROWS: Final = 10_000
MOST_AT_ONCE: Final = 1_000
"""Orders that one line may name."""
LAST: Final = "last"
"""What is taken back when nothing else is named."""

_POSITION_MAX: Final = 1_000_000
_KEY_CHARACTERS: Final = 200

Quantity = Annotated[int, Meta(ge=-QUANTITY_MAX, le=QUANTITY_MAX)]
Count = Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
Position = Annotated[int, Meta(ge=0, le=_POSITION_MAX)]
Sku = Annotated[str, Meta(max_length=_KEY_CHARACTERS)]
Priority = Annotated[int, Meta(ge=0, le=PRIORITY_MAX)]
Tag = Annotated[str, Meta(min_length=1, max_length=TAG_CHARACTERS)]
Tags = Annotated[tuple[Tag, ...], Meta(max_length=TAGS_MAX)]
Moment = Annotated[int, Meta(ge=0, le=LATEST_MS)]
Numbers = Annotated[tuple[str, ...], Meta(max_length=MOST_AT_ONCE)]


class OneOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What names one order, by its number or its id."""

    number: str


class SomeOrders(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What names one order, or several that are asked for at once."""

    number: str = ""
    numbers: Numbers = ()


class MoveWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A move to another stage."""

    to: str


class HandoverWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Asking whoever holds an order for it, or no longer asking."""

    withdrawn: bool = False


class AssignWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For whom an order is; nobody when both are empty."""

    person: str = ""
    person_id: str = ""


class PrioritiseWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How urgent an order is."""

    priority: Priority


class HoldWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order put on hold."""

    reason: str
    note: str = ""
    until_ms: Moment | None = None


class CancelWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order that nobody fulfils any more."""

    note: str = ""


class PickWish(OneOrder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces of one line in somebody's hands; a negative quantity was put back."""

    position: Position | None = None
    sku: Sku = ""
    quantity: Quantity = 1


class MissingLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces of one line that were not found."""

    position: Position | None = None
    sku: Sku = ""
    quantity: Count = 1


class ShortPickWish(OneOrder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pieces that were not found; with a reason they become an order of their own."""

    lines: Annotated[tuple[MissingLine, ...], Meta(min_length=1, max_length=SHORT_LINES)]
    reason: str = ""
    note: str = ""


class PackWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order packed into so many parcels; 0: not packed after all."""

    parcels: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)] = 1


class ShipWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order handed to its carrier, with what is on the label."""

    tracking_number: str = ""
    carrier: str = ""


class NoteWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line more in the note."""

    text: str


class TagWish(SomeOrders, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tags that come and go."""

    add: Tags = ()
    remove: Tags = ()


class AddressParts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parts of an address; what is left out stays as it is."""

    name: str | None = None
    company: str | None = None
    street: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    phone: str | None = None

    def on(self, address: Address) -> Address:
        """Return ``address`` with these parts."""
        parts = {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}
        return msgspec.structs.replace(address, **parts)


class EditWish(OneOrder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Fields corrected by hand; what is left out stays as it is."""

    new_number: str | None = None
    customer: str | None = None
    ship_to: AddressParts | None = None
    ship_method: str | None = None
    carrier: str | None = None
    note: str | None = None
    priority: Priority | None = None
    cut_off_ms: Moment | msgspec.UnsetType | None = msgspec.UNSET

    def fields(self, address: Address) -> OrderPatch:
        """Return what is to be so; ``address`` is where the order goes now."""
        names = ("customer", "ship_method", "carrier", "note", "priority")
        wanted = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.new_number is not None:
            wanted["number"] = self.new_number
        if self.ship_to is not None:
            wanted["ship_to"] = self.ship_to.on(address)
        return OrderPatch(cut_off_ms=self.cut_off_ms, **wanted)


class NewLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a new order."""

    sku: Sku = ""
    name: str = ""
    quantity: Count = 1
    location: str = ""


class CreateWish(OneOrder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new order by hand."""

    lines: Annotated[tuple[NewLine, ...], Meta(min_length=1, max_length=SHORT_LINES)]
    customer: str = ""
    ship_to: AddressParts = AddressParts()
    ship_method: str = ""
    carrier: str = ""
    note: str = ""
    priority: Priority = 0
    cut_off_ms: Moment | None = None
    tags: Tags = ()


class ResolveWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An exception that is settled; ``id`` as ``needs_you`` lists it."""

    id: str
    how: str = ""
    note: str = ""


class ListWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The orders of a stage, or of all."""

    stage: str = ""
    limit: int = MOST_ROWS


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A request that needs nothing more."""


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of input: one request, and a word of the caller's own that comes back with its fate."""

    move: MoveWish | None = None
    claim: SomeOrders | None = None
    unclaim: SomeOrders | None = None
    request_handover: HandoverWish | None = None
    assign: AssignWish | None = None
    prioritise: PrioritiseWish | None = None
    hold: HoldWish | None = None
    release: SomeOrders | None = None
    cancel: CancelWish | None = None
    reinstate: SomeOrders | None = None
    pick: PickWish | None = None
    short_pick: ShortPickWish | None = None
    pack: PackWish | None = None
    ship: ShipWish | None = None
    note: NoteWish | None = None
    tag: TagWish | None = None
    edit: EditWish | None = None
    create: CreateWish | None = None
    undo: str | NoFields | None = None
    needs_you: NoFields | None = None
    acknowledge: str | None = None
    resolve: ResolveWish | None = None
    retry: str | None = None
    export_needs_you: str | None = None
    accept_board: NoFields | None = None
    list: ListWish | None = None
    find: str | None = None
    status: NoFields | None = None
    try_now: NoFields | None = None
    quit: NoFields | None = None
    ref: str = ""


REQUESTS: Final = tuple(name for name in Wish.__struct_fields__ if name != "ref")
"""Everything that can be asked."""
CHANGES: Final = REQUESTS[: REQUESTS.index("create")]
"""What changes orders that are on the board."""

OrderWish = OneOrder | SomeOrders


def change_wish(wish: Wish) -> OrderWish | None:
    """Return the request of a line that changes orders on the board, None when it asks for something else."""
    asked: OrderWish | None = next(filter(None, (getattr(wish, name) for name in CHANGES)), None)
    return asked


def numbers_of(wish: OrderWish) -> tuple[str, ...]:
    """Return the orders that a request names, each once, in its order."""
    several = wish.numbers if isinstance(wish, SomeOrders) else ()
    named = (wish.number, *several) if wish.number or not several else several
    return tuple(dict.fromkeys(named))
