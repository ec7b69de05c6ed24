"""Frames to messages and back. Text frames are JSON, binary frames zstandard-compressed JSON.

Errors::

    CodecError(ValueError)      the frame is not one of ours; the link is closed with 1007 or 1009
    ├── FrameTooLongError       longer than the limit of its direction, packed or unpacked
    └── MalformedFrameError     not JSON, too deep, an unknown type, a missing or wrong field
"""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec
import zstandard

from sync.contract.limits import CLIENT_FRAME_BYTES, JSON_DEPTH, SERVER_FRAME_BYTES
from sync.contract.messages import ClientMessage, Message, RawDelta, RawSnapshotChunk, ServerMessage

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
_LEVEL: Final = 1


def encode(message: Message | RawDelta | RawSnapshotChunk) -> str:
    """Return the text frame of a message."""
    return _ENCODER.encode(message).decode()


def encode_compressed(message: Message | RawDelta | RawSnapshotChunk) -> bytes:
    """Return the binary frame of a message: worth it from some kilobytes on."""
    return zstandard.ZstdCompressor(level=_LEVEL).compress(_ENCODER.encode(message))


def decode_client(frame: Frame) -> ClientMessage:
    """Return what a client said; raises :class:`CodecError`."""
    data = _unpacked(frame, CLIENT_FRAME_BYTES)
    message = _decoded(_CLIENT, data)
    # Only strangers are measured: the server's frames are ours, and long. Only what is JSON is measured:
    # a string without an end would cost the square of its length.
    if _depth(data) > JSON_DEPTH:
        raise MalformedFrameError(f"nested deeper than {JSON_DEPTH}")
    return message


def decode_server(frame: Frame) -> ServerMessage:
    """Return what the server said; raises :class:`CodecError`."""
    return _decoded(_SERVER, _unpacked(frame, SERVER_FRAME_BYTES))


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


_NOT_BRACKETS: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+', re.DOTALL)


def _depth(data: bytes) -> int:
    """Return how deep the brackets outside strings nest."""
    depth = deepest = 0
    for bracket in _NOT_BRACKETS.sub(b"", data):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest
