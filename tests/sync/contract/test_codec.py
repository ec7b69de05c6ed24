"""Frames: what goes out comes back, and what is not ours is refused, never crashes."""

from __future__ import annotations

import msgspec
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from sync.contract import codec, messages
from sync.contract.limits import CLIENT_FRAME_BYTES, SERVER_FRAME_BYTES
from sync.contract.operations import (
    LogEntry,
    Move,
    Operation,
    Outcome,
    Reason,
    Unknown,
    crc,
    operation_bytes,
    operation_from_bytes,
)
from sync.contract.orders import OrderPatch
from sync.contract.problems import Problem, ProblemError, UsageError
from sync.contract.stages import Stage

MOVE = Operation("op", "order", Move(Stage.PICKING), "device", 3)
ENTRY = LogEntry(1, MOVE, Outcome.APPLIED, 5, "Ana", patch=OrderPatch(stage=Stage.PICKING))
SITE = messages.Site("s", "Leeds", "Europe/London", "org", "Org")
PERSON = messages.Person("u", "Ana", "picker", "sign-in")

CLIENT_MESSAGES: list[messages.ClientMessage] = [
    messages.Auth("token"),
    messages.Hello(2, 2, "0.1.0", "device", 1, "epoch", 5, 9),
    messages.Submit([MOVE]),
    messages.Ping(1, 2),
    messages.Compare(1, [("", "a"), ("a", "")]),
    messages.Fetch(2, "a", "b"),
    messages.Reload(),
]
SERVER_MESSAGES: list[messages.ServerMessage] = [
    messages.Welcome(2, "0.1.0", "epoch", 7, SITE, PERSON, 3, 0, 10),
    messages.Decided([messages.Verdict(3, "op", 7, Outcome.APPLIED)]),
    messages.Faulted(3, "op"),
    messages.Delta(0, 1, [ENTRY]),
    messages.SnapshotBegin("epoch", 7, 1, 1, 5, 3),
    messages.SnapshotPage([]),
    messages.SnapshotChunk.of(0, []),
    messages.SnapshotEnd(7),
    messages.Pong(1, 2, 3),
    messages.Compared(1, 7, [(5, 2), (0, 0)]),
    messages.Repair(2, 7, "a", "b", []),
    messages.Heartbeat(7, 0, 3),
    messages.Heartbeat(7, 0, 3, 60, 5),
    messages.Refused(Problem("TOKEN_EXPIRED", "Signed out.")),
]


@pytest.mark.parametrize("message", CLIENT_MESSAGES, ids=lambda m: type(m).__name__)
def test_what_a_client_says_arrives(message: messages.ClientMessage) -> None:
    """Text and compressed frames both come back equal."""
    assert codec.decode_client(codec.encode(message)) == message
    assert codec.decode_client(codec.encode_compressed(message)) == message


@pytest.mark.parametrize("message", SERVER_MESSAGES, ids=lambda m: type(m).__name__)
def test_what_the_server_says_arrives(message: messages.ServerMessage) -> None:
    """Text and compressed frames both come back equal."""
    assert codec.decode_server(codec.encode(message)) == message
    assert codec.decode_server(codec.encode_compressed(message)) == message


def test_the_tables_above_name_every_message() -> None:
    """A new message without a row here fails."""
    assert {type(m) for m in CLIENT_MESSAGES} == set(messages.ClientMessage.__args__)
    assert {type(m) for m in SERVER_MESSAGES} == set(messages.ServerMessage.__args__)


def test_a_delta_of_encoded_entries_is_the_same_delta() -> None:
    """The server pastes stored bytes; the client sees the entries."""
    raw = messages.RawDelta(0, 1, [msgspec.Raw(msgspec.json.encode(ENTRY))])
    assert codec.encode(raw) == codec.encode(messages.Delta(0, 1, [ENTRY]))


def test_a_long_frame_is_refused_packed_and_unpacked() -> None:
    """64 KiB from a client, also when 70 bytes of zstandard claim to be more."""
    with pytest.raises(codec.FrameTooLongError):
        codec.decode_client(" " * (CLIENT_FRAME_BYTES + 1))
    bomb = zstandard.ZstdCompressor().compress(b" " * (64 * 1024 * 1024))
    assert len(bomb) < CLIENT_FRAME_BYTES
    with pytest.raises(codec.FrameTooLongError):
        codec.decode_client(bomb)
    with pytest.raises(codec.FrameTooLongError):
        codec.decode_server(zstandard.ZstdCompressor().compress(b" " * (SERVER_FRAME_BYTES + 1)))


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "[]",
        "{}",
        '{"type":"nonsense"}',
        '{"type":"auth"}',
        '{"type":"auth","token":1}',
        '{"type":"auth","token":"\ud800"}',
        b"not zstandard",
        "[" * 17 + "]" * 17,
        '{"type":"auth","token":"t","x":' + "[" * 100_0 + "]" * 100_0 + "}",
    ],
)
def test_what_is_not_ours_is_malformed(frame: str | bytes) -> None:
    """Whatever arrives, the answer is a CodecError."""
    with pytest.raises(codec.MalformedFrameError):
        codec.decode_client(frame)


