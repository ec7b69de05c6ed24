"""What an import says when it is done: one JSON object, in pieces because it may be long."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

from server.reading.report import Report


def figures(report: Report) -> dict[str, Any]:
    """Return the numbers of a report."""
    return {
        "merged": report.merged,
        "applied": report.applied,
        "new": report.new,
        "updated": report.updated,
        "already_here": report.already_here,
        "notices": report.notices,
    }


def lists(report: Report, *, with_files: bool) -> dict[str, Iterator[dict[str, Any]]]:
    """Return the lists of a report, lazily."""
    return {
        "refused": (
            {"line": each.line, "reason": each.reason} | ({"file": each.file} if with_files else {})
            for each in report.refused
        ),
        "held": ({"ref": each.ref, "reason": each.reason} for each in report.held),
        "waiting": ({"ref": each.ref, "lines": each.lines} for each in report.waiting),
        "alarmed": ({"ref": each.ref, "reason": each.reason} for each in report.alarmed),
        "not_taken": ({"ref": each.ref, "reason": each.reason} for each in report.not_taken),
    }


def as_json(report: Report, *, with_files: bool) -> Iterator[str]:
    """Yield the object that ``--json`` prints, piece by piece."""
    first = json.dumps({"rows": report.rows, "orders": report.orders, "lines": report.lines})
    yield first[:-1]
    for name, entries in lists(report, with_files=with_files).items():
        yield f', "{name}": ['
        for place, entry in enumerate(entries):
            yield (", " if place else "") + json.dumps(entry, ensure_ascii=False)
        yield "]"
    yield ", " + json.dumps(figures(report), ensure_ascii=False)[1:]


def as_dict(report: Report, *, with_files: bool, listed: int) -> dict[str, Any]:
    """Return the same object with at most ``listed`` entries in each list, and how many there are."""
    return {
        "rows": report.rows,
        "orders": report.orders,
        "lines": report.lines,
        **{
            name: list(itertools.islice(entries, listed))
            for name, entries in lists(report, with_files=with_files).items()
        },
        "refused_rows": len(report.refused),
        "held_orders": len(report.held),
        "waiting_lines": report.waiting_lines,
        **figures(report),
    }
