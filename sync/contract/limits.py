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
