"""Orders as columns: the same orders come back, to the byte, and lists that do not fit are refused."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from support.orders import Made, make_orders
from sync.contract.codec import MalformedFrameError, decode_server, encode, encode_compressed
from sync.contract.columns import OrderColumns, columns_of
from sync.contract.messages import SnapshotChunk, SnapshotPage
from sync.contract.orders import (
    Address,
    Claim,
    Hold,
    LineItem,
    Order,
    OrderException,
    Picked,
    canonical_bytes,
    order_from_bytes,
)
from sync.contract.stages import Stage

ORDERS = tuple(make_orders(200, Made(seed=4)))
TEXTS = some.sampled_from(("", "x", "Ä – ü", "\0"))
NUMBERS = some.integers(-5, 3)


def structs(kind: type[msgspec.Struct], **given_: some.SearchStrategy[Any]) -> some.SearchStrategy[Any]:
    """Give structs of a kind: each field of ``given_`` may be said or left out."""
    required = len(kind.__struct_fields__) - len(kind.__struct_defaults__)
    names = kind.__struct_fields__[:required]
    return some.fixed_dictionaries(
        {name: given_[name] for name in names},
        optional={name: each for name, each in given_.items() if name not in names},
    ).map(lambda values: kind(**values))


CLAIMS = structs(Claim, user_id=TEXTS, name=TEXTS, at_ms=NUMBERS)
LINES = structs(
    LineItem,
    **dict.fromkeys(("sku", "name", "location"), TEXTS),
    **{
        name: NUMBERS
        for name in LineItem.__struct_fields__
        if name not in {"sku", "name", "location", "requires_picking", "picked_by"}
    },
    requires_picking=some.booleans(),
    picked_by=some.lists(some.builds(Picked, TEXTS, TEXTS, NUMBERS), max_size=2).map(tuple),
)
SPECIAL: dict[str, some.SearchStrategy[Any]] = {
    "stage": some.sampled_from(Stage),
    "ship_to": structs(Address, **dict.fromkeys(Address.__struct_fields__, TEXTS)),
    "tags": some.lists(TEXTS, max_size=2).map(tuple),
    "claimed_by": some.none() | CLAIMS,
    "handover": some.none() | CLAIMS,
    "packed": some.none() | CLAIMS,
    "hold": some.none() | structs(Hold, reason=TEXTS, by=TEXTS, at_ms=NUMBERS, note=TEXTS),
    "exceptions": some.lists(
        structs(OrderException, code=TEXTS, sentence=TEXTS, op_id=TEXTS, at_ms=NUMBERS, seen_by=TEXTS),
        max_size=2,
    ).map(tuple),
    "lines": some.lists(LINES, max_size=3).map(tuple),
    **{name: some.none() | NUMBERS for name in ("cut_off_ms", "cancelled_ms", "deleted_ms", "retired_ms")},
}
COUNTED = {name for name in Order.__struct_fields__ if name.endswith("_ms")} | {
    *("revision", "priority", "parcels", "backorders")
}
FIELDS = {name: SPECIAL.get(name, NUMBERS if name in COUNTED else TEXTS) for name in Order.__struct_fields__}


@given(some.lists(structs(Order, **FIELDS), max_size=4), some.booleans())
def test_orders_come_back_to_the_byte(orders: list[Order], are_decoded: bool) -> None:
    """Whatever is said and whatever is left out: the hash of a board hangs on it."""
    if are_decoded:
        orders = [order_from_bytes(canonical_bytes(order)) for order in orders]
    chunk = decode_server(encode(SnapshotChunk.of(3, orders)))
    assert isinstance(chunk, SnapshotChunk)
    assert chunk.index == 3
    assert chunk.orders == orders
    assert [canonical_bytes(order) for order in chunk.orders] == [canonical_bytes(each) for each in orders]


def test_a_chunk_of_real_orders_is_smaller_than_its_rows() -> None:
    """That is what the columns are for."""
    rows = encode_compressed(SnapshotPage(list(ORDERS)))
    columns = encode_compressed(SnapshotChunk.of(0, ORDERS))
    assert len(columns) < 0.8 * len(rows)
    assert [canonical_bytes(order) for order in columns_of(ORDERS).orders()] == [
        canonical_bytes(order) for order in ORDERS
    ]


def test_every_field_has_its_column() -> None:
    """A field that is added to an order, a line or an address needs one: else it would be lost."""
    expected = {
        *Order.__struct_fields__,
        *(f"line_{name}" for name in LineItem.__struct_fields__),
        *(f"ship_to_{name}" for name in Address.__struct_fields__),
    }
    assert set(OrderColumns.__struct_fields__) == expected


def test_columns_of_a_later_release_are_passed_over() -> None:
    """As unknown fields are everywhere."""
    frame = encode(SnapshotChunk.of(0, ORDERS[:2]))
    later = frame.replace('"columns":{', '"columns":{"colour":["red","blue"],')
    assert later != frame
    assert decode_server(later) == decode_server(frame)


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": ["1"]},
        {"line_sku": ["1"]},
        {"lines": [1]},
        {"lines": [1, -1]},
        {"lines": [0, 10**9]},
        {"ship_to": [True]},
        {"ship_to_city": ["x", "y", "z"]},
        {"number": []},
        {"line_position": []},
    ],
)
def test_lists_that_do_not_fit_are_no_message(wrong: dict[str, list[Any]]) -> None:
    """Nothing would be certain any more: the link is closed."""
    columns = msgspec.to_builtins(columns_of(ORDERS[:2]))
    frame = encode_compressed(SnapshotChunk.of(0, ORDERS[:2]))
    assert decode_server(frame)
    spoiled = msgspec.json.encode({"type": "snapshot_chunk", "index": 0, "columns": {**columns, **wrong}})
    with pytest.raises(MalformedFrameError):
        decode_server(spoiled.decode())


def test_no_orders_are_no_columns() -> None:
    """An empty board has no chunk, but one would do no harm."""
    assert columns_of([]) == OrderColumns()
    assert OrderColumns().orders() == []


def test_a_chunk_that_contradicts_itself_says_how() -> None:
    """For whoever reads the log."""
    with pytest.raises(ValueError, match="fewer than no lines"):
        OrderColumns(id=["a"], lines=[-1])
