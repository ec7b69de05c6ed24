"""Webhooks in: orders that shops send us, signed.

The routes are public, because a shop cannot sign in: it proves who it is with each request's signature.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.arrivals import Fate
from server.describing import About
from server.kernel.connections import LookNow
from server.kernel.http import json_response
from server.kernel.routes import PublicRoute
from server.kernel.services import Services
from server.modules.webhooks_in.sources import Kind
from server.modules.webhooks_in.taking import VENDORS, Sent, take
from server.registration import Module
from sync.contract.problems import Problem

_NOT_SIGNED: Final = Problem(
    "SIGNATURE_WRONG",
    "The signature of this webhook is missing or wrong.",
    "Compare the address and the secret with those of the source.",
)
_PING: Final = re.compile(rb"webhook_id=[0-9]{1,20}")


async def from_shopify(request: Request, services: Services) -> Response:
    """Take an order of a Shopify shop in."""
    return await _receive(request, services, Kind.SHOPIFY)


async def from_woocommerce(request: Request, services: Services) -> Response:
    """Take an order of a WooCommerce shop in, and answer the ping that the shop begins with."""
    # The ping is not signed; it is answered for every address alike and has no effect.
    if _PING.fullmatch(await request.body()):
        return json_response({"outcome": "ping"})
    return await _receive(request, services, Kind.WOOCOMMERCE)


async def _receive(request: Request, services: Services, kind: Kind) -> Response:
    vendor = VENDORS[kind]
    sent = Sent(
        kind,
        request.path_params["source_id"],
        request.headers.get(vendor.signature, ""),
        request.headers.get(vendor.topic, ""),
        await request.body(),
    )
    outcome = await services.blocking(take, services, sent)
    if outcome is None:
        return json_response(_NOT_SIGNED, 401)
    if outcome in {Fate.CREATED, Fate.UPDATED, Fate.ALARMED}:
        services.send(LookNow())
    return json_response({"outcome": outcome})


class Outcome(msgspec.Struct):
    """What became of a webhook: created, updated, unchanged, alarmed, refused, ignored or ping."""

    outcome: str


def _about(vendor: str) -> About:
    return About(
        summary=f"Take an order in as {vendor} sends it, signed with the secret of the source.",
        body=dict[str, object],
        answer=Outcome,
        problems=("SIGNATURE_WRONG",),
    )


MODULE: Final = Module(
    name="webhooks in",
    routes=(
        PublicRoute("/webhooks/shopify/{source_id}", "POST", from_shopify, about=_about("Shopify")),
        PublicRoute(
            "/webhooks/woocommerce/{source_id}", "POST", from_woocommerce, about=_about("WooCommerce")
        ),
    ),
)
