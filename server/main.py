"""``fulfillment-kanban-server``: one sub-command a task. Exit code 0, 1 for a failure, 2 for usage."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from server import VERSION
from server.commands import COMMANDS
from server.modules import MODULES
from server.registration import Command, CommandContext
from server.system import SystemClock, SystemRandom
from sync.contract.ids import Uuid7Ids
from sync.contract.problems import ProblemError, UsageError

INTERRUPTED: Final = 130
_SYSTEM: Final = "The system refused: {}{}. Check permissions and free space. [SYSTEM_REFUSED]"
_DATA: Final = "The data cannot be used: {}. Check the disk, or restore a backup. [DATA_UNUSABLE]"


def all_commands() -> tuple[Command, ...]:
    """Return every sub-command: the server's own, then those of the modules."""
    return tuple(command for module in (*COMMANDS, *MODULES) for command in module.commands)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="fulfillment-kanban-server", description="The companion server of Fulfillment Kanban."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in all_commands():
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.configure(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; a problem is one line, never a traceback."""
    arguments = make_parser().parse_args(words)
    clock = SystemClock()
    context = CommandContext(clock, Uuid7Ids(clock, SystemRandom()), sys.stdin, sys.stdout, sys.stderr)
    try:
        return int(arguments.run(arguments, context))
    except UsageError as error:
        context.warn(error.problem.line())
        return 2
    except ProblemError as error:
        context.warn(error.problem.line())
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our answer went away; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        context.warn(_SYSTEM.format(error.strerror or error, where))
        return 1
    except SQLAlchemyError as error:
        context.warn(_DATA.format(str(error).splitlines()[0]))
        return 1


if __name__ == "__main__":
    sys.exit(main())
