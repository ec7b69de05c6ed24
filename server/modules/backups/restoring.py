"""``restore``: put a backup in the place of the data, also of the other kind of database.

It is tried beside the data first. On SQLite the old files are put aside and the new one takes their name; on
PostgreSQL everything is one transaction. Either way a new history begins: terminals that come back offer what
they still hold, and the backup's part of the log is safe as it stands.

Errors (``ProblemError``): ``BACKUP_MISSING``, ``BACKUP_UNUSABLE``, ``DATA_THERE``, ``DATABASE_NOT_EMPTY``,
``RESTORE_FAILED``.
"""

from __future__ import annotations

import argparse
import errno
import os
import shutil
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select, update

from databases.rows import Tell, all_rows, is_empty, put_rows
from databases.schema import boards, metadata
from server import folders
from server.checking import check_rows
from server.database import FILE_NAME, Database, check_empty, create_database, make_folder, open_database
from server.folders import data_folder, database_url
from server.modules.backups.copying import Manifest
from server.modules.backups.trying import UnsoundError, read_manifest, reason, try_out, written_digest
from server.progress import ProgressLine
from server.registration import CommandContext, add_data_option
from sync.contract.ports import Ids
from sync.contract.problems import ProblemError

_PLACE: Final = ".restore-"
_OURS: Final = f"server. exports backups {_PLACE}"
"""How names begin that are in a data folder beside its file."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", type=Path, metavar="FILE", help="what the command backup has written")
    add_data_option(parser)
    parser.add_argument("--yes", action="store_true", help="put the data aside that is there")


def run(arguments: argparse.Namespace, context: CommandContext) -> int:
    """Restore, and say what is there now."""
    path = arguments.file.expanduser().absolute()
    if not path.is_file():
        raise ProblemError("BACKUP_MISSING", f"There is no file {path}.", "Name one that backup has written.")
    read_manifest(path)
    folder, url = data_folder(arguments.data), database_url(arguments.database)
    line = ProgressLine(context.stderr)
    try:
        if url:
            manifest, more = _into_postgresql(path, url, folder, context, line.say)
        else:
            manifest, more = _into_folder(path, folder, context, line.say, may_move=arguments.yes)
    except UnsoundError as error:
        raise ProblemError(
            "BACKUP_UNUSABLE",
            f"{path} did not stand its test: {error}. Nothing has been changed.",
            "Use another backup; when the disk is full or fails, see to that first.",
        ) from error
    except OSError as error:
        raise ProblemError(
            "RESTORE_FAILED",
            f"The backup was not restored: {reason(error)}. The data is as it was.",
            "Check free space and rights.",
        ) from error
    finally:
        line.clear()
    made = datetime.fromtimestamp(manifest.made_ms / 1000, UTC)
    where = "".join(f" {each.organization} / {each.site} at {each.seq:,}." for each in manifest.boards)
    context.say(f"Restored what was there on {made:%Y-%m-%d at %H:%M:%S} UTC.{where}{more}")
    return 0


def begin_new_life(connection: Connection, ids: Ids) -> None:
    """Give every board a new epoch, and tell it that all of its log is in a backup."""
    for site_id in connection.execute(select(boards.c.site_id).order_by(boards.c.site_id)).scalars().all():
        connection.execute(
            update(boards)
            .where(boards.c.site_id == site_id)
            .values(epoch=ids.new(), durable_seq=boards.c.seq)
        )


def _into_folder(
    path: Path, folder: Path, context: CommandContext, tell: Tell, *, may_move: bool
) -> tuple[Manifest, str]:
    make_folder(folder)
    lock = folders.lock(folder, is_alone=True)
    try:
        is_there = (folder / FILE_NAME).exists()
        if not is_there:
            check_empty(folder, _OURS)
        elif not may_move:
            raise ProblemError(
                "DATA_THERE",
                f"There is data in {folder}. Nothing has been changed.",
                "With --yes it is put aside under another name; or choose another folder with --data.",
            )
        for left in folder.glob(f"{_PLACE}*"):
            # Of a restore that was killed: nobody else is here.
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix=_PLACE, dir=folder) as place:
            manifest = try_out(path, written_digest(path), Path(place), context.clock, context.ids, tell)
            with (
                open_database(Path(place), context.clock, context.ids) as database,
                database.engine.begin() as connection,
            ):
                begin_new_life(connection, context.ids)
            fresh = Path(place, FILE_NAME)
            _give(fresh, folder)
            folders.sync(fresh)
            now = datetime.fromtimestamp(context.clock.wall_ms() / 1000, UTC)
            aside = f"server.before-{now:%Y%m%d_%H%M%S}_{now.microsecond // 1000:03}.sqlite"
            _exchange(folder, fresh, aside)
            folders.sync(folder)
    finally:
        folders.unlock(lock)
    return manifest, f" The data from before is {folder / aside}." if is_there else ""


def _give(fresh: Path, folder: Path) -> None:
    """Let whom the folder belongs use the file, also when root restores."""
    fresh.chmod(0o640)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        owner = folder.stat()
        os.chown(fresh, owner.st_uid, owner.st_gid)


def _exchange(folder: Path, fresh: Path, aside: str) -> None:
    """Put the data aside and the new file in its place, or leave all as it was."""
    endings = ("", "-wal", "-shm")
    pairs = [(folder / f"{FILE_NAME}{ending}", folder / f"{aside}{ending}") for ending in endings]
    if any(goal.exists() for _, goal in pairs):
        raise FileExistsError(errno.EEXIST, f"{aside} is there already")
    try:
        # The data first: without its log it would be older than it is.
        for old, goal in pairs:
            if old.exists():
                old.rename(goal)
        fresh.rename(folder / FILE_NAME)
    except BaseException:
        for old, goal in pairs:
            if goal.exists():
                goal.replace(old)
        raise


def _into_postgresql(
    path: Path, url: str, folder: Path, context: CommandContext, tell: Tell
) -> tuple[Manifest, str]:
    with (
        create_database(folder, context.clock, context.ids, url=url) as target,
        tempfile.TemporaryDirectory(prefix="fulfillment-kanban-") as place,
    ):
        with target.engine.begin() as connection:
            _refuse_rows(connection, target)
        manifest = try_out(path, written_digest(path), Path(place), context.clock, context.ids, tell)
        with (
            open_database(Path(place), context.clock, context.ids) as source,
            source.engine.execution_options(is_reading=True).begin() as reading,
            target.engine.begin() as connection,
        ):
            _refuse_rows(connection, target)
            for table, chunk in all_rows(reading, tell):
                put_rows(connection, table, chunk)
            begin_new_life(connection, context.ids)
            connection.exec_driver_sql(f"ANALYZE {', '.join(metadata.tables)}")
            for finding in check_rows(connection, tell).findings:
                raise UnsoundError(finding.sentence.rstrip("."))
    return manifest, f" It is in {target.place}."


def _refuse_rows(connection: Connection, target: Database) -> None:
    if not is_empty(connection):
        raise ProblemError(
            "DATABASE_NOT_EMPTY",
            f"There is data in {target.place}. Nothing has been changed.",
            "Make an empty database, or an empty schema, and name it with --database.",
        )
