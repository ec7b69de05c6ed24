"""A damaged outbox: every whole row saved into a new file.

The damaged file stays beside the new one for IT. The new file is built completely under another
name and installed last; whoever is interrupted on the way goes on at the next start
(:func:`finish_salvage`), so an outbox is never silently empty.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from sync.client.needs_you import NeedsYou, NeedsYouKind
from sync.client.store_values import Held
from sync.client.stores import files, outbox_history, outbox_needs
from sync.client.stores import outbox_schema as schema
from sync.client.stores.outbox_history import History
from sync.client.stores.outbox_ladder import ladder
from sync.client.stores.outbox_mark import Marked, mark_path
from sync.client.stores.raw_pages import raw_rows
from sync.contract.operations import Operation, crc, operation_bytes, operation_from_bytes
from sync.contract.ports import Ids
from sync.contract.problems import Problem

SURE_KEPT: Final = 100_000
"""With so many done operations kept, older ones have been let go of: what is missing cannot be counted."""
PROBES: Final = 100_000
"""Numbers that are asked for one by one between the readable ends of a table..."""
BLIND_PROBES: Final = 1_000
"""...and behind its readable beginning, when no end can be read."""


class SalvageReport(NamedTuple):
    """What happened to a damaged outbox; ``rows_lost`` is None when it cannot be known."""

    put_aside: str
    reason: str
    rows_saved: int
    rows_lost: int | None
    device_id_renewed: bool

    @property
    def problem(self) -> Problem:
        """Return what a person has to know of it."""
        lost = "an unknown number of" if self.rows_lost is None else str(self.rows_lost)
        return Problem(
            "OUTBOX_SALVAGED",
            f"The list of unsent moves was damaged: {self.rows_saved} moves were saved, "
            f"{lost} lost. The damaged file is kept as {self.put_aside}.",
            "Check your last moves on the board and tell IT.",
        )

    @property
    def entry_id(self) -> str:
        """Return the id under which it waits for a person."""
        return f"salvage-{self.put_aside}"


class Found(NamedTuple):
    """What could be read out of a damaged file."""

    identity: tuple[str, int] | None
    held: dict[int, Held]
    kept: list[Held]
    history: History | None
    entries: dict[str, NeedsYou]
    """What waits for a person, by its id."""
    bad_entries: int | None
    """How many of them are not whole, None when some may be missing without a trace."""
    is_readable: bool
    """False when SQLite stopped somewhere: rows may be missing without a trace."""


def put_aside(path: Path, log: bytes) -> Path:
    """Copy the damaged file, with ``log`` as the log that was found beside it; return the copy's path."""
    aside = files.aside_name(path)
    if path.exists():
        shutil.copyfile(path, aside)
    else:
        aside.touch()
    if log:
        files.companions(aside)[0].write_bytes(log)
    return aside


def salvage(path: Path, aside: Path, reason: str, ids: Ids, marked: Marked | None = None) -> SalvageReport:
    """Build a new file from the whole rows of the one that was put ``aside``."""
    log = files.companions(aside)[0]
    # Before SQLite looks: it throws away a log that it does not like.
    database, frames = aside.read_bytes(), log.read_bytes() if log.exists() else b""
    found = _read(aside)
    fresh = _from_bytes(database, frames, found)
    held = [*found.held.values(), *fresh]
    lost = _lost(found, held, marked)
    identity = None if lost != 0 or fresh or not found.is_readable else found.identity
    if identity is None:
        # Under an identity of its own nothing that was lost is ever waited for.
        held.sort(key=lambda entry: (entry.operation.device_seq, entry.operation.op_id))
    # An entry may have been the only copy of its operation, and has no number that would be missed: where
    # SQLite did not read the log to its end, nobody knows.
    is_sure = lost is not None and found.bad_entries is not None and not (frames and fresh)
    told = (lost or 0) + (found.bad_entries or 0) if is_sure else None
    report = SalvageReport(aside.name, reason, len(held), told, identity is None)
    now_ms = int(aside.stat().st_mtime * 1000)
    entry = NeedsYou(report.entry_id, NeedsYouKind.SALVAGED, now_ms, problem=report.problem)
    found.entries[entry.id] = entry
    _build(path, identity, held, found, ids)
    finish_salvage(path)
    return report


