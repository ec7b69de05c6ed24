"""``fulfillment-kanban-server import``: reads all files, shows the preview, writes only with ``--apply``."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from intake.answers import as_json
from intake.reader import Answers
from intake.report import Held, Report
from intake.spill import Spill
from intake.text_files import shown
from server.importing.importer import Board, Importer
from server.modules.imports.progress import Progress
from server.registration import CommandContext
from sync.contract.problems import ProblemError, UsageError

SHOWN_AT_MOST: Final = 20


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Carry the command out and return the exit code."""
    answers = _answers(arguments)
    progress = Progress(context.stderr)
    with Spill() as spill:
        importer = Importer(spill, answers, progress)
        try:
            importer.read(arguments.files)
            with context.open_database(arguments) as database:
                site = database.identities.choose_site(arguments.site)
                board = Board(database, site, context.clock, context.ids)
                importer.take(board, is_real=arguments.apply)
        except KeyboardInterrupt:
            progress.clear()
            context.warn(_stopped(importer))
            raise
        except ProblemError:
            progress.clear()
            raise
        progress.clear()
        _answer(importer.report, arguments, context)
    return 0


def _answer(report: Report, arguments: argparse.Namespace, context: CommandContext) -> None:
    with_files = len(arguments.files) > 1
    if not arguments.json:
        for line in as_text(report, with_files=with_files):
            context.say(line)
        return
    for piece in as_json(report, with_files=with_files):
        context.stdout.write(piece)
    context.say("")


def _stopped(importer: Importer) -> str:
    """Return what a person reads who stopped the import with Ctrl-C."""
    report = importer.report
    if not importer.is_writing:
        return "Stopped. Nothing has been written."
    done = report.new + report.updated
    return f"Stopped: {done:,} orders or more are on the board. The same command again imports the rest."


def _answers(arguments: argparse.Namespace) -> Answers:
    answers = Answers(
        mapping=arguments.mapping,
        encoding=arguments.encoding,
        delimiter=arguments.delimiter,
        accept_truncated=arguments.accept_truncated,
        repair=arguments.repair,
        date_style=arguments.date_format,
        as_open=arguments.as_open,
        cut_off_tags=arguments.cut_off_tags,
        service_skus=_codes(arguments.service_skus),
        source=arguments.source.strip(),
    )
    return answers.checked()


def _codes(path: Path | None) -> frozenset[str]:
    """Return the codes in a file, one a line."""
    if path is None:
        return frozenset()
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            "CODES_UNREADABLE",
            f"The list of service codes {path} cannot be read.",
            "It is a text file in UTF-8 with one code a line.",
        ) from error
    return frozenset(code for line in lines if (code := line.strip()))


def as_text(report: Report, *, with_files: bool) -> Iterator[str]:
    """Yield the lines that a person reads."""
    yield from report.notices
    for name, count in (
        ("Rows", report.rows),
        ("Orders", report.orders),
        ("Lines", report.lines),
        ("Refused rows", len(report.refused)),
        ("Held orders", len(report.held)),
        ("Lines waiting", report.waiting_lines),
    ):
        if name == "Lines waiting" and not count:
            continue
        yield f"{name:<14}{count:>12,}"
    refusals = (
        f"  {f'{refusal.file}, ' if with_files else ''}row {refusal.line}: {refusal.reason}"
        for refusal in report.refused
    )
    yield from _some("Refused:", refusals, len(report.refused))
    yield from _some("On hold:", _by_order(report.held), len(report.held))
    if report.waiting_lines:
        yield f"Lines waiting: of {len(report.waiting):,} orders no row of their own is used."
    yield from _some("Not taken:", _by_order(report.not_taken), len(report.not_taken))
    yield from _some("Changed under somebody's hands:", _by_order(report.alarmed), len(report.alarmed))
    changed = f"{report.updated:,} changed, " if report.updated else ""
    figures = f"{report.new:,} new, {changed}{report.already_here:,} already here."
    if report.applied:
        yield f"Imported: {figures}"
    else:
        yield f"Preview: {figures} Nothing has been written; add --apply to import."


def _by_order(entries: Iterable[Held]) -> Iterator[str]:
    return (f"  {shown(each.ref)}: {each.reason}" for each in entries)


def _some(title: str, lines: Iterator[str], count: int) -> Iterator[str]:
    if count:
        yield title
        yield from itertools.islice(lines, SHOWN_AT_MOST)
    if count > SHOWN_AT_MOST:
        yield f"  … and {count - SHOWN_AT_MOST:,} more; --json lists all."
