"""``site``: list the sites, and say how long a board keeps what was shipped."""

from __future__ import annotations

import argparse
import json
from typing import Final

from server.registration import Command, CommandContext, add_data_option, add_site_option


def _configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list the sites")
    add_data_option(listing)
    listing.add_argument("--json", action="store_true", help="answer with one JSON line")
    setting = actions.add_parser("set", help="change what a site does")
    add_data_option(setting)
    add_site_option(setting)
    setting.add_argument(
        "--shipped-days",
        type=int,
        required=True,
        metavar="N",
        help="days that the board keeps shipped orders",
    )


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    return _set(arguments, context) if arguments.action == "set" else _list(arguments, context)


def _set(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        database.identities.keep_shipped(site.key, arguments.shipped_days)
    context.say(f"The board of {site.name} keeps {_kept(arguments.shipped_days)}.")
    return 0


def _list(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        days = database.identities.shipped_days()
        sites = database.identities.sites()
    if arguments.json:
        context.say(
            json.dumps(
                [
                    {
                        "id": site.key.site_id,
                        "name": site.name,
                        "organization": site.organization,
                        "time_zone": site.time_zone,
                        "shipped_days": days[site.key.site_id],
                    }
                    for site in sites
                ]
            )
        )
        return 0
    for site in sites:
        context.say(
            f"{site.organization} / {site.name}: {site.time_zone}, keeps {_kept(days[site.key.site_id])}"
        )
    return 0


def _kept(days: int) -> str:
    return "what was shipped today" if days == 1 else f"what was shipped in {days} days, today included"


COMMAND: Final = Command("site", "list sites, set what they keep", _configure, _run)
