"""What a module registers: routes, commands and jobs. Modules import this, it never imports them.

Example::

    MODULE = Module(
        name="board",
        routes=(Route("/orders/{order_id}", "GET", show_order, right=Right.READ_BOARD),),
        commands=(Command("import", "read orders from files", configure, run),),
        jobs=(Job("folders", every_s=2, run=look),),
    )
"""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TextIO

from server.database import Database, open_database
from server.folders import data_folder, database_url
from server.kernel.routes import PublicRoute, Route
from server.kernel.services import Services
from sync.contract.ports import Clock, Ids


@dataclass(frozen=True, slots=True)
class CommandContext:
    """What a command gets from outside."""

    clock: Clock
    ids: Ids
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    def say(self, line: str) -> None:
        """Print a line of the answer."""
        print(line, file=self.stdout, flush=True)

    def warn(self, line: str) -> None:
        """Print a line beside the answer."""
        print(line, file=self.stderr, flush=True)

    def open_database(self, arguments: argparse.Namespace) -> Database:
        """Open what ``--database``, ``--data`` or their defaults name."""
        url = database_url(arguments.database)
        return open_database(data_folder(arguments.data), self.clock, self.ids, None, url)


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command: ``configure`` adds its options, ``run`` does it and returns the exit code."""

    name: str
    help: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, CommandContext], int]


class JobContext(NamedTuple):
    """What a job gets. A long one looks at ``stopping`` between its steps, and waits with it."""

    database: Database
    services: Services
    stopping: threading.Event


@dataclass(frozen=True, slots=True)
class Job:
    """Work that comes round: ``run`` in a thread, at the start and then every ``every_s`` seconds.

    Never twice at once in one process; other processes on the same data may run it at the same moment.
    """

    name: str
    every_s: float
    run: Callable[[JobContext], None]
    is_woken_by_boards: bool = False
    """Whether it also runs soon after the log of any board grew."""


@dataclass(frozen=True, slots=True)
class Module:
    """One noun of the server."""

    name: str
    routes: tuple[Route | PublicRoute, ...] = field(default=())
    commands: tuple[Command, ...] = field(default=())
    jobs: tuple[Job, ...] = field(default=())


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--data`` and ``--database``."""
    folder = "folder of the server's data; unless told $FULFILLMENT_KANBAN_SERVER_DATA, else the usual place"
    parser.add_argument("--data", type=Path, metavar="DIR", help=folder)
    address = "postgresql://… in place of a file there; unless told $FULFILLMENT_KANBAN_SERVER_DATABASE"
    parser.add_argument("--database", metavar="URL", help=address)


def add_site_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--site``."""
    parser.add_argument("--site", default="", metavar="NAME", help="which site, when there are several")
