"""``webhook``: the one command for both directions, shops that send and programs that are told."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from server.modules.webhooks import sources, targets
from server.registration import Command, CommandContext, Module

_RUN: Final[dict[str, Callable[[argparse.Namespace, CommandContext], int]]] = {
    "source": sources.run,
    "target": targets.run_targets,
    "dead": targets.run_dead,
}


def _configure(parser: argparse.ArgumentParser) -> None:
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="NOUN")
    sources.configure(nouns.add_parser("source", help="shops that send orders"))
    targets.configure_targets(nouns.add_parser("target", help="programs that are told"))
    targets.configure_dead(nouns.add_parser("dead", help="what could not be told"))


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    return _RUN[arguments.noun](arguments, context)


MODULE: Final = Module(
    "webhooks",
    commands=(Command("webhook", "let shops send orders, and tell other programs", _configure, _run),),
)
