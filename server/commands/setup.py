"""``setup``: make the data folder or the tables, an organisation, a site and its first user."""

from __future__ import annotations

import argparse
from typing import Final, NamedTuple

from server.database import Database, create_database
from server.folders import data_folder, database_url
from server.identities import check_time_zone
from server.kernel.records import SiteRow
from server.registration import Command, CommandContext, add_data_option
from sync.contract.permissions import Role


class First(NamedTuple):
    """The names that ``setup`` gives when it is told none."""

    organization: str = "My organization"
    site: str = "Main site"
    time_zone: str = "Europe/London"
    user: str = "Admin"


def set_up(database: Database, names: First) -> SiteRow:
    """Make what is not there yet: organisation, site, and the user as a supervisor."""
    site = database.identities.ensure_site(names.organization, names.site, names.time_zone)
    if names.user not in {user.name for user in database.identities.users(site.key)}:
        database.identities.add_user(site.key, names.user, Role.SUPERVISOR)
    return site


def _configure(parser: argparse.ArgumentParser) -> None:
    first = First()
    add_data_option(parser)
    owner = "whose orders these are (%(default)s)"
    parser.add_argument("--organization", default=first.organization, metavar="NAME", help=owner)
    parser.add_argument("--site", default=first.site, metavar="NAME", help="the warehouse (%(default)s)")
    zone = "where its clocks are right (%(default)s)"
    parser.add_argument("--time-zone", default=first.time_zone, metavar="NAME", help=zone)
    parser.add_argument("--user", default=first.user, metavar="NAME", help="first supervisor (%(default)s)")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    folder = data_folder(arguments.data)
    names = First(arguments.organization, arguments.site, arguments.time_zone, arguments.user)
    # Before anything is made: what was typed wrong leaves no empty folder behind.
    check_time_zone(names.time_zone)
    url = database_url(arguments.database)
    with create_database(folder, context.clock, context.ids, url=url) as database:
        site = set_up(database, names)
        context.say(f"{site.organization} / {site.name} is ready in {database.place}.")
    return 0


COMMAND: Final = Command("setup", "make the data folder, a site and its first user", _configure, _run)