def finish_salvage(path: Path) -> None:
    """Install a new file that a salvage has completed, if there is one."""
    ready = _ready(path)
    if path == files.MEMORY or not ready.exists():
        return
    # The old log first: beside the new file it would be read as the new file's own. The mark is the
    # damaged file's: against the new one it would prove a loss that has been told already.
    for companion in (*files.companions(path), mark_path(path)):
        companion.unlink(missing_ok=True)
    ready.replace(path)
    _sync_folder(path.parent)


def _lost(found: Found, held: list[Held], marked: Marked | None) -> int | None:
    """Return how many operations are gone, None when that cannot be known."""
    if found.identity is None or found.history is None or len(found.kept) >= SURE_KEPT:
        return None
    device_id, next_device_seq = found.identity
    if marked is not None:
        if marked.device_id != device_id:
            return None
        next_device_seq = max(next_device_seq, marked.next_device_seq)
    own = {
        each.operation.device_seq for each in (*held, *found.kept) if each.operation.device_id == device_id
    }
    saved = sum(found.history.floor < number < next_device_seq for number in own)
    return max(0, next_device_seq - 1 - found.history.floor) - saved


def _read(aside: Path) -> Found:
    """Read what SQLite still can: forwards, backwards, then number by number in between."""
    try:
        connection = files.connect_reader(aside)
    except sqlite3.Error:
        return Found(None, {}, [], None, {}, None, is_readable=False)
    try:
        identity = _read_identity(connection)
        held, is_held_readable = _read_table(connection, "operations", "device_seq")
        kept, is_kept_readable = _read_table(connection, "kept", "place")
        history, entries = _read_history(connection), _read_entries(connection)
    finally:
        connection.close()
        files.companions(aside)[1].unlink(missing_ok=True)
    numbered = {entry.operation.device_seq: entry for entry in held}
    is_readable = is_held_readable and is_kept_readable
    whole = {entry.id: entry for entry in entries or () if entry is not None}
    bad = None if entries is None else entries.count(None)
    return Found(identity, dict(sorted(numbered.items())), kept, history, whole, bad, is_readable)


def _read_history(connection: sqlite3.Connection) -> History | None:
    try:
        # The first version let go of nothing.
        return outbox_history.read(connection) if files.user_version(connection) > 1 else History()
    except (sqlite3.Error, ValueError, TypeError):
        return None


def _read_entries(connection: sqlite3.Connection) -> list[NeedsYou | None] | None:
    """Return what waits for a person, None when there may be more than can be read."""
    try:
        if files.user_version(connection) == 1:
            return []
        # They have no numbers that would be missed: only a table that is sound is complete.
        is_sound = connection.execute("PRAGMA integrity_check('needs_you')").fetchone()[0] == "ok"
        return outbox_needs.read(connection) if is_sound else None
    except (sqlite3.Error, ValueError, TypeError):
        return None


def _read_identity(connection: sqlite3.Connection) -> tuple[str, int] | None:
    try:
        return schema.read_identity(connection)
    except (sqlite3.Error, ValueError, TypeError):
        return None


def _read_table(connection: sqlite3.Connection, table: str, key: str) -> tuple[list[Held], bool]:
    found: dict[int, Held | None] = {}
    is_readable = _scan(connection, f"SELECT {key}, {schema.COLUMNS} FROM {table} ORDER BY {key}", found)
    if not is_readable:
        reached = max(found, default=0)
        query = f"SELECT {key}, {schema.COLUMNS} FROM {table} ORDER BY {key} DESC"
        _scan(connection, query, found)
        last = min((number for number in found if number > reached), default=reached + BLIND_PROBES)
        for number in range(reached + 1, min(last, reached + PROBES)):
            query = f"SELECT {key}, {schema.COLUMNS} FROM {table} WHERE {key} = {number}"
            _scan(connection, query, found)
    return [held for _, held in sorted(found.items()) if held is not None], is_readable


def _scan(connection: sqlite3.Connection, query: str, found: dict[int, Held | None]) -> bool:
    """Add the rows of ``query`` to ``found`` until SQLite stops; say whether it reached the end."""
    try:
        for row in connection.execute(query):
            found.setdefault(int(row[0]), schema.held_of(row[1:]))
    except (sqlite3.Error, ValueError, TypeError):
        return False
    return True


