"""The board over HTTP: counts and pages of orders, fresh at every asking and cheap when nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.kernel.http import json_response
from server.kernel.records import BoardPage, Head, Principal, SiteKey
from server.kernel.routes import Route
from server.kernel.services import Services
from server.registration import Module
from sync.contract.permissions import Right
from sync.contract.problems import ProblemError
from sync.contract.stages import STAGES

PATH: Final = "/orders/fulfillment-kanban"
LIMIT: Final = 50
LIMIT_MAX: Final = 200
_PARAMETERS: Final = frozenset({"stage", "after", "limit"})


async def show_board(request: Request, principal: Principal, services: Services) -> Response:
    """Return the board: every stage's count, and a page of orders of each stage or of the one asked for."""
    stage, after, limit = _asked(request.query_params)
    site = principal.site.key
    head = await services.blocking(services.reader.head, site)
    headers = _headers(head)
    if headers["ETag"] in _known_tags(request):
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
    reader = services.reader
    return [reader.board_page(site, stage, after, limit) for stage in stages], reader.counts(site)


def _page(page: BoardPage, limit: int) -> dict[str, object]:
    query = urlencode({"stage": page.stage, "after": page.next_after, "limit": limit})
    return {
        "stage": page.stage,
        "count": page.orders_total,
        "orders": [msgspec.Raw(order) for order in page.orders],
        "next": f"{PATH}?{query}" if page.next_after else None,
    }


def _headers(head: Head) -> dict[str, str]:
    # Whatever changes the board raises its seq, so the seq says whether anything changed.
    return {
        "ETag": f'"{head.epoch}-{head.seq}"',
        "Cache-Control": "no-cache",
        "Vary": "Authorization",
    }


def _known_tags(request: Request) -> set[str]:
    given = request.headers.get("if-none-match", "")
    return {tag.strip().removeprefix("W/") for tag in given.split(",")}


def _asked(query: Mapping[str, str]) -> tuple[str, str, int]:
    unknown = sorted(set(query) - _PARAMETERS)
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


MODULE: Final = Module(
    name="board",
    routes=(
        Route(PATH, "GET", show_board, right=Right.READ_BOARD),
        Route("/orders/{order_id}", "GET", show_order, right=Right.READ_BOARD),
    ),
)
