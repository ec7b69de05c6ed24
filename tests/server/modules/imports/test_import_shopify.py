"""Orders of Shopify: what its columns and states mean here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intake.mapping import load
from support.imports import Result, import_files
from support.repository import ROOT
from sync.contract.orders import HoldReason, Order, canonical_bytes
from sync.contract.problems import ProblemError
from sync.contract.stages import Stage

PAYLOAD = ROOT.parent / "shared" / "data" / "shopify_order_webhook.json"
needs_data = pytest.mark.skipif(
    not PAYLOAD.is_file(), reason="the real order files are not in ../shared/data"
)

HEAD = (
    "Name,Email,Financial Status,Fulfillment Status,Fulfilled at,Shipping Method,Created at,"
    "Lineitem quantity,Lineitem name,Lineitem sku,Billing Name,Shipping Name,Shipping City,Shipping Zip,"
    "Cancelled at,Payment Reference,Tags,Id,Lineitem requires shipping\n"
)


def import_csv(folder: Path, rows: str, *, as_open: bool = False) -> Result:
    """Import rows of a Shopify export."""
    path = folder / "shopify.csv"
    path.write_text(HEAD + rows, encoding="utf-8")
    return import_files(path, as_open=as_open)


def first(*, payment: str = "paid", status: str = "unfulfilled", cancelled: str = "") -> str:
    """Return the first row of order #1."""
    return (
        f"#1,a@b.example,{payment},{status},,Express,2025-03-01 10:00:00 -0500,1,Mug,M-1,Bo,Ada,Bath,01307,"
        f'{cancelled},PAY-77,"gift, b2b",5.27763E+12,false\n'
    )


def test_the_export_is_read(tmp_path: Path) -> None:
    """The rows of an order share its name; its values stand on the first one only."""
    made = import_csv(tmp_path, first() + "#1,,,,,,,2,Jug,J-1" + "," * 9 + "\n")
    (order,) = made.orders
    assert (order.source, order.external_ref, order.number) == ("shopify", "#1", "#1")
    assert (order.customer, order.ship_to.city, order.ship_to.postcode) == ("Ada", "Bath", "01307")
    assert (order.ship_method, order.tags) == ("Express", ("gift", "b2b"))
    assert order.placed_ms == datetime(2025, 3, 1, 15, tzinfo=UTC).timestamp() * 1000
    assert [(line.sku, line.name, line.quantity_ordered) for line in order.lines] == [
        ("M-1", "Mug", 1),
        ("J-1", "Jug", 2),
    ]
    assert made.held == []
    assert b"PAY-77" not in canonical_bytes(order)


def summary(order: Order) -> tuple[Stage, bool, str | None]:
    """Return the stage, whether it is cancelled, and why it waits."""
    return order.stage, order.cancelled_ms is not None, order.hold.reason if order.hold else None


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (first(), (Stage.CONFIRMED, False, None)),
        (first(status=""), (Stage.CONFIRMED, False, None)),
        (first(payment="pending"), (Stage.CONFIRMED, False, HoldReason.AWAITING_PAYMENT)),
        (first(payment="Authorized"), (Stage.CONFIRMED, False, HoldReason.AWAITING_PAYMENT)),
        (first(status="partial"), (Stage.PICKING, False, None)),
        (first(status="fulfilled", payment="pending"), (Stage.SHIPPED, False, None)),
        (first(cancelled="2025-03-02 10:00:00 -0500"), (Stage.CONFIRMED, True, None)),
        (first(payment="weird"), (Stage.CONFIRMED, False, HoldReason.NEEDS_REVIEW)),
    ],
)
def test_the_states(tmp_path: Path, row: str, expected: tuple[Stage, bool, HoldReason | None]) -> None:
    """Cancelled, shipped, picking, on hold until paid; a word nobody knows is looked at by a person."""
    made = import_csv(tmp_path, row)
    (order,) = made.orders
    assert summary(order) == expected
    assert len(made.report.held) == (order.hold is not None)


def test_as_open_opens_all(tmp_path: Path) -> None:
    """With --as-open shipped and cancelled orders are confirmed as well."""
    for row in (first(status="fulfilled"), first(cancelled="2025-03-02 10:00:00 -0500")):
        (order,) = import_csv(tmp_path, row, as_open=True).orders
        assert summary(order) == (Stage.CONFIRMED, False, None)


@needs_data
def test_the_payload_is_read(tmp_path: Path) -> None:
    """The order as the shop sends it, alone and in a list; nothing of its payment is kept."""
    (order,) = import_files(PAYLOAD).orders
    assert (order.external_ref, order.number, order.customer) == ("450789469", "#1001", "Bob Norman")
    assert (order.ship_to.city, order.ship_to.postcode, order.ship_method) == (
        "Louisville",
        "40202",
        "Free Shipping",
    )
    assert [line.sku for line in order.lines] == ["IPOD2008GREEN", "IPOD2008RED", "IPOD2008BLACK"]
    assert summary(order) == (Stage.CONFIRMED, False, HoldReason.AWAITING_PAYMENT)
    kept = canonical_bytes(order)
    assert not [word for word in (b"4242", b"b1946ac9", b"authorize_net", b"0.0.0.0") if word in kept]
    listed = tmp_path / "orders.json"
    item = json.loads(PAYLOAD.read_text(encoding="utf-8"))["order"]
    listed.write_text(json.dumps({"orders": [item, {**item, "id": 2, "shipping_lines": []}]}))
    assert [made.external_ref for made in import_files(listed).orders] == ["450789469", "2"]


def test_a_state_that_is_none_is_said() -> None:
    """A mapping cannot put an order into a state that does not exist."""
    with pytest.raises(ProblemError) as caught:
        load(
            b'name = "a"\ntitle = "b"\nsource = "s"\nformat = "csv"\ndetect = []\n'
            b'[order]\nexternal_ref = "r"\n[line]\nquantity = "q"\n[values.status]\ndone = "gone"\n',
            "a.toml",
        )
    assert "cannot be gone" in caught.value.problem.sentence
