"""Health: is the process alive (``/health``), can it do its work (``/ready``), and the command that asks."""

from __future__ import annotations

import argparse
import json
import shutil
from typing import Final

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

FREE_BYTES: Final = 100 * 1024 * 1024
"""Less free space than this, and the server says that it is not ready."""
PRODUCT: Final = "fulfillment-kanban"


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
    checks = await services.blocking(_checks, services)
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
    parser.add_argument("--json", action="store_true", help="answer with one JSON line")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        sites = database.identities.sites()
        heads = {site: database.reader.head(site.key).seq for site in sites}
        counts = {site: database.reader.counts(site.key) for site in sites}
    rows = [
        {"organization": site.organization, "site": site.name, "seq": heads[site], "orders": counts[site]}
        for site in sites
    ]
    if arguments.json:
        context.say(json.dumps({"status": "ok", "sites": rows}))
        return 0
    for site in sites:
        orders = ", ".join(f"{count} {stage}" for stage, count in sorted(counts[site].items()))
        context.say(f"{site.organization} / {site.name}: {orders or 'no orders'}, log at {heads[site]}")
    return 0


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
