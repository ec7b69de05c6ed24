"""Webhooks out: what happens to orders, told to other programs."""

from __future__ import annotations

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.describing import About, Parameter
from server.kernel.http import json_response
from server.kernel.records import Principal
from server.kernel.routes import Route
from server.kernel.services import Services
from server.modules.webhooks_out.sending import prune, send
from server.registration import Job, Module
from server.telling.outbox import STATES, Delivery, Outbox
from sync.contract.permissions import Right
from sync.contract.problems import ProblemError

JOB: Final = "webhooks out"
LIMIT: Final = 200
_ID: Final = 64


class DeliveryShown(msgspec.Struct):
    """One delivery; ``answer`` says why the last attempt failed, ``seq`` where the event stands.

    Times are milliseconds since 1970.
    """

    id: str
    target: str
    event: str
    order_id: str
    seq: int
    state: str
    attempts: int
    next_ms: int
    answer: str
    created_ms: int


class Deliveries(msgspec.Struct):
    """The newest deliveries first."""

    deliveries: list[DeliveryShown]


class Retried(msgspec.Struct):
    """The delivery, and what state it is in now."""

    id: str
    state: str


async def list_deliveries(request: Request, principal: Principal, services: Services) -> Response:
    """List what is on its way to other programs, was told, or was given up."""
    state, site = request.query_params.get("state", ""), principal.site.key
    if state not in {"", *STATES}:
        raise ProblemError("BAD_REQUEST", f"There is no state {state!r}.", f"There are {', '.join(STATES)}.")
    found = await services.blocking(_outbox(services).deliveries, site, state, LIMIT)
    return json_response(Deliveries([_shown(target, delivery) for target, delivery in found]))


async def retry_delivery(request: Request, principal: Principal, services: Services) -> Response:
    """Send a dead letter again; one that is not dead is left as it is."""
    delivery_id, site = request.path_params["delivery_id"][:_ID].replace("\0", ""), principal.site.key
    outbox = _outbox(services)
    await services.blocking(outbox.find, site, delivery_id)
    await services.blocking(outbox.retry, site, [delivery_id])
    services.wake(JOB)
    delivery = await services.blocking(outbox.find, site, delivery_id)
    return json_response(Retried(delivery.id, delivery.state))


def _outbox(services: Services) -> Outbox:
    return Outbox(services.engine, services.clock, services.ids)


def _shown(target: str, delivery: Delivery) -> DeliveryShown:
    kept = {name: getattr(delivery, name) for name in DeliveryShown.__struct_fields__ if name != "target"}
    return DeliveryShown(target=target, **kept)


MODULE: Final = Module(
    name="webhooks out",
    routes=(
        Route(
            "/webhooks/deliveries",
            "GET",
            list_deliveries,
            right=Right.ADMINISTER,
            about=About(
                summary="What is on its way to other programs, was told, or was given up.",
                answer=Deliveries,
                parameters=(Parameter("state", "Only those that are waiting, done or dead."),),
            ),
        ),
        Route(
            "/webhooks/deliveries/{delivery_id}/retry",
            "POST",
            retry_delivery,
            right=Right.ADMINISTER,
            about=About(summary="Send a dead letter again.", answer=Retried, problems=("NOT_FOUND",)),
        ),
    ),
    jobs=(
        Job(JOB, every_s=2, run=send, is_woken_by_boards=True),
        Job("webhooks out pruning", every_s=3600, run=prune),
    ),
)
