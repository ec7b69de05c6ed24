"""What a backup is worth: it is put into an empty folder as a restore does, and everything in it is checked.

Errors: :class:`UnsoundError`; ``NOT_A_BACKUP`` and ``NEWER_DATA`` (``ProblemError``).
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import sqlite3
from pathlib import Path

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from databases.rows import Tell, all_rows, checksum
from server.checking import Report, check
from server.database import FILE_NAME, Database, open_database
from server.kernel import migrations
from server.modules.backups.copying import PRODUCT, Manifest
from sync.contract.ports import Clock, Ids
from sync.contract.problems import ProblemError


class UnsoundError(Exception):
    """Why a backup did not stand its test, as a sentence without a full stop."""


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_path(path: Path) -> Path:
    """Return the file beside a backup that holds its digest, as ``sha256sum -c`` reads it."""
    return path.with_name(f"{path.name}.sha256")


def written_digest(path: Path) -> str:
    """Return the digest that was written beside a backup, nothing when there is none."""
    beside = digest_path(path)
    return beside.read_text(encoding="utf-8", errors="replace").partition(" ")[0] if beside.is_file() else ""


def read_manifest(path: Path) -> Manifest:
    """Return what a backup says of itself."""
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as file:
            (said,) = file.execute("SELECT manifest FROM backup").fetchone()
        manifest = msgspec.json.decode(said, type=Manifest)
    except (sqlite3.Error, TypeError, msgspec.MsgspecError) as error:
        raise _no_backup(path) from error
    if manifest.product != PRODUCT:
        raise _no_backup(path)
    return manifest


def try_out(path: Path, sha256: str, folder: Path, clock: Clock, ids: Ids, tell: Tell) -> Manifest:
    """Make the empty ``folder`` a data folder out of a backup, and check everything in it.

    Then it is as good as the database was, with its epochs. ``sha256`` is empty when nobody knows it.

    Raises:
        UnsoundError: when something in it is not as it was.
        OSError: when the disk has no room to try it.
    """
    try:
        manifest = _unpacked(path, sha256, folder / FILE_NAME)
        with open_database(folder, clock, ids) as database:
            _compare(manifest, check(database.engine, tell))
            if manifest.schema == migrations.HEAD:
                _compare_rows(manifest, database, tell)
    except (OSError, sqlite3.Error, SQLAlchemyError) as error:
        raise _failure(error) from error
    except ProblemError as error:
        if error.problem.code != "FOLDER_UNUSABLE":
            raise
        raise _failure(error.__cause__ or error) from error
    return manifest


def _failure(error: BaseException) -> OSError | UnsoundError:
    said = getattr(error, "orig", None) or error
    if getattr(said, "errno", 0) == errno.ENOSPC or getattr(said, "sqlite_errorname", "") == "SQLITE_FULL":
        return OSError(errno.ENOSPC, "no space is left to try it")
    return UnsoundError(reason(error))


def reason(error: BaseException) -> str:
    """Return why something failed, in one line without a full stop."""
    said = getattr(error, "orig", None) or getattr(error, "strerror", None) or error
    return (str(said).splitlines() or [type(error).__name__])[0].rstrip(".")


def _unpacked(path: Path, sha256: str, goal: Path) -> Manifest:
    shutil.copyfile(path, goal)
    if sha256 and digest(goal) != sha256:
        raise UnsoundError("its bytes are not those that were written")
    manifest = read_manifest(goal)
    with contextlib.closing(sqlite3.connect(goal)) as file:
        for name, count in manifest.rows.items():
            found = file.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608 - a table of ours
            if found != count:
                raise UnsoundError(f"{name} has {found:,} rows, the database had {count:,}")
        file.execute("DROP TABLE backup")
        file.commit()
    return manifest


def _compare(manifest: Manifest, report: Report) -> None:
    for finding in report.findings:
        raise UnsoundError(finding.sentence.rstrip("."))
    found = {(board.site_id, board.epoch, board.seq, board.state_hash) for board in report.boards}
    if found != {(mark.site_id, mark.epoch, mark.seq, mark.state_hash) for mark in manifest.boards}:
        raise UnsoundError("its boards do not stand where those of the database stood")


def _compare_rows(manifest: Manifest, database: Database, tell: Tell) -> None:
    sums = dict.fromkeys(manifest.sums, 0)
    with database.engine.execution_options(is_reading=True).begin() as connection:
        for table, chunk in all_rows(connection, tell):
            sums[table.name] += checksum(chunk)
    for name, found in sums.items():
        if found != manifest.sums[name]:
            raise UnsoundError(f"a row of {name} is not what the database had")


def _no_backup(path: Path) -> ProblemError:
    return ProblemError(
        "NOT_A_BACKUP",
        f"{path} is no backup of this program, or a damaged one.",
        "Name a file that the command backup has written.",
    )
