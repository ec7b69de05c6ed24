"""The protocol as it was released: whole conversations in files, which both programs still speak."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, get_args

import pytest

from support.golden_protocol import Player, transcript, versions
from support.hub_bench import HubBench
from sync.contract.codec import decode_client, decode_server, encode
from sync.contract.messages import PROTOCOL_MAX, PROTOCOL_MIN, Message, Refused
from sync.contract.operations import KINDS
from sync.contract.steps import Received

SPOKEN: Final = range(PROTOCOL_MIN, PROTOCOL_MAX + 1)


def test_every_version_that_was_ever_spoken_has_a_transcript() -> None:
    """A new version without its transcript, or a lost one, is seen here."""
    assert versions() == list(range(1, PROTOCOL_MAX + 1))


@pytest.mark.parametrize("version", SPOKEN)
def test_the_client_says_what_it_always_said(version: int, tmp_path: Path) -> None:
    """Given the same events, every frame of the client is the one in the file, byte for byte."""
    player = Player(tmp_path)
    lines = transcript(version)
    said = [frame for line in lines if line["from"] != "client" for frame in player.play(line)]
    assert said == [line["frame"] for line in lines if line["from"] == "client"]


@pytest.mark.parametrize("version", sorted({*versions()} - {*SPOKEN}))
def test_a_terminal_of_a_version_that_is_over_is_told_so(version: int) -> None:
    """It hears that it is behind, in words that it understands, and keeps its operations."""
    frames = [line["frame"] for line in transcript(version) if line["from"] == "client"]
    hub = HubBench()
    hub.connect()
    for frame in frames[:2]:
        hub.feed(Received(1, json.dumps(frame)))
    (refused,) = hub.heard()
    assert isinstance(refused, Refused)
    assert refused.problem.code == "PROTOCOL_TOO_OLD"


@pytest.mark.parametrize("version", SPOKEN)
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
