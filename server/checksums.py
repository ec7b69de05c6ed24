"""The checksum that each row of the log carries, over everything else in it: no lost bit passes unseen.

Rows of releases before it have none.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

COVERED: Final = (
    *("site_id", "seq", "op_id", "device_id", "device_seq", "order_id", "kind", "outcome", "reason"),
    *("in_the_way", "in_the_way_at", "decided_at", "state_hash"),
)
"""The columns beside ``entry``; a column that comes later is left out, or older rows would all be wrong."""


def entry_crc(row: Mapping[str, object]) -> int:
    """Return the CRC-32 of a row of ``operation_log``."""
    # PostgreSQL holds no NUL: the same row has the same checksum on either database.
    words = "|".join([str(row[name]) for name in COVERED]).replace("\0", "\ufffd")
    entry = row["entry"]
    assert isinstance(entry, bytes)
    return zlib.crc32(entry, zlib.crc32(words.encode("utf-8", "surrogatepass")))
