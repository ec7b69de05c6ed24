"""What a client may ask: just what fits is taken, one more is not."""

from __future__ import annotations

import msgspec
import pytest

from support.hub_bench import hello
from support.orders import make_order
from sync.contract.checks import NUMBER_MAX, are_usable_ranges, is_usable_draft, is_usable_hello
from sync.contract.limits import COMPARE_RANGES, NOTE_BYTES, QUANTITY_MAX, SAID_PRIORITY_MAX, TAGS_MAX
from sync.contract.operations import Change, Create, Edit, Import, Note, Operation, PutOnHold, Ship, Tag
from sync.contract.orders import HASH_MODULUS, Address, LineItem, Order, OrderPatch


def ranges(count: int) -> list[tuple[str, str]]:
    """Return so many ranges, one behind the other."""
    return [(f"{place:03}", f"{place + 1:03}") for place in range(count)]


def test_so_many_ranges_are_taken_and_no_more() -> None:
    """A question has an end."""
    assert are_usable_ranges(ranges(COMPARE_RANGES))
    assert not are_usable_ranges(ranges(COMPARE_RANGES + 1))
    assert not are_usable_ranges([])


@pytest.mark.parametrize(
    ("fields", "is_usable"),
    [
        ({"next_device_seq": NUMBER_MAX - 1}, True),
        ({"next_device_seq": NUMBER_MAX}, False),
        ({"next_device_seq": 1}, True),
        ({"next_device_seq": 0}, False),
        ({"next_device_seq": 5, "kept_device_seq": 5}, True),
        ({"next_device_seq": 5, "kept_device_seq": 6}, False),
        ({"kept_device_seq": -1}, False),
        ({"cursor": NUMBER_MAX - 1}, True),
        ({"cursor": NUMBER_MAX}, False),
        ({"cursor": -1}, False),
        ({"state_hash": HASH_MODULUS - 1}, True),
        ({"state_hash": HASH_MODULUS}, False),
        ({"state_hash": -1}, False),
        ({"device_id": ""}, False),
        ({"device_id": "d" * 64}, True),
        ({"device_id": "d" * 65}, False),
        ({"device_id": "d\0"}, False),
    ],
    ids=str,
)
def test_a_hello_has_numbers_that_tables_hold(fields: dict[str, object], is_usable: bool) -> None:
    """The last that fits is taken, the first that does not is refused."""
    assert is_usable_hello(msgspec.structs.replace(hello(), **fields)) is is_usable


ORDER = make_order(tags=(), priority=0, lines=(LineItem(1, "CUP", "Cup", 1), LineItem(2, "", "Tray", 1)))


def with_line(**fields: object) -> Order:
    """Return an order whose second line has these fields."""
    line = msgspec.structs.replace(ORDER.lines[1], **fields)
    return msgspec.structs.replace(ORDER, lines=(ORDER.lines[0], line))


def replaced(**fields: object) -> Order:
    """Return the order with these fields."""
    return msgspec.structs.replace(ORDER, **fields)


@pytest.mark.parametrize("kind", [Create, Import])
@pytest.mark.parametrize(
    ("order", "is_usable"),
    [
        (ORDER, True),
        (replaced(priority=SAID_PRIORITY_MAX), True),
        (replaced(priority=SAID_PRIORITY_MAX + 1), False),
        (replaced(priority=-1), False),
        (replaced(tags=("t",) * TAGS_MAX), True),
        (replaced(tags=("t",) * (TAGS_MAX + 1)), False),
        (replaced(number="n" * 201), False),
        (replaced(customer="a\0b"), False),
        (replaced(customer="a" * NOTE_BYTES), True),
        (replaced(customer="é" * NOTE_BYTES), False),
        (replaced(ship_to=Address(city="a\0")), False),
        (with_line(position=1), False),
        (with_line(position=-2), False),
        (with_line(quantity_ordered=-1), False),
        (with_line(quantity_ordered=QUANTITY_MAX), True),
        (with_line(quantity_ordered=QUANTITY_MAX + 1), False),
        (with_line(quantity_short=-1), False),
        (with_line(sku="s" * 201), False),
        (with_line(name="a\0"), False),
    ],
)
def test_a_new_order_can_be_stored(kind: type[Create | Import], order: Order, is_usable: bool) -> None:
    """Whatever comes in with it: no table and no terminal has to hold what makes no sense."""
    assert is_usable_draft(Operation("op-1", "order-1", kind(order))) is is_usable


@pytest.mark.parametrize(
    ("fields", "is_usable", "is_usable_back"),
    [
        (OrderPatch(number="SO-1"), True, True),
        (OrderPatch(number=" "), False, True),
        (OrderPatch(number="n" * 201), False, True),
        (OrderPatch(number="n\0"), False, False),
        (OrderPatch(priority=3), True, True),
        (OrderPatch(priority=4), False, True),
        (OrderPatch(priority=-1), False, True),
        (OrderPatch(priority=-(1 << 31)), False, False),
        (OrderPatch(customer="a" * (NOTE_BYTES + 1)), False, False),
    ],
)
def test_a_correction_leaves_an_order_that_can_be_worked_with(
    fields: OrderPatch, is_usable: bool, is_usable_back: bool
) -> None:
    """To take one back may put there what only a source says; what was there before is no matter."""
    for before in (OrderPatch(number="SO-0"), OrderPatch(customer="a\0")):
        operation = Operation("op-1", "order-1", Edit(fields, before))
        assert is_usable_draft(operation) is is_usable
        assert is_usable_draft(msgspec.structs.replace(operation, undoes="op-0")) is is_usable_back


@pytest.mark.parametrize("change", [Note("a\0"), Ship("T\0"), PutOnHold("other", "\0"), Tag(("\0",))])
def test_no_text_holds_a_zero(change: Change) -> None:
    """PostgreSQL refuses it, and the operation with it."""
    assert not is_usable_draft(Operation("op-1", "order-1", change))


def test_half_a_character_is_no_text() -> None:
    """Nothing could write it down."""
    assert not is_usable_draft(Operation("op-1", "order-1", Note("\ud83d")))
    assert is_usable_draft(Operation("op-1", "order-1", Note("\U0001f4e6")))


def test_what_only_looks_large_can_be_stored() -> None:
    """Words about a zero character, and a number that is a text."""
    assert is_usable_draft(Operation("op-1", "order-1", Note("\\u0000")))
    assert is_usable_draft(Operation("op-1", "order-1", Ship("1" * 30)))
    assert is_usable_draft(Operation("op-1", "order-1", Note("a" * NOTE_BYTES)))
