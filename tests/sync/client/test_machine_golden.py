"""The protocol as it was released: whole conversations in files, which both programs still speak."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest

from support.golden_protocol import transcript, versions
from support.machine_bench import MachineBench
from sync.contract.codec import decode_client, decode_server, encode
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN, Message
from sync.contract.operations import KINDS, Operation
from sync.contract.steps import Send


def carry_out(bench: MachineBench, line: dict[str, Any]) -> None:
    """Do what a line says of somebody other than the client."""
    if line["from"] == "server":
        bench.hear(decode_server(json.dumps(line["frame"])))
    elif line["from"] == "clock":
        bench.fire(line["fire"])
    elif "submit" in line:
        bench.submit(*msgspec.convert(line["submit"], list[Operation]))
    else:
        bench.connect()


def test_every_version_that_we_speak_has_a_transcript() -> None:
    """A new version without its transcript, or a lost one, is seen here."""
    assert versions() == list(range(PROTOCOL_MIN, PROTOCOL_MAX + 1))


@pytest.mark.parametrize("version", versions())
def test_the_client_says_what_it_always_said(version: int) -> None:
    """Given the same events, every frame of the client is the one in the file, byte for byte."""
    bench = MachineBench()
    lines = transcript(version)
    for line in lines:
        if line["from"] != "client":
            carry_out(bench, line)
    said = [effect.frame for effect in bench.effects if isinstance(effect, Send)]
    assert [json.loads(frame) for frame in said] == [
        line["frame"] for line in lines if line["from"] == "client"
    ]


@pytest.mark.parametrize("version", versions())
def test_both_sides_read_every_frame_as_it_was_written(version: int) -> None:
    """Each side's decoder takes every frame of the other, and nothing is lost in reading it."""
    for line in transcript(version):
        if line["from"] == "client":
            assert json.loads(encode(decode_client(json.dumps(line["frame"])))) == line["frame"]
        elif line["from"] == "server":
            assert json.loads(encode(decode_server(json.dumps(line["frame"])))) == line["frame"]


def test_the_newest_transcript_holds_every_message_and_kind() -> None:
    """A message or a kind of operation that is not in it could change unseen."""
    frames = [line["frame"] for line in transcript(PROTOCOL_MAX) if "frame" in line]
    tags = {kind.__struct_config__.tag for kind in get_args(Message)}
    assert {frame["type"] for frame in frames} == tags
    text = json.dumps(frames)
    assert [kind for kind in KINDS if f'"kind": "{kind}"' not in text] == []
