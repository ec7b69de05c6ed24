"""What an import says when it is done: one JSON object, in pieces because it may be long."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any, Final

from intake.report import Report

COUNTS: Final = ("rows", "orders", "lines")
LISTS: Final = ("refused", "held", "waiting", "alarmed", "not_taken")
FIGURES: Final = ("merged", "applied", "new", "updated", "already_here", "notices")


def as_json(report: Report, *, with_files: bool) -> Iterator[str]:
    """Yield the object that ``--json`` prints, piece by piece."""
    yield json.dumps(_some(report, COUNTS))[:-1]
    for name in LISTS:
        yield f', "{name}": ['
        for place, entry in enumerate(_entries(report, name, with_files=with_files)):
            yield (", " if place else "") + json.dumps(entry, ensure_ascii=False)
        yield "]"
    yield ", " + json.dumps(_some(report, FIGURES), ensure_ascii=False)[1:]


def as_dict(report: Report, *, with_files: bool, listed: int) -> dict[str, Any]:
    """Return the same object with at most ``listed`` entries in each list, and how many there are."""
    lists = {
        name: list(itertools.islice(_entries(report, name, with_files=with_files), listed)) for name in LISTS
    }
    sizes = {"refused_rows": len(report.refused), "held_orders": len(report.held)}
    return _some(report, COUNTS) | lists | _some(report, FIGURES) | sizes | _some(report, ("waiting_lines",))


def _some(report: Report, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(report, name) for name in names}


def _entries(report: Report, name: str, *, with_files: bool) -> Iterator[dict[str, Any]]:
    for entry in getattr(report, name):
        fields = entry._asdict()
        if not with_files:
            fields.pop("file", None)
        yield fields
