"""``fulfillment-kanban``: the board on this computer's screen, and the sub-commands beside it.

Exit codes: 0, 1 for a failure, 2 for what was typed. An error is one sentence, never a traceback. Only
what the first paint needs is imported before it.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from app.command_line import profile_folder, read_settings
from app.settings import THEMES, load_settings
from app.version import VERSION
from sync.client.profile import Profile, open_profile
from sync.contract.problems import Problem, ProblemError, UsageError

DEMO_ORDERS: Final = 120
MAX_DEMO_ORDERS: Final = 1_000_000
INTERRUPTED: Final = 130


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the command line; ``words`` tell which sub-command has to be imported."""
    parser = argparse.ArgumentParser(
        prog="fulfillment-kanban",
        description="A board of orders for the fulfillment floor. Without a sub-command: the window.",
    )
    parser.add_argument("--version", action="version", version=VERSION)
    parser.add_argument(
        "--server", metavar="URL", help="address of the server; without one, a server of its own is started"
    )
    parser.add_argument("--profile", type=Path, metavar="DIR", help="folder of this terminal's data")
    parser.add_argument(
        "--device-token-file", metavar="FILE", help="the terminal's token, made by `device add` of the server"
    )
    parser.add_argument(
        "--demo",
        nargs="?",
        type=_order_count,
        const=DEMO_ORDERS,
        default=0,
        metavar="N",
        help=f"put N made-up orders on a new board of its own (default {DEMO_ORDERS})",
    )
    parser.add_argument(
        "--kiosk", action="store_true", help="full screen; the window cannot be closed by hand"
    )
    parser.add_argument("--theme", choices=THEMES, help="colours of the window")
    parser.add_argument(
        "--screenshot", type=Path, metavar="FILE", help="write a picture of the board and end"
    )
    parser.add_argument("--report-start", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run_window)
    _add_subcommands(parser, words)
    return parser


def _order_count(text: str) -> int:
    number = int(text) if text.isdigit() else 0
    if not 1 <= number <= MAX_DEMO_ORDERS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MAX_DEMO_ORDERS}")
    return number


def _add_subcommands(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    """Add the sub-commands; only the one that is meant is imported."""
    subparsers = parser.add_subparsers(metavar="COMMAND")
    if "headless" in words:
        from app import headless

        headless.add_parser(subparsers)
    else:
        subparsers.add_parser("headless", help="the board without a window: JSON lines in and out")
    doctor = subparsers.add_parser("doctor", help="check this computer: what IT runs first")
    settings = subparsers.add_parser("settings", help="list every setting, its value and where it comes from")
    for subparser, run in ((doctor, run_doctor), (settings, run_settings)):
        subparser.add_argument("--json", action="store_true", help="as JSON, for programs")
        subparser.add_argument(
            "--profile",
            type=Path,
            metavar="DIR",
            default=argparse.SUPPRESS,
            help="folder of this terminal's data",
        )
        subparser.add_argument(
            "--server", metavar="URL", default=argparse.SUPPRESS, help="address of the server"
        )
        subparser.set_defaults(run=run)


def main(words: Sequence[str] | None = None) -> int:
    """Run what was typed; a problem is one line, never a traceback."""
    # Until there is a log, records go nowhere: Python would print them, traces too.
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        typed = sys.argv[1:] if words is None else list(words)
        # Within, because Ctrl+C while a sub-command is imported is no traceback either.
        arguments = make_parser(typed).parse_args(typed)
        return int(arguments.run(arguments))
    except UsageError as error:
        print(error.problem.line(), file=sys.stderr)
        return 2
    except ProblemError as error:
        print(error.problem.line(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except ModuleNotFoundError as error:
        print(package_missing(str(error.name)).line(), file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our answer went away; there is nobody to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # noqa: BLE001 - the promise: one sentence, and the trace in the log
        from app.problems_surface import ProblemSurface

        ProblemSurface().tell_error(error)
        return 1


def package_missing(name: str) -> Problem:
    """Return what to do about a missing package: a server's installation has this program, but no window."""
    return Problem(
        "PACKAGE_MISSING",
        f"The package {name} is not installed here.",
        "Install this program with its extra client: pip install '.[client]'.",
    )


def check_display(environment: dict[str, str], platform: str = sys.platform) -> None:
    """Raise a problem when no window can appear, before Qt ends the process over it."""
    if not platform.startswith("linux"):
        return
    plugin = environment.get("QT_QPA_PLATFORM", "").partition(":")[0]
    needed = {"": ("DISPLAY", "WAYLAND_DISPLAY"), "xcb": ("DISPLAY",), "wayland": ("WAYLAND_DISPLAY",)}
    variables = needed.get(plugin)
    if variables is not None and not any(environment.get(variable) for variable in variables):
        raise ProblemError(
            "NO_DISPLAY",
            f"There is no display here ({' and '.join(variables)} not set), so no window can appear.",
            "Try make run PLATFORM=vnc, or start it on a desktop.",
        )


# ---------------------------------------------------------------- the commands


def run_window(arguments: argparse.Namespace) -> int:
    """Show the board; return when its window is closed."""
    check_display(dict(os.environ))
    # Nothing that a start makes is garbage: looking for some costs 10 ms before the first paint.
    gc.disable()
    from app.slim_imports import leave_out_reading_sources

    leave_out_reading_sources()
    from app.device_token import read_device_token
    from app.second_start import take_profile

    profile = open_profile(profile_folder(arguments))
    loaded = read_settings(arguments, profile.folder)
    token = read_device_token(loaded.settings.device_token_file, profile.folder)
    if arguments.demo and (loaded.settings.server_url or token.server):
        raise UsageError(
            "DEMO_NOT_HERE",
            "Demo orders are for a server of this computer's own, and another one is named.",
            "Leave --demo or the server out.",
        )
    lock = take_profile(profile)
    if lock is None:
        if arguments.screenshot is not None or arguments.report_start:
            raise ProblemError(
                "PROFILE_IN_USE",
                f"Another program uses the profile {profile.folder}, so nothing was written.",
                "Close it, or choose another folder with --profile.",
            )
        sys.stdout.write("The program is open already; its window was brought to the front.\n")
        return 0
    try:
        from app.window_run import run_client

        return run_client(arguments, profile, loaded, token)
    finally:
        lock.release()


def run_doctor(arguments: argparse.Namespace) -> int:
    """Check this computer."""
    from app.doctor import report

    folder = profile_folder(arguments)
    loaded = read_settings(arguments, folder)
    return report(folder, loaded, as_json=arguments.json)


def run_settings(arguments: argparse.Namespace) -> int:
    """List the settings."""
    from app.settings_text import settings_json, settings_text

    folder = profile_folder(arguments)
    loaded = (
        load_settings(Profile(folder).settings) if not arguments.server else read_settings(arguments, folder)
    )
    print(settings_json(loaded) if arguments.json else settings_text(loaded))
    return 0


if __name__ == "__main__":
    sys.exit(main())
