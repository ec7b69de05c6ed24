"""``backup``: copy everything while the server serves, try the copy, and only then say that it counts.

Until a copy has stood its test it has no name of its own. One that fails is kept, and its name says so.

Errors (``ProblemError``): ``BACKUP_FAILED``, ``BACKUP_UNSOUND``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sqlite3
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Engine, update

from databases.rows import Tell
from databases.schema import boards
from server import VERSION
from server.database import Database
from server.folders import data_folder, sync
from server.modules.backups.copying import Manifest, write_copy
from server.modules.backups.trying import UnsoundError, digest, digest_path, reason, try_out
from server.progress import ProgressLine
from server.registration import CommandContext, add_data_option
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError, UsageError

FOLDER: Final = "backups"
FAILED: Final = ".FAILED.sqlite"
"""How the name ends of a copy that failed; only the newest is kept, or they would fill the disk."""
_NAME: Final = re.compile(r"(kanban-\d{8}_\d{6}_\d{3})(\.FAILED)?\.sqlite")
_PLACE: Final = ".backup-"
_LEFT_S: Final = 24 * 3_600
"""How old a working folder is that a killed backup left."""


class Backup(NamedTuple):
    """A backup that stood its test."""

    path: Path
    sha256: str
    size: int
    manifest: Manifest
    copied_s: float
    tried_s: float


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_data_option(parser)
    parser.add_argument(
        "--to", type=Path, metavar="DIR", help="where to; backups in the data folder unless told"
    )
    parser.add_argument(
        "--keep", type=int, metavar="N", help="then remove all but the newest N; all stay unless told"
    )
    parser.add_argument("--json", action="store_true", help="answer with one JSON line")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Make a backup, and say what it holds."""
    if arguments.keep is not None and arguments.keep < 1:
        raise UsageError("KEEP_WRONG", "--keep is at least 1.", "Leave it away to keep every backup.")
    goal = (arguments.to or data_folder(arguments.data) / FOLDER).expanduser().absolute()
    line = ProgressLine(context.stderr)
    with context.open_database(arguments) as database:
        try:
            made = back_up(database, goal, context.clock, context.ids, line.say)
        except (OSError, sqlite3.Error) as error:
            raise ProblemError(
                "BACKUP_FAILED",
                f"No backup was made in {goal}: {reason(error)}.",
                "Check free space and rights there; the backups from before are as they were.",
            ) from error
        finally:
            line.clear()
    if arguments.keep is not None:
        prune(goal, arguments.keep, made.path)
    context.say(_told(made).decode() if arguments.json else _said(made))
    return 0


def back_up(database: Database, goal: Path, clock: Clock, ids: Ids, tell: Tell) -> Backup:
    """Write a backup into the folder ``goal``, try it, and tell the boards how far it reaches."""
    goal.mkdir(parents=True, exist_ok=True, mode=0o700)
    _tidy(goal)
    now = datetime.fromtimestamp(clock.wall_ms() / 1000, UTC)
    name = f"kanban-{now:%Y%m%d_%H%M%S}_{now.microsecond // 1000:03}"
    with tempfile.TemporaryDirectory(prefix=_PLACE, dir=goal) as place:
        copies, trial = Path(place, "copy"), Path(place, "trial")
        trial.mkdir()
        started = time.monotonic()
        with database.engine.execution_options(is_reading=True).begin() as source:
            path = write_copy(source, copies, VERSION, clock, ids, tell)
        sha256, copied = digest(path), time.monotonic()
        try:
            manifest = try_out(path, sha256, trial, clock, ids, tell)
        except UnsoundError as error:
            for older in goal.glob(f"kanban-*{FAILED}"):
                older.unlink()
            failed = path.replace(goal / f"{name}{FAILED}")
            raise ProblemError(
                "BACKUP_UNSOUND",
                f"The copy did not stand its test: {error}. It is kept as {failed}.",
                "Check disk and memory, then health --check; the backups from before are as they were.",
            ) from error
        final = goal / f"{name}.sqlite"
        beside = digest_path(final)
        beside.touch(mode=0o600)
        beside.write_text(f"{sha256}  {final.name}\n", encoding="utf-8")
        sync(beside)
        path.replace(final)
        sync(goal)
    raise_durable(database.engine, manifest)
    tried_s = time.monotonic() - copied
    return Backup(final, sha256, final.stat().st_size, manifest, copied - started, tried_s)


def raise_durable(engine: Engine, manifest: Manifest) -> None:
    """Tell each board how far a backup reaches, unless its history is another by now."""
    with engine.begin() as connection:
        for mark in sorted(manifest.boards, key=lambda mark: mark.site_id):
            connection.execute(
                update(boards)
                .where(boards.c.site_id == mark.site_id, boards.c.epoch == mark.epoch)
                .where(boards.c.durable_seq < mark.seq)
                .values(durable_seq=mark.seq)
            )


def prune(goal: Path, keep: int, newest: Path) -> None:
    """Remove the backups before the ``keep`` newest, and what failed before those; ``newest`` stays."""
    found = {path: match for path in goal.iterdir() if (match := _NAME.fullmatch(path.name))}
    good = sorted(match[1] for match in found.values() if not match[2])
    for path, match in found.items():
        if match[1] < good[-keep:][0] and path != newest:
            path.unlink()
            digest_path(path).unlink(missing_ok=True)


def _tidy(goal: Path) -> None:
    """Remove what backups left that were killed."""
    for path in goal.glob(f"{_PLACE}*"):
        if time.time() - path.stat().st_mtime > _LEFT_S:
            shutil.rmtree(path, ignore_errors=True)


def _said(made: Backup) -> str:
    rows = made.manifest.rows
    where = "".join(f" {each.organization} / {each.site} to {each.seq:,}." for each in made.manifest.boards)
    times = f"copied in {made.copied_s:.1f} s, tried in {made.tried_s:.1f} s"
    return f"{made.path}: {rows['orders']:,} orders, {rows['operation_log']:,} operations, {times}.{where}"


def _told(made: Backup) -> bytes:
    seconds = {"copied_s": round(made.copied_s, 3), "tried_s": round(made.tried_s, 3)}
    told = {"file": str(made.path), "sha256": made.sha256, "bytes": made.size, **seconds}
    return msgspec.json.encode({**told, **msgspec.to_builtins(made.manifest)})
