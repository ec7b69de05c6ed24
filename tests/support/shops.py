"""Shops that send webhooks: bodies in the vendors' shapes, signed as the vendors sign them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from typing import Any

import httpx

from server.modules.webhooks_in.sources import Kind, Sources
from support.http_bench import HttpBench
from support.repository import ROOT

DATA = ROOT.parent / "shared" / "data"
SECRET = "the secret of the shop"
CANARIES = {
    "token": "canary-token-1",
    "cart_token": "canary-token-2",
    "checkout_token": "canary-token-3",
    "browser_ip": "203.0.113.77",
    "client_details": {
        "user_agent": "canary-agent",
        "browser_ip": "203.0.113.78",
        "session_hash": "canary-s",
    },
    "payment_details": {"credit_card_number": "canary-card", "avs_result_code": "canary-avs"},
    "payment_gateway_names": ["canary-gateway"],
    "transactions": [{"authorization": "canary-authorization", "receipt": {"id": "canary-receipt"}}],
    "order_key": "wc_order_canary",
    "customer_ip_address": "203.0.113.79",
    "customer_user_agent": "canary-browser",
    "transaction_id": "canary-transaction",
    "payment_method": "canary-method",
    "cart_hash": "canary-hash",
    "meta_data": [{"key": "_stripe_source_id", "value": "canary-stripe"}],
}
TRACES = ("canary", "203.0.113.7")
"""None of the canaries is without one of these."""


def shopify_order(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what JSON holds
    """Return an order as Shopify's webhooks bring it (without the envelope), paid and open."""
    path = DATA / "shopify_order_webhook.json"
    order: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["order"]
    return {**order, **CANARIES, "financial_status": "paid", **changes}


def woocommerce_order(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - what JSON holds
    """Return an order as WooCommerce's webhooks bring it, being processed."""
    text = (DATA / "woocommerce_orders_api_samples.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```json\n(\{.*?\n\})\n```", text, re.DOTALL)
    order: dict[str, Any] = next(each for each in map(json.loads, blocks) if "line_items" in each)
    return {**order, **CANARIES, "status": "processing", **changes}


def signed(body: bytes, secret: str = SECRET) -> str:
    """Return the vendors' signature of a body."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Shop:
    """One source of a bench, and the shop behind it."""

    def __init__(self, bench: HttpBench, kind: Kind, label: str = "", secret: str = SECRET) -> None:
        """Let the shop send orders to the bench's site."""
        self.bench = bench
        self.kind = kind
        self.label = label or str(kind)
        self.secret = secret
        self.sources = Sources(bench.database.engine, bench.clock, bench.ids)
        self.name = f"Shop {self.label}"
        self.id = self.sources.add(bench.site.key, kind, self.name, self.label, secret)

    @property
    def path(self) -> str:
        """Where the shop sends to."""
        return f"/webhooks/{self.kind}/{self.id}"

    def headers(self, body: bytes, topic: str, signature: str | None = None) -> dict[str, str]:
        """Return what the vendor sends beside a body."""
        signature = signed(body, self.secret) if signature is None else signature
        if self.kind is Kind.SHOPIFY:
            return {"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": topic}
        return {"X-WC-Webhook-Signature": signature, "X-WC-Webhook-Topic": topic}

    def send(self, order: object, topic: str, signature: str | None = None) -> httpx.Response:
        """Send an order, or any bytes."""
        body = order if isinstance(order, bytes) else json.dumps(order).encode()
        return self.bench.client.post(self.path, content=body, headers=self.headers(body, topic, signature))

    def outcome(self, order: object, topic: str) -> str:
        """Send an order, which must be answered with 200, and return what became of it."""
        answer = self.send(order, topic)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["outcome"])
