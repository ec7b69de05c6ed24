"""Exports over HTTP: ask for one, look how far it is, fetch its file, take it away."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Row, delete, func, insert, select
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from intake.exported import export_file
from intake.moments import moment_text
from intake.sentences import decoded
from server.describing import About
from server.interface.filters import OrderFilter, criteria
from server.kernel.http import json_response
from server.kernel.records import Principal, SiteKey
from server.kernel.routes import Route
from server.kernel.services import Services
from server.modules.exports.tables import export_jobs
from server.modules.exports.work import ENTITIES, KEPT_MS, Exports
from sync.contract.permissions import Right
from sync.contract.problems import ProblemError

PATH: Final = "/exports"
JOB: Final = "exports"
UNFINISHED_MAX: Final = 10
KEPT_MAX: Final = 100
"""Exports of one site at a time: on their way, and in all."""


class NewExport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to export. A CSV has one row a line item; ``bom`` puts a byte order mark in front of it."""

    format: Literal["csv", "json"]
    filter: OrderFilter = OrderFilter()
    entities: Annotated[tuple[Literal["orders"], ...], Meta(min_length=1, max_length=1)] = ENTITIES
    bom: bool = False


class ExportState(msgspec.Struct):
    """How far an export is; ``file`` is where to fetch it, null until it is finished."""

    id: str
    state: Literal["waiting", "running", "finished", "failed"]
    format: str
    entities: tuple[str, ...]
    filter: OrderFilter
    orders_done: int
    orders_total: int
    bytes: int
    created_at: str
    finished_at: str
    removed_at: str
    problem: str
    file: str | None


class ExportList(msgspec.Struct):
    """The exports of the last day, the newest first."""

    exports: list[ExportState]


async def begin_export(request: Request, principal: Principal, services: Services) -> Response:
    """Put an export into the queue."""
    body = await request.body()
    state = await services.blocking(_begin, services, principal, body)
    services.wake(JOB)
    return json_response(state, 202, {"Location": f"{PATH}/{state.id}"})


async def list_exports(_request: Request, principal: Principal, services: Services) -> Response:
    """Return the exports of the site."""
    rows = await services.blocking(_rows, services, principal.site.key)
    return json_response(ExportList([_state(row) for row in rows]))


async def show_export(request: Request, principal: Principal, services: Services) -> Response:
    """Say how far an export is."""
    row = await services.blocking(_row, services, principal.site.key, request.path_params["export_id"])
    return json_response(_state(row))


async def fetch_export(request: Request, principal: Principal, services: Services) -> Response:
    """Send the file of a finished export."""
    row = await services.blocking(_row, services, principal.site.key, request.path_params["export_id"])
    if row.state != "finished":
        raise ProblemError("NOT_READY", "The export is not finished.", "Ask for its state, then again.")
    path = Exports(services.engine, services.folder, services.clock).file_of(row.id, row.format)
    if not path.is_file():
        raise ProblemError("NOT_FOUND", "The file of the export is not here any more.", "Export again.")
    day = datetime.fromtimestamp(row.created_at / 1000, UTC).date().isoformat()
    kind = export_file(row.format, has_bom=row.has_bom)
    return FileResponse(path, media_type=kind.media_type, filename=f"orders-{day}.{kind.suffix}")


async def remove_export(request: Request, principal: Principal, services: Services) -> Response:
    """Stop an export if it is on its way, and remove it and its file."""
    await services.blocking(_remove, services, principal.site.key, request.path_params["export_id"])
    return Response(status_code=204)


