"""``fulfillment-kanban-server export``: the orders of a site as a file, made at once."""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
from pathlib import Path
from typing import BinaryIO
from urllib.parse import parse_qsl

import msgspec

from intake.exported import FORMATS, export_file
from server.database import Database
from server.interface.filters import OrderFilter, OrderFinder, criteria, filter_of
from server.kernel.records import SiteRow
from server.modules.exports.work import Written, record_export, write_orders
from server.progress import ProgressLine
from server.registration import CommandContext, add_data_option, add_site_option
from sync.contract.problems import ProblemError


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_data_option(parser)
    add_site_option(parser)
    parser.add_argument("--format", choices=FORMATS, default="csv", help="CSV has one row a line item")
    parser.add_argument("--output", required=True, metavar="FILE", help="where to; - is standard output")
    parser.add_argument("--filter", default="", metavar="QUERY", help="as in GET /orders: status=picked&q=…")
    parser.add_argument("--bom", action="store_true", help="begin a CSV with a byte order mark")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Write the file, and note that it was made."""
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        wanted = filter_of(dict(parse_qsl(arguments.filter, keep_blank_values=True)))
        criteria(wanted, site)
        if arguments.output == "-":
            _export(database, site, wanted, arguments, context, _bytes_of(context))
            return 0
        # Where a link leads; the link itself stays.
        target = Path(os.path.realpath(arguments.output))
        # A name that nobody has: not a file of the person's own, nor a link that somebody laid there.
        part = target.with_name(f".{context.ids.new()}.part")
        try:
            _check_replaceable(target)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640), "wb") as file:
                written = _export(database, site, wanted, arguments, context, file)
            part.replace(target)
        except OSError as error:
            raise ProblemError(
                "FILE_UNWRITABLE",
                f"{target} cannot be written: {error.strerror}.",
                "Choose another --output.",
            ) from error
        finally:
            # Also after Ctrl-C: half a file of customers is nobody's.
            with contextlib.suppress(OSError):
                part.unlink()
        context.say(f"{written.orders:,} orders in {target}.")
    return 0


def _check_replaceable(target: Path) -> None:
    # A file in the place of a device would break the machine.
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "it is no ordinary file")


def _export(
    database: Database,
    site: SiteRow,
    wanted: OrderFilter,
    arguments: argparse.Namespace,
    context: CommandContext,
    file: BinaryIO,
) -> Written:
    kind = export_file(arguments.format, has_bom=arguments.bom)
    finder = OrderFinder(database.engine)
    line = ProgressLine(context.stderr)

    def show(sofar: Written) -> bool:
        line.say(f"{sofar.orders:,} orders written")
        return True

    written = write_orders(file, finder, site, wanted, kind, None, show)
    assert written is not None, "nobody ends the work"
    file.flush()
    line.clear()
    told = msgspec.json.encode(wanted).decode()
    with database.engine.begin() as connection:
        record_export(
            connection,
            context.ids.new(),
            site,
            None,
            arguments.format,
            told,
            written,
            context.clock.wall_ms(),
        )
    return written


def _bytes_of(context: CommandContext) -> BinaryIO:
    """Return standard output for bytes."""
    stream: BinaryIO = context.stdout.buffer
    return stream
