"""The job that takes files out of the watched folders: claim, import, put aside with a report.

A file is whole when two looks, two seconds apart, find it the same and it is not fresh. It is claimed by
renaming it into ``.work``, which only one process can do, and locked while it is imported: what a dead
process left there is not locked and is imported again, which changes nothing that was done.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import logging
import os
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

from sqlalchemy.exc import SQLAlchemyError

from server.modules.folders.places import Folder, Folders
from server.registration import JobContext
from sync.contract.problems import ProblemError

if sys.platform != "win32":
    import fcntl

WORK: Final = ".work"
DONE: Final = "done"
BAD: Final = "bad"
LOOK_S: Final = 2.0
FRESH_MS: Final = 3_000
AT_ONCE: Final = 100
"""Files of one folder that are taken in one turn."""
REFUSED_LISTED: Final = 10_000
_UNFINISHED: Final = (".part", ".tmp", ".filepart", ".crdownload")
_NAME_BYTES: Final = 200
_FAULT: Final = "The server could not read this file; its log says more."
_LOG: Final = logging.getLogger(__name__)

Looks = dict[str, tuple[int, ...]]
"""The files of a folder by name: size, times and place on the disk."""


def watch(context: JobContext) -> None:
    """Take in what is whole (the job)."""
    services = context.services
    folders = Folders(services.engine, services.clock, services.ids)
    watched = folders.all()
    looks = {folder.id: _looked(folder) for folder in watched}
    if any(looks.values()) and context.stopping.wait(LOOK_S):
        return
    trouble: SQLAlchemyError | None = None
    for folder in watched:
        try:
            _visit(folder, looks[folder.id], context)
        except SQLAlchemyError as error:
            # It may be about this file alone; the other folders have their turn.
            trouble = error
            continue
        except OSError as error:
            words = _words(error)
        else:
            words = ""
        if folders.set_problem(folder, words):
            level = logging.WARNING if words else logging.INFO
            _LOG.log(level, "watched folder", extra={"path": str(folder.path), "problem": words or "none"})
    if trouble is not None:
        raise trouble


def _looked(folder: Folder) -> Looks:
    """Return the files that may be taken; a folder that cannot be read has none."""
    try:
        return _files(folder.path)
    except OSError:
        return {}


def _files(path: Path) -> Looks:
    found: Looks = {}
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower().endswith(_UNFINISHED):
                continue
            try:
                # Not followed: whoever may put a link there must not choose what the server reads.
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                # Taken by another process, or taken back, while we looked.
                continue
            if stat.S_ISREG(status.st_mode):
                times = status.st_mtime_ns, status.st_ctime_ns
                found[entry.name] = (status.st_size, *times, status.st_ino)
    return found


def _visit(folder: Folder, before: Looks, context: JobContext) -> None:
    """Take the files that are whole, the oldest first, and what a dead process left."""
    now = _files(folder.path)
    for name in (WORK, DONE, BAD):
        place = folder.path / name
        place.mkdir(exist_ok=True, mode=0o700 if name == WORK else 0o750)
        # A link there would choose where the server writes.
        if place.is_symlink() or not os.access(place, os.W_OK | os.X_OK):
            raise PermissionError
    for claim in _claims(folder):
        _take(folder, claim, context)
    now_ms = context.services.clock.wall_ms()
    whole = [
        name
        for name, look in sorted(now.items(), key=lambda item: (item[1][1], item[0]))
        # Also a time ahead of ours is not fresh: another machine's clock may have written it.
        if before.get(name) == look and abs(now_ms - look[1] // 1_000_000) >= FRESH_MS
    ]
    for name in whole[:AT_ONCE]:
        if context.stopping.is_set():
            return
        ours = _claim(folder, name, context)
        if ours is not None:
            _take(folder, ours, context)


def _claims(folder: Folder) -> list[Path]:
    """Return the files in ``.work``: each in a folder of its own, so that names stay what they are."""
    claims: list[Path] = []
    for place in (folder.path / WORK).iterdir():
        # Another process may be done with it by now.
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            claims += place.iterdir()
    return sorted(claims)


def _claim(folder: Folder, name: str, context: JobContext) -> Path | None:
    """Rename a file into ``.work``; None when somebody else was faster."""
    place = folder.path / WORK / context.services.ids.new()
    place.mkdir(mode=0o700)
    try:
        (folder.path / name).rename(place / name)
    except OSError as error:
        place.rmdir()
        if isinstance(error, FileNotFoundError):
            return None
        raise
    return place / name


def _take(folder: Folder, claim: Path, context: JobContext) -> None:
    """Import a claimed file and put it aside, unless another process is at it."""
    with _alone(claim) as is_ours:
        if is_ours:
            report = _imported(folder, claim, context)
            where = DONE if report["result"] == "imported" else BAD
            name = _put_aside(claim, folder.path / where, report)
            facts = {"path": str(folder.path), "file": name, "result": report["result"]}
            _LOG.info("file taken", extra={**facts, "refused_rows": report.get("refused_rows", 0)})


@contextlib.contextmanager
def _alone(claim: Path) -> Iterator[bool]:
    """Hold a claimed file while it is imported; False when another process holds it, or had it."""
    try:
        if not stat.S_ISREG(claim.lstat().st_mode):
            # Exchanged in the last moment. It lies where nobody looks.
            yield False
            return
        file = claim.open("rb")
    except PermissionError:
        # Its writer did not let us in. Its report says so; what comes after it must not wait for ever.
        yield True
        return
    except FileNotFoundError:
        yield False
        return
    with file:
        yield _is_locked(file) and _is_same(file, claim)


def _is_locked(file: IO[bytes]) -> bool:
    # Windows renames nothing that another process has open, so there the importing itself is the lock.
    if sys.platform != "win32":
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            # Some network drives know no locks; the claim alone has to do there.
            return True
    return True


def _is_same(file: IO[bytes], claim: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), claim.stat())
    except FileNotFoundError:
        return False


def _imported(folder: Folder, claim: Path, context: JobContext) -> dict[str, Any]:
    """Import a file and return its report."""
    from server.importing import Answers, import_files

    services = context.services
    report: dict[str, Any] = {"file": claim.name, "at": _now(services.clock.wall_ms())}
    try:
        answer = import_files(
            [claim],
            context.database,
            next(site for site in context.database.identities.sites() if site.key.site_id == folder.site_id),
            services.clock,
            services.ids,
            answers=Answers(**folder.answers),
            listed=REFUSED_LISTED,
        )
    except ProblemError as error:
        if error.problem.code == "TEMPORARY_SPACE":
            raise OSError(errno.ENOSPC, "no room for temporary files") from error
        sentence = error.problem.line().replace(str(claim), claim.name)
        return {**report, "result": "refused", "sentence": sentence}
    except (OSError, SQLAlchemyError):
        # Not the file's fault: it stays where it is, and is imported when that is over.
        raise
    except Exception as error:  # noqa: BLE001 - one file must not hold up all that come after it
        _LOG.error("file could not be read", exc_info=error)
        return {**report, "result": "refused", "sentence": _FAULT}
    taken = answer["new"] + answer["updated"] + answer["already_here"]
    is_good = bool(taken) or not answer["rows"]
    result = "imported" if is_good else "refused"
    return {**report, "result": result, "sentence": _sentence(answer, is_good=is_good), **answer}


def _sentence(answer: dict[str, Any], *, is_good: bool) -> str:
    if not is_good:
        return "No order of the file could be used."
    return (
        f"{answer['new']} orders are new, {answer['updated']} were updated, "
        f"{answer['already_here']} were here already; {answer['refused_rows']} rows were refused."
    )


def _put_aside(claim: Path, place: Path, report: dict[str, Any]) -> str:
    """Move a file to ``place`` with its report beside it, under a name that is free; return the name."""
    name = _short(claim.name)
    for count in itertools.count(1):
        stem, suffix = Path(name).stem, Path(name).suffix
        free = name if count == 1 else f"{stem}-{count}{suffix}"
        beside = place / f"{free}.report.json"
        if os.path.lexists(place / free):
            continue
        try:
            # Making the report takes the name: another process that wants it sees it there.
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o640)
        except FileExistsError:
            continue
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(report, file, indent=1)
            file.write("\n")
        claim.rename(place / free)
        with contextlib.suppress(OSError):
            claim.parent.rmdir()
        return free
    raise AssertionError


def _short(name: str) -> str:
    """Return a name that leaves room for a number and the report's ending."""
    path = Path(name)
    stem = path.stem
    while stem and len(os.fsencode(stem + path.suffix)) > _NAME_BYTES:
        stem = stem[:-1]
    return stem + path.suffix


def _now(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _words(error: OSError) -> str:
    """Return a folder's problem in words."""
    known: dict[type[OSError], str] = {FileNotFoundError: "The folder is not there."}
    known[NotADirectoryError] = "There is a file in its place."
    known[PermissionError] = "The server may not read and write in it."
    return known.get(type(error), f"The system refused: {error.strerror or type(error).__name__}.")
