"""The board over HTTP: counts and pages of orders, fresh at every asking and cheap when nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.board_pages import BoardPage, read_board
from server.describing import About, Parameter
from server.interface.tags import board_headers, is_known
from server.kernel.http import json_response
from server.kernel.records import Principal, SiteKey
from server.kernel.routes import Route
from server.kernel.services import Services
from server.registration import Module
from sync.contract.messages import Site
from sync.contract.orders import Order
from sync.contract.permissions import Right
from sync.contract.problems import ProblemError
from sync.contract.stages import STAGES

PATH: Final = "/orders/fulfillment-kanban"
LIMIT: Final = 50
LIMIT_MAX: Final = 200
_PARAMETERS: Final = (
    Parameter("stage", "Only this stage: " + ", ".join(STAGES) + "."),
    Parameter("after", "Go on behind this order (its id); follow the `next` links instead."),
    Parameter("limit", f"At most so many orders of each stage, 1 to {LIMIT_MAX}.", int),
)


class StagePage(msgspec.Struct):
    """Some orders of one stage; ``next`` leads on, null at the end."""

    stage: str
    count: int
    orders: list[Order]
    next: str | None


class BoardAnswer(msgspec.Struct):
    """The board: where its log stands, how many orders each stage has, pages of orders."""

    site: Site
    epoch: str
    seq: int
    counts: dict[str, int]
    stages: list[StagePage]


async def show_board(request: Request, principal: Principal, services: Services) -> Response:
    """Return the board: every stage's count, and a page of orders of each stage or of the one asked for."""
    stage, after, limit = _asked(request.query_params)
    site = principal.site.key
    head = await services.blocking(services.reader.head, site)
    headers = board_headers(head)
    if is_known(request, headers):
        return Response(status_code=304, headers=headers)
    stages = [stage] if stage else [str(name) for name in STAGES]
    pages, counts = await services.blocking(_read, services, site, stages, after, limit)
    answer = {
        "site": principal.site.as_site(),
        "epoch": head.epoch,
        "seq": head.seq,
        "counts": {str(name): counts.get(name, 0) for name in STAGES},
        "stages": [_page(page, limit) for page in pages],
    }
    return json_response(answer, headers=headers)


async def show_order(request: Request, principal: Principal, services: Services) -> Response:
    """Return one order."""
    order_id = request.path_params["order_id"]
    body = await services.blocking(services.reader.order, principal.site.key, order_id)
    if body is None:
        raise ProblemError("NOT_FOUND", "There is no such order on this board.", "Check the number.")
    return Response(body, headers={"Cache-Control": "no-cache"}, media_type="application/json")


def _read(
    services: Services, site: SiteKey, stages: list[str], after: str, limit: int
) -> tuple[list[BoardPage], dict[str, int]]:
    reading = services.engine.execution_options(is_reading=True)
    return read_board(reading, site, stages, after, limit)


def _page(page: BoardPage, limit: int) -> dict[str, object]:
    query = urlencode({"stage": page.stage, "after": page.next_after, "limit": limit})
    return {
        "stage": page.stage,
        "count": page.orders_total,
        "orders": [msgspec.Raw(order) for order in page.orders],
        "next": f"{PATH}?{query}" if page.next_after else None,
    }


def _asked(query: Mapping[str, str]) -> tuple[str, str, int]:
    unknown = sorted(set(query) - {parameter.name for parameter in _PARAMETERS})
    stage, after, limit = query.get("stage", ""), query.get("after", ""), query.get("limit", str(LIMIT))
    if unknown:
        raise _bad(f"There is no parameter {unknown[0]!r}.", "There are stage, after and limit.")
    if stage not in {"", *STAGES}:
        raise _bad(f"There is no stage {stage!r}.", f"There are {', '.join(STAGES)}.")
    if after and not stage:
        raise _bad("The parameter after needs a stage.", "Follow the next links.")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= LIMIT_MAX):
        raise _bad("The parameter limit is not a count.", f"Give 1 to {LIMIT_MAX}.")
    return stage, after, int(limit)


def _bad(sentence: str, what_to_do: str) -> ProblemError:
    return ProblemError("BAD_REQUEST", sentence, what_to_do)


_BOARD: Final = About(
    "The board: counts of all stages, and a page of orders of each", None, BoardAnswer, _PARAMETERS
)
_ORDER: Final = About("One order, also one that has left the board", None, Order, problems=("NOT_FOUND",))

MODULE: Final = Module(
    name="board",
    routes=(
        Route(PATH, "GET", show_board, Right.READ_BOARD, _BOARD),
        Route("/orders/{order_id}", "GET", show_order, Right.READ_BOARD, _ORDER),
    ),
)
