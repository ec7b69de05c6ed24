"""The tail of a log: one encoding serves many clients, and little is kept."""

from __future__ import annotations

import msgspec

from server.kernel.connections import FRAMES_KEPT, Tail
from sync.contract.codec import decode_server
from sync.contract.limits import DELTA_BYTES
from sync.contract.messages import Delta
from sync.contract.operations import LogEntry, Operation, Outcome, Take


def _tail(count: int) -> Tail:
    tail = Tail(0)
    entries = (
        LogEntry(seq, Operation(f"op{seq}", "o", Take()), Outcome.NOOP, 1) for seq in range(1, count + 1)
    )
    tail.extend(msgspec.json.encode(entry) for entry in entries)
    return tail


def test_clients_at_one_cursor_share_one_frame() -> None:
    """The same string, and it says what comes after that cursor."""
    tail = _tail(3)
    frame = tail.frame_after(1)
    assert frame is not None
    assert tail.frame_after(1) is frame
    delta = decode_server(frame)
    assert isinstance(delta, Delta)
    assert (delta.prev_seq, delta.seq) == (1, 3)
    assert tail.frame_after(3) is None


def test_only_a_few_frames_are_kept() -> None:
    """A client at every cursor must not make the server keep the log many times over."""
    tail = _tail(FRAMES_KEPT * 3)
    first = tail.frame_after(0)
    for cursor in range(1, FRAMES_KEPT * 3):
        assert tail.frame_after(cursor) is not None
    again = tail.frame_after(0)
    assert again == first
    assert again is not first


def test_just_one_deltas_worth_is_kept() -> None:
    """What fits exactly stays; one byte more, and the oldest goes."""
    tail = Tail(0)
    tail.extend([b"x" * (DELTA_BYTES - 10), b"y" * 10])
    assert tail.frame_after(0) is not None
    tail.extend([b"z"])
    assert tail.frame_after(0) is None
    assert tail.seq == 3
