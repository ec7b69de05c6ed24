"""The folders that are watched, and what IT said about the files in them.

Errors (``ProblemError``): ``WATCHED_FOLDER_MISSING``, ``WATCHED_FOLDER_NAME``, ``WATCHED_FOLDER_TAKEN``,
``WATCHED_FOLDER_UNKNOWN``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, insert, select, update

from databases.statements import serialise
from server.kernel.records import SiteKey
from server.modules.folders.tables import watched_folders
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError


class Folder(NamedTuple):
    """One watched folder; ``answers`` are those of the importer, ``problem`` is why nothing can be taken."""

    path: Path
    id: str
    site_id: str
    answers: dict[str, Any]
    problem: str


class Folders:
    """Adds, lists and removes watched folders."""

    def __init__(self, engine: Engine, clock: Clock, ids: Ids) -> None:
        """Write through ``engine``."""
        self._engine = engine
        self._clock = clock
        self._ids = ids

    def add(self, site: SiteKey, path: Path, answers: dict[str, Any], data: Path) -> None:
        """Watch a folder; it must be there, and apart from others and from the server's own."""
        if not path.is_dir():
            raise ProblemError(
                "WATCHED_FOLDER_MISSING", f"There is no folder {path}.", "Make it, then add it again."
            )
        if not str(path).isprintable():
            raise ProblemError(
                "WATCHED_FOLDER_NAME", f"The name of {str(path)!a} is no plain text.", "Rename it first."
            )
        with self._engine.begin() as connection:
            serialise(connection, "watched folders")
            others = [Path(text) for text in connection.execute(select(watched_folders.c.path)).scalars()]
            for other in [*others, data]:
                if path.is_relative_to(other) or other.is_relative_to(path):
                    why = "it is watched already" if path == other else f"{other} is in it, or it in that"
                    sentence = f"{path} cannot be watched: {why}."
                    raise ProblemError("WATCHED_FOLDER_TAKEN", sentence, "Remove that one, or take another.")
            row = {"id": self._ids.new(), "organization_id": site.organization_id, "site_id": site.site_id}
            row |= {"path": str(path), "answers": json.dumps(answers), "problem": ""}
            connection.execute(insert(watched_folders).values(**row, created_at=self._clock.wall_ms()))

    def all(self, site: SiteKey | None = None) -> list[Folder]:
        """Return the folders of a site, or of all, by path."""
        asked = select(watched_folders)
        if site is not None:
            asked = asked.where(watched_folders.c.site_id == site.site_id)
        with self._engine.execution_options(is_reading=True).begin() as connection:
            rows = connection.execute(asked).all()
        folders = [
            Folder(Path(row.path), row.id, row.site_id, json.loads(row.answers), row.problem) for row in rows
        ]
        return sorted(folders, key=lambda folder: folder.path)

    def remove(self, site: SiteKey, path: Path) -> None:
        """Watch a folder no longer; what is in it stays."""
        table = watched_folders
        with self._engine.begin() as connection:
            removed = connection.execute(
                delete(table).where(table.c.site_id == site.site_id, table.c.path == str(path))
            )
        if not removed.rowcount:
            raise ProblemError("WATCHED_FOLDER_UNKNOWN", f"{path} is not watched.", "See folder list.")

    def set_problem(self, folder: Folder, words: str) -> bool:
        """Remember why nothing can be taken from a folder; say whether that is news."""
        table = watched_folders
        if words == folder.problem:
            return False
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(table).where(table.c.id == folder.id, table.c.problem != words).values(problem=words)
            )
        return changed.rowcount > 0
