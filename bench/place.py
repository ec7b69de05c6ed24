"""A place to measure in: the installed server on loopback with seeded orders, and its terminals.

``bench/run.py`` puts ``tests`` on the path: the process runner and the seeded orders are the tests' own.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from app.system import SystemClock, SystemRandom
from server.database import open_database
from support.orders import Made, make_orders
from support.processes import Process, ProcessRunner
from support.real_server import RealServer
from sync.contract.ids import Uuid7Ids
from sync.contract.operations import Import, Operation
from sync.contract.orders import Order

CLIENT = "fulfillment-kanban"
ORDERS = 5_000


class Place:
    """One server with orders on its board, and as many terminals as are asked for."""

    def __init__(self, folder: Path, runner: ProcessRunner) -> None:
        """Measure below ``folder``; ``runner`` ends what was started."""
        self.folder = folder
        self.server = RealServer(runner, folder)
        self.runner = runner

    def terminal(self, name: str) -> list[str | Path]:
        """Enrol a terminal and return its arguments: its own profile, the server, its token."""
        token = self.folder / f"{name}.json"
        self.server.enrol(name, token)
        profile = self.folder / f"profile-{name}"
        return ["--profile", profile, "--server", self.server.url, "--device-token-file", token]

    def start_report(self, terminal: list[str | Path]) -> dict[str, Any]:
        """Start the client as installed, offscreen, until it reports on its start, and return the report."""
        process = self.runner.start_program(CLIENT, *terminal, "--report-start")
        process.close_input()
        report = process.wait_for_json(lambda line: "first_paint_ms" in line, within_s=60)
        process.wait()
        process.clean_up()
        return report

    def start_headless(self, terminal: list[str | Path]) -> Process:
        """Start a client without a window and wait until it is live."""
        process = self.runner.start_program(CLIENT, "headless", *terminal)
        process.wait_for_json(lambda line: line.get("connection", {}).get("state") == "live", within_s=60)
        return process


@contextlib.contextmanager
def opened_place(orders: int = ORDERS) -> Iterator[Place]:
    """Serve ``orders`` seeded orders until the block ends; nothing is left of it."""
    runner = ProcessRunner()
    with tempfile.TemporaryDirectory(prefix="fk-bench-") as folder:
        place = Place(Path(folder), runner)
        try:
            place.server.set_up()
            _fill(place.server.data, orders)
            place.server.start()
            yield place
        finally:
            runner.clean_up()


def _fill(data: Path, orders: int) -> None:
    """Put seeded orders into a data folder that is not served yet."""
    clock = SystemClock()
    ids = Uuid7Ids(clock, SystemRandom())
    with open_database(data, clock, ids) as database:
        site = database.identities.choose_site()
        made = Made(now_ms=clock.wall_ms(), source="bench")
        operations = (
            Operation(op_id=ids.new(), order_id=order.id, change=Import(order=_of_today(order, made.now_ms)))
            for order in make_orders(orders, made)
        )
        verdicts = database.store.import_orders(site.key, operations, ids.new())
    assert len(verdicts) == orders


def _of_today(order: Order, now_ms: int) -> Order:
    """Return an order that stays on the board: what was finished on another day is taken off it."""
    if order.is_open:
        return order
    cancelled_ms = None if order.cancelled_ms is None else now_ms
    return msgspec.structs.replace(order, stage_ms=now_ms, cancelled_ms=cancelled_ms)
