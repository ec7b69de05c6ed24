"""``device``: enrol, list and shut out devices."""

from __future__ import annotations

import argparse
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from server.registration import Command, CommandContext, add_data_option, add_site_option
from sync.contract.problems import ProblemError


def _configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="enrol a device and write its token file")
    listing = actions.add_parser("list", help="list the devices")
    revoking = actions.add_parser("revoke", help="shut a device out, at once")
    for parser_of_one in (adding, listing, revoking):
        add_data_option(parser_of_one)
        add_site_option(parser_of_one)
    adding.add_argument("--user", required=True, metavar="NAME", help="whom the device signs in")
    adding.add_argument("--name", required=True, help="what the device is called")
    adding.add_argument("--token-file", required=True, type=Path, metavar="FILE", help="where to write it")
    adding.add_argument("--server", default="", metavar="URL", help="address to write beside the token")
    listing.add_argument("--json", action="store_true", help="answer with one JSON line")
    revoking.add_argument("device", metavar="NAME_OR_ID", help="as device list shows it")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    actions = {"add": _add, "list": _list, "revoke": _revoke}
    return actions[arguments.action](arguments, context)


def _add(arguments: argparse.Namespace, context: CommandContext) -> int:
    from server.kernel.auth import new_token

    token = new_token()
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        content = {"device_token": token, **({"server": arguments.server} if arguments.server else {})}
        # The file first: a device whose token nobody holds could never be used.
        write_token_file(arguments.token_file, content)
        try:
            device = database.identities.add_device(site.key, arguments.user, arguments.name, token)
        except ProblemError:
            arguments.token_file.unlink()
            raise
    context.say(f"{device.name} is enrolled for {device.user}; its token is in {arguments.token_file}.")
    return 0


def write_token_file(path: Path, content: dict[str, str]) -> None:
    """Write a new file that only its owner and group can read; an existing file is never touched."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
    except OSError as error:
        raise ProblemError(
            "FILE_UNUSABLE",
            f"The token file {path} cannot be made: {error.strerror}.",
            "Choose another with --token-file.",
        ) from error
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.write("\n")


def _list(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        devices = database.identities.devices(site.key)
    if arguments.json:
        context.say(json.dumps([device._asdict() for device in devices]))
        return 0
    for device in devices:
        state = "enrolled" if device.revoked_ms is None else f"shut out {_shown(device.revoked_ms)}"
        context.say(f"{device.name} ({device.id}): signs in {device.user}, {state}")
    return 0


def _shown(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _revoke(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        revoked = database.identities.revoke_device(site.key, arguments.device)
    for device in revoked:
        context.say(f"{device.name} ({device.id}) is shut out.")
    if not revoked:
        context.say(f"{arguments.device} was shut out before.")
    return 0


COMMAND: Final = Command("device", "enrol, list and shut out devices", _configure, _run)
