"""The command that puts demo orders on a board: ``fulfillment-kanban-server demo``."""

from __future__ import annotations

import argparse
import itertools
from datetime import UTC
from typing import Final
from zoneinfo import ZoneInfo

from intake.demo_orders import SOURCE, DemoPlan, demo_orders
from server.registration import Command, CommandContext, Module, add_data_option, add_site_option
from sync.contract.operations import Import, Operation, Source
from sync.contract.orders import Order
from sync.contract.problems import UsageError

ORDERS: Final = 120
MOST_ORDERS: Final = 1_000_000


def _configure(parser: argparse.ArgumentParser) -> None:
    add_data_option(parser)
    add_site_option(parser)
    parser.add_argument(
        "--orders", type=int, default=ORDERS, metavar="N", help=f"how many orders (default {ORDERS})"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which orders (default 1)")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    if not 0 <= arguments.orders <= MOST_ORDERS:
        raise UsageError("NUMBER_WRONG", f"--orders takes 0 to {MOST_ORDERS:,}.", "Give another number.")
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        zone = ZoneInfo(site.time_zone) if site.time_zone else UTC
        plan = DemoPlan(arguments.orders, arguments.seed, context.clock.wall_ms(), zone)
        refs = [f"{plan.seed}-{number + 1}" for number in range(plan.orders)]
        known = database.store.said(site.key, SOURCE, refs)
        fresh = (order for order in demo_orders(plan) if order.external_ref not in known)
        new = 0
        # By the thousand, so that a verdict of each of a million orders is not kept.
        while chunk := list(itertools.islice(fresh, 1000)):
            operations = [_import(order, context) for order in chunk]
            database.store.import_orders(site.key, operations, f"demo-{plan.seed}")
            new += len(chunk)
    context.say(f"{new:,} demo orders new, {len(known):,} already here.")
    return 0


def _import(order: Order, context: CommandContext) -> Operation:
    # The store fills the order's own id, organisation and site from the operation and the site.
    return Operation(context.ids.new(), context.ids.new(), Import(order), source=Source.SYSTEM)


MODULE: Final = Module(
    name="demo",
    commands=(
        Command("demo", "put made-up orders on the board, the same for the same seed", _configure, _run),
    ),
)
