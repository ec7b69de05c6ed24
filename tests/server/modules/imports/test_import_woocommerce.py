"""Orders of WooCommerce: what its fields and states mean here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.imports import import_files
from support.repository import ROOT
from sync.contract.orders import HoldReason, Order, canonical_bytes
from sync.contract.stages import Stage

SAMPLES = ROOT.parent / "shared" / "data" / "woocommerce_orders_api_samples.md"
needs_data = pytest.mark.skipif(
    not SAMPLES.is_file(), reason="the real order files are not in ../shared/data"
)

ORDER = {
    "id": 727,
    "number": "727",
    "status": "processing",
    "order_key": "wc_secret",
    "transaction_id": "PAY-77",
    "date_created_gmt": "2025-07-01T10:00:00",
    "date_completed_gmt": None,
    "customer_note": "",
    "billing": {"first_name": "Bo", "last_name": "Moss", "phone": "555"},
    "shipping": {
        "first_name": "Ada",
        "last_name": "Moss",
        "company": "",
        "city": "Bath",
        "postcode": "01307",
    },
    "line_items": [{"sku": "", "name": "Mug", "quantity": 2}, {"sku": "J", "name": "Jug", "quantity": 1}],
    "shipping_lines": [{"method_title": "Flat Rate"}],
}


def import_one(folder: Path, **changes: Any) -> Order:  # noqa: ANN401 – whatever JSON holds
    """Import the order with ``changes``."""
    path = folder / "orders.json"
    path.write_text(json.dumps([ORDER | changes]), encoding="utf-8")
    (order,) = import_files(path).orders
    return order


def test_the_order_is_read(tmp_path: Path) -> None:
    """Names are joined, times are UTC whatever the site's zone, and keys are not kept."""
    order = import_one(tmp_path)
    assert (order.source, order.external_ref, order.customer) == ("woocommerce", "727", "Ada Moss")
    assert (order.ship_to.city, order.ship_to.postcode, order.carrier) == ("Bath", "01307", "Flat Rate")
    assert order.placed_ms == datetime(2025, 7, 1, 10, tzinfo=UTC).timestamp() * 1000
    assert [(line.name, line.quantity_ordered) for line in order.lines] == [("Mug", 2), ("Jug", 1)]
    assert b"PAY-77" not in canonical_bytes(order)
    assert b"wc_secret" not in canonical_bytes(order)


def test_the_company_or_the_payer_stands_in(tmp_path: Path) -> None:
    """Without a name to ship to the company is the customer, else who pays."""
    assert import_one(tmp_path, shipping={"company": "Moss Ltd"}).customer == "Moss Ltd"
    assert import_one(tmp_path, shipping={"first_name": "", "last_name": ""}).customer == "Bo Moss"


@pytest.mark.parametrize(
    ("status", "stage", "is_cancelled", "reason"),
    [
        ("processing", Stage.CONFIRMED, False, None),
        ("on-hold", Stage.CONFIRMED, False, HoldReason.AWAITING_PAYMENT),
        ("pending", Stage.CONFIRMED, False, HoldReason.AWAITING_PAYMENT),
        ("completed", Stage.SHIPPED, False, None),
        ("cancelled", Stage.CONFIRMED, True, None),
        ("refunded", Stage.CONFIRMED, True, None),
        ("failed", Stage.CONFIRMED, True, None),
        ("checkout-draft", Stage.CONFIRMED, False, HoldReason.NEEDS_REVIEW),
    ],
)
def test_the_states(
    tmp_path: Path, status: str, stage: Stage, is_cancelled: bool, reason: HoldReason | None
) -> None:
    """Each status of the shop is a stage, a hold or a cancellation."""
    order = import_one(tmp_path, status=status)
    assert order.stage is stage
    assert (order.cancelled_ms is not None) == is_cancelled
    assert (order.hold.reason if order.hold else None) is reason


@needs_data
def test_the_documented_list_is_read(tmp_path: Path) -> None:
    """A list as the shop's API answers it comes in whole."""
    text = SAMPLES.read_text(encoding="utf-8")
    blocks = [block.split("```")[0] for block in text.split("```json\n")[1:]]
    listed = next(block for block in blocks if block.startswith("[") and '"line_items"' in block)
    path = tmp_path / "list.json"
    path.write_text(listed, encoding="utf-8")
    made = import_files(path)
    assert made.refused == []
    assert [order.external_ref for order in made.orders] == [str(item["id"]) for item in json.loads(listed)]
    assert made.report.lines == sum(len(item["line_items"]) for item in json.loads(listed))
    assert [order.customer for order in made.orders] == ["John Doe", "João Silva"]