def test_depth_is_measured_of_what_is_json_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """In what is no JSON brackets and quotes are no pairs; nobody is signed in yet."""

    def measured(data: bytes) -> bool:
        raise AssertionError(f"{len(data)} bytes were measured")

    monkeypatch.setattr(codec, "_is_flat", measured)
    with pytest.raises(codec.MalformedFrameError):
        codec.decode_client('"' + '\\"' * 30_000)


def test_a_known_message_may_not_nest_deeper_than_16() -> None:
    """Fields that are not known are skipped, but they are measured."""
    frame = '{"type":"auth","token":"t","x":' + "[" * 15 + "]" * 15 + "}"
    assert codec.decode_client(frame) == messages.Auth("t")
    with pytest.raises(codec.MalformedFrameError, match="deeper than 16"):
        codec.decode_client(frame.replace("[]", "[[]]"))


def test_a_frame_may_not_ask_for_more_memory_than_a_frame_is_long() -> None:
    """128 MiB of window for 70 bytes is not one of ours."""
    greedy = zstandard.ZstdCompressionParameters(window_log=27)
    packer = zstandard.ZstdCompressor(compression_params=greedy).compressobj()
    frame = packer.compress(codec.encode(messages.Auth("t")).encode()) + packer.flush()
    with pytest.raises(codec.MalformedFrameError, match="memory"):
        codec.decode_client(frame)


def test_brackets_inside_text_do_not_count_as_depth() -> None:
    """A note full of brackets is a note."""
    message = messages.Auth('[[[[[[[[[[[[[[[[[[[["\\[[[')
    assert codec.decode_client(codec.encode(message)) == message


@given(st.one_of(st.text(), st.binary(), st.binary().map(zstandard.ZstdCompressor().compress)))
def test_noise_never_gets_past_the_codec(frame: str | bytes) -> None:
    """Random frames end in a CodecError or a message, nothing else."""
    for decode in (codec.decode_client, codec.decode_server):
        try:
            decode(frame)
        except codec.CodecError:
            continue


def test_an_operation_keeps_its_bytes() -> None:
    """The CRC covers bytes that come back the same."""
    data = operation_bytes(MOVE)
    assert operation_from_bytes(data) == MOVE
    assert crc(data) == crc(operation_bytes(operation_from_bytes(data)))
    assert crc(data) != crc(data[:-1] + b" ")


def test_a_problem_is_one_line_with_the_code_last() -> None:
    """What the terminal prints; nothing to do leaves no gap."""
    error = UsageError("NO_FILE", "There is no such file.", "Check the name.")
    assert error.problem.line() == "There is no such file. Check the name. [NO_FILE]"
    assert Problem("X", "It stopped.").line() == "It stopped. [X]"
    assert isinstance(error, ProblemError)
    assert str(error) == "There is no such file."


def test_operations_of_a_later_release_are_kept_as_unknown() -> None:
    """The kind is not ours, nor is the reason; what they did to the order stands beside them."""
    entry = msgspec.to_builtins(ENTRY)
    entry["operation"]["change"] = {"kind": "teleport", "where": {"to": 1}}
    entry["reason"] = "BEAMED"
    entry["field_of_later"] = 1
    frame = msgspec.json.encode(
        {"type": "delta", "prev_seq": 0, "seq": 2, "entries": [entry, ENTRY]}
    ).decode()
    delta = codec.decode_server(frame)
    assert isinstance(delta, messages.Delta)
    assert delta.entries[0].operation.change == Unknown("teleport")
    assert delta.entries[0].reason is Reason.OTHER
    assert delta.entries[0].patch == ENTRY.patch
    assert delta.entries[1] == ENTRY


@pytest.mark.parametrize(
    "entries",
    [
        '[{"seq":"x"}]',
        '[{"operation":1}]',
        '[{"operation":{"change":{"kind":1}}}]',
        '[{"operation":{"change":{"kind":"move"}}}]',
        "[[]]",
    ],
)
def test_a_delta_that_is_wrong_otherwise_stays_wrong(entries: str) -> None:
    """Only unknown kinds are forgiven."""
    with pytest.raises(codec.MalformedFrameError):
        codec.decode_server('{"type":"delta","prev_seq":0,"seq":1,"entries":' + entries + "}")


def test_a_reason_is_text() -> None:
    """An unknown word is another reason; a number is none."""
    assert Reason("SOMETHING_NEW") is Reason.OTHER
    with pytest.raises(ValueError, match="5"):
        Reason(5)  # type: ignore[arg-type]
