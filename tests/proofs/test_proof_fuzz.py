"""Nonsense brings nobody down, and the proof of that sees programs that it does bring down."""

from __future__ import annotations

import json
import random

import pytest

from proofs.proof_fuzz import storm_server, storm_terminals
from support.proofs_frames import Nonsense, framed
from support.proofs_fuzzer import sensible
from support.proofs_planted import JUNK_NOT_CAUGHT, planted
from sync.contract.codec import decode_client

pytestmark = pytest.mark.timeout(120)


def test_a_server_stands_in_a_storm() -> None:
    """It runs on, logs no error and decides what an honest terminal does."""
    came_to = storm_server(200, 5)
    assert not came_to.crashes
    assert not came_to.errors
    assert came_to.kinds.total() >= 200
    assert came_to.honest_ms


def test_terminals_stand_in_a_storm() -> None:
    """They come back each time, and in the end have the true board and the outcome of their move."""
    came_to = storm_terminals(200, 5)
    assert not came_to.crashes
    assert not came_to.errors
    assert came_to.kinds.total() >= 200


def test_programs_that_catch_no_junk_are_seen() -> None:
    """A frame that is no JSON leaves an error in the log of either program."""
    with planted(JUNK_NOT_CAUGHT) as code:
        assert storm_server(60, 5, code).errors
        came_to = storm_terminals(60, 5, code)
        assert came_to.errors or came_to.crashes


def test_nonsense_is_the_seeds_and_of_every_kind() -> None:
    """The same seed says the same frames; in a thousand all kinds come."""
    frames = [_wires(3), _wires(3), _wires(4)]
    assert frames[0] == frames[1] != frames[2]
    nonsense = Nonsense("1", lambda: sensible("device", 1))
    kinds = {nonsense.next().kind.removesuffix(", packed") for _ in range(1_000)}
    assert len(kinds) == 12


def _wires(seed: int) -> list[bytes]:
    nonsense = Nonsense(str(seed), lambda: sensible("device", 1))
    return [nonsense.next().wire(random.Random(1), is_masked=True) for _ in range(40)]


def test_what_nonsense_is_made_of_makes_sense() -> None:
    """The messages before they are spoilt are ones that the server takes."""
    for text in sensible("device", 1):
        decode_client(text)
        json.loads(text)


@pytest.mark.parametrize("size", [0, 1, 3, 125, 126, 70_000])
def test_frames_are_masked(size: int) -> None:
    """Unmasked again, the payload is what it was."""
    payload = random.Random(1).randbytes(size)
    wire = framed(2, payload, random.Random(2), is_masked=True)
    mask, masked = wire[len(wire) - size - 4 : len(wire) - size], wire[len(wire) - size :]
    assert bytes(byte ^ mask[place % 4] for place, byte in enumerate(masked)) == payload
