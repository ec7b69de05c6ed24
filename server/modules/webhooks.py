"""``webhook``: the one command for both directions, shops that send and programs that are told."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Final

from server.modules.webhooks_in import commands as sources
from server.registration import Command, CommandContext, Module

_RUN: Final[dict[str, Callable[[argparse.Namespace, CommandContext], int]]] = {"source": sources.run}


def _configure(parser: argparse.ArgumentParser) -> None:
    nouns = parser.add_subparsers(dest="noun", required=True, metavar="NOUN")
    sources.configure(nouns.add_parser("source", help="shops that send orders"))


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    return _RUN[arguments.noun](arguments, context)


MODULE: Final = Module(
    "webhooks",
    commands=(Command("webhook", "let shops send orders, and tell other programs", _configure, _run),),
)
