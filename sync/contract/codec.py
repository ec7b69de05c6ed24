"""Frames to messages and back. Text frames are JSON, binary frames zstandard-compressed JSON.

Errors::

    CodecError(ValueError)      the frame is not one of ours; the link is closed with 1007 or 1009
    ├── FrameTooLongError       longer than the limit of its direction, packed or unpacked
    └── MalformedFrameError     not JSON, too deep, an unknown type, a missing or wrong field
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

import msgspec
import zstandard

from sync.contract.changes import KINDS
from sync.contract.limits import CLIENT_FRAME_BYTES, JSON_DEPTH, SERVER_FRAME_BYTES
from sync.contract.messages import ClientMessage, Message, RawDelta, ServerMessage

Frame = str | bytes
_T = TypeVar("_T")


class CodecError(ValueError):
    """A frame that cannot be read."""


class FrameTooLongError(CodecError):
    """A frame over its limit."""


class MalformedFrameError(CodecError):
    """A frame that is not a message of this contract."""


_ENCODER: Final = msgspec.json.Encoder()
# msgspec types a decoder of a union as Any; the annotation says what it gives.
_CLIENT: Final[msgspec.json.Decoder[ClientMessage]] = msgspec.json.Decoder(ClientMessage)
_SERVER: Final[msgspec.json.Decoder[ServerMessage]] = msgspec.json.Decoder(ServerMessage)
_LEVEL: Final = 3


def encode(message: Message | RawDelta) -> str:
    """Return the text frame of a message."""
    return _ENCODER.encode(message).decode()


def encode_compressed(message: Message | RawDelta) -> bytes:
    """Return the binary frame of a message: worth it from some kilobytes on."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_ENCODER.encode(message))


def decode_client(frame: Frame) -> ClientMessage:
    """Return what a client said; raises :class:`CodecError`."""
    data = _unpacked(frame, CLIENT_FRAME_BYTES)
    message = _decoded(_CLIENT, data)
    # Only strangers are measured: the server's frames are ours, and long. Only what is JSON is measured:
    # elsewhere quotes and brackets are no pairs.
    if not _is_flat(data):
        raise MalformedFrameError(f"nested deeper than {JSON_DEPTH}")
    return message


def decode_server(frame: Frame) -> ServerMessage:
    """Return what the server said; raises :class:`CodecError`.

    Kinds of operations that only a later release knows become :class:`Unknown`: what they did to the order
    stands beside them.
    """
    data = _unpacked(frame, SERVER_FRAME_BYTES)
    try:
        return _decoded(_SERVER, data)
    except MalformedFrameError:
        known = _without_later_kinds(data)
        if known is None:
            raise
        return _decoded(_SERVER, known)


def _without_later_kinds(data: bytes) -> bytes | None:
    """Return a delta with the kinds that are not ours marked as unknown, None when there are none."""
    try:
        message = msgspec.json.decode(data, type=_LaterDelta)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    changes = [change for entry in message.entries if (change := _later_change(entry)) is not None]
    for change in changes:
        name = str(change["kind"])
        change.clear()
        change.update(kind="unknown", name=name)
    return _ENCODER.encode(message) if changes else None


class _LaterDelta(msgspec.Struct, frozen=True, tag="delta", tag_field="type"):
    """A delta of which nothing is known but where its operations stand."""

    prev_seq: int
    seq: int
    entries: list[dict[str, Any]]


def _later_change(entry: dict[str, Any]) -> dict[str, Any] | None:
    operation = entry.get("operation")
    change = operation.get("change") if isinstance(operation, dict) else None
    if not isinstance(change, dict) or not isinstance(change.get("kind"), str):
        return None
    return None if change["kind"] in KINDS else change


def _decoded(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise MalformedFrameError(str(error)) from error


def _unpacked(frame: Frame, limit: int) -> bytes:
    data = frame.encode("utf-8", "surrogatepass") if isinstance(frame, str) else _unzip(frame, limit)
    if len(data) > limit:
        raise FrameTooLongError(f"more than {limit} bytes")
    return data


def _unzip(frame: bytes, limit: int) -> bytes:
    """Return the unpacked frame, or its first ``limit + 1`` bytes.

    The size in the header is a claim of the sender, so the reader is told where to stop, and how
    much memory a frame may ask for.
    """
    try:
        unpacker = zstandard.ZstdDecompressor(max_window_size=SERVER_FRAME_BYTES)
        return unpacker.stream_reader(frame).read(limit + 1)
    except zstandard.ZstdError as error:
        raise MalformedFrameError(str(error)) from error


_ESCAPED: Final = re.compile(rb"\\.", re.DOTALL)
_ALIKE: Final = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))


def _is_flat(data: bytes) -> bool:
    """Say whether the brackets outside strings nest no deeper than :data:`JSON_DEPTH`.

    Each round takes the innermost ones away, so the time does not grow with what a stranger nests.
    """
    # Without what is escaped, every second piece between quotes is a string.
    outside = b"".join(_ESCAPED.sub(b"", data).split(b'"')[::2])
    left = outside.translate(_ALIKE, _NOT_BRACKETS)
    for _ in range(JSON_DEPTH):
        left = left.replace(b"[]", b"")
    return not left
