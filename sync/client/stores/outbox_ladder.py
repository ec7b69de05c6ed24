"""The versions of ``outbox.db``: from an empty file, or one of any former release, to the current one."""

from __future__ import annotations

import sqlite3
from functools import partial

from sync.client.stores import outbox_history, outbox_needs
from sync.client.stores.files import Step
from sync.client.stores.outbox_schema import put_identity
from sync.contract.ports import Ids


def ladder(ids: Ids) -> tuple[Step, ...]:
    """Return the steps from an empty file to the current version; a new file gets its identity."""
    return (partial(_first, ids), _second)


def _first(ids: Ids, connection: sqlite3.Connection) -> None:
    connection.execute(
        "CREATE TABLE identity (id INTEGER PRIMARY KEY CHECK (id = 1), device_id TEXT NOT NULL,"
        " next_device_seq INTEGER NOT NULL, crc INTEGER NOT NULL)"
    )
    columns = (
        "op_id TEXT NOT NULL UNIQUE, body BLOB NOT NULL, crc INTEGER NOT NULL, state INTEGER NOT NULL,"
        " seq INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, by TEXT NOT NULL,"
        " at_ms INTEGER NOT NULL, row_crc INTEGER NOT NULL"
    )
    connection.execute(f"CREATE TABLE operations (device_seq INTEGER PRIMARY KEY, {columns})")
    connection.execute(
        f"CREATE TABLE kept (place INTEGER PRIMARY KEY, device_seq INTEGER NOT NULL, {columns})"
    )
    put_identity(connection, ids.new(), 1)


def _second(connection: sqlite3.Connection) -> None:
    """What waits for a person, and to which server history the kept operations belong."""
    outbox_needs.create(connection)
    outbox_history.create(connection)
