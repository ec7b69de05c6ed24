"""``webhook source …``: the shops that may send orders."""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from server.kernel.records import SiteKey
from server.modules.webhooks_in.sources import Kind, Source, Sources
from server.registration import CommandContext, add_data_option, add_site_option
from sync.contract.problems import UsageError

SECRET_CHARACTERS: Final = 8
NAME_CHARACTERS: Final = 200
LISTED: Final = 50


class _Task(NamedTuple):
    """What one action needs."""

    arguments: argparse.Namespace
    context: CommandContext
    sources: Sources
    site: SiteKey
    secret: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the actions on sources."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="let a shop send orders")
    rotating = actions.add_parser("rotate", help="give a source a new secret; the old one counts 3 days more")
    removing = actions.add_parser("remove", help="let a shop send nothing any more")
    listing = actions.add_parser("list", help="list the sources")
    refusals = actions.add_parser("refusals", help="list what could not be used lately")
    for one in (adding, rotating, removing, listing, refusals):
        add_data_option(one)
        add_site_option(one)
    adding.add_argument("--kind", required=True, choices=[str(kind) for kind in Kind])
    adding.add_argument(
        "--label", default="", metavar="WORD", help="what its orders come from, for a 2nd shop"
    )
    for one in (adding, rotating, removing):
        one.add_argument("--name", required=True, help="what the source is called")
    adding.add_argument("--secret-stdin", action="store_true", required=True, help="read it from there")
    secrets = rotating.add_mutually_exclusive_group(required=True)
    secrets.add_argument("--secret-stdin", action="store_true", help="read the new secret from there")
    secrets.add_argument("--end", action="store_true", help="let the old secret count no more")
    for one in (listing, refusals):
        one.add_argument("--json", action="store_true", help="answer with one JSON line")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Do one action."""
    actions = {"add": _add, "rotate": _rotate, "remove": _remove, "list": _list, "refusals": _refusals}
    secret = read_secret(context) if getattr(arguments, "secret_stdin", False) else ""
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        sources = Sources(database.engine, context.clock, context.ids)
        actions[arguments.action](_Task(arguments, context, sources, site.key, secret))
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


def _add(task: _Task) -> None:
    given = task.arguments
    name, label = checked_name(given.name), given.label.strip() or given.kind
    source_id = task.sources.add(task.site, Kind(given.kind), name, label, task.secret)
    task.context.say(f"{name} may send orders to /webhooks/{given.kind}/{source_id} of this server.")


def checked_name(text: str) -> str:
    """Return a name without blanks around it; it must be one short line."""
    name = text.strip()
    if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
        raise UsageError("NAME_NEEDED", f"{text!r} cannot be a name.", "Give one line of text.")
    return name


def _rotate(task: _Task) -> None:
    name = task.arguments.name
    if task.arguments.end:
        task.sources.end_rotation(task.site, name)
        task.context.say(f"Only the newest secret of {name} counts.")
    else:
        task.sources.rotate(task.site, name, task.secret)
        task.context.say(f"{name} has a new secret; the one before counts for 3 days more.")


def _remove(task: _Task) -> None:
    task.sources.remove(task.site, task.arguments.name)
    task.context.say(f"{task.arguments.name} may send nothing any more.")


def _list(task: _Task) -> None:
    sources = task.sources.of_site(task.site)
    if task.arguments.json:
        task.context.say(json.dumps([_as_json(source) for source in sources]))
        return
    for source in sources:
        words = [f"orders of {source.label!r}", f"last heard {shown_time(source.received_ms)}"]
        words += [f"wrong signature {shown_time(source.failed_ms)}"] if source.failed_ms else []
        words += [f"two secrets until {shown_time(source.old_until_ms)}"] if source.old_until_ms else []
        task.context.say(f"{source.name}: {_path(source)}, {', '.join(words)}")


def _as_json(source: Source) -> dict[str, object]:
    """Return a source without its secrets."""
    return {
        "id": source.id,
        "name": source.name,
        "kind": source.kind,
        "label": source.label,
        "path": _path(source),
        "received_ms": source.received_ms,
        "failed_ms": source.failed_ms,
        "old_secret_until_ms": source.old_until_ms,
    }


def _path(source: Source) -> str:
    return f"/webhooks/{source.kind}/{source.id}"


def _refusals(task: _Task) -> None:
    refused = task.sources.refusals(task.site, LISTED)
    if task.arguments.json:
        task.context.say(msgspec.json.encode(refused).decode())
        return
    for each in refused:
        where = f", line {each.line}" if each.line else ""
        order = f", order {each.ref}" if each.ref else ""
        task.context.say(f"{shown_time(each.at_ms)} {each.source} {each.topic}{order}{where}: {each.why}")


def shown_time(ms: int) -> str:
    """Return a time as it is printed."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if ms else "never"
