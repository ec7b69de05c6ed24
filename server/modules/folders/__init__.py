"""Watched folders: files that are put there are imported."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from server.folders import data_folder
from server.modules.folders.places import Folders
from server.modules.folders.watching import watch
from server.registration import (
    Command,
    CommandContext,
    Job,
    Module,
    add_data_option,
    add_site_option,
)

_DATES: Final = ("d/m/y", "m/d/y", "y/m/d")
_ANSWERS: Final = (
    *("mapping", "encoding", "delimiter", "date_style", "source"),
    *("repair", "as_open", "accept_truncated"),
)


def _configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    adding = actions.add_parser("add", help="import what is put into a folder")
    listing = actions.add_parser("list", help="list the watched folders")
    removing = actions.add_parser("remove", help="watch a folder no longer")
    for one in (adding, listing, removing):
        add_data_option(one)
        add_site_option(one)
    for one in (adding, removing):
        one.add_argument("--path", required=True, type=Path, metavar="DIR", help="the folder")
    adding.add_argument("--mapping", default="", metavar="NAME", help="what the columns mean")
    adding.add_argument("--encoding", default="", metavar="NAME", help="for files that are not UTF-8")
    adding.add_argument("--delimiter", default="", metavar="CHARACTER", help="what parts the fields")
    adding.add_argument(
        "--date-format", dest="date_style", default="", choices=_DATES, help="how dates are written"
    )
    adding.add_argument("--source", default="", metavar="NAME", help="whose orders these are")
    adding.add_argument("--repair", action="store_true", help="use rows with too many fields")
    adding.add_argument("--as-open", action="store_true", help="all orders are confirmed")
    adding.add_argument("--accept-truncated", action="store_true", help="import files whose end is cut off")


def _run(arguments: argparse.Namespace, context: CommandContext) -> int:
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site).key
        folders = Folders(database.engine, context.clock, context.ids)
        if arguments.action == "list":
            for folder in folders.all(site):
                words = ", ".join(f"{name} {value}" for name, value in folder.answers.items())
                problem = folder.problem or "no problem"
                context.say(f"{folder.path}: {words or 'read as they are'}; {problem}")
            return 0
        path = arguments.path.expanduser().resolve()
        if arguments.action == "remove":
            folders.remove(site, path)
            context.say(f"{path} is not watched any more.")
            return 0
        folders.add(site, path, _answers(arguments), data_folder(arguments.data).resolve())
        context.say(f"Files that are put into {path} are imported while the server runs.")
    return 0


def _answers(arguments: argparse.Namespace) -> dict[str, object]:
    """Return what was said about the files, checked now: a wrong word would put every file aside."""
    from intake.mapping import Shelf
    from intake.reader import Answers

    answers = Answers(**{name: getattr(arguments, name) for name in _ANSWERS}).checked()
    if answers.mapping:
        Shelf.shipped().choose(answers.mapping)
    if answers.mapping.endswith(".toml"):
        # The server may run in another folder than this command.
        answers = answers._replace(mapping=str(Path(answers.mapping).resolve()))
    return {name: value for name in _ANSWERS if (value := getattr(answers, name))}


MODULE: Final = Module(
    name="folders",
    commands=(Command("folder", "import files that are put into folders", _configure, _run),),
    jobs=(Job("folders", every_s=2, run=watch),),
)
