"""``headless`` as a process of its own, spoken to in JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from server.database import open_database
from server.system import SystemClock, SystemRandom
from support.processes import Process, ProcessRunner
from support.real_server import RealServer
from support.server_bench import fresh_order
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import Import, LogEntry, Move, Operation

PROGRAM = "fulfillment-kanban"
Json = dict[str, Any]


class Headless:
    """One running ``headless``."""

    def __init__(self, runner: ProcessRunner, profile: Path, *words: str | Path) -> None:
        self.profile = profile
        self.process: Process = runner.start_program(PROGRAM, "headless", "--profile", profile, *words)

    def ask(self, **request: object) -> None:
        """Send one line."""
        self.process.send_json(request)

    def move(self, number: str, to: str, ref: str = "") -> None:
        """Ask for a move."""
        self.ask(move={"number": number, "to": to}, ref=ref)

    def wait(self, name: str, within_s: float = 20.0, **fields: object) -> Json:
        """Return the next line of that name with these fields."""

        def is_wanted(line: Json) -> bool:
            body = line.get(name)
            return isinstance(body, dict) and all(body.get(key) == value for key, value in fields.items())

        found: Json = self.process.wait_for_json(is_wanted, within_s)[name]
        return found

    def lines(self, name: str) -> list[Json]:
        """Return every line of that name so far, also those waited for."""
        begin = f'{{"{name}":'
        said = self.process.stdout.splitlines()
        return [json.loads(line)[name] for line in said if line.startswith(begin) and line.endswith("}")]

    def status(self) -> Json:
        """Return the status now."""
        self.ask(status={})
        return self.wait("status")

    def numbers(self, stage: str) -> list[str]:
        """Return the numbers of the orders of a stage, in display order."""
        self.ask(list={"stage": stage})
        return [order["number"] for order in self.wait("list", stage=stage)["orders"]]

    def quit(self) -> int:
        """Ask it to end and return the exit code."""
        self.ask(quit={})
        return self.process.wait()


def start_headless(runner: ProcessRunner, server: RealServer, profile: Path) -> Headless:
    """Start a terminal of the enrolled device and wait until it is live."""
    terminal = Headless(runner, profile, "--server", server.url, "--device-token-file", server.token_file)
    terminal.wait("connection", state="live")
    return terminal


def put_orders(server: RealServer, count: int, first: int = 0, **changed: object) -> list[str]:
    """Put orders on the server's board, confirmed unless ``changed`` says otherwise; return their numbers."""
    clock = SystemClock()
    ids = Uuid7Ids(clock, SystemRandom())
    orders = [msgspec.structs.replace(fresh_order(place), **changed) for place in range(first, first + count)]
    with open_database(server.data, clock, ids, url=server.database_url) as database:
        site = database.identities.choose_site("")
        operations = [Operation(ids.new(), ids.new(), Import(order)) for order in orders]
        database.store.import_orders(site.key, operations, ids.new())
    return [order.number for order in orders]


def logged_moves(server: RealServer) -> list[LogEntry]:
    """Return every move in the server's log, in its order."""
    clock = SystemClock()
    entries: list[LogEntry] = []
    with open_database(server.data, clock, Uuid7Ids(clock, SystemRandom())) as database:
        site = database.identities.choose_site("").key
        while (page := database.reader.page(site, len(entries))).entries:
            entries += [msgspec.json.decode(entry, type=LogEntry) for entry in page.entries]
    return [entry for entry in entries if isinstance(entry.operation.change, Move)]
