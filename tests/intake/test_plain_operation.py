"""Operations over HTTP: every kind of the contract can be asked for, and nothing that could not be stored."""

from __future__ import annotations

import typing
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from intake.plain_operation import Wanted, as_operation
from intake.sentences import MisplacedError
from sync.contract import operations as contract
from sync.contract.operations import KINDS, Change
from sync.contract.orders import Address, OrderPatch
from sync.contract.stages import Stage

LONDON = ZoneInfo("Europe/London")
CASES: list[tuple[dict[str, Any], Change]] = [
    ({"kind": "move", "to": "picked"}, contract.Move(Stage.PICKED)),
    ({"kind": "claim"}, contract.Take()),
    ({"kind": "unclaim"}, contract.Unclaim()),
    ({"kind": "request_handover", "withdrawn": True}, contract.RequestHandover(withdrawn=True)),
    ({"kind": "assign", "assignee_id": "u", "assignee": " Ali "}, contract.Assign("u", "Ali")),
    ({"kind": "prioritise", "priority": 3}, contract.Prioritise(3)),
    ({"kind": "hold", "reason": "other", "note": " ring "}, contract.PutOnHold("other", "ring")),
    ({"kind": "release"}, contract.Release()),
    ({"kind": "cancel", "note": "late"}, contract.Cancel("late")),
    ({"kind": "reinstate"}, contract.Reinstate()),
    ({"kind": "pick", "position": 1, "quantity": -2, "sku": "CUP"}, contract.Pick(1, -2, "CUP")),
    (
        {"kind": "short_pick", "lines": [{"position": 1, "quantity": 2}], "reason": "gone"},
        contract.ShortPick((contract.ShortLine(1, 2),), "gone"),
    ),
    ({"kind": "pack", "parcels": 2}, contract.Pack(2)),
    ({"kind": "ship", "tracking_number": " T-1 "}, contract.Ship("T-1")),
    ({"kind": "note", "text": "ring"}, contract.Note("ring")),
    ({"kind": "tag", "add": ["gift", " "], "remove": ["late"]}, contract.Tag(("gift",), ("late",))),
    (
        {
            "kind": "edit",
            "fields": {"customer": " Ann ", "cut_off_at": 5, "ship_to": {"city": "Bath"}, "priority": 2},
            "was": {"customer": "Bo", "cut_off_at": None},
        },
        contract.Edit(
            OrderPatch(customer="Ann", cut_off_ms=5, ship_to=Address(city="Bath"), priority=2),
            OrderPatch(customer="Bo", cut_off_ms=None),
        ),
    ),
    ({"kind": "acknowledge", "of": "op-1"}, contract.Acknowledge("op-1")),
    ({"kind": "resolve", "of": "op-1", "how": "returned"}, contract.Resolve("op-1", "returned")),
]


def asked(**fields: object) -> contract.Operation:
    """Return the operation that a program asked for."""
    wanted: Wanted = msgspec.convert({"op_id": "op-1", "order_id": "o-1", **fields}, Wanted)
    return as_operation(wanted, LONDON)


@pytest.mark.parametrize(("fields", "change"), CASES, ids=[case[0]["kind"] for case in CASES])
def test_a_kind_becomes_the_contracts(fields: dict[str, Any], change: Change) -> None:
    """With its texts trimmed, and what is common beside it."""
    operation = asked(**fields, base_stage="picking", undoes="op-0", base_revision=4)
    assert operation.change == change
    assert (operation.op_id, operation.order_id) == ("op-1", "o-1")
    assert (operation.base_stage, operation.undoes, operation.base_revision) == (Stage.PICKING, "op-0", 4)


def test_every_kind_that_people_may_make_can_be_asked_for() -> None:
    """All but what sources, the server and terminals alone say."""
    kinds = {wanted.__struct_config__.tag for wanted in typing.get_args(Wanted)}
    assert kinds == set(KINDS) - {"import", "schedule", "retire", "skip"}
    assert kinds == {case[0]["kind"] for case in CASES} | {"create"}


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "pick", "position": 0, "quantity": 1},
        {"kind": "pick", "position": 1, "quantity": 1 << 40},
        {"kind": "prioritise", "priority": 4},
        {"kind": "short_pick", "lines": []},
        {"kind": "tag", "add": ["x" * 101]},
        {"kind": "edit", "fields": {"stage": "shipped"}},
        {"kind": "pack", "parcels": -1},
    ],
    ids=lambda fields: str(fields["kind"]),
)
def test_what_is_out_of_bounds_is_refused(fields: dict[str, Any]) -> None:
    """Before anything is decided."""
    with pytest.raises(msgspec.ValidationError):
        asked(**fields)


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"kind": "edit", "fields": {"ship_to": {"city": "\x07"}}}, "fields.ship_to.city"),
        ({"kind": "edit", "fields": {}, "was": {"cut_off_at": "soon"}}, "was.cut_off_at"),
        ({"kind": "note", "text": "\x07"}, "text"),
        ({"kind": "tag", "remove": ["\x07"]}, "remove[0]"),
    ],
)
def test_a_text_that_cannot_be_kept_is_named_with_its_place(fields: dict[str, Any], place: str) -> None:
    """So that whoever wrote the program finds it."""
    with pytest.raises(MisplacedError) as raised:
        asked(**fields)
    assert place in str(raised.value.problem("the operation").problem.sentence)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({"kind": "pick", "position": 1, "quantity": 1, "sku": "C\0P"}, "sku"),
        (
            {"kind": "short_pick", "lines": [{"position": 1, "quantity": 1, "sku": "C\x1bP"}]},
            "lines[0].sku",
        ),
    ],
)
def test_a_sku_holds_no_control_characters(said: dict[str, Any], place: str) -> None:
    """Over the socket it could not be said either, and an exception would show it to people."""
    wanted = msgspec.convert({"op_id": "op-1", "order_id": "order-1", **said}, Wanted)
    with pytest.raises(MisplacedError) as caught:
        as_operation(wanted, LONDON)
    assert caught.value.place == place


def test_a_sku_is_no_longer_than_that_of_a_line() -> None:
    """Nothing longer could be on an order."""
    said = {"op_id": "o", "order_id": "o", "kind": "pick", "position": 1, "quantity": 1, "sku": "x" * 201}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Wanted)
