"""The table ``meta`` of the cache: where it stands and whose it is, as text by key.

A checksum covers all of it: a wrong number here would let go of moves that the server never got.
"""

from __future__ import annotations

import sqlite3
from typing import Final

import msgspec

from sync.client.store_values import CacheState
from sync.contract.messages import Person, Site
from sync.contract.operations import crc

_ENCODER: Final = msgspec.json.Encoder()
_CRC: Final = "crc"


def read_state(connection: sqlite3.Connection) -> CacheState:
    """Return where the cached board stands; an empty table is an empty board.

    Raises ``ValueError`` when it is not what was written.
    """
    texts = dict(connection.execute("SELECT key, value FROM meta"))
    checksum = texts.pop(_CRC, None)
    # A release before the checksum wrote none.
    if checksum is not None and checksum != _checksum(texts):
        raise ValueError("where the board stands is not whole")
    return CacheState(
        epoch=texts.get("epoch", ""),
        cursor=int(texts.get("cursor", 0)),
        state_hash=int(texts.get("state_hash", 0)),
        device_id=texts.get("device_id", ""),
        decided_device_seq=int(texts.get("decided_device_seq", 0)),
        orders=int(texts.get("orders", 0)),
        site=msgspec.json.decode(texts["site"], type=Site) if "site" in texts else None,
        person=msgspec.json.decode(texts["person"], type=Person) if "person" in texts else None,
        snapshot_ms=int(texts.get("snapshot_ms", 0)),
        last_contact_ms=int(texts.get("last_contact_ms", 0)),
    )


def read_number(connection: sqlite3.Connection, key: str, default: int = 0) -> int:
    """Return one number of the table."""
    row = connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return default if row is None else int(row[0])


def put_meta(connection: sqlite3.Connection, **values: str | int | Site | Person) -> None:
    """Write the given keys."""
    rows = [
        (key, str(value) if isinstance(value, str | int) else _ENCODER.encode(value).decode())
        for key, value in values.items()
    ]
    put = "REPLACE INTO meta (key, value) VALUES (?, ?)"
    connection.executemany(put, rows)
    texts = dict(connection.execute("SELECT key, value FROM meta WHERE key <> ?", (_CRC,)))
    connection.execute(put, (_CRC, _checksum(texts)))


def _checksum(texts: dict[str, str]) -> str:
    return str(crc(_ENCODER.encode(sorted(texts.items()))))
