"""``fulfillment-kanban-server import``: reads all files, shows the preview, writes only with ``--apply``."""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO
from zoneinfo import ZoneInfo

from server.kernel.records import SiteRow
from server.kernel.store import Store
from server.modules.imports.plan import Plan, Report, Wish
from server.modules.imports.reader import Answers, Reader
from server.reading.mapping import Shelf
from server.reading.text_files import shown
from server.registration import CommandContext
from sync.contract.operations import Import, Operation, Outcome, Source
from sync.contract.orders import Order
from sync.contract.problems import UsageError

SHOWN_AT_MOST: Final = 20
WRITTEN_AT_ONCE: Final = 500


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Carry the command out and return the exit code."""
    progress = Progress(context.stderr)
    reader = Reader(Shelf.shipped(), _answers(arguments), progress.reading)
    for path in arguments.files:
        reader.read(path)
    with context.open_database(arguments) as database:
        site = database.identities.choose_site(arguments.site)
        wish = Wish(
            ZoneInfo(site.time_zone), context.clock.wall_ms(), arguments.as_open, arguments.date_format
        )
        plans = reader.plans(wish)
        report = reader.report
        Writer(database.store, site, context, progress).write(plans, report, is_real=arguments.apply)
        progress.clear()
    if arguments.json:
        context.say(json.dumps(as_json(report, with_files=len(arguments.files) > 1), ensure_ascii=False))
    else:
        for line in as_text(report, with_files=len(arguments.files) > 1):
            context.say(line)
    return 0


def _answers(arguments: argparse.Namespace) -> Answers:
    delimiter = {"\\t": "\t", "tab": "\t"}.get(arguments.delimiter, arguments.delimiter)
    if len(delimiter) > 1 or delimiter in {'"', "\r", "\n", "\0"}:
        raise UsageError("DELIMITER_WRONG", "--delimiter takes one character.", "A tab is written tab.")
    return Answers(
        arguments.mapping, arguments.encoding, delimiter, arguments.accept_truncated, arguments.repair
    )


class Progress:
    """One line on a terminal that says how far the import is; silent elsewhere."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream`` when it is a terminal."""
        self._stream = stream
        self._is_shown = stream.isatty()

    def reading(self, path: Path, done: int) -> None:
        """Say how much of a file has been read."""
        self._say(f"Reading {path.name}: {100 * done // max(1, path.stat().st_size)} %")

    def writing(self, done: int) -> None:
        """Say how many orders have been written."""
        self._say(f"Writing: {done:,} orders")

    def clear(self) -> None:
        """Take the line away."""
        self._say("")

    def _say(self, text: str) -> None:
        if self._is_shown:
            self._stream.write(f"\r\x1b[K{text}")
            self._stream.flush()


class Writer:
    """Puts plans on a board; what is there already is left as it is."""

    def __init__(self, store: Store, site: SiteRow, context: CommandContext, progress: Progress) -> None:
        """Write to ``site`` through ``store``."""
        self._store = store
        self._site = site
        self._context = context
        self._progress = progress

    def write(self, plans: Iterable[Plan], report: Report, *, is_real: bool) -> None:
        """Count what is new and, when it ``is_real``, write it as one batch."""
        batch_id = self._context.ids.new()
        for plan in plans:
            refs = plan.refs
            known = frozenset(self._store.known_refs(self._site.key, plan.source, refs))
            new = self._put(plan.orders(known), batch_id) if is_real else len(refs) - len(known)
            report.new += new
            # Also those that somebody else imported since we looked.
            report.already_here += len(refs) - new
        report.applied = is_real

    def _put(self, orders: Iterator[Order], batch_id: str) -> int:
        applied = 0
        while chunk := list(itertools.islice(orders, WRITTEN_AT_ONCE)):
            operations = [
                Operation(
                    self._context.ids.new(), self._context.ids.new(), Import(order), source=Source.SYSTEM
                )
                for order in chunk
            ]
            verdicts = self._store.import_orders(self._site.key, operations, batch_id)
            applied += sum(verdict.outcome is Outcome.APPLIED for verdict in verdicts)
            self._progress.writing(applied)
        return applied


def as_json(report: Report, *, with_files: bool) -> dict[str, Any]:
    """Return the report as the object that ``--json`` prints."""
    return {
        "rows": report.rows,
        "orders": report.orders,
        "lines": report.lines,
        "refused": [
            {"line": refusal.line, "reason": refusal.reason} | ({"file": refusal.file} if with_files else {})
            for refusal in report.refused
        ],
        "merged": report.merged,
        "waiting": [{"ref": waiting.ref, "lines": waiting.lines} for waiting in report.waiting],
        "held": [{"ref": held.ref, "reason": held.reason} for held in report.held],
        "applied": report.applied,
        "new": report.new,
        "already_here": report.already_here,
        "notices": report.notices,
    }


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
    refusals = [
        f"  {f'{refusal.file}, ' if with_files else ''}row {refusal.line}: {refusal.reason}"
        for refusal in report.refused
    ]
    yield from _some("Refused:", refusals)
    yield from _some("Held for review:", [f"  {shown(held.ref)}: {held.reason}" for held in report.held])
    if report.waiting:
        yield f"Lines waiting: {len(report.waiting):,} orders have no row of their own that is used."
    figures = f"{report.new:,} new, {report.already_here:,} already here."
    if report.applied:
        yield f"Imported: {figures}"
    else:
        yield f"Preview: {figures} Nothing has been written; add --apply to import."


def _some(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield title
        yield from lines[:SHOWN_AT_MOST]
    if len(lines) > SHOWN_AT_MOST:
        yield f"  … and {len(lines) - SHOWN_AT_MOST:,} more; --json lists all."
