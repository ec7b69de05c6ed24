"""Files onto a board. :func:`import_files` does all of it; the command has its own words around it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from intake.answers import as_dict
from intake.reader import Answers
from intake.spill import Spill
from server.database import Database
from server.importing.importer import Board, Importer
from server.kernel.records import SiteRow
from sync.contract.ports import Clock, Ids

LISTED: Final = 1_000


def import_files(
    paths: Sequence[Path],
    database: Database,
    site: SiteRow,
    clock: Clock,
    ids: Ids,
    *,
    answers: Answers | None = None,
    is_real: bool = True,
    listed: int = LISTED,
) -> dict[str, Any]:
    """Import files that belong together and return what ``--json`` says, its lists cut at ``listed``.

    Raises:
        ProblemError: when a file cannot be used or only a person can decide; nothing is written then.
    """
    with Spill() as spill:
        importer = Importer(spill, answers or Answers())
        importer.read(paths)
        report = importer.take(Board(database, site, clock, ids), is_real=is_real)
        return as_dict(report, with_files=len(paths) > 1, listed=listed)


__all__ = ["Answers", "import_files"]
