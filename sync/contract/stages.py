"""The four stages that an order moves through, and their order.

``cancelled`` and ``on hold`` are states beside the stage, never stages of their own.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Stage(StrEnum):
    """Where an order stands; the value is what is stored in the column ``status``."""

    CONFIRMED = "confirmed"
    PICKING = "picking"
    PICKED = "picked"
    SHIPPED = "shipped"


STAGES: Final[tuple[Stage, ...]] = tuple(Stage)
"""All stages, in the order in which an order goes through them."""


def stage_index(stage: Stage) -> int:
    """Return the position of ``stage`` on the board, 0 to 3."""
    return STAGES.index(stage)


def next_stage(stage: Stage) -> Stage | None:
    """Return the stage after ``stage``, or None for the last one."""
    place = stage_index(stage) + 1
    return STAGES[place] if place < len(STAGES) else None


def previous_stage(stage: Stage) -> Stage | None:
    """Return the stage before ``stage``, or None for the first one."""
    place = stage_index(stage) - 1
    return STAGES[place] if place >= 0 else None


def is_single_step(origin: Stage, goal: Stage) -> bool:
    """Say whether ``goal`` is one step forward or back from ``origin``."""
    return abs(stage_index(origin) - stage_index(goal)) == 1
