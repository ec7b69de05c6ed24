"""The command that brings orders out of files onto the board, and what it says to people.

What a file means is :mod:`intake`, how it gets onto the board :mod:`server.importing`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from server.registration import Command, CommandContext, Module, add_data_option, add_site_option


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="CSV or JSON files with orders")
    add_data_option(parser)
    add_site_option(parser)
    parser.add_argument("--apply", action="store_true", help="put the orders on the board")
    parser.add_argument("--as-open", action="store_true", help="all orders are confirmed, also shipped ones")
    parser.add_argument("--json", action="store_true", help="answer with one JSON object")
    parser.add_argument("--mapping", default="", metavar="NAME", help="what the columns mean")
    parser.add_argument("--encoding", default="", metavar="NAME", help="for files that are not UTF-8")
    parser.add_argument("--delimiter", default="", metavar="CHARACTER", help="what parts the fields")
    parser.add_argument(
        "--date-format", default="", choices=["d/m/y", "m/d/y", "y/m/d"], help="how dates are written"
    )
    parser.add_argument("--source", default="", metavar="NAME", help="whose orders these are")
    parser.add_argument(
        "--service-skus", type=Path, metavar="FILE", help="codes that nobody picks, one a line"
    )
    parser.add_argument(
        "--cut-off-tags", action="store_true", help="a date inside a tag is when the order must leave"
    )
    parser.add_argument(
        "--repair", action="store_true", help="use rows with too many fields where one column can take them"
    )
    parser.add_argument(
        "--accept-truncated", action="store_true", help="import a file although its end is cut off"
    )


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    # ``serve`` loads the table of modules too and needs none of this.
    from server.modules.imports.command import run

    return run(arguments, context)


MODULE: Final = Module(
    name="imports",
    commands=(
        Command("import", "show what files would put on the board; --apply does it", _configure, _run),
    ),
)
