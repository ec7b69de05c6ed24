"""The few moods a message can have; each is a set of colour tokens."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Tone(StrEnum):
    """What a message asks of people."""

    GREEN = "green"
    BLUE = "blue"
    AMBER = "amber"
    AMBER_SOLID = "amber_solid"
    RED = "red"
    VIOLET = "violet"
    PLAIN = "plain"


class ToneTokens(NamedTuple):
    """The colour tokens of a tone."""

    ground: str
    edge: str
    ink: str


TONES = {
    Tone.GREEN: ToneTokens("greentint", "greenfill", "green"),
    Tone.BLUE: ToneTokens("bluetint", "bluefill", "blue"),
    Tone.AMBER: ToneTokens("ambertint", "amber", "amber"),
    Tone.AMBER_SOLID: ToneTokens("amberfill", "amber", "onamber"),
    Tone.RED: ToneTokens("redtint", "redfill", "red"),
    Tone.VIOLET: ToneTokens("violettint", "violetfill", "violet"),
    Tone.PLAIN: ToneTokens("surface", "control", "ink2"),
}