def _from_bytes(database: bytes, log: bytes, found: Found) -> list[Held]:
    """Return what only the bytes still show: whole rows first, then operations without the rest of theirs."""
    for body, checksum in (row[2:4] for row in raw_rows(database, log, _ENTRY_START, lambda _: True)):
        waiting = outbox_needs.entry_of(body, checksum)
        if waiting is not None:
            found.entries.setdefault(waiting.id, waiting)
    known = {entry.operation.op_id.encode() for entry in (*found.held.values(), *found.kept)}
    fresh: dict[bytes, Held] = {}
    for row in raw_rows(database, log, _START, lambda op_id: op_id not in known):
        is_done = len(row) == len(schema.COLUMNS.split()) + 1
        entry = _raw_held(row[1:] if is_done else row)
        if entry is None:
            continue
        op_id = entry.operation.op_id.encode()
        if is_done:
            # An older page still shows it among those that are not done.
            known.add(op_id)
            fresh.pop(op_id, None)
            found.kept.append(entry)
        else:
            fresh.setdefault(op_id, entry)
    known |= fresh.keys()
    for data in (log, database):
        for operation in carve(data, known):
            known.add(operation.op_id.encode())
            fresh[operation.op_id.encode()] = Held(operation)
    return list(fresh.values())


def _raw_held(row: list[object]) -> Held | None:
    """Return what a row of the file's bytes stores; its key stands in the operation too."""
    try:
        if row[0] is None:
            row[0] = operation_from_bytes(bytes(row[2])).device_seq  # type: ignore[call-overload]
        return schema.held_of(tuple(row))
    except (IndexError, TypeError, ValueError, msgspec.MsgspecError):
        return None


_START: Final = re.compile(rb'\{"op_id":"([^"\\]{1,64})"')
_ENTRY_START: Final = re.compile(rb'\{"id":"([^"\\]{1,64})"')
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)


def carve(data: bytes, known: AbstractSet[bytes] = frozenset()) -> Iterator[Operation]:
    """Find whole operations in the bytes of a file: canonical form with its checksum behind it."""
    for start in _START.finditer(data):
        if start.group(1) in known:
            continue
        end = _object_end(data, start.start())
        body = data[start.start() : end]
        checksum = crc(body)
        # SQLite stores an integer in the fewest bytes that hold it, sign included.
        size = next(size for size in (1, 2, 3, 4, 6) if checksum < 1 << (8 * size - 1))
        if int.from_bytes(data[end : end + size], "big") != checksum:
            continue
        try:
            yield operation_from_bytes(body)
        except msgspec.MsgspecError:
            continue


def _object_end(data: bytes, start: int) -> int:
    depth = 0
    for token in _TOKEN.finditer(data, start, start + (1 << 17)):
        text = token.group()
        depth += {b"{": 1, b"}": -1}.get(text, 0)
        if depth == 0:
            return token.end()
    return start


def _build(path: Path, identity: tuple[str, int] | None, held: list[Held], found: Found, ids: Ids) -> None:
    """Write the new file, complete and synced, under the name that means "ready"."""
    building = path.with_name(f"{path.name}.building")
    building.unlink(missing_ok=True)
    connection = files.connect(building)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        files.climb(connection, schema.APPLICATION_ID, ladder(ids))
        connection.execute("BEGIN IMMEDIATE")
        history = found.history or History()
        floor = history.floor
        if identity is None:
            (identity, held), floor = _renewed(connection, held), 0
        schema.put_identity(connection, *identity)
        connection.executemany(schema.INSERT, map(schema.row_of, held))
        connection.executemany(schema.KEEP, map(schema.row_of, found.kept))
        bodies = enumerate((operation_bytes(entry.operation) for entry in found.kept), 1)
        place = outbox_history.first_place(bodies, identity[0])
        outbox_history.put(connection, History(history.epoch, place, floor))
        outbox_needs.put(connection, found.entries.values())
        connection.execute("COMMIT")
    finally:
        connection.close()
    building.replace(_ready(path))
    _sync_folder(path.parent)


def _renewed(connection: sqlite3.Connection, held: list[Held]) -> tuple[tuple[str, int], list[Held]]:
    """Number what was saved anew under the identity that the new file was born with."""
    row = connection.execute("SELECT device_id FROM identity").fetchone()
    device_id = str(row[0])
    renewed = [
        Held(msgspec.structs.replace(entry.operation, device_id=device_id, device_seq=number), None)
        for number, entry in enumerate(held, 1)
    ]
    return (device_id, len(renewed) + 1), renewed


def _ready(path: Path) -> Path:
    return path.with_name(f"{path.name}.ready")


def _sync_folder(folder: Path) -> None:
    """Make a rename durable, where the platform lets a folder be opened."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
