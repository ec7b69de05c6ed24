"""Looking into an outbox that cannot be written: what it holds is shown, nothing is promised."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sync.client.store_values import OutboxState
from sync.client.stores import files
from sync.client.stores import outbox_schema as schema

NOTHING: Final = OutboxState("", 1)


def look(path: Path, newest: int) -> OutboxState:
    """Return the operations that can be read, of a file up to version ``newest``; whatever is wrong, less."""
    try:
        with closing(files.connect_reader(path)) as connection:
            if files.user_version(connection) > newest:
                return NOTHING
            device_id, next_device_seq = schema.read_identity(connection) or ("", 1)
            rows = connection.execute(f"SELECT {schema.COLUMNS} FROM operations ORDER BY device_seq")
            held = tuple(each for row in rows if (each := schema.held_of(row)) is not None)
    except (sqlite3.Error, OSError, ValueError, TypeError):
        return NOTHING
    return OutboxState(device_id, next_device_seq, held)
