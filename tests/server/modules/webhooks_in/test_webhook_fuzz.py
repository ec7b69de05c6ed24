"""Whatever a signed body holds, a shop gets its answer: taken, or listed as not used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.arrivals import Fate
from server.modules.webhooks_in.sources import Kind
from server.modules.webhooks_in.taking import IGNORED, VENDORS, Sent, take
from support.http_bench import HttpBench
from support.shops import Shop, shopify_order, signed, woocommerce_order

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=12)
    | st.sampled_from(
        ["2024-02-30T00:00:00Z", "1e400", "=cmd", "\0", "\ud800", "9" * 400, "fulfilled", "-1"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "sku", "quantity"]), inner)
    ),
    max_leaves=6,
)
ORDERS = {Kind.SHOPIFY: shopify_order(), Kind.WOOCOMMERCE: woocommerce_order()}


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Kind, Shop]]:
    """A shop of each vendor on one board."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    with HttpBench(folder / "data") as bench:
        yield {kind: Shop(bench, kind) for kind in Kind}


def outcome(shop: Shop, topic: str, body: bytes) -> str | None:
    """Have a shop send a body."""
    return take(shop.bench.services, Sent(shop.kind, shop.id, signed(body), topic, body))


@pytest.mark.expects_log_warnings
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_an_order_with_anything_in_it_is_answered(shops: dict[Kind, Shop], data: st.DataObject) -> None:
    """Any field may hold anything."""
    kind = data.draw(st.sampled_from(list(Kind)))
    order: dict[str, Any] = dict(ORDERS[kind])
    for name in data.draw(st.lists(st.sampled_from(sorted(order)), max_size=4)):
        order[name] = data.draw(VALUES)
    if data.draw(st.booleans()):
        first, *others = ORDERS[kind]["line_items"]
        changed = {data.draw(st.sampled_from(["sku", "quantity", "name"])): data.draw(VALUES)}
        order["line_items"] = [{**first, **changed}, *others]
    vendor = VENDORS[kind]
    topic = data.draw(st.sampled_from([*sorted(vendor.orders), vendor.deleted]))
    body = json.dumps(order).encode("utf-8", "surrogatepass")
    assert outcome(shops[kind], topic, body) in {*Fate, IGNORED}


@pytest.mark.expects_log_warnings
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_body_that_is_cut_or_torn_is_answered(shops: dict[Kind, Shop], data: st.DataObject) -> None:
    """As it may come from a program between the shop and us."""
    kind = data.draw(st.sampled_from(list(Kind)))
    body = json.dumps(ORDERS[kind]).encode()
    cut = data.draw(st.integers(0, len(body)))
    body = body[:cut] + data.draw(st.binary(max_size=20)) + body[cut + data.draw(st.integers(0, 30)) :]
    topic = min(VENDORS[kind].orders)
    assert outcome(shops[kind], topic, body) in {*Fate, IGNORED}
