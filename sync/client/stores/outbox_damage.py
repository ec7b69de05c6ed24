"""What is wrong with an outbox: asked at every start, so it costs little where nothing is.

Every row carries checksums and the numbers are dense, so a changed row and a missing one both show. That the
newest part is gone as a whole shows by the mark (:mod:`sync.client.stores.outbox_mark`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sync.client.stores import files, outbox_history, outbox_needs
from sync.client.stores import outbox_schema as schema
from sync.client.stores.outbox_mark import Marked

CHECKED_BYTES: Final = 4 * 1024 * 1024
"""Files up to this size are checked by SQLite too at every start; it takes some milliseconds."""
_LATELY_DONE: Final = 200


def find_damage(connection: sqlite3.Connection, path: Path, marked: Marked | None = None) -> str:
    """Return what is wrong with an open outbox, empty when nothing is."""
    identity = schema.read_identity(connection)
    if identity is None:
        return "the identity is not whole"
    history = outbox_history.read(connection)
    if history is None:
        return "the history is not whole"
    if None in outbox_needs.read(connection):
        return "an entry that waits for a person is not whole"
    seen = []
    for row in connection.execute(f"SELECT {schema.COLUMNS} FROM operations ORDER BY device_seq"):
        if schema.held_of(row) is None:
            return f"row {row[0]} is not whole"
        seen.append(int(row[0]))
    missing = _missing(connection, seen, identity[1], history.floor)
    if missing:
        return f"row {missing} is missing"
    behind = _behind(connection, identity, marked)
    if behind:
        return behind
    if path != files.MEMORY and path.stat().st_size <= CHECKED_BYTES:
        verdict = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
        return "" if verdict == "ok" else verdict
    return ""


def _missing(connection: sqlite3.Connection, seen: list[int], next_device_seq: int, floor: int) -> int:
    """Return the first number above ``floor`` that is neither held nor done, 0 when there is none.

    Of those before the first held one, the last must at least be among the done.
    """
    gaps = list(_gaps(seen, next_device_seq, floor))
    missing = gaps[0].start if gaps else 0
    lately = "SELECT device_seq FROM kept ORDER BY place DESC LIMIT ?"
    for limit in (_LATELY_DONE, -1):
        if missing:
            done = {int(row[0]) for row in connection.execute(lately, (limit,))}
            # A gap of millions takes no longer to go through than there are done ones.
            missing = next((number for gap in gaps for number in gap if number not in done), 0)
    return missing


def _gaps(seen: list[int], next_device_seq: int, floor: int) -> Iterator[range]:
    """Yield the numbers that are not held, from the last before the first held one on."""
    first = seen[0] if seen else next_device_seq
    wanted = max(first - 1, floor + 1, 1)
    for number in (*seen, next_device_seq):
        if number > wanted:
            yield range(wanted, number)
        wanted = max(wanted, number + 1)


def _behind(connection: sqlite3.Connection, identity: tuple[str, int], marked: Marked | None) -> str:
    """Say that this is not the outbox as it was last, when the mark proves it."""
    if marked is None or marked.next_device_seq <= 1:
        return ""
    if marked.device_id == identity[0]:
        lost = marked.next_device_seq - identity[1]
        return f"the last {lost} numbers are missing" if lost > 0 else ""
    # Another identity is taken up for good reasons; one that has nothing at all was made just now.
    query = "SELECT EXISTS (SELECT 1 FROM operations) OR EXISTS (SELECT 1 FROM kept)"
    is_new = identity[1] == 1 and not connection.execute(query).fetchone()[0]
    return "the file that was used last is gone" if is_new else ""
