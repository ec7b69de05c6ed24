"""``webhook source …``: the shops that may send orders."""

from __future__ import annotations

import argparse
from typing import Final

from server.modules.webhooks_in.sources import Kind, Sources
from server.registration import CommandContext, add_data_option, add_site_option
from sync.contract.problems import UsageError

SECRET_CHARACTERS: Final = 8
NAME_CHARACTERS: Final = 200


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions on sources."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="let a shop send orders")
    rotating = actions.add_parser("rotate", help="give a source a new secret; the old one counts 3 days more")
    removing = actions.add_parser("remove", help="let a shop send nothing any more")
    listing = actions.add_parser("list", help="list the sources")
    for one in (adding, rotating, removing, listing):
        add_data_option(one)
        add_site_option(one)
    adding.add_argument("--kind", required=True, choices=[str(kind) for kind in Kind], help="whose shop")
    label = "where its orders come from, the kind unless told; a second shop of a kind needs its own"
    adding.add_argument("--label", default="", metavar="WORD", help=label)
    for one in (adding, rotating, removing):
        one.add_argument("--name", required=True, help="what the source is called")
    for one in (adding, rotating):
        one.add_argument("--secret-stdin", action="store_true", required=True, help="it is one line there")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Do one action."""
    has_secret = arguments.action in {"add", "rotate"}
    secret = read_secret(context) if has_secret else ""
    name = "" if arguments.action == "list" else checked_name(arguments.name)
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site).key
        sources = Sources(database.engine, context.clock, context.ids)
        if arguments.action == "list":
            for source in sources.of_site(site):
                rotating = ", two secrets count" if len(source.secrets) > 1 else ""
                path = f"/webhooks/{source.kind}/{source.id}"
                context.say(f"{source.name}: {path}, orders of {source.label!r}{rotating}")
        elif arguments.action == "add":
            label = arguments.label.strip() or arguments.kind
            source_id = sources.add(site, Kind(arguments.kind), name, label, secret)
            context.say(f"{name} may send orders to /webhooks/{arguments.kind}/{source_id} of this server.")
        elif arguments.action == "rotate":
            sources.rotate(site, name, secret)
            context.say(f"{name} has a new secret; the one before counts for 3 days more.")
        else:
            sources.remove(site, name)
            context.say(f"{name} may send nothing any more.")
    return 0


def read_secret(context: CommandContext) -> str:
    """Return the secret that is one line of standard input."""
    secret = context.stdin.readline().rstrip("\r\n")
    if len(secret) < SECRET_CHARACTERS or not secret.isprintable():
        raise UsageError(
            "SECRET_TOO_SHORT",
            f"The secret on standard input is shorter than {SECRET_CHARACTERS} characters.",
            "Give it as one line.",
        )
    return secret


def checked_name(text: str) -> str:
    """Return a name without blanks around it; it must be one short line."""
    name = text.strip()
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise UsageError("NAME_NEEDED", f"{text!r} cannot be a name.", "Give one line of text.")
    return name
