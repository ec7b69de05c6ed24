"""Orders over HTTP: programs bring them in, a thousand at a time, and find them again, older ones too."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from intake.plain_order import NewOrder, NewOrders, as_arrivals
from intake.sentences import decoded
from server.arrivals import Arrivals, Fate
from server.describing import BODY_BYTES, About, Parameter
from server.interface.filters import COUNTED_MAX, LIMIT_MAX, Asked, OrderFilter, OrderFinder, asked
from server.interface.tags import board_headers, is_known
from server.kernel.connections import LookNow
from server.kernel.http import json_response
from server.kernel.records import Principal, SiteRow
from server.kernel.routes import Route
from server.kernel.services import Services
from server.registration import Module
from sync.contract.orders import Order
from sync.contract.permissions import Right

PATH: Final = "/orders"


class OrderResult(msgspec.Struct):
    """What became of one order; ``reason`` is for refused ones."""

    external_ref: str
    order_id: str
    result: Fate
    reason: str


class OrderResults(msgspec.Struct):
    """What became of the orders, in the order in which they were sent."""

    orders: list[OrderResult]


class FoundOrders(msgspec.Struct):
    """A page of orders, newest arrival first; ``next`` leads on, null at the end.

    ``total`` counts what the filter finds, up to 1,000. ``epoch`` and ``seq`` say where the log stands.
    """

    epoch: str
    seq: int
    total: int
    orders: list[Order]
    next: str | None


async def take_orders(request: Request, principal: Principal, services: Services) -> Response:
    """Take orders in, known by source and reference: sent again they change nothing."""
    body = await request.body()
    results, has_finished = await services.blocking(_take, services, principal, body)
    if any(each.result not in {Fate.UNCHANGED, Fate.REFUSED} for each in results):
        services.send(LookNow())
        if has_finished:
            # Old orders that come in shipped are no affair of the boards.
            services.wake("retire")
    return json_response(OrderResults(results))


def _take(services: Services, principal: Principal, body: bytes) -> tuple[list[OrderResult], bool]:
    new: NewOrder | list[NewOrder] = decoded(body, NewOrders | NewOrder, "orders")
    arrivals = as_arrivals(new, ZoneInfo(principal.site.time_zone))
    taken = Arrivals(services.store, services.ids).take(principal.site.key, arrivals, principal=principal)
    results = [
        OrderResult(arrival.order.external_ref, arrived.order_id, arrived.fate, arrived.why)
        for arrival, arrived in zip(arrivals, taken, strict=True)
    ]
    return results, any(not arrival.order.is_open for arrival in arrivals)


async def find_orders(request: Request, principal: Principal, services: Services) -> Response:
    """Return a page of the orders that a filter finds."""
    wanted = asked(request.query_params)
    site = principal.site
    head = await services.blocking(services.reader.head, site.key)
    headers = board_headers(head)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    found = await services.blocking(_find, services, site, wanted)
    answer = {"epoch": head.epoch, "seq": head.seq, **found}
    return json_response(answer, headers=headers)


def _find(services: Services, site: SiteRow, wanted: Asked) -> dict[str, object]:
    finder = OrderFinder(services.engine)
    behind = finder.place(site, wanted.after) if wanted.after else None
    page = finder.page(site, wanted.filter, behind, wanted.limit)
    is_all = behind is None and page.last is None
    total = len(page.orders) if is_all else finder.count(site, wanted.filter, COUNTED_MAX)
    following = None
    if page.last is not None:
        given = msgspec.to_builtins(wanted.filter)
        query = {**given, "limit": wanted.limit, "after": page.last.order_id}
        following = f"{PATH}?{urlencode(query)}"
    return {"total": total, "orders": [msgspec.Raw(order) for order in page.orders], "next": following}


_WORDS: Final = {
    "q": "Words that begin a word of number, reference, tracking number, customer, address names, city or"
    " products. Case and accents do not count.",
    "scope": "`board` (what the boards show), `older` (what has left them) or `all`.",
    "status": "Stages, parted by commas.",
    "number": "Exactly this number.",
    "external_ref": "Exactly this reference.",
    "source": "Exactly this source.",
    "customer": "Exactly this name.",
    "placed_from": "Placed at this time or later.",
    "placed_to": "Placed before this time.",
    "updated_since": "Changed at this time or later.",
}
_PARAMETERS: Final = (
    *(Parameter(field, _WORDS[field]) for field in OrderFilter.__struct_fields__),
    Parameter("limit", f"At most so many orders, 1 to {LIMIT_MAX}.", int),
    Parameter("after", "Go on behind this order (its id); follow the `next` links instead."),
)
_TAKE: Final = About(
    "Bring orders in: one, or a list of up to 1,000",
    NewOrder | NewOrders,
    OrderResults,
    body_bytes=8 * BODY_BYTES,
)
_FIND: Final = About(
    "Find orders, newest arrival first", None, FoundOrders, _PARAMETERS, problems=("NOT_FOUND",)
)

MODULE: Final = Module(
    name="orders",
    routes=(
        Route(PATH, "POST", take_orders, Right.IMPORT, _TAKE),
        Route(PATH, "GET", find_orders, Right.READ_BOARD, _FIND),
    ),
)
