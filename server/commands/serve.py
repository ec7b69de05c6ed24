"""``serve``: run the server until it is told to stop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import re
import signal
import sys
import threading
from pathlib import Path
from typing import Final

from server.commands.setup import First, set_up
from server.database import Database, create_database, make_folder
from server.folders import data_folder
from server.registration import Command, CommandContext, add_data_option
from sync.contract.problems import ProblemError, UsageError

PORTS: Final = range(65_536)
OPEN_FILES: Final = 16_384
EMBEDDED_DEVICE: Final = "This computer"
_SOCKET_ADDRESS: Final = re.compile(r"wss?://[^\s/@?#]+(/[^\s?#]*)?")


def _configure(parser: argparse.ArgumentParser) -> None:
    add_data_option(parser)
    host = "address to listen on: 0.0.0.0 for all; unless told this machine only"
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help=host)
    parser.add_argument(
        "--port", type=int, default=None, metavar="N", help="HTTP port, 8440 unless told; 0 is any free one"
    )
    parser.add_argument(
        "--sync-port", type=int, default=0, metavar="N", help="port of the socket, any free one unless told"
    )
    parser.add_argument(
        "--sync-url", default="", metavar="URL", help="socket address as clients see it (proxy)"
    )
    parser.add_argument(
        "--embedded", action="store_true", help="be a launcher's child: set up, enrol it, end with its pipe"
    )


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    from server.application import Settings

    default_port = 0 if arguments.embedded else Settings().port
    port = default_port if arguments.port is None else arguments.port
    if port not in PORTS or arguments.sync_port not in PORTS:
        raise UsageError("PORT_UNKNOWN", "A port is a number from 0 to 65535.", "Choose another.")
    if arguments.sync_url and not _SOCKET_ADDRESS.fullmatch(arguments.sync_url):
        raise UsageError(
            "SYNC_URL_INVALID",
            f"{arguments.sync_url!r} is no address of a socket.",
            "Write it like wss://kanban.example.org/sync.",
        )
    if arguments.embedded and arguments.database:
        raise UsageError(
            "DATABASE_URL_INVALID",
            "A launcher's server keeps its data in its folder.",
            "Leave --database away.",
        )
    settings = Settings(arguments.host, port, arguments.sync_port, arguments.sync_url)
    _allow_open_files()
    folder = data_folder(arguments.data)
    opened = (
        create_database(folder, context.clock, context.ids)
        if arguments.embedded
        else context.open_database(arguments)
    )
    with opened as database:
        make_folder(folder)
        greeting = enrol_launcher(database) if arguments.embedded else {}
        asyncio.run(_serve(database, settings, folder, context, greeting, arguments.embedded))
    return 0


def _allow_open_files() -> None:
    """Take as many open files as the system grants, up to a bound: each connection is one."""
    if sys.platform != "win32":
        import resource

        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
        if now != resource.RLIM_INFINITY and now < wanted:
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


def enrol_launcher(database: Database) -> dict[str, object]:
    """Set an empty folder up, and give the launcher a fresh device token; the one before ends."""
    from server.kernel.auth import new_token

    token = new_token()
    sites = database.identities.sites()
    site = sites[0] if sites else set_up(database, First())
    users = [user for user in database.identities.users(site.key) if not user.is_disabled]
    if not users:
        raise ProblemError("NOT_SET_UP", "There is no user at this site.", "Add one with user add.")
    names = [user.name for user in users]
    name = First().user if First().user in names else names[0]
    database.identities.renew_embedded_device(site.key, name, EMBEDDED_DEVICE, token)
    return {"device_token": token}


async def _serve(
    database: Database,
    settings: object,
    folder: Path,
    context: CommandContext,
    greeting: dict[str, object],
    is_embedded: bool,
) -> None:
    from server import VERSION
    from server.application import Application, Settings
    from server.logs import set_up_logging
    from server.modules import MODULES

    assert isinstance(settings, Settings)
    set_up_logging(folder / "logs", context.stderr)
    application = Application(database, MODULES, settings, folder, context.clock, context.ids, VERSION)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    # Not there on Windows, where Ctrl-C raises KeyboardInterrupt instead.
    with contextlib.suppress(NotImplementedError):
        for wanted in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(wanted, stopping.set)
    if is_embedded:
        threading.Thread(target=_await_end, args=(loop, stopping), name="parent", daemon=True).start()
    await application.start()
    told = {"url": application.url, **(greeting or {"sync": application.sync_address})}
    context.say(json.dumps(told))
    told_to = asyncio.create_task(stopping.wait())
    failed = asyncio.create_task(application.failed())
    await asyncio.wait([told_to, failed], return_when=asyncio.FIRST_COMPLETED)
    failed.cancel()
    await application.stop()
    if not told_to.done():
        told_to.cancel()
        raise ProblemError(
            "HTTP_ENDED",
            "The server's HTTP side ended by itself, so the server stopped.",
            "Start it again; the log says why.",
        )


def _await_end(loop: asyncio.AbstractEventLoop, stopping: asyncio.Event) -> None:
    """Wait until standard input ends, which it does when the parent is gone however it went."""
    # Not sys.stdin: a thread inside its lock would keep the interpreter from ending.
    while os.read(0, 4096):
        pass
    loop.call_soon_threadsafe(stopping.set)


COMMAND: Final = Command("serve", "run the server", _configure, _run)
