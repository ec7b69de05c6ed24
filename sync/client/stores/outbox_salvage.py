"""A damaged outbox: what is wrong with it, and every whole row saved into a new file.

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
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from sync.client.store_values import Held
from sync.client.stores import files
from sync.client.stores import outbox_schema as schema
from sync.contract.operations import Operation, crc, operation_from_bytes
from sync.contract.ports import Ids

CHECKED_BYTES: Final = 4 * 1024 * 1024
"""Files up to this size are checked by SQLite too at every start; it takes some milliseconds."""
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


class Found(NamedTuple):
    """What could be read out of a damaged file."""

    identity: tuple[str, int] | None
    held: dict[int, Held]
    kept: list[Held]
    is_readable: bool
    """False when SQLite stopped somewhere: rows may be missing without a trace."""


def find_damage(connection: sqlite3.Connection, path: Path) -> str:
    """Return what is wrong with an open outbox, empty when nothing is."""
    identity = schema.read_identity(connection)
    if identity is None:
        return "the identity is not whole"
    seen = []
    for row in connection.execute(f"SELECT {schema.COLUMNS} FROM operations ORDER BY device_seq"):
        if schema.held_of(row) is None:
            return f"row {row[0]} is not whole"
        seen.append(int(row[0]))
    missing = _missing(seen, identity[1])
    if missing:
        done = connection.execute("SELECT device_seq FROM kept WHERE device_seq >= ?", (min(missing),))
        missing -= {int(row[0]) for row in done}
    if missing:
        return f"row {min(missing)} is missing"
    if path != files.MEMORY and path.stat().st_size <= CHECKED_BYTES:
        verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        return "" if verdict == "ok" else verdict
    return ""


def _missing(seen: list[int], next_device_seq: int) -> set[int]:
    """Return the numbers that were given and are not in ``seen``: numbers are dense.

    With nothing held, the last number given must at least be among the done ones.
    """
    first = seen[0] if seen else max(next_device_seq - 1, 1)
    return set(range(first, next_device_seq)) - set(seen)


def salvage(path: Path, reason: str, ids: Ids) -> SalvageReport:
    """Put the damaged file aside and build a new one from its whole rows."""
    aside = files.aside_name(path)
    shutil.copy2(path, aside)
    wal = files.companions(path)[0]
    if wal.exists():
        shutil.copy2(wal, files.companions(aside)[0])
    found = _read(aside)
    held = dict(found.held)
    if not found.is_readable:
        held = _with_carved(aside, found)
    lost = None if found.identity is None else len(_lost(found, held))
    identity = None if lost != 0 or not found.is_readable else found.identity
    _build(path, identity, list(held.values()), found.kept, ids)
    finish_salvage(path)
    return SalvageReport(aside.name, reason, len(held), lost, identity is None)


def finish_salvage(path: Path) -> None:
    """Install a new file that a salvage has completed, if there is one."""
    ready = _ready(path)
    if path == files.MEMORY or not ready.exists():
        return
    # The old log first: beside the new file it would be read as the new file's own.
    for companion in files.companions(path):
        companion.unlink(missing_ok=True)
    ready.replace(path)
    _sync_folder(path.parent)


def _lost(found: Found, held: dict[int, Held]) -> set[int]:
    if found.identity is None:
        return set()
    done = {entry.operation.device_seq for entry in found.kept}
    return _missing(sorted(held), found.identity[1]) - done


def _read(aside: Path) -> Found:
    """Read what SQLite still can: forwards, backwards, then number by number in between."""
    try:
        connection = files.connect_reader(aside)
    except sqlite3.Error:
        return Found(None, {}, [], is_readable=False)
    try:
        identity = _read_identity(connection)
        held, is_held_readable = _read_table(connection, "operations", "device_seq")
        kept, is_kept_readable = _read_table(connection, "kept", "place")
    finally:
        connection.close()
        files.companions(aside)[1].unlink(missing_ok=True)
    numbered = {entry.operation.device_seq: entry for entry in held}
    is_readable = is_held_readable and is_kept_readable
    return Found(identity, dict(sorted(numbered.items())), kept, is_readable)


def _read_identity(connection: sqlite3.Connection) -> tuple[str, int] | None:
    try:
        return schema.read_identity(connection)
    except sqlite3.Error:
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


def _with_carved(aside: Path, found: Found) -> dict[int, Held]:
    """Return the held rows with those that only their bytes still show, all under new numbers."""
    known = {entry.operation.op_id for entry in (*found.held.values(), *found.kept)}
    carved: dict[str, Operation] = {}
    for file in (aside, files.companions(aside)[0]):
        if file.exists():
            carved.update((operation.op_id, operation) for operation in carve(file.read_bytes()))
    fresh = [operation for op_id, operation in carved.items() if op_id not in known]
    everything = [*found.held.values(), *(Held(operation, None) for operation in fresh)]
    everything.sort(key=lambda entry: (entry.operation.device_seq, entry.operation.op_id))
    return dict(enumerate(everything, 1))


_START: Final = re.compile(rb'\{"op_id":"')
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}]', re.DOTALL)


def carve(data: bytes) -> Iterator[Operation]:
    """Find whole operations in the bytes of a file: canonical form with its checksum behind it."""
    for start in _START.finditer(data):
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


def _build(
    path: Path, identity: tuple[str, int] | None, held: list[Held], kept: list[Held], ids: Ids
) -> None:
    """Write the new file, complete and synced, under the name that means "ready"."""
    building = path.with_name(f"{path.name}.building")
    building.unlink(missing_ok=True)
    connection = files.connect(building)
    try:
        connection.execute("PRAGMA synchronous = FULL")
        files.climb(connection, schema.APPLICATION_ID, schema.ladder(ids))
        connection.execute("BEGIN IMMEDIATE")
        if identity is None:
            identity, held = _renewed(connection, held)
        schema.put_identity(connection, *identity)
        connection.executemany(schema.INSERT, map(schema.row_of, held))
        connection.executemany(schema.KEEP, map(schema.row_of, kept))
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
