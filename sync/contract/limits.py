"""Everything has a limit; these are the ones that both programs must agree on."""

from __future__ import annotations

from typing import Final

CLIENT_FRAME_BYTES: Final = 64 * 1024
"""Longest frame that a client may send."""
SERVER_FRAME_BYTES: Final = 8 * 1024 * 1024
"""Longest frame that a server may send, compressed and unpacked."""
JSON_DEPTH: Final = 16
DELTA_ENTRIES: Final = 256
DELTA_BYTES: Final = 256 * 1024
SUBMIT_OPERATIONS: Final = 64
SUBMIT_WINDOW: Final = 256
"""Operations that a client may have sent without an answer."""
SNAPSHOT_CHUNK_ORDERS: Final = 200
SNAPSHOT_CHUNK_BYTES: Final = SERVER_FRAME_BYTES // 4
"""Orders of one chunk together, before compression; a longer order is a chunk of its own."""
AUTH_DEADLINE_MS: Final = 5_000
HEARTBEAT_MS: Final = 5_000
SILENCE_MS: Final = 15_000
"""A link without a frame for this long is dead."""
NOTE_BYTES: Final = 64 * 1024
"""Longest note, hold note or other free text."""
QUANTITY_MAX: Final = 1_000_000
"""Most pieces in one pick."""
PRIORITY_MAX: Final = 3
SAID_PRIORITY_MAX: Final = 9
"""Highest priority of a new order: its source may say more than people can afterwards."""
TAGS_MAX: Final = 50
TAG_CHARACTERS: Final = 100
SHORT_LINES: Final = 1_000
EXCEPTIONS_MAX: Final = 100
"""Open exceptions of one order; beyond, the oldest gives way."""
COMPARE_RANGES: Final = 64
REPAIR_ORDERS: Final = 256
SNAPSHOT_PAGE_ORDERS: Final = 50
"""Orders of each stage that an empty terminal sees first."""
DEVICE_OPERATIONS_PER_S: Final = 50
DEVICE_BURST: Final = 200
"""What one device may hand in at once; more is paced."""
