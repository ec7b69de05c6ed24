"""The schedule of the site over HTTP: read by everybody on the board, replaced as a whole by a few."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import Response

from calendars.local_times import local
from calendars.schedule import Schedule
from calendars.words import Plan, json_plan, plan_from, schedule_of
from server.cut_offs.rows import CHANGED, calendar_of, change, is_applied
from server.describing import About
from server.kernel.http import json_response
from server.kernel.records import Principal, SiteKey
from server.kernel.routes import Route
from server.kernel.services import Services
from sync.contract.permissions import Right

PATH: Final = "/cut-offs"
JOB: Final = "cut-offs"


class NextCutOff(msgspec.Struct, frozen=True):
    """What an order that arrived now would get; both times are null without a rule."""

    ship_method: str
    cut_off_ms: int | None
    cut_off: str | None
    rule: str


class CutOffsAnswer(msgspec.Struct, frozen=True):
    """The schedule as it can be sent back, and what it means now.

    ``is_applied`` says whether the open orders follow it already.
    """

    schedule: Plan
    time_zone: str
    is_applied: bool
    next: list[NextCutOff]


async def show_cut_offs(_request: Request, principal: Principal, services: Services) -> Response:
    """Return the schedule of the site."""
    return await _answer(principal, services)


async def set_cut_offs(request: Request, principal: Principal, services: Services) -> Response:
    """Put another schedule in place of the site's; open orders follow at once, in the background."""
    plan = json_plan(await request.body())
    await services.blocking(_set, services.engine, principal.site.key, schedule_of(plan), plan.revision)
    services.wake(JOB)
    return await _answer(principal, services)


def _set(engine: Engine, site: SiteKey, schedule: Schedule, revision: int | None) -> None:
    with engine.begin() as connection:
        change(connection, site, lambda before: schedule._replace(revision=before.revision), revision)


async def _answer(principal: Principal, services: Services) -> Response:
    answer = await services.blocking(_read, services, principal.site.key)
    return json_response(answer, headers={"Cache-Control": "no-cache"})


def _read(services: Services, site: SiteKey) -> CutOffsAnswer:
    with services.engine.execution_options(is_reading=True).begin() as connection:
        calendar = calendar_of(connection, site)
        applied = is_applied(connection, site)
    now_ms = services.clock.wall_ms()
    found: list[NextCutOff] = []
    for ship_method in calendar.schedule.ship_methods:
        cut_off_ms, rule = calendar.next(ship_method, now_ms)
        wall = None if cut_off_ms is None else local(cut_off_ms, calendar.zone).isoformat()
        found.append(NextCutOff(ship_method, cut_off_ms, wall, rule))
    return CutOffsAnswer(plan_from(calendar.schedule), str(calendar.zone), applied, found)


ROUTES: Final = (
    Route(
        PATH,
        "GET",
        show_cut_offs,
        right=Right.READ_BOARD,
        about=About("The schedule of cut-offs of the site, and the next ones.", answer=CutOffsAnswer),
    ),
    Route(
        PATH,
        "PUT",
        set_cut_offs,
        right=Right.SET_CUT_OFFS,
        about=About(
            "Replace the schedule of cut-offs; open orders follow it.",
            body=Plan,
            answer=CutOffsAnswer,
            problems=("CUT_OFF_WRONG", CHANGED),
        ),
    ),
)
