"""The plain operation: what a program asks over HTTP of what people do at a terminal. Pure.

An unknown field is refused, and every text and number is bounded, so that what comes in can be stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import UNSET, Meta, UnsetType

from intake.moments import Moment
from intake.plain_order import (
    Id,
    Name,
    NewAddress,
    Note,
    TypedOrder,
    Words,
    plain_address,
    plain_moment,
    plain_note,
    plain_text,
    typed,
)
from intake.sentences import MisplacedError
from sync.contract import operations as contract
from sync.contract.limits import PRIORITY_MAX, QUANTITY_MAX, SHORT_LINES, TAG_CHARACTERS, TAGS_MAX
from sync.contract.orders import HoldReason, Order, OrderPatch
from sync.contract.stages import Stage

Tags = Annotated[
    tuple[Annotated[str, Meta(min_length=1, max_length=TAG_CHARACTERS)], ...], Meta(max_length=TAGS_MAX)
]
Position = Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
Priority = Annotated[int, Meta(ge=0, le=PRIORITY_MAX)]


class _Wanted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """What every operation says: its own id, and the order.

    ``base_stage`` is where the caller saw it. ``undoes`` names the operation that this one takes back, on an
    order that is still at ``base_revision``.
    """

    op_id: Id
    order_id: Id
    base_stage: Stage | None = None
    undoes: Annotated[str, Meta(max_length=64)] = ""
    base_revision: Annotated[int, Meta(ge=0)] = 0


class MoveOperation(_Wanted, frozen=True, tag="move"):
    """To another stage. Moving to picking claims the order."""

    to: Stage


class ClaimOperation(_Wanted, frozen=True, tag="claim"):
    """The caller holds the order."""


class UnclaimOperation(_Wanted, frozen=True, tag="unclaim"):
    """The caller holds the order no longer; whoever asked for it holds it then."""


class RequestHandoverOperation(_Wanted, frozen=True, tag="request_handover"):
    """The caller asks whoever holds the order to hand it over, or no longer asks."""

    withdrawn: bool = False


class AssignOperation(_Wanted, frozen=True, tag="assign"):
    """The order is for a person; ``was_id`` is for whom it was when the caller looked."""

    assignee_id: Annotated[str, Meta(max_length=64)] = ""
    assignee: Name = ""
    was_id: Annotated[str, Meta(max_length=64)] = ""


class PrioritiseOperation(_Wanted, frozen=True, tag="prioritise"):
    """How urgent the order is, the higher the sooner."""

    priority: Priority


class HoldOperation(_Wanted, frozen=True, tag="hold"):
    """The order waits for ``reason``, until a time if one is known."""

    reason: HoldReason
    note: Note = ""
    until: Moment | None = None


class ReleaseOperation(_Wanted, frozen=True, tag="release"):
    """The order waits no longer."""


class CancelOperation(_Wanted, frozen=True, tag="cancel"):
    """Nobody fulfils the order any more."""

    note: Note = ""


class ReinstateOperation(_Wanted, frozen=True, tag="reinstate"):
    """The cancelled order is fulfilled after all."""


class PickOperation(_Wanted, frozen=True, tag="pick"):
    """Pieces of a line were picked; a negative quantity was put back."""

    position: Position
    quantity: Annotated[int, Meta(ge=-QUANTITY_MAX, le=QUANTITY_MAX)]
    sku: Name = ""


class MissingLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pieces of one line that are not there."""

    position: Position
    quantity: Annotated[int, Meta(ge=1, le=QUANTITY_MAX)]
    sku: Name = ""


class ShortPickOperation(_Wanted, frozen=True, tag="short_pick"):
    """Pieces are not there; with a ``reason`` they become a backorder."""

    lines: Annotated[tuple[MissingLine, ...], Meta(min_length=1, max_length=SHORT_LINES)]
    reason: Name = ""
    note: Note = ""


class PackOperation(_Wanted, frozen=True, tag="pack"):
    """The order is packed; 0 parcels take that back."""

    parcels: Annotated[int, Meta(ge=0, le=QUANTITY_MAX)] = 1


class ShipOperation(_Wanted, frozen=True, tag="ship"):
    """The order is handed to the carrier, with the number on its label."""

    tracking_number: Name = ""
    carrier: Name = ""


class NoteOperation(_Wanted, frozen=True, tag="note"):
    """A line more in the order's note."""

    text: Note


class TagOperation(_Wanted, frozen=True, tag="tag"):
    """Tags that come and go."""

    add: Tags = ()
    remove: Tags = ()


class EditedFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields of an order that are corrected by hand, or what they held when the caller looked."""

    number: Name | UnsetType = UNSET
    customer: Words | UnsetType = UNSET
    ship_to: NewAddress | UnsetType = UNSET
    ship_method: Name | UnsetType = UNSET
    carrier: Name | UnsetType = UNSET
    note: Note | UnsetType = UNSET
    cut_off_at: Moment | UnsetType | None = UNSET
    priority: Priority | UnsetType = UNSET


class EditOperation(_Wanted, frozen=True, tag="edit"):
    """Fields corrected by hand; refused when one of them holds something else than ``was`` by now."""

    fields: EditedFields
    was: EditedFields = EditedFields()


class AcknowledgeOperation(_Wanted, frozen=True, tag="acknowledge"):
    """The caller has seen what became of the operation ``of``."""

    of: Id


class ResolveOperation(_Wanted, frozen=True, tag="resolve"):
    """The exception that the operation ``of`` opened is settled."""

    of: Id
    how: Name = ""
    note: Note = ""


class CreateOperation(_Wanted, frozen=True, tag="create"):
    """A new order by hand; ``order_id`` is the id that it shall have, best a UUID of version 7."""

    order: TypedOrder


Wanted = (
    MoveOperation
    | ClaimOperation
    | UnclaimOperation
    | RequestHandoverOperation
    | AssignOperation
    | PrioritiseOperation
    | HoldOperation
    | ReleaseOperation
    | CancelOperation
    | ReinstateOperation
    | PickOperation
    | ShortPickOperation
    | PackOperation
    | ShipOperation
    | NoteOperation
    | TagOperation
    | EditOperation
    | AcknowledgeOperation
    | ResolveOperation
    | CreateOperation
)


def as_operation(wanted: Wanted, zone: ZoneInfo) -> contract.Operation:
    """Return the operation, without who made it and when; raises :class:`MisplacedError`."""
    return contract.Operation(
        wanted.op_id,
        wanted.order_id,
        _CHANGES[type(wanted)](wanted, zone),
        base_stage=wanted.base_stage,
        undoes=wanted.undoes,
        base_revision=wanted.base_revision,
    )


def _hold(wanted: HoldOperation, zone: ZoneInfo) -> contract.Change:
    note, until_ms = plain_note("note", wanted.note), plain_moment("until", wanted.until, zone)
    return contract.PutOnHold(wanted.reason.value, note, until_ms)


def _pick(wanted: PickOperation, _zone: ZoneInfo) -> contract.Change:
    return contract.Pick(wanted.position, wanted.quantity, plain_text("sku", wanted.sku))


def _short_pick(wanted: ShortPickOperation, _zone: ZoneInfo) -> contract.Change:
    lines = tuple(
        contract.ShortLine(line.position, line.quantity, plain_text(f"lines[{place}].sku", line.sku))
        for place, line in enumerate(wanted.lines)
    )
    return contract.ShortPick(lines, plain_text("reason", wanted.reason), plain_note("note", wanted.note))


def _ship(wanted: ShipOperation, _zone: ZoneInfo) -> contract.Change:
    number = plain_text("tracking_number", wanted.tracking_number)
    return contract.Ship(number, plain_text("carrier", wanted.carrier))


def _tag(wanted: TagOperation, _zone: ZoneInfo) -> contract.Change:
    add, remove = (
        tuple(plain_text(f"{name}[{place}]", tag) for place, tag in enumerate(tags))
        for name, tags in (("add", wanted.add), ("remove", wanted.remove))
    )
    return contract.Tag(tuple(filter(None, add)), remove)


def _edit(wanted: EditOperation, zone: ZoneInfo) -> contract.Change:
    return contract.Edit(_patch("fields", wanted.fields, zone), _patch("was", wanted.was, zone))


def _patch(place: str, fields: EditedFields, zone: ZoneInfo) -> OrderPatch:
    changed: dict[str, Any] = {}
    for name in fields.__struct_fields__:
        value = getattr(fields, name)
        if value is UNSET:
            continue
        where = f"{place}.{name}"
        if name == "cut_off_at":
            changed["cut_off_ms"] = plain_moment(where, value, zone)
        elif isinstance(value, NewAddress):
            changed[name] = plain_address(where, value)
        else:
            changed[name] = plain_note(where, value) if isinstance(value, str) else value
    return OrderPatch(**changed)


def _create(wanted: CreateOperation, zone: ZoneInfo) -> contract.Change:
    try:
        order: Order = typed(wanted.order, zone)
    except MisplacedError as error:
        raise error.within("order") from error
    return contract.Create(order)


def _resolve(wanted: ResolveOperation, _zone: ZoneInfo) -> contract.Change:
    return contract.Resolve(wanted.of, plain_text("how", wanted.how), plain_note("note", wanted.note))


def _assign(wanted: AssignOperation, _zone: ZoneInfo) -> contract.Change:
    return contract.Assign(wanted.assignee_id, plain_text("assignee", wanted.assignee), wanted.was_id)


_CHANGES: Final[dict[type, Callable[[Any, ZoneInfo], contract.Change]]] = {
    MoveOperation: lambda wanted, _: contract.Move(wanted.to),
    ClaimOperation: lambda *_: contract.Take(),
    UnclaimOperation: lambda *_: contract.Unclaim(),
    RequestHandoverOperation: lambda wanted, _: contract.RequestHandover(wanted.withdrawn),
    AssignOperation: _assign,
    PrioritiseOperation: lambda wanted, _: contract.Prioritise(wanted.priority),
    HoldOperation: _hold,
    ReleaseOperation: lambda *_: contract.Release(),
    CancelOperation: lambda wanted, _: contract.Cancel(plain_note("note", wanted.note)),
    ReinstateOperation: lambda *_: contract.Reinstate(),
    PickOperation: _pick,
    ShortPickOperation: _short_pick,
    PackOperation: lambda wanted, _: contract.Pack(wanted.parcels),
    ShipOperation: _ship,
    NoteOperation: lambda wanted, _: contract.Note(plain_note("text", wanted.text)),
    TagOperation: _tag,
    EditOperation: _edit,
    AcknowledgeOperation: lambda wanted, _: contract.Acknowledge(wanted.of),
    ResolveOperation: _resolve,
    CreateOperation: _create,
}
