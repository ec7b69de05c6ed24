"""What a line of ``headless`` asks for as a change of an order, or why it is none. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from app.headless_wishes import (
    AssignWish,
    CreateWish,
    EditWish,
    HandoverWish,
    HoldWish,
    MissingLine,
    MoveWish,
    NoteWish,
    PackWish,
    PickWish,
    ShipWish,
    ShortPickWish,
    TagWish,
    Wish,
)
from sync.contract.limits import NOTE_BYTES
from sync.contract.messages import Site
from sync.contract.operations import (
    Assign,
    Cancel,
    Change,
    Edit,
    Move,
    Note,
    Pack,
    Pick,
    Prioritise,
    PutOnHold,
    Reason,
    Reinstate,
    Release,
    RequestHandover,
    Ship,
    ShortLine,
    ShortPick,
    Tag,
    Take,
    Unclaim,
)
from sync.contract.orders import Address, HoldReason, LineItem, Order, OrderPatch
from sync.contract.problems import Problem
from sync.contract.stages import STAGES, Stage

NOTHING_TO_UNDO: Final = Problem("NOTHING_TO_UNDO", "There is nothing to take back here.")
_SKU_CHARACTERS: Final = 200


def change_of(wish: Wish, order: Order) -> Change | Problem:
    """Return the change of ``order`` that a line asks for, or why it is none."""
    for name, made in _MAKERS.items():
        asked = getattr(wish, name)
        if asked is not None:
            return made(asked, order)
    raise AssertionError("only asked of lines that change an order")


def no_stage(stage: str) -> Problem:
    """Return what is wrong with a stage that is none."""
    return Problem("STAGE_UNKNOWN", f'"{stage}" is no stage.', f"Use one of: {', '.join(STAGES)}.")


def no_way_back(number: str, kind: str) -> Problem:
    """Return why an operation is not taken back."""
    return Problem(
        "NOT_UNDONE",
        f"Nothing takes this back: {kind.replace('_', ' ')} of order {number}.",
        "Ask for what you want instead; the backorder of a short pick can be cancelled.",
    )


def not_made_yet(number: str) -> Problem:
    """Return why a new order cannot be taken back yet."""
    return Problem(
        "NOT_UNDONE",
        f"Not undone: order {number} is not on the board yet.",
        "Ask again when its operation is done.",
    )


def new_order(wish: CreateWish, order_id: str, site: Site, now_ms: int) -> Order:
    """Return the order that a ``create`` line describes."""
    lines = tuple(
        LineItem(place, line.sku, line.name or line.sku, line.quantity, line.location)
        for place, line in enumerate(wish.lines, 1)
    )
    return Order(
        order_id,
        site.organization_id,
        site.id,
        source="manual",
        external_ref="",
        number=wish.number,
        stage=Stage.CONFIRMED,
        placed_ms=now_ms,
        stage_ms=now_ms,
        created_ms=now_ms,
        updated_ms=now_ms,
        priority=wish.priority,
        cut_off_ms=wish.cut_off_ms,
        ship_method=wish.ship_method,
        carrier=wish.carrier,
        customer=wish.customer,
        ship_to=wish.ship_to.on(Address()),
        note=wish.note,
        tags=wish.tags,
        lines=lines,
    )


# ---------------------------------------------------------------------- one a kind


def _move(wish: MoveWish, _order: Order) -> Change | Problem:
    return Move(Stage(wish.to)) if wish.to in set(STAGES) else no_stage(wish.to)


def _hold(wish: HoldWish, _order: Order) -> Change | Problem:
    if wish.reason in set(HoldReason):
        return PutOnHold(wish.reason, wish.note, wish.until_ms)
    reasons = ", ".join(HoldReason)
    return Problem("REASON_UNKNOWN", f'"{wish.reason}" is no reason for a hold.', f"Use one of: {reasons}.")


def _assign(wish: AssignWish, order: Order) -> Change | Problem:
    if bool(wish.person) is not bool(wish.person_id):
        return Problem(
            "PERSON_INCOMPLETE",
            "A person is a name and an id.",
            "Give both person and person_id, or neither for nobody; status tells your own.",
        )
    return Assign(wish.person_id, wish.person, order.assignee_id)


def _pick(wish: PickWish, order: Order) -> Change | Problem:
    line = _line_of(order, wish.position, wish.sku)
    if isinstance(line, Problem):
        return line
    if wish.quantity > line.quantity_open:
        picked, wanted = line.quantity_picked, line.quantity_ordered - line.quantity_cancelled
        return Problem(
            str(Reason.OVER_PICKED),
            f"{picked} of {wanted} x {_named(line)} are picked already, {wish.quantity} more are too many.",
            "What is too much goes back. Nothing was counted.",
        )
    return Pick(line.position, wish.quantity, _key(line))


def _short_pick(wish: ShortPickWish, order: Order) -> Change | Problem:
    found = [(_line_of(order, each.position, each.sku), each) for each in wish.lines]
    wrong = next((line for line, _ in found if isinstance(line, Problem)), None)
    if wrong is not None:
        return wrong
    lines = [_short_line(line, each) for line, each in found if isinstance(line, LineItem)]
    return ShortPick(tuple(lines), wish.reason, wish.note)


def _short_line(line: LineItem, missing: MissingLine) -> ShortLine:
    return ShortLine(line.position, missing.quantity, _key(line))


def _note(wish: NoteWish, _order: Order) -> Change | Problem:
    if len(wish.text.encode("utf-8", "surrogatepass")) > NOTE_BYTES:
        return Problem("NOTE_TOO_LONG", "This note is too long.", "Write less than 64 KiB.")
    return Note(wish.text)


def _edit(wish: EditWish, order: Order) -> Change | Problem:
    fields = wish.fields(order.ship_to)
    names = [name for name in OrderPatch.__struct_fields__ if getattr(fields, name) is not msgspec.UNSET]
    return Edit(fields, OrderPatch(**{name: getattr(order, name) for name in names}))


def _line_of(order: Order, position: int | None, sku: str) -> LineItem | Problem:
    """Return the line that is meant: the one at ``position``, else the first open one with this ``sku``."""
    at_place = [line for line in order.lines if line.position == position]
    same = [line for line in order.lines if sku and sku in {line.sku, line.name}]
    if position is not None:
        meant = [line for line in at_place if not sku or line in same]
    else:
        meant = sorted(same, key=lambda line: line.quantity_open == 0)
    if meant:
        return meant[0]
    what = sku or ("nothing" if position is None else f"line {position}")
    return Problem(
        str(Reason.LINE_UNKNOWN),
        f"Wrong item: {what} is not on order {order.number}. It was not counted.",
        f"Put it back. The order wants: {', '.join(_named(line) for line in order.lines[:8])}.",
    )


def _named(line: LineItem) -> str:
    return line.sku or line.name


def _key(line: LineItem) -> str:
    return line.sku if len(line.sku) <= _SKU_CHARACTERS else ""


_MAKERS: Final[dict[str, Callable[[Any, Order], Change | Problem]]] = {
    "move": _move,
    "claim": lambda _wish, _order: Take(),
    "unclaim": lambda _wish, _order: Unclaim(),
    "request_handover": lambda wish, _order: _handover(wish),
    "assign": _assign,
    "prioritise": lambda wish, _order: Prioritise(wish.priority),
    "hold": _hold,
    "release": lambda _wish, _order: Release(),
    "cancel": lambda wish, _order: Cancel(wish.note),
    "reinstate": lambda _wish, _order: Reinstate(),
    "pick": _pick,
    "short_pick": _short_pick,
    "pack": lambda wish, _order: _pack(wish),
    "ship": lambda wish, _order: _ship(wish),
    "note": _note,
    "tag": lambda wish, _order: _tag(wish),
    "edit": _edit,
}


def _handover(wish: HandoverWish) -> Change:
    return RequestHandover(wish.withdrawn)


def _pack(wish: PackWish) -> Change:
    return Pack(wish.parcels)


def _ship(wish: ShipWish) -> Change:
    return Ship(wish.tracking_number, wish.carrier)


def _tag(wish: TagWish) -> Change:
    return Tag(wish.add, wish.remove)
