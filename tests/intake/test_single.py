"""One request's orders, in memory, by the rules of files."""

from __future__ import annotations

import json
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intake.mapping import Shelf
from intake.order_maker import Wish
from intake.single import Read, read_orders
from support.imports import NOW_MS
from sync.contract.orders import HoldReason, canonical_bytes
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

SHELF = Shelf.shipped()
ORDER = {
    "id": 450789469,
    "name": "#1001",
    "created_at": "2024-03-01T10:00:00-05:00",
    "updated_at": "2024-03-02T10:00:00-05:00",
    "financial_status": "paid",
    "fulfillment_status": None,
    "payment_details": {"credit_card_number": "pay_4711"},
    "line_items": [{"sku": "M", "name": "Mug", "quantity": 2}, {"sku": "J", "name": "Jug", "quantity": 0}],
}


def read(body: object) -> Read:
    """Read a request of a shop."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_orders(data, SHELF.choose("shopify-json"), Wish(ZoneInfo("Europe/Berlin"), NOW_MS))


def test_one_order_is_read() -> None:
    """The order with when the shop last changed it; what cannot be picked is refused."""
    made = read(ORDER)
    ((order, said_ms),) = made.arrivals
    assert (order.source, order.external_ref, order.number) == ("shopify", "450789469", "#1001")
    assert said_ms == 1_709_391_600_000
    assert [(line.sku, line.quantity_ordered) for line in order.lines] == [("M", 2)]
    assert [refusal.reason for refusal in made.refused] == ["quantity 0 is not pickable"]
    assert made.held == []
    assert b"pay_4711" not in canonical_bytes(order)


def test_what_the_source_does_not_say_is_zero() -> None:
    """So the same words are the same order whenever they come."""
    order = (
        read({**ORDER, "created_at": None, "financial_status": "pending", "cancelled_at": None})
        .arrivals[0]
        .order
    )
    assert (order.placed_ms, order.stage_ms, order.created_ms, order.cancelled_ms) == (0, 0, 0, None)
    assert order.hold is not None
    assert (order.hold.reason, order.hold.by, order.hold.at_ms) == (HoldReason.AWAITING_PAYMENT, "Import", 0)
    gone = read({**ORDER, "fulfillment_status": "restocked"}).arrivals[0].order
    assert gone.cancelled_ms == 0
    shipped = read({**ORDER, "fulfillment_status": "fulfilled"}).arrivals[0].order
    assert (shipped.stage, shipped.stage_ms) == (Stage.SHIPPED, shipped.placed_ms)


def test_several_orders_keep_their_order() -> None:
    """A list, wrapped or bare, and what is wrong with one of them does not touch the others."""
    orders = [{**ORDER, "id": 9}, {**ORDER, "id": 8}, {**ORDER, "id": 7, "line_items": []}, 5]
    for body in (orders, {"orders": orders}):
        made = read(body)
        assert [arrival.order.external_ref for arrival in made.arrivals] == ["9", "8"]
        assert len(made.refused) == 4
    held = read({**ORDER, "financial_status": "odd"})
    assert [tuple(each) for each in held.held] == [("450789469", "financial_status: odd is not known")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "FILE_EMPTY"),
        (b"name,qty\n1,2\n", "JSON_UNREADABLE"),
        (b'{"id": 1, "line_items": [{"sku"', "FILE_TRUNCATED"),
        (b"\xff\xfe", "ENCODING_NEEDED"),
        (b'{"id": "\x00"}', "FILE_BINARY"),
    ],
)
def test_what_is_no_order_is_said(body: bytes, code: str) -> None:
    """With a code and without a trace."""
    with pytest.raises(ProblemError) as caught:
        read(body)
    assert caught.value.problem.code == code


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.binary(max_size=120), st.sampled_from(SHELF.names))
def test_any_bytes_are_an_answer_or_a_sentence(body: bytes, name: str) -> None:
    """Whatever somebody sends."""
    for data in (body, b"[" + body + b"]", json.dumps({"id": body.decode("latin-1")}).encode()):
        try:
            read_orders(data, SHELF.choose(name), Wish(ZoneInfo("UTC"), NOW_MS))
        except ProblemError:
            continue
