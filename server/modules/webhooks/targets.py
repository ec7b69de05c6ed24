"""``webhook target …`` and ``webhook dead …``: whom we tell, and what could not be told."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from server.kernel.records import SiteKey
from server.modules.webhooks.sources import checked_name, read_secret, shown_time
from server.modules.webhooks_out.sending import new_client, post
from server.registration import CommandContext, add_data_option, add_site_option
from server.telling.events import EVENTS, PING, USUAL, ping_of
from server.telling.outbox import DEAD, Delivery, Outbox
from server.telling.targets import (
    Target,
    Targets,
    TargetState,
    checked_events,
    checked_url,
    shown_url,
)
from sync.contract.problems import ProblemError, UsageError

LISTED: Final = 200


class _Task(NamedTuple):
    """What one action needs."""

    arguments: argparse.Namespace
    context: CommandContext
    targets: Targets
    outbox: Outbox
    site: SiteKey


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
    adding.add_argument("--url", required=True, help="where to send to")
    adding.add_argument(
        "--events", default=",".join(USUAL), metavar="LIST", help=f"with commas: {', '.join(EVENTS)}"
    )
    adding.add_argument(
        "--secret-stdin", action="store_true", help="read the secret from there; else a new one is printed"
    )
    listing.add_argument("--json", action="store_true", help="answer with one JSON line")


def configure_dead(parser: argparse.ArgumentParser) -> None:
    """Add the actions on dead letters."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="list what was given up")
    retrying = actions.add_parser("retry", help="send it again, from the first attempt on")
    dropping = actions.add_parser("drop", help="forget it")
    for one in (listing, retrying, dropping):
        add_data_option(one)
        add_site_option(one)
    listing.add_argument("--json", action="store_true", help="answer with one JSON line")
    for one in (retrying, dropping):
        which = one.add_mutually_exclusive_group(required=True)
        which.add_argument("--id", action="append", metavar="ID", help="this one; may be given again")
        which.add_argument("--all", action="store_true", help="every one")


def run_targets(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Do one action on targets."""
    actions = {"add": _add, "list": _list, "remove": _remove, "test": _test}
    return _run(actions[arguments.action], arguments, context)


def run_dead(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Do one action on dead letters."""
    actions = {"list": _list_dead, "retry": _retry, "drop": _drop}
    return _run(actions[arguments.action], arguments, context)


def _run(action: Callable[[_Task], int], arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        targets = Targets(database.engine, context.clock, context.ids)
        outbox = Outbox(database.engine, context.clock, context.ids)
        return action(_Task(arguments, context, targets, outbox, site.key))


def _add(task: _Task) -> int:
    given = task.arguments
    name, url, events = checked_name(given.name), checked_url(given.url), checked_events(given.events)
    if not events:
        raise UsageError(
            "WEBHOOK_EVENT_NEEDED", "There is no event to tell.", f"There are {', '.join(EVENTS)}."
        )
    secret = read_secret(task.context) if given.secret_stdin else secrets.token_urlsafe(32)
    task.targets.add(task.site, name, url, events, secret)
    task.context.say(f"{name} is told: {', '.join(events)}.")
    if not given.secret_stdin:
        task.context.say(f"Its secret, shown only now: {secret}")
    return 0


def _list(task: _Task) -> int:
    states = task.targets.of_site(task.site)
    if task.arguments.json:
        task.context.say(json.dumps([_as_json(state) for state in states]))
        return 0
    for state in states:
        target = state.target
        words = [f"{state.waiting} waiting", f"{state.dead} dead"]
        words += [f"{state.behind} behind in the log"] if state.behind else []
        failing = target.failing_since_ms
        words += [f"no answer since {shown_time(failing)}"] if failing else []
        events = ", ".join(target.events)
        task.context.say(f"{target.name}: {shown_url(target.url)}, {events}; {', '.join(words)}")
    return 0


def _as_json(state: TargetState) -> dict[str, object]:
    """Return a target without its secret, and its address without a password."""
    target = state.target
    return {
        "id": target.id,
        "name": target.name,
        "url": shown_url(target.url),
        "events": list(target.events),
        "waiting": state.waiting,
        "dead": state.dead,
        "behind": state.behind,
        "failing_since_ms": target.failing_since_ms,
    }


def _remove(task: _Task) -> int:
    task.targets.remove(task.site, task.arguments.name)
    task.context.say(f"{task.arguments.name} is told nothing any more.")
    return 0


def _test(task: _Task) -> int:
    target = task.targets.find(task.site, task.arguments.name)
    answer = asyncio.run(_ping(target, task.context))
    if answer:
        raise ProblemError(
            "WEBHOOK_TEST_FAILED",
            f"{target.name} did not take the ping: {answer}.",
            "Check its address and that it answers with 200 to 299 within ten seconds.",
        )
    task.context.say(f"{target.name} took the ping.")
    return 0


async def _ping(target: Target, context: CommandContext) -> str:
    ping_id = context.ids.new()
    async with new_client() as client:
        body = ping_of(ping_id, context.clock.wall_ms())
        return await post(client, target, PING, ping_id, body, context.clock)


def _list_dead(task: _Task) -> int:
    dead = task.outbox.deliveries(task.site, DEAD, "", LISTED)
    if task.arguments.json:
        task.context.say(json.dumps([_dead_as_json(target, each) for target, each in dead]))
        return 0
    for target, each in dead:
        task.context.say(
            f"{each.id}: {target}, {each.event} of order {each.order_id} at {shown_time(each.created_ms)}, "
            f"{each.attempts} attempts, {each.answer}"
        )
    return 0


def _dead_as_json(target: str, each: Delivery) -> dict[str, object]:
    kept = ("id", "event", "order_id", "seq", "attempts", "answer", "created_ms")
    return {"target": target, **{name: getattr(each, name) for name in kept}}


def _retry(task: _Task) -> int:
    count = task.outbox.retry(task.site, _ids(task))
    task.context.say(f"{count} will be sent again.")
    return 0


def _drop(task: _Task) -> int:
    count = task.outbox.drop(task.site, _ids(task))
    task.context.say(f"{count} forgotten.")
    return 0


def _ids(task: _Task) -> list[str] | None:
    return None if task.arguments.all else task.arguments.id
