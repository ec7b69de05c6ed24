"""``webhook target …`` and ``webhook dead …``: whom we tell, and what could not be told."""

from __future__ import annotations

import argparse
import asyncio
import secrets
from typing import Final

from intake.told import EVENTS, PING, USUAL, moment, ping_of
from server.kernel.records import SiteKey
from server.modules.webhooks.sources import checked_name, read_secret
from server.modules.webhooks_out.sending import new_client, post
from server.registration import CommandContext, add_data_option, add_site_option
from server.telling.outbox import DEAD, Outbox
from server.telling.targets import Target, Targets, checked_events, checked_url, shown_url
from sync.contract.problems import ProblemError

LISTED: Final = 200


def configure_targets(parser: argparse.ArgumentParser) -> None:
    """Add the actions on targets."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="tell a program what happens from now on")
    listing = actions.add_parser("list", help="list the targets")
    removing = actions.add_parser("remove", help="tell a program nothing any more")
    testing = actions.add_parser("test", help="send a ping, and say what the program answers")
    for one in (adding, listing, removing, testing):
        add_data_option(one)
        add_site_option(one)
    for one in (adding, removing, testing):
        one.add_argument("--name", required=True, help="what the target is called")
    adding.add_argument("--url", required=True, help="where to send to: https://…")
    events = f"with commas: {', '.join(EVENTS)}"
    adding.add_argument("--events", default=",".join(USUAL), metavar="LIST", help=events)
    adding.add_argument("--secret-stdin", action="store_true", help="one line; else a secret is made")


def configure_dead(parser: argparse.ArgumentParser) -> None:
    """Add the actions on dead letters."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, words in (
        ("list", "list what was given up"),
        ("retry", "send it again, from the first attempt on"),
        ("drop", "forget it"),
    ):
        one = actions.add_parser(name, help=words)
        add_data_option(one)
        add_site_option(one)
        if name != "list":
            which = one.add_mutually_exclusive_group(required=True)
            which.add_argument("--id", action="append", metavar="ID", help="this one; may be given again")
            which.add_argument("--all", action="store_true", help="every one")


def run_targets(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Do one action on targets."""
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site).key
        targets = Targets(database.engine, context.clock, context.ids)
        if arguments.action == "list":
            _list(targets, site, context)
        elif arguments.action == "add":
            _add(targets, site, arguments, context)
        elif arguments.action == "remove":
            targets.remove(site, arguments.name)
            context.say(f"{arguments.name} is told nothing any more.")
        else:
            _test(targets.find(site, arguments.name), context)
    return 0


def _list(targets: Targets, site: SiteKey, context: CommandContext) -> None:
    for target, waiting, dead in targets.of_site(site):
        events = ", ".join(target.events)
        context.say(f"{target.name}: {shown_url(target.url)}, {events}; {waiting} waiting, {dead} dead")


def _add(targets: Targets, site: SiteKey, arguments: argparse.Namespace, context: CommandContext) -> None:
    name, url = checked_name(arguments.name), checked_url(arguments.url)
    events = checked_events(arguments.events)
    secret = read_secret(context) if arguments.secret_stdin else secrets.token_urlsafe(32)
    targets.add(site, name, url, events, secret)
    context.say(f"{name} is told: {', '.join(events)}.")
    if not arguments.secret_stdin:
        context.say(f"Its secret, shown only now: {secret}")


def _test(target: Target, context: CommandContext) -> None:
    async def ping() -> str:
        ping_id = context.ids.new()
        async with new_client() as client:
            body = ping_of(ping_id, context.clock.wall_ms())
            return await post(client, target, PING, ping_id, body, context.clock)

    if answer := asyncio.run(ping()):
        raise ProblemError(
            "WEBHOOK_TEST_FAILED",
            f"{target.name} did not take the ping: {answer}.",
            "Check its address and that it answers with 200 to 299 within ten seconds.",
        )
    context.say(f"{target.name} took the ping.")


def run_dead(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Do one action on dead letters."""
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site).key
        outbox = Outbox(database.engine, context.clock, context.ids)
        if arguments.action == "list":
            for target, dead in outbox.deliveries(site, DEAD, LISTED):
                what = f"{dead.event} of order {dead.order_id} at {moment(dead.created_ms)}"
                context.say(f"{dead.id}: {target}, {what}, {dead.attempts} attempts, {dead.answer}")
            return 0
        ids = None if arguments.all else arguments.id
        act, became = outbox.drop, "forgotten"
        if arguments.action == "retry":
            act, became = outbox.retry, "will be sent again"
        count = act(site, ids)
        if ids and not count:
            sentence = "There is no dead letter with this id."
            raise ProblemError("DEAD_LETTER_UNKNOWN", sentence, "See webhook dead list.")
        context.say(f"{count} {became}.")
    return 0
