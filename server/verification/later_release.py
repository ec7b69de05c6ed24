"""How a later release of the server would say the same: kinds, reasons and fields that nobody here knows.

The patches stay: a terminal of this release must come to the same board, whatever the operation was called.
"""

from __future__ import annotations

import re
from typing import Final

from sync.contract.codec import Frame

_KINDS: Final = re.compile(r'"kind":"(prioritise|tag|claim)"')
_REASONS: Final = re.compile(r'"reason":"(ON_HOLD|NOT_CLAIMED|MOVED_MEANWHILE)"')
_MESSAGE: Final = re.compile(r'^{"type":"(welcome|delta|decided|heartbeat)",')


def later(frame: Frame) -> Frame:
    """Return the frame in the words of a later release; compressed ones hold orders only and stay."""
    if not isinstance(frame, str):
        return frame
    frame = _MESSAGE.sub(r'{"type":"\1","since_release_9":{"a":[1,{}],"b":null},', frame)
    frame = _KINDS.sub(r'"kind":"\1_anew","force":[9]', frame)
    return _REASONS.sub(r'"reason":"\1_ANEW"', frame)