def _begin(services: Services, principal: Principal, body: bytes) -> ExportState:
    new: NewExport = decoded(body, NewExport, "exports")
    # A filter that makes no sense is refused now, not in the background.
    criteria(new.filter, principal.site)
    site = principal.site.key
    values = {
        "id": services.ids.new(),
        "organization_id": site.organization_id,
        "site_id": site.site_id,
        "user_id": principal.person.id,
        "format": new.format,
        "filter": msgspec.json.encode(new.filter).decode(),
        "has_bom": new.bom,
        "state": "waiting",
        "problem": "",
        "orders_done": 0,
        "orders_total": 0,
        "bytes": 0,
        "leased_until": 0,
        "created_at": services.clock.wall_ms(),
    }
    with services.engine.begin() as connection:
        states = select(export_jobs.c.state, func.count()).where(export_jobs.c.site_id == site.site_id)
        rows = connection.execute(states.group_by(export_jobs.c.state))
        counts: dict[str, int] = dict(map(tuple, rows))
        unfinished = counts.get("waiting", 0) + counts.get("running", 0)
        if unfinished >= UNFINISHED_MAX or sum(counts.values()) >= KEPT_MAX:
            raise ProblemError(
                "TOO_MANY_EXPORTS", "There are too many exports of this site.", "Remove some, or wait."
            )
        connection.execute(insert(export_jobs).values(values))
    return _state(_row(services, site, str(values["id"])))


def _rows(services: Services, site: SiteKey) -> list[Row[tuple[object, ...]]]:
    newest = (export_jobs.c.created_at.desc(), export_jobs.c.id.desc())
    with services.engine.execution_options(is_reading=True).begin() as connection:
        rows = connection.execute(select(export_jobs).where(*_of(site)).order_by(*newest).limit(KEPT_MAX))
        return list(rows)


def _row(services: Services, site: SiteKey, export_id: str) -> Row[tuple[object, ...]]:
    with services.engine.execution_options(is_reading=True).begin() as connection:
        found = select(export_jobs).where(*_of(site), export_jobs.c.id == export_id)
        row = connection.execute(found).one_or_none()
    if row is None:
        raise _no_export()
    return row


def _remove(services: Services, site: SiteKey, export_id: str) -> None:
    with services.engine.begin() as connection:
        gone = connection.execute(delete(export_jobs).where(*_of(site), export_jobs.c.id == export_id))
    if not gone.rowcount:
        raise _no_export()
    Exports(services.engine, services.folder, services.clock).remove(export_id)


def _of(site: SiteKey) -> tuple[ColumnElement[bool], ...]:
    return export_jobs.c.organization_id == site.organization_id, export_jobs.c.site_id == site.site_id


def _no_export() -> ProblemError:
    return ProblemError("NOT_FOUND", "There is no such export.", "Exports are removed after a day.")


def _state(row: Row[tuple[object, ...]]) -> ExportState:
    return ExportState(
        row.id,
        row.state,
        row.format,
        ENTITIES,
        msgspec.json.decode(row.filter, type=OrderFilter),
        row.orders_done,
        row.orders_total,
        row.bytes,
        moment_text(row.created_at),
        moment_text(row.finished_at),
        moment_text(row.created_at + KEPT_MS),
        row.problem,
        f"{PATH}/{row.id}/file" if row.state == "finished" else None,
    )


_PROBLEMS: Final = ("NOT_FOUND",)
_ID: Final = f"{PATH}/{{export_id}}"

ROUTES: Final = (
    Route(PATH, "POST", begin_export, Right.EXPORT, About(
        "Begin an export", NewExport, ExportState, status=202, problems=("TOO_MANY_EXPORTS",),
    )),
    Route(PATH, "GET", list_exports, Right.EXPORT, About("The exports of the last day", None, ExportList)),
    Route(_ID, "GET", show_export, Right.EXPORT, About(
        "How far an export is", None, ExportState, problems=_PROBLEMS,
    )),
    Route(f"{_ID}/file", "GET", fetch_export, Right.EXPORT, About(
        "The file of a finished export", None, bytes, problems=("NOT_FOUND", "NOT_READY"),
        answer_kind="application/octet-stream",
    )),
    Route(_ID, "DELETE", remove_export, Right.EXPORT, About(
        "Stop or remove an export", status=204, problems=_PROBLEMS,
    )),
)  # fmt: skip
