"""Just what fits is read; one byte or one bracket more is not."""

from __future__ import annotations

import pytest

from sync.contract.codec import (
    FrameTooLongError,
    MalformedFrameError,
    decode_client,
    encode,
    encode_compressed,
)
from sync.contract.limits import CLIENT_FRAME_BYTES, JSON_DEPTH
from sync.contract.messages import Ping

FRAME = encode(Ping(1, 2))


def test_a_frame_may_be_just_as_long_as_it_may_be() -> None:
    """Blanks behind a message are no fault of its own."""
    assert decode_client(FRAME.ljust(CLIENT_FRAME_BYTES)) == Ping(1, 2)
    with pytest.raises(FrameTooLongError):
        decode_client(FRAME.ljust(CLIENT_FRAME_BYTES + 1))


def test_a_packed_frame_counts_as_what_it_unpacks_to() -> None:
    """Its own length says nothing."""
    packed = encode_compressed(Ping(1, 2))
    assert decode_client(packed) == Ping(1, 2)


def test_brackets_may_nest_so_deep_and_no_deeper() -> None:
    """Unknown fields are passed over, but not without an end."""

    def nested(depth: int) -> str:
        inner = "[" * (depth - 1) + "]" * (depth - 1)
        return f'{FRAME[:-1]},"later":{inner}}}'

    assert decode_client(nested(JSON_DEPTH)) == Ping(1, 2)
    with pytest.raises(MalformedFrameError, match="deeper"):
        decode_client(nested(JSON_DEPTH + 1))
