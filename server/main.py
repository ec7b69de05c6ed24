"""``fulfillment-kanban-server``: one sub-command a task. Exit code 0, 1 for a failure, 2 for usage.

The commands are imported within :func:`main`: Ctrl-C while they load is no traceback either.
"""

from __future__ import annotations

import argparse
import io
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from server import VERSION
from sync.contract.problems import ProblemError, UsageError

if TYPE_CHECKING:
    from server.registration import Command, CommandContext

INTERRUPTED: Final = 130
_SYSTEM: Final = "The system refused: {}{}. Check permissions and free space. [SYSTEM_REFUSED]"
_DATA: Final = (
    "The data cannot be used: {}. Check free space, rights and the database; "
    "restore a backup if it is damaged. [DATA_UNUSABLE]"
)
_FAULT: Final = "Something in this program went wrong ({}). Tell who maintains it. [PROGRAM_FAULT]"


def all_commands() -> tuple[Command, ...]:
    """Return every sub-command: the server's own, those of the modules, then the proof."""
    from server.commands import COMMANDS
    from server.modules import MODULES
    from server.verification.command import MODULE

    return tuple(command for module in (*COMMANDS, *MODULES, MODULE) for command in module.commands)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="fulfillment-kanban-server", description="The companion server of Fulfillment Kanban."
    )
    parser.add_argument("--version", action="version", version=VERSION)
    parser.epilog = "COMMAND --help lists the options of a command."
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in all_commands():
        subparser = subparsers.add_parser(command.name, help=command.help, description=command.help)
        command.configure(subparser)
        subparser.set_defaults(run=command.run)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command; a problem is one line, never a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A letter that the terminal's encoding lacks must not end a command that has done its work.
            stream.reconfigure(errors="backslashreplace")
    try:
        return _run(words)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our answer went away; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _run(words: Sequence[str] | None) -> int:
    from sqlalchemy.exc import SQLAlchemyError

    arguments = make_parser().parse_args(words)
    context = _context()
    try:
        return int(arguments.run(arguments, context))
    except UsageError as error:
        context.warn(error.problem.line())
        return 2
    except ProblemError as error:
        context.warn(error.problem.line())
    except BrokenPipeError:
        raise
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        context.warn(_SYSTEM.format(error.strerror or error, where))
    except SQLAlchemyError as error:
        context.warn(_DATA.format(str(error).splitlines()[0]))
    except Exception as error:  # noqa: BLE001 - the promise: one line, and the trace in the log if there is one
        _log_fault(error)
        context.warn(_FAULT.format(type(error).__name__))
    return 1


def _context() -> CommandContext:
    from server.registration import CommandContext
    from server.system import SystemClock, SystemRandom
    from sync.contract.ids import Uuid7Ids

    clock = SystemClock()
    return CommandContext(clock, Uuid7Ids(clock, SystemRandom()), sys.stdin, sys.stdout, sys.stderr)


def _log_fault(error: Exception) -> None:
    log = logging.getLogger("server.main")
    # Without a handler the library itself would print the trace.
    if log.hasHandlers():
        log.error("unexpected %s", type(error).__name__, exc_info=error)


if __name__ == "__main__":
    sys.exit(main())
