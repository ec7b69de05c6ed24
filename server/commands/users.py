"""``user``: add and list the users of a site."""

from __future__ import annotations

import argparse
import json
from typing import Final

from server.registration import Command, CommandContext, add_data_option, add_site_option
from sync.contract.permissions import Role
from sync.contract.problems import UsageError

_ROLES: Final = sorted(str(role) for role in Role if role is not Role.SYSTEM)


def _configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="add a user")
    add_data_option(adding)
    add_site_option(adding)
    adding.add_argument("--name", required=True)
    adding.add_argument("--role", required=True, choices=_ROLES)
    adding.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    listing = actions.add_parser("list", help="list the users")
    add_data_option(listing)
    add_site_option(listing)
    listing.add_argument("--json", action="store_true", help="answer with one JSON line")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    return _add(arguments, context) if arguments.action == "add" else _list(arguments, context)


def _add(arguments: argparse.Namespace, context: CommandContext) -> int:
    password_hash = _password_hash(context) if arguments.password_stdin else None
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        user = database.identities.add_user(site.key, arguments.name, arguments.role, password_hash)
    context.say(f"{user.name} has the role {user.role} at {site.name}.")
    return 0


def _password_hash(context: CommandContext) -> str:
    from server.kernel.auth import Passwords

    password = context.stdin.readline().rstrip("\r\n")
    if not password:
        raise UsageError("PASSWORD_EMPTY", "There is no password on standard input.", "Give one line.")
    return Passwords().hash(password)


def _list(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        users = database.identities.users(site.key)
    if arguments.json:
        context.say(json.dumps([user._asdict() for user in users]))
        return 0
    for user in users:
        marks = [user.role, *(["password"] if user.has_password else [])]
        context.say(f"{user.name}: {', '.join([*marks, *(['disabled'] if user.is_disabled else [])])}")
    return 0


COMMAND: Final = Command("user", "add and list users", _configure, _run)
