"""Health: is the process alive (``/health``), can it do its work (``/ready``), and the command that asks."""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.database import is_current
from server.describing import About
from server.kernel.http import json_response
from server.kernel.routes import PublicRoute
from server.kernel.services import Services
from server.registration import Command, CommandContext, Module, add_data_option
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN
from sync.contract.problems import Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from server.checking import Report

FREE_BYTES: Final = 100 * 1024 * 1024
"""Less free space than this, and the server says that it is not ready."""
PRODUCT: Final = "fulfillment-kanban"
_DAMAGED: Final = Problem(
    "DATA_DAMAGED",
    "The server's data is not what was written.",
    "Stop the server, keep a copy of the data for who maintains it, and restore the newest backup.",
)


class HealthAnswer(msgspec.Struct):
    """The process answers."""

    status: str
    version: str


class ReadyAnswer(msgspec.Struct):
    """Whether the server can work; with 503 one of the checks is false."""

    status: str
    checks: dict[str, bool]


class WellKnown(msgspec.Struct):
    """What this is, and which versions of the sync protocol it speaks."""

    product: str
    version: str
    protocol_min: int
    protocol_max: int


async def health(_request: Request, services: Services) -> Response:
    """Say that the process answers."""
    return json_response(HealthAnswer("ok", services.version))


async def ready(_request: Request, services: Services) -> Response:
    """Say whether database, migrations and disk allow work."""
    # Not on the threads of the other requests: slow ones would keep the answer back.
    checks = await asyncio.to_thread(_checks, services)
    is_ready = all(checks.values())
    answer = ReadyAnswer("ready" if is_ready else "not ready", checks)
    return json_response(answer, 200 if is_ready else 503)


async def well_known(_request: Request, services: Services) -> Response:
    """Say what this is, so that a client knows that it talks to the right program."""
    return json_response(WellKnown(PRODUCT, services.version, PROTOCOL_MIN, PROTOCOL_MAX))


def _checks(services: Services) -> dict[str, bool]:
    is_database = is_migrated = False
    try:
        with services.engine.execution_options(is_reading=True).begin() as connection:
            is_migrated = is_current(connection)
            is_database = True
    except Exception:  # noqa: BLE001 - whatever it is, the database cannot be used
        is_database = False
    return {
        "database": is_database,
        "migrations": is_migrated,
        "disk": shutil.disk_usage(services.folder).free >= FREE_BYTES,
    }


def _configure(parser: argparse.ArgumentParser) -> None:
    add_data_option(parser)
    parser.add_argument("--check", action="store_true", help="go through the file, the log and every order")
    parser.add_argument("--json", action="store_true", help="answer with one JSON line")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        # First: what follows would end with the first thing that cannot be read.
        report = _checked(database.engine, context) if arguments.check else None
        if report is not None and not report.is_whole:
            return _tell_findings(report, arguments, context)
        sites = database.identities.sites()
        heads = {site: database.reader.head(site.key).seq for site in sites}
        counts = {site: database.reader.counts(site.key) for site in sites}
    rows = [
        {"organization": site.organization, "site": site.name, "seq": heads[site], "orders": counts[site]}
        for site in sites
    ]
    if arguments.json:
        checked = {"operations_checked": _operations(report)} if report else {}
        context.say(json.dumps({"status": "ok", "sites": rows, **checked}))
        return 0
    for site in sites:
        orders = ", ".join(f"{count} {stage}" for stage, count in sorted(counts[site].items()))
        context.say(f"{site.organization} / {site.name}: {orders or 'no orders'}, log at {heads[site]}")
    if report is not None:
        context.say(f"Checked: {_operations(report):,} operations make exactly the orders that are stored.")
    return 0


def _checked(engine: Engine, context: CommandContext) -> Report:
    # Only this command needs it.
    from server.checking import check
    from server.progress import ProgressLine

    line = ProgressLine(context.stderr)
    try:
        return check(engine, lambda words: line.say(f"Checking {words}…"))
    finally:
        line.clear()


def _operations(report: Report) -> int:
    return sum(board.entries for board in report.boards)


def _tell_findings(report: Report, arguments: argparse.Namespace, context: CommandContext) -> int:
    found = [{"code": each.code, "sentence": each.sentence} for each in report.findings]
    if arguments.json:
        context.say(json.dumps({"status": "damaged", "findings": found}))
    for each in report.findings if not arguments.json else ():
        context.say(f"{each.sentence} [{each.code}]")
    context.warn(_DAMAGED.line())
    return 1


MODULE: Final = Module(
    name="health",
    routes=(
        PublicRoute("/health", "GET", health, About("Is the process alive", None, HealthAnswer)),
        PublicRoute("/ready", "GET", ready, About("Can the server do its work", None, ReadyAnswer)),
        PublicRoute(
            "/.well-known/fulfillment-kanban", "GET", well_known, About("What this is", None, WellKnown)
        ),
    ),
    commands=(Command("health", "say whether the data can be read, and what is in it", _configure, _run),),
)
